"""Being forgotten: nothing of the person is found afterwards, whatever they said and whenever the process dies; nobody else is touched."""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memory.attachments import blob_table, keep_blob
from memory.clock import ManualClock
from memory.customers import Customer, Identity, Profile, find_or_make, ownership_of, pass_on, person_of, set_reachable
from memory.database import Database, Record, Tx, table
from memory.detach import Busy, cut
from memory.erasure import CLEAN, DONE, ask_again, ask_to_forget, erasure_table, get_erasure, read_receipts
from memory.errors import CustomerForgotten
from memory.exchanges import Exchange, exchange_row, log
from memory.forget import LEASE, Forgetting, NobodyThere, forget, resume_erasures
from memory.handoffs import handoff_table, open_handoff
from memory.inbox import inbox_row, inbox_table, keep
from memory.known import known_table, refresh_known
from memory.lanes import Lane, claim_lanes
from memory.links import Redeemed, make_code, make_link, redeem
from memory.merges import merge_table
from memory.outbox import REFUSED, SENT, WAITING, first_open, mark_done, mark_sending, outbox_row, outbox_table, put_out
from memory.schema import METADATA
from memory.signals import LocalSignals
from memory.sweep import names_address, remains, sweep
from memory.turns import keep_turns
from memory.whose import KEPT, NOBODYS, Subject, rows_about, subject_of
from tests.memory.lives import live
from tests.memory.people import START, after, meet, pause, someone_blocked, tell

_customer, _identity, _exchange, _lane = table(Customer), table(Identity), table(Exchange), table(Lane)

ADDRESS = "70123456789012"

bystanders = itertools.count()

words = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn", "Zl", "Zp"]), min_size=1, max_size=24)
"""Anything that a person can type, in any script."""


# -- what is looked at ------------------------------------------------------------------------------------------------


def dump(tx: Tx) -> dict[str, list[str]]:
    """Every row of every table as text."""
    return {of.name: [repr(tuple(row)) for row in tx.execute(sa.select(of))] for of in METADATA.sorted_tables}


def forms_of(word: str) -> set[bytes]:
    """How a text may stand in a file."""
    return {word.encode(), word.encode("utf-16-le"), json.dumps(word)[1:-1].encode(), repr(word)[1:-1].encode()}


def in_files(files: Sequence[Path], word: str) -> list[str]:
    """The files in which a text stands, in any form."""
    return [str(file) for file in files if file.is_file() and any(form in file.read_bytes() for form in forms_of(word))]


def in_rows(rows: dict[str, list[str]], word: str) -> list[str]:
    shown = repr(word)[1:-1]
    return [name for name, texts in rows.items() for text in texts if word in text or shown in text or json.dumps(word)[1:-1] in text]


def files_of(database: Database) -> list[Path]:
    """The database's own files."""
    path = Path(database.url.database or "")
    return [path, path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")]


@contextmanager
def everything_logged() -> Iterator[list[str]]:
    """What is logged meanwhile, at whatever level."""
    lines: list[str] = []

    class Keeps(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(f"{record.getMessage()} {record.exc_info}")

    root, handler = logging.getLogger(), Keeps(logging.DEBUG)
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield lines
    finally:
        root.setLevel(before)
        root.removeHandler(handler)


async def deliver(database: Database, state: str = SENT, why: str | None = None) -> list[dict[str, Any]]:
    """What a delivery does with everything that waits, and what that was."""

    def run(tx: Tx) -> list[dict[str, Any]]:
        rows = tx.execute(sa.select(outbox_table).where(outbox_table.c.state == WAITING).order_by(outbox_table.c.id)).all()
        mark_sending(tx, [row.id for row in rows])
        mark_done(tx, [(row.id, state, None, why) for row in rows], at=after(1))
        return [dict(row.outgoing) for row in rows]

    return await database.write(run)


async def forgotten(database: Database, clock: ManualClock, customer_id: int, **options: Any) -> Any:
    """Forget somebody, with the channels doing what they are asked."""
    receipt = await forget(database, clock, customer_id, asked_by="test", **options)
    for _ in range(10):
        if receipt.is_done:
            break
        await deliver(database)
        clock.advance(60)
        receipt = await forget(database, clock, customer_id, asked_by="test", **options)
    assert receipt.is_done, receipt
    return receipt


# -- the whole --------------------------------------------------------------------------------------------------------


class Cached:
    """A cache that notes who was dropped."""

    def __init__(self) -> None:
        self.dropped: set[int] = set()

    async def drop_customers(self, customer_ids: Any) -> bool:
        self.dropped |= set(customer_ids)
        return True


@settings(max_examples=7, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(said=st.lists(words, min_size=1, max_size=5), number=st.integers(0, 10**10 - 1), mark=st.integers(0, 16**9 - 1))
async def test_nothing_of_a_forgotten_person_is_found(
    database: Database, clock: ManualClock, said: list[str], number: int, mark: int, tmp_path: Path
) -> None:
    token, address = f"q{mark:09x}z", f"71{number:010d}37"  # nothing that could stand in a file by itself
    texts = [f"{one} {token} {one}" for one in said] + [f"+44 {address}"]
    cache, receipts = Cached(), tmp_path / "receipts.jsonl"
    with everything_logged() as lines:
        other = await database.write(lambda tx: live(tx, f"b{next(bystanders)}", ["bystander", "+1 555"]))
        me = await database.write(lambda tx: live(tx, address, texts))
        before = await database.read(lambda tx: rows_of(tx, other))
        receipt = await forgotten(database, clock, me, cache=cache, receipts=receipts)

    rows = await database.read(dump)
    for word in (token, address, *texts):
        assert in_rows(rows, word) == []
        assert word not in str(receipt)
        assert not any(word in line for line in lines)
        assert in_files([receipts], word) == []
        if database.is_sqlite:
            assert in_files(files_of(database), word) == []
    assert await database.read(lambda tx: rows_of(tx, other)) == before
    assert me in cache.dropped
    assert await database.read(lambda tx: remains(tx, subject_of(tx, me), METADATA)) == {}


def rows_of(tx: Tx, customer_id: int) -> dict[str, list[str]]:
    """Every row about a person."""
    subject = subject_of(tx, customer_id)
    found = {}
    for of in METADATA.sorted_tables:
        where = rows_about(of, subject)
        if where is not None and of.name != "merge":
            found[of.name] = [repr(tuple(row)) for row in tx.execute(sa.select(of).where(where))]
    return found


async def test_no_byte_is_left_in_the_files_of_either_database(database: Database, clock: ManualClock) -> None:
    """On SQLite always, on PostgreSQL after a full scrub, as far as its files can be read from here."""
    texts = ["Zöß Ünïcode 日本語 naïve", "+44 7700 900123", "zz-unmistakable-zz"]
    folder = None if database.is_sqlite else await data_folder(database)
    me = await database.write(lambda tx: live(tx, ADDRESS, texts))
    await database.write(lambda tx: log(tx, [said(n, me, f"{texts[n % 3]} {n}", home=True) for n in range(300_000, 300_400)]))
    receipt = await forgotten(database, clock, me, full=True)

    assert any(one.what == "backups made before" and "--replay" in one.remedy for one in receipt.left)
    if database.is_sqlite:
        files = files_of(database)
    else:
        assert any("write-ahead log" in one.what for one in receipt.left)
        if folder is None:
            return
        files = list(folder.rglob("*"))
        assert files
    for word in (*texts, ADDRESS):
        assert in_files(files, word) == []


async def data_folder(database: Database) -> Path | None:
    """The folder of this one PostgreSQL database, if it is on this machine and may be read."""

    def where(tx: Tx) -> str:
        folder = tx.execute(sa.text("SHOW data_directory")).scalar_one()
        number = tx.execute(sa.text("SELECT oid FROM pg_database WHERE datname = current_database()")).scalar_one()
        return f"{folder}/base/{number}"

    return readable(Path(await database.read(where)))


def readable(folder: Path) -> Path | None:
    try:
        return folder if any(folder.iterdir()) else None
    except OSError:
        return None


def said(id_: int, customer: int, text: str, *, home: bool = False) -> dict[str, Any]:
    return exchange_row(
        id=id_, customer_id=customer, identity_id=1, turn_id=id_ // 256, direction="in", author="customer", kind="text", text=text, at=START
    )


# -- tables -----------------------------------------------------------------------------------------------------------


def test_of_every_table_it_is_known_whom_its_rows_are_about() -> None:
    subject = Subject((1,), (1,))
    nobodys = {of.name for of in METADATA.sorted_tables if rows_about(of, subject) is None}

    assert nobodys == set(NOBODYS) - {"alembic_version"}


def test_every_column_that_stays_is_named_and_is_there() -> None:
    for name, columns in KEPT.items():
        assert columns <= set(METADATA.tables[name].c.keys())


def test_a_table_that_nothing_is_known_of_is_named() -> None:
    odd = sa.Table("odd", sa.MetaData(), sa.Column("text", sa.Text))

    with pytest.raises(LookupError, match=r"the table odd are about; name it in memory\.whose"):
        rows_about(odd, Subject((1,), (1,)))


# -- the cut ----------------------------------------------------------------------------------------------------------


async def asked(database: Database, customer_id: int, **more: Any) -> int:
    id_ = await database.write(lambda tx: ask_to_forget(tx, customer_id, asked_by="test", at=START, **more))
    assert id_ is not None
    return id_


async def cut_now(database: Database, erasure_id: int) -> None:
    def run(tx: Tx) -> None:
        row = get_erasure(tx, erasure_id)
        assert row is not None
        cut(tx, row, now=after(5))

    await database.write(run)


async def test_after_the_cut_the_same_address_is_a_stranger(database: Database) -> None:
    cora = await meet(database, "42", name="Cora")
    await cut_now(database, await asked(database, cora.customer_id))

    again = await meet(database, "42", name="Cora")

    assert again.customer_id != cora.customer_id
    assert again.identity_id != cora.identity_id


async def test_a_turn_that_is_under_way_is_refused(database: Database) -> None:
    cora = await meet(database)
    before = await database.write(lambda tx: ownership_of(tx, [cora.customer_id]))
    await cut_now(database, await asked(database, cora.customer_id))

    assert (await database.write(lambda tx: ownership_of(tx, [cora.customer_id]))) != before


async def test_what_waits_is_emptied_and_accounted_for(database: Database) -> None:
    cora = await meet(database)

    def wait(tx: Tx) -> None:
        one: dict[str, Any] = {
            "channel": "telegram",
            "customer_id": cora.customer_id,
            "identity_id": cora.identity_id,
            "received_at": START,
        }
        keep(tx, [inbox_row(update_id=str(n), incoming={"text": f"secret {n}"}, **one) for n in range(3)])
        put_out(tx, [out(cora, "a", {"kind": "text", "text": "secret"})])

    await database.write(wait)
    await cut_now(database, await asked(database, cora.customer_id))

    def look(tx: Tx) -> tuple[list[Record], list[Record], int]:
        inbox = list(tx.execute(sa.select(inbox_table)))
        turns = METADATA.tables["turn"]
        dealt = tx.execute(sa.select(sa.func.count()).select_from(turns).where(turns.c.id.in_([row.turn_id for row in inbox]))).scalar_one()
        return inbox, list(tx.execute(sa.select(outbox_table))), dealt

    inbox, outbox, turns = await database.read(look)
    assert all(row.incoming is None and row.turn_id == row.id for row in inbox)
    assert turns == 3
    assert [(row.state, "secret" in str(row.outgoing)) for row in outbox] == [("dropped", False)]


def out(who: Any, key: str, outgoing: dict[str, Any], *, address: str = "42", lane: str = "telegram", **more: Any) -> dict[str, Any]:
    return outbox_row(
        key=key, lane=lane, address=address, outgoing=outgoing, at=START, customer_id=who.customer_id, identity_id=who.identity_id, **more
    )


async def test_the_farewell_still_goes_out_and_is_masked_then(database: Database, clock: ManualClock) -> None:
    cora = await meet(database)
    farewell = out(cora, "7.0", {"kind": "text", "text": "Farewell, Cora"}, exchange_id=7 * 256 + 1, ownership=0)
    await database.write(lambda tx: put_out(tx, [farewell, out(cora, "6.0", {"kind": "text", "text": "an answer"}, ownership=0)]))
    await asked(database, cora.customer_id, farewell=7)

    [waits] = await resume_erasures(database, clock)
    assert not waits.is_done
    assert "1 message" in waits.waits_for
    assert await database.read(lambda tx: [row.ownership for row in tx.execute(open_rows)]) == [None]
    assert [one["text"] for one in await deliver(database)] == ["Farewell, Cora"]
    clock.advance(60)
    [receipt] = await resume_erasures(database, clock)

    assert receipt.is_done
    assert in_rows(await database.read(dump), "Farewell") == []
    assert in_rows(await database.read(dump), "'42'") == []


open_rows = sa.select(outbox_table).where(outbox_table.c.state == WAITING)


async def test_an_open_handoff_ends_and_its_topic_is_deleted(database: Database, clock: ManualClock) -> None:
    cora = await meet(database, name="Cora Novak")

    def begin(tx: Tx) -> None:
        open_handoff(tx, 5, cora.customer_id, cora.identity_id, reason="asked", packet={"version": 1, "want": "Cora's card"}, at=START)
        tx.execute(sa.update(handoff_table).values(topic="8801", card="8802"))

    await database.write(begin)
    post = {"kind": "text", "text": "gone"}
    receipt = await forget(database, clock, cora.customer_id, asked_by="test", notice=lambda handoff: {**post, "text": f"gone: {handoff}"})
    assert not receipt.is_done

    assert await deliver(database) == [{"kind": "drop", "about": "8801"}, {"kind": "text", "text": "gone: 5"}]
    clock.advance(60)
    [receipt] = await resume_erasures(database, clock)
    [row] = await database.read(lambda tx: list(tx.execute(sa.select(handoff_table))))
    assert (row.state, row.ending, row.topic, row.card) == ("ended", "forgotten", None, None)
    assert row.packet == {"version": 1, "want": "", "forgotten": True}
    assert receipt.counts["topic on the desk"] == 1


async def test_it_never_waits_for_those_who_wait_for_it(two: tuple[Database, Database]) -> None:
    """A message that is being accepted holds the identity: the cut does not wait, and comes again."""
    first, second = two
    cora = await meet(first)
    erasure = await asked(first, cora.customer_id)
    held, go_on = asyncio.Event(), asyncio.Event()

    def accept(tx: Tx) -> None:
        find_or_make(tx, "telegram", [Profile("42")], at=START)
        held.set()
        pause(go_on.wait())

    accepting = asyncio.create_task(first.write(accept))
    await held.wait()
    with pytest.raises(Busy):
        await cut_now(second, erasure)
    go_on.set()
    await accepting
    await cut_now(second, erasure)


async def test_a_message_that_comes_during_the_cut_is_a_strangers(two: tuple[Database, Database]) -> None:
    """The accept that waits for the cut finds nobody at the address, and makes somebody."""
    first, second = two
    cora = await meet(first)
    erasure = await asked(first, cora.customer_id)

    def cuts(tx: Tx) -> Any:
        row = get_erasure(tx, erasure)
        assert row is not None
        cut(tx, row, now=after(5))
        accepting = asyncio.ensure_future(second.write(lambda tx: find_or_make(tx, "telegram", [Profile("42")], at=START)))
        pause(someone_blocked(second))
        return accepting

    accepting = await first.write(cuts)
    assert (await accepting)["42"].customer_id != cora.customer_id


async def test_what_is_just_being_taken_for_sending_is_awaited(two: tuple[Database, Database]) -> None:
    """Between a delivery's look and its mark nobody empties what it looked at: it would go out, and nobody would know to delete it."""
    first, second = two
    cora = await meet(first)
    notice = outbox_row(
        key="1.0.notice", lane="handoff", address="general", outgoing={"text": "unmistakable"}, at=START, customer_id=cora.customer_id
    )
    await first.write(lambda tx: put_out(tx, [notice]))
    erasure = await asked(first, cora.customer_id)
    await cut_now(first, erasure)
    looked, go_on = asyncio.Event(), asyncio.Event()

    def take(tx: Tx) -> None:
        claim_lanes(tx, "handoff", worker="one", now=START, until=after(30), limit=1)
        [row] = first_open(tx, "handoff", ["general"])
        looked.set()
        pause(go_on.wait())
        mark_sending(tx, [row.id])

    def look(tx: Tx) -> tuple[bool, int]:
        row = get_erasure(tx, erasure)
        assert row is not None
        return sweep(tx, row, now=after(10))

    taking = asyncio.create_task(first.write(take))
    await looked.wait()
    sweeping, blocked = asyncio.create_task(second.write(look)), asyncio.create_task(someone_blocked(second))
    await asyncio.wait({sweeping, blocked}, return_when=asyncio.FIRST_COMPLETED)
    go_on.set()
    await taking
    blocked.cancel()
    assert (await sweeping)[0]
    assert await second.write(look) == (False, 1)

    [row] = await first.read(lambda tx: list(tx.execute(sa.select(outbox_table))))
    assert (row.state, row.outgoing) == ("sending", {"text": "unmistakable"})
    await first.write(lambda tx: mark_done(tx, [(row.id, SENT, "901", None)], at=after(11)))
    assert (await second.write(look))[0]
    assert [one["about"] for one in await deliver(first)] == ["901"]


async def test_nothing_is_noted_of_the_address_that_is_a_strangers_now(database: Database) -> None:
    """The channel may refuse to delete what it had sent, or a wrong code may come in from a turn that is still under way."""
    cora = await meet(database)
    await cut_now(database, await asked(database, cora.customer_id))

    await database.write(lambda tx: set_reachable(tx, cora.identity_id, since=after(6), why="blocked"))
    wrong = await database.write(lambda tx: redeem(tx, "ABCD2345", cora.identity_id, at=after(6)))

    [row] = await database.read(lambda tx: list(tx.execute(sa.select(_identity))))
    assert wrong.outcome is Redeemed.WRONG
    assert (row.unreachable_since, row.unreachable_why, row.wrong_since, row.wrong_codes) == (None, None, None, 0)


async def test_no_code_is_made_for_somebody_who_is_forgotten(database: Database) -> None:
    cora = await meet(database)
    await cut_now(database, await asked(database, cora.customer_id))

    for make, identity in itertools.product((make_code, make_link), (cora.identity_id, None)):
        with pytest.raises(CustomerForgotten, match=f"customer {cora.customer_id} was forgotten"):
            await database.write(lambda tx, make=make, one=identity: make(tx, cora.customer_id, one, by="customer", at=after(6)))  # type: ignore[misc]


async def test_a_code_that_is_made_during_the_cut_is_none(two: tuple[Database, Database]) -> None:
    first, second = two
    cora = await meet(first)
    erasure = await asked(first, cora.customer_id)

    def cuts(tx: Tx) -> Any:
        row = get_erasure(tx, erasure)
        assert row is not None
        cut(tx, row, now=after(5))
        making = asyncio.ensure_future(second.write(lambda tx: make_code(tx, cora.customer_id, cora.identity_id, by="customer", at=START)))
        pause(someone_blocked(second))
        return making

    making = await first.write(cuts)
    with pytest.raises(CustomerForgotten):
        await making


# -- people who are several customers ---------------------------------------------------------------------------------


async def merged(database: Database, root: int, member: int, *, undone: bool = False) -> None:
    """Make two customers one person, as a merge does, or leave what an undone merge leaves."""

    def run(tx: Tx) -> None:
        row = {"survivor_id": root, "merged_id": member, "evidence": {"phone": "+44 1"}, "by": "test", "at": START}
        tx.execute(sa.insert(merge_table).values(**row, undone_at=after(1) if undone else None))
        if undone:
            return
        tx.execute(sa.update(_customer).where(_customer.c.id == member).values(merged_into_id=root, merged_at=START))
        tx.execute(sa.update(_customer).where(_customer.c.id == root).values(members=[member]))
        tx.execute(sa.update(_identity).where(_identity.c.home_id == member).values(customer_id=root))
        refresh_known(tx, [root])

    await database.write(run)


@pytest.mark.parametrize("named", [0, 1])
async def test_all_customers_who_are_one_person_are_forgotten(database: Database, clock: ManualClock, named: int) -> None:
    ids = [await database.write(lambda tx, n=n: live(tx, f"{ADDRESS}{n}", [f"person-{n}-word"])) for n in range(2)]  # type: ignore[misc]
    await merged(database, ids[0], ids[1])

    receipt = await forgotten(database, clock, ids[named])

    assert set(receipt.customers) == set(ids)
    rows = await database.read(dump)
    assert [in_rows(rows, word) for word in ("person-0-word", "person-1-word", ADDRESS)] == [[], [], []]


async def test_what_stands_under_the_number_of_somebody_else_goes_too(database: Database, clock: ManualClock) -> None:
    """While they were merged, work of Dana's was noted under Cora's number; after the merge was undone, Dana is forgotten, Cora is not."""
    cora, dana = await meet(database, "42", name="Cora"), await meet(database, "43", name="Dana")

    def sent(tx: Tx) -> None:
        rows = [
            out(cora, "1.0", {"kind": "text", "text": "for Cora"}),
            outbox_row(
                key="2.0", lane="telegram", address="43", outgoing={"text": "for Dana"}, at=START,
                customer_id=cora.customer_id, identity_id=dana.identity_id,
            ),
        ]  # fmt: skip
        put_out(tx, rows)
        mark_done(tx, [(row.id, SENT, f"99{row.id}", None) for row in tx.execute(sa.select(outbox_table))], at=START)
        open_handoff(tx, 6, cora.customer_id, dana.identity_id, reason="asked", packet={"want": "Dana's matter"}, at=START)
        tx.execute(sa.update(handoff_table).values(ended_at=after(1), state="ended", ending="closed"))

    await database.write(sent)
    await merged(database, cora.customer_id, dana.customer_id, undone=True)
    await forgotten(database, clock, dana.customer_id)

    rows = await database.read(dump)
    assert in_rows(rows, "for Dana") == []
    assert in_rows(rows, "Dana's matter") == []
    assert in_rows(rows, "'43'") == []
    assert in_rows(rows, "for Cora") == ["outbox"]
    assert in_rows(rows, "'42'") != []


# -- crashes ----------------------------------------------------------------------------------------------------------


class Killed(BaseException):
    """The process ends here."""


class Mortal(Database):
    """A database whose process dies after so many transactions."""

    def __init__(self, url: str, lives: int) -> None:
        super().__init__(url, pool_size=2)
        self.lives = lives

    async def write(self, fn: Callable[[Tx], Any]) -> Any:
        if self.lives <= 0:
            raise Killed
        self.lives -= 1
        return await super().write(fn)


async def test_it_survives_a_crash_at_every_step(database_url: str, clock: ManualClock, tmp_path: Path) -> None:
    steady = Database(database_url)
    crashes = 0
    try:
        for lives in range(1, 40):
            me = await steady.write(lambda tx, lives=lives: live(tx, f"{ADDRESS}{lives}", [f"crash-{lives}-word"]))  # type: ignore[misc]
            await steady.write(lambda tx: tx.execute(sa.update(outbox_table).values(message_id=None)))  # nothing is to be called back
            erasure = await asked(steady, me)
            mortal = Mortal(database_url, lives)
            try:
                await resume_erasures(mortal, clock, receipts=tmp_path / "receipts.jsonl")
            except Killed:
                crashes += 1
            finally:
                await mortal.close()
            clock.advance(LEASE.total_seconds() + 1)
            await resume_erasures(steady, clock, receipts=tmp_path / "receipts.jsonl")

            row = await steady.read(lambda tx, erasure=erasure: get_erasure(tx, erasure))  # type: ignore[misc]
            assert row is not None
            assert row.state == DONE
            assert row.todo is None
            assert in_rows(await steady.read(dump), f"crash-{lives}-word") == []
            if crashes < lives:
                break
        assert crashes > 5
        told = read_receipts(tmp_path / "receipts.jsonl")
        assert {one[0][0] for one in told} == {row["id"] for one in await steady.read(all_customers) for row in one}
    finally:
        await steady.close()


def all_customers(tx: Tx) -> list[list[dict[str, Any]]]:
    return list(tx.execute(sa.select(erasure_table.c.customers)).scalars())


async def test_who_loses_the_lane_stops(database: Database, clock: ManualClock) -> None:
    cora = await meet(database)
    erasure = await asked(database, cora.customer_id)
    slow = Forgetting(database, clock, LocalSignals(), name="slow")
    await database.write(lambda tx: tx.execute(sa.update(_lane).where(_lane.c.kind == "erasure").values(worker="slow", lease=1)))
    lane = (await database.read(lambda tx: tx.execute(sa.select(_lane).where(_lane.c.kind == "erasure")).all()))[0]
    await database.write(lambda tx: tx.execute(sa.update(_lane).where(_lane.c.kind == "erasure").values(worker="other", lease=2)))

    from memory.lanes import Claimed

    assert await slow.carry_on(Claimed("erasure", lane.key, 1, 0)) is None
    row = await database.read(lambda tx: get_erasure(tx, erasure))
    assert row is not None
    assert row.state == "asked"


async def test_a_long_past_goes_in_small_steps(database: Database, clock: ManualClock) -> None:
    cora = await meet(database)
    made = 1700

    when = {"lane": "turn", "started_at": START, "finished_at": START}

    def past(tx: Tx) -> None:
        keep_turns(
            tx,
            [
                {"id": n, "customer_id": cora.customer_id, "decision": "x", "trace": {"a": 1}} | when
                for n in range(1, made)
            ],
        )  # fmt: skip
        log(tx, [exchange(cora, n) for n in range(1, made)])
        put_out(tx, [out(cora, f"{n}.0", {"kind": "text", "text": f"answer {n}"}) for n in range(1, made)])
        mark_done(tx, [(row.id, SENT, str(row.id), None) for row in tx.execute(sa.select(outbox_table))], at=START)

    def exchange(who: Any, n: int) -> dict[str, Any]:
        return exchange_row(
            id=n * 256, customer_id=who.customer_id, identity_id=who.identity_id, turn_id=n, direction="in", author="customer",
            kind="text", text=f"word {n}", at=START,
        )  # fmt: skip

    await database.write(past)
    changed: list[int] = []
    write = database.write

    async def counting(fn: Callable[[Tx], Any]) -> Any:
        def run(tx: Tx) -> Any:
            rows = 0

            def count(*args: Any) -> None:
                nonlocal rows
                context = args[4]
                if context.isdelete or context.isupdate or context.isinsert:
                    rows += len(context.compiled_parameters) if context.executemany else max(0, args[1].rowcount)

            sa.event.listen(tx, "after_cursor_execute", count)
            try:
                return fn(tx)
            finally:
                sa.event.remove(tx, "after_cursor_execute", count)
                changed.append(rows)

        return await write(run)

    database.write = counting  # type: ignore[method-assign]
    receipt = await forgotten(database, clock, cora.customer_id)

    assert max(changed) < 1100
    assert len(changed) > 10
    assert receipt.counts["exchange"] == made - 1
    assert receipt.counts["turn"] == made - 1
    assert receipt.counts["message in the customer's chat"] == made - 1


# -- what was sent ----------------------------------------------------------------------------------------------------


async def sent_messages(database: Database, who: Any, ages_h: Sequence[float]) -> None:
    def run(tx: Tx) -> None:
        put_out(tx, [out(who, f"s{n}", {"kind": "text", "text": "sent"}) for n in range(len(ages_h))])
        for row, age in zip(tx.execute(sa.select(outbox_table).order_by(outbox_table.c.id)).all(), ages_h, strict=True):
            mark_done(tx, [(row.id, SENT, f"55{row.id}", None)], at=START - timedelta(hours=age))

    await database.write(run)


async def test_only_what_telegram_lets_go_is_asked_to_be_deleted(database: Database, clock: ManualClock) -> None:
    cora = await meet(database)
    await sent_messages(database, cora, [100, 49, 47, 1])
    await forget(database, clock, cora.customer_id, asked_by="test")

    assert await deliver(database) == [{"kind": "unsend", "about": "553,554"}]
    clock.advance(60)
    [receipt] = await resume_erasures(database, clock)
    assert receipt.counts["message in the customer's chat"] == 2
    assert next((one.what, one.count) for one in receipt.left) == ("older messages in the customer's chat", 2)


async def test_where_one_message_stops_all_each_is_tried_alone(database: Database, clock: ManualClock) -> None:
    cora = await meet(database)
    await sent_messages(database, cora, [1, 1, 1])
    await forget(database, clock, cora.customer_id, asked_by="test")

    assert [one["about"] for one in await deliver(database, REFUSED, "Bad Request: message can't be deleted")] == ["551,552,553"]
    clock.advance(60)
    assert not (await resume_erasures(database, clock))[0].is_done
    assert [one["about"] for one in await deliver(database)] == ["551", "552", "553"]
    clock.advance(60)
    [receipt] = await resume_erasures(database, clock)
    assert receipt.is_done
    assert receipt.counts["message in the customer's chat"] == 3


async def test_who_has_blocked_the_bot_holds_nothing_up(database: Database, clock: ManualClock) -> None:
    cora = await meet(database)
    await sent_messages(database, cora, [1, 1])
    await forget(database, clock, cora.customer_id, asked_by="test")
    await deliver(database, REFUSED, "Forbidden: bot was blocked by the user")
    clock.advance(60)
    [receipt] = await resume_erasures(database, clock)

    assert receipt.is_done
    assert ("message in the customer's chat", 2) in [(one.what, one.count) for one in receipt.left]


# -- files, quarantine, and the rest ----------------------------------------------------------------------------------


async def test_a_file_that_somebody_else_sent_too_stays(database: Database, clock: ManualClock) -> None:
    cora, dana = await meet(database, "42"), await meet(database, "43")

    def send(tx: Tx) -> None:
        keep_blob(tx, 256, 0, cora.customer_id, b"shared", START)
        keep_blob(tx, 512, 0, dana.customer_id, b"shared", START)
        keep_blob(tx, 257, 0, cora.customer_id, b"Cora's own", START)

    await database.write(send)
    await forgotten(database, clock, cora.customer_id)

    assert await database.read(lambda tx: list(tx.execute(sa.select(blob_table.c.content)).scalars())) == [b"shared"]


@pytest.mark.parametrize(
    ("raw", "named"),
    [
        ('{"message": {"from": {"id": 42}, "text": "hi"}}', True),
        ('{"message": {"from": {"id": 421}, "date": 42}}', False),
        ('{"callback_query": {"chat_id": "42"}}', True),
        ('{"broken": {"id": 42', True),
        ('{"broken": {"id": 1421', False),
        ("[1, 42]", False),
    ],
)
def test_an_update_that_nobody_could_read_is_known_by_the_address_in_it(raw: str, named: bool) -> None:
    assert names_address(raw, "42") is named


async def test_nobody_is_no_customer(database: Database, clock: ManualClock) -> None:
    with pytest.raises(NobodyThere, match="there is no customer 99"):
        await forget(database, clock, 99, asked_by="test")


async def test_asked_twice_it_is_one_erasure(database: Database, clock: ManualClock) -> None:
    cora = await meet(database)
    first = await asked(database, cora.customer_id)

    assert await asked(database, cora.customer_id) == first
    receipt = await forget(database, clock, cora.customer_id, asked_by="test")
    assert receipt.id == first
    assert receipt.is_done


async def test_a_crash_after_the_last_row_is_gone_needs_no_address(database: Database, clock: ManualClock) -> None:
    """Once everything is clean, nothing about the person is kept to finish with."""
    cora = await meet(database, ADDRESS)
    erasure = await asked(database, cora.customer_id)
    await resume_erasures(database, clock)
    await database.write(lambda tx: tx.execute(sa.update(erasure_table).values(state=CLEAN, done_at=None)))
    row = await database.read(lambda tx: get_erasure(tx, erasure))

    assert row is not None
    assert row.todo is None
    assert ADDRESS not in str(row)


async def test_what_the_desk_does_afterwards_is_no_remains(database: Database, clock: ManualClock) -> None:
    """An agent may press an old button: a turn and an answer about a number. What was there before the cut would be remains."""
    cora = await meet(database)
    await forget(database, clock, cora.customer_id, asked_by="test")

    def press(tx: Tx, at: datetime, key: str) -> None:
        keep_turns(
            tx,
            [
                {"id": int(key), "customer_id": cora.customer_id, "lane": "desk", "decision": "claim lost", "trace": {"agent": "desk:1"}}
                | {"started_at": at, "finished_at": at}
            ],
        )
        row = outbox_row(key=key, lane="handoff", address="5", outgoing={"text": "closed"}, at=at, customer_id=cora.customer_id)
        put_out(tx, [row])

    def left(tx: Tx) -> dict[str, int]:
        return remains(tx, subject_of(tx, cora.customer_id), METADATA)

    await database.write(lambda tx: press(tx, clock.now() + timedelta(seconds=1), "901"))
    assert await database.read(left) == {}
    await database.write(lambda tx: press(tx, clock.now() - timedelta(seconds=1), "902"))
    assert await database.read(left) == {"outbox": 1, "turn": 1}


# -- restored backups -------------------------------------------------------------------------------------------------


async def test_a_restored_backup_is_made_to_forget_again(sqlite_database_url: str, clock: ManualClock, tmp_path: Path) -> None:
    receipts, backup = tmp_path / "receipts.jsonl", tmp_path / "backup.db"
    database = Database(sqlite_database_url)
    me = await database.write(lambda tx: live(tx, ADDRESS, ["backup-word"]))
    other = await database.write(lambda tx: live(tx, "777", ["bystander"]))
    await database.outside(["PRAGMA wal_checkpoint(TRUNCATE)"])
    shutil.copyfile(files_of(database)[0], backup)
    await forgotten(database, clock, me, receipts=receipts)
    await database.close()

    restored = Database(f"sqlite:///{backup}")
    try:
        told = read_receipts(receipts)
        assert [[number for number, _ in one] for one in told] == [[me]]
        ids = [await restored.write(lambda tx, one=one: ask_again(tx, one, at=clock.now())) for one in told]  # type: ignore[misc]
        assert ids != [None]
        await resume_erasures(restored, clock)
        await deliver(restored)
        clock.advance(60)
        [receipt] = await resume_erasures(restored, clock)
        assert receipt.is_done
        assert in_rows(await restored.read(dump), "backup-word") == []
        assert in_rows(await restored.read(dump), "bystander") != []
        assert other
        assert await restored.write(lambda tx: ask_again(tx, told[0], at=clock.now())) is None
    finally:
        await restored.close()


async def test_somebody_else_with_the_same_number_is_left_alone(database: Database) -> None:
    cora = await meet(database)

    assert await database.write(lambda tx: ask_again(tx, [(cora.customer_id, after(1))], at=START)) is None


async def test_a_replay_forgets_nobody_who_was_merged_with_them_then(database: Database, clock: ManualClock) -> None:
    """When the backup was made, Cora and Dana were taken for one person. Later they were parted, and only Cora asked to be forgotten."""
    cora, dana = await meet(database, "42", name="Cora"), await meet(database, "43", name="Dana")
    await database.write(lambda tx: tell(tx, dana.customer_id, "city", "Leeds", at=START))
    await database.write(lambda tx: tell(tx, cora.customer_id, "city", "York", at=START))
    await merged(database, cora.customer_id, dana.customer_id)
    await database.write(lambda tx: pass_on(tx, cora.customer_id))

    await database.write(lambda tx: ask_again(tx, [(cora.customer_id, START)], at=START))
    [receipt] = await resume_erasures(database, clock)

    assert receipt.is_done
    assert receipt.customers == (cora.customer_id,)
    rows = await database.read(dump)
    assert in_rows(rows, "York") == []
    assert in_rows(rows, "'42'") == []
    assert set(in_rows(rows, "Leeds")) == {"known", "fact"}
    assert await database.read(lambda tx: person_of(tx, dana.customer_id)) == [dana.customer_id]
    known = await database.read(lambda tx: list(tx.execute(sa.select(known_table.c.customer_id)).scalars()))
    assert known == [dana.customer_id]


@pytest.mark.parametrize("line", ["{", '{"customers": 3}', '{"customers": [{"id": "x", "created_at": "y"}]}', '{"no": 1}'])
def test_a_file_that_holds_no_receipts_is_named_by_its_line(tmp_path: Path, line: str) -> None:
    file = tmp_path / "receipts.jsonl"
    file.write_text('{"customers": []}\n\n' + line + "\n")

    with pytest.raises(ValueError, match="line 3 is no receipt"):
        read_receipts(file)
