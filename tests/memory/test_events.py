"""What happened to exchanges: in time order, from the log and from the outbox."""

from __future__ import annotations

from typing import Any

import pytest

from memory.customers import Known
from memory.database import Database, Row
from memory.events import events_of, present_text
from memory.exchanges import PER_TURN, exchange_row, exchanges_after, log
from memory.outbox import REFUSED, SENT, mark_done, mark_sending, outbox_row, put_out, resolve
from tests.memory.people import after


def said(who: Known, id_: int, text: str = "", *, at: float, **more: Any) -> Row:
    row: Row = {"direction": "in", "author": "customer", "kind": "text", "text": text, "at": after(at), **more}
    return exchange_row(id=id_, customer_id=who.customer_id, identity_id=who.identity_id, turn_id=id_ // PER_TURN, **row)


def outgoing(key: str, exchange_id: int, at: float, lane: str = "telegram") -> Row:
    return outbox_row(key=key, lane=lane, address="42", outgoing={"text": key}, at=after(at), exchange_id=exchange_id)


async def test_what_people_did_to_a_message_comes_in_order(database: Database, cora: Known) -> None:
    rows = [
        said(cora, 256, "I want a lone", at=0),
        said(cora, 512, "I want a loan", kind="edit", about_id=256, at=5),
        said(cora, 768, kind="reaction", about_id=256, data={"emoji": "👍"}, at=3),
        said(cora, 1024, "Choose", at=8, author="assistant", direction="out"),
        said(cora, 1280, kind="press", about_id=1024, data={"title": "A loan"}, at=9),
        said(cora, 1536, "Something else", at=10),
    ]
    await database.write(lambda tx: log(tx, rows))

    events = await database.read(lambda tx: events_of(tx, [256, 1024, 1536, 256]))
    assert [(e.kind, e.text, e.by, e.exchange_id, e.at) for e in events[256]] == [
        ("reaction", "👍", "customer", 768, after(3)),
        ("edit", "I want a loan", "customer", 512, after(5)),
    ]
    assert [(e.kind, e.text, e.is_delivery) for e in events[1024]] == [("press", "A loan", False)]
    assert 1536 not in events
    assert await database.read(lambda tx: events_of(tx, [])) == {}


async def test_delivery_is_an_event(database: Database, cora: Known) -> None:
    answer = said(cora, 256, "A long answer", at=0, author="assistant", direction="out")
    asked = said(cora, 512, "And?", at=4)
    await database.write(lambda tx: log(tx, [answer, asked]))
    parts = [outgoing("1.0", 256, 0), outgoing("1.1", 256, 0), outgoing("1.2", 256, 0), outgoing("2.0", 512, 4, "handoff")]
    await database.write(lambda tx: put_out(tx, parts))
    await database.write(lambda tx: mark_sending(tx, [1, 3]))
    done: list[tuple[int, str, str | None, str | None]] = [(1, SENT, "77", None), (2, REFUSED, None, "blocked")]
    await database.write(lambda tx: mark_done(tx, done, at=after(2)))
    await database.write(lambda tx: mark_done(tx, [(4, SENT, "5", None)], at=after(6)))

    events = await database.read(lambda tx: events_of(tx, [256, 512]))
    assert [(e.kind, e.at, e.outgoing_id, e.why) for e in events[256]] == [
        ("sending", after(0), 3, None),
        ("sent", after(2), 1, None),
        ("refused", after(2), 2, "blocked"),
    ]
    assert [(e.kind, e.by) for e in events[512]] == [("sent", "handoff")]

    await database.write(lambda tx: mark_done(tx, [(3, "uncertain", None, "timed out")], at=after(3)))
    await database.write(lambda tx: resolve(tx, 3, "arrived"))
    last = (await database.read(lambda tx: events_of(tx, [256])))[256][-1]
    assert (last.kind, last.at, last.why, last.resolved) == ("uncertain", after(3), "timed out", "arrived")


@pytest.mark.parametrize(
    ("later", "text"),
    [
        ([], "one"),
        ([("edit", "two"), ("edit", "three")], "three"),
        ([("edit", "two"), ("reaction", "👍"), ("press", "x"), ("read", "")], "two"),
        ([("edit", "")], ""),
        ([("edit", "two"), ("deletion", "")], ""),
        ([("deletion", ""), ("edit", "too late")], ""),
    ],
)
async def test_the_present_text(sqlite_database: Database, later: list[tuple[str, str]], text: str) -> None:
    from tests.memory.people import meet

    cora = await meet(sqlite_database)
    rows = [said(cora, 256, "one", at=0)]
    rows += [said(cora, 256 * (n + 2), words, kind=kind, about_id=256, at=n + 1) for n, (kind, words) in enumerate(later)]
    await sqlite_database.write(lambda tx: log(tx, rows))

    exchange = (await sqlite_database.read(lambda tx: exchanges_after(tx, cora.customer_id, limit=1)))[0]
    events = await sqlite_database.read(lambda tx: events_of(tx, [256]))
    assert present_text(exchange, events.get(256, [])) == text


async def test_many_exchanges_are_looked_up_in_parts(database: Database, cora: Known) -> None:
    rows = [said(cora, 256 + n, "x", at=0) for n in range(1100)]
    rows += [said(cora, 2_560_000 + n, "y", kind="edit", about_id=256 + n, at=1) for n in range(1100)]
    await database.write(lambda tx: log(tx, rows))

    events = await database.read(lambda tx: events_of(tx, range(256, 256 + 1100)))
    assert len(events) == 1100
    assert {len(some) for some in events.values()} == {1}
