"""The inbox: an update is one row however often it is delivered."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from memory.customers import Known
from memory.database import Database, Row, Tx
from memory.inbox import (
    TURN,
    album_begun,
    finish,
    first_waiting,
    inbox_row,
    inbox_table,
    keep,
    keep_finished,
    next_due,
    put_in_quarantine,
    quarantined,
)
from memory.lanes import next_ready
from tests.memory.people import START, after, meet


def row_of(who: Known, update_id: str, *, due: datetime = START, album: str | None = None, text: str = "Hello") -> Row:
    return inbox_row(
        channel="telegram",
        update_id=update_id,
        customer_id=who.customer_id,
        identity_id=who.identity_id,
        incoming={"text": text},
        received_at=START,
        due_at=due,
        album=album,
    )


async def kept(database: Database, *rows: Row) -> set[str]:
    return await database.write(lambda tx: keep(tx, list(rows)))


async def waiting(database: Database, who: Known) -> list[str]:
    """The update ids that stand first in a customer's lane."""
    first = await database.read(lambda tx: first_waiting(tx, [who.customer_id]))
    return [row.update_id for row in first.get(who.customer_id, [])]


async def finished(database: Database, *update_ids: str) -> None:
    def mark(tx: Tx) -> None:
        ids = tx.execute(sa.select(inbox_table.c.id).where(inbox_table.c.update_id.in_(update_ids))).scalars().all()
        finish(tx, dict.fromkeys(ids, ids[0]))

    await database.write(mark)


async def count(database: Database) -> int:
    return int(await database.read(lambda tx: tx.execute(sa.select(sa.func.count()).select_from(inbox_table)).scalar_one()))


async def test_many_deliveries_are_one_row(database: Database, cora: Known) -> None:
    assert await kept(database, row_of(cora, "1")) == {"1"}
    for _ in range(3):
        assert await kept(database, row_of(cora, "1", text="changed")) == set()

    first = await database.read(lambda tx: first_waiting(tx, [cora.customer_id]))
    assert [row.incoming for row in first[cora.customer_id]] == [{"text": "Hello"}]
    assert await count(database) == 1


async def test_a_delivery_with_known_and_new_ones_keeps_the_new(database: Database, cora: Known) -> None:
    await kept(database, row_of(cora, "1"))

    assert await kept(database, row_of(cora, "1"), row_of(cora, "2"), row_of(cora, "2")) == {"2"}
    assert await count(database) == 2


async def test_a_finished_update_is_known_again(database: Database, cora: Known) -> None:
    await kept(database, row_of(cora, "1"))
    await finished(database, "1")

    assert await kept(database, row_of(cora, "1")) == set()
    assert await waiting(database, cora) == []


async def test_nothing_is_kept_of_nothing(database: Database) -> None:
    assert await kept(database) == set()


async def test_each_customer_has_a_first(database: Database, cora: Known) -> None:
    dora = await meet(database, "43")
    await kept(database, row_of(cora, "1"), row_of(dora, "2"), row_of(cora, "3"))

    assert (await waiting(database, cora), await waiting(database, dora)) == (["1"], ["2"])
    await finished(database, "1")
    assert await waiting(database, cora) == ["3"]
    assert await database.read(lambda tx: first_waiting(tx, [])) == {}


async def test_an_album_stands_first_with_all_its_parts(database: Database, cora: Known) -> None:
    await kept(database, *(row_of(cora, str(n), album="a", due=after(1)) for n in (1, 2)), row_of(cora, "3"), row_of(cora, "4", album="a"))

    assert await waiting(database, cora) == ["1", "2", "4"]


async def test_a_late_part_of_an_album_comes_alone(database: Database, cora: Known) -> None:
    await kept(database, row_of(cora, "1", album="a"))
    assert not await database.read(lambda tx: album_begun(tx, cora.identity_id, "a"))
    await finished(database, "1")
    await kept(database, row_of(cora, "2", album="a"))

    assert await waiting(database, cora) == ["2"]
    assert await database.read(lambda tx: album_begun(tx, cora.identity_id, "a"))


async def test_another_customers_album_of_the_same_name_is_another(database: Database, cora: Known) -> None:
    dora = await meet(database, "43")
    await kept(database, row_of(cora, "1", album="a"), row_of(dora, "2", album="a"))

    assert await waiting(database, cora) == ["1"]


async def test_the_next_due_is_the_firsts(database: Database, cora: Known) -> None:
    dora = await meet(database, "43")
    await kept(database, row_of(cora, "1", due=after(2)), row_of(cora, "2", due=after(1)))

    assert await database.read(lambda tx: next_due(tx, [cora.customer_id, dora.customer_id])) == {cora.customer_id: after(2)}


async def test_keeping_opens_the_customers_lane(database: Database, cora: Known) -> None:
    await kept(database, row_of(cora, "1", due=after(3)))

    assert await database.read(lambda tx: next_ready(tx, TURN)) == after(3)


async def test_what_is_dealt_with_at_once_is_known_again(database: Database, cora: Known) -> None:
    first = await database.write(lambda tx: keep_finished(tx, row_of(cora, "1")))

    assert first is not None
    assert await database.write(lambda tx: keep_finished(tx, row_of(cora, "1"))) is None
    assert await waiting(database, cora) == []
    assert await database.read(lambda tx: next_ready(tx, TURN)) is None


async def test_an_update_goes_into_quarantine_once(database: Database) -> None:
    row: Row = {"channel": "telegram", "update_id": "1", "raw": "{", "why": "not JSON", "at": START}
    for _ in range(2):
        await database.write(lambda tx: put_in_quarantine(tx, [row, {**row, "channel": "desk"}]))

    rows = await database.read(quarantined)
    assert [(one.channel, one.raw, one.why) for one in rows] == [(channel, "{", "not JSON") for channel in ("desk", "telegram")]
