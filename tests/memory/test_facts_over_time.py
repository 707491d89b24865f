"""Facts over time: whatever is told, corrected, confirmed and taken back, every earlier moment is still known as it was then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memory.customers import Customer, Known
from memory.database import Database, Record, Tx, table
from memory.declared import Declarations
from memory.facts import SURE, Standing, Told, confirm, end_fact, fact_history, known_then, rank_of, remember, retract, stood_then
from tests.memory.people import START, after, tell

NAMES = ("address", "phone")
VALUES = ("a", "b", "c")
TIMES = range(-6, 40, 3)
"""Of when it is asked what held, in hours."""


def hour(n: float) -> Any:
    return START + timedelta(hours=n)


# -- what may happen --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Tell:
    name: str
    value: str
    source: str
    confidence: float
    since: int | None
    corrects: bool
    home: int


@dataclass(frozen=True)
class Settle:
    """``how`` is confirm, retract or end; ``which`` picks one of what is open."""

    name: str
    how: str
    which: int
    home: int


steps = st.tuples(
    st.integers(0, 3),
    st.one_of(
        st.builds(
            Tell,
            name=st.sampled_from(NAMES),
            value=st.sampled_from(VALUES),
            source=st.sampled_from(["customer", "agent", "system", "channel"]),
            confidence=st.sampled_from([1.0, 0.9, 0.5]),
            since=st.none() | st.integers(-4, 35),
            corrects=st.booleans(),
            home=st.integers(0, 1),
        ),
        st.builds(
            Settle,
            name=st.sampled_from(NAMES),
            how=st.sampled_from(["confirm", "retract", "end"]),
            which=st.integers(0, 3),
            home=st.integers(0, 1),
        ),
    ),
)

# -- the naive model: it knows the present only, and is copied after each step -------------------------------------------------


@dataclass
class Value:
    """One value that was told. ``order`` counts what was told."""

    value: str
    rank: int
    since: float
    order: int
    until: float | None = None

    def holds(self, at: float) -> bool:
        return self.since <= at and (self.until is None or at < self.until)


@dataclass
class Believed:
    """What is believed of one name now: the value gone by, what else is open, and all values that are thought to have held at some time."""

    current: Value | None = None
    contested: list[Value] = field(default_factory=list)
    proposed: list[Value] = field(default_factory=list)
    held: list[Value] = field(default_factory=list)

    def at(self, time: float) -> str | None:
        holding = [one for one in self.held if one.holds(time)]
        return max(holding, key=lambda one: (one.rank, one.order)).value if holding else None

    def close(self, until: float) -> None:
        """The current value holds no longer."""
        if self.current is not None:
            ended = next(one for one in self.held if one.order == self.current.order)
            ended.until = max(until, ended.since)
            self.current = None

    def tell(self, new: Value, *, sure: bool, corrects: bool) -> None:
        current = self.current
        if current is not None and current.value == new.value:
            if new.rank > current.rank:
                self._replace(new, corrects)
        elif current is not None and new.since < current.since and not corrects:
            if sure:
                self.held.append(replace(new, until=current.since))
        elif not sure:
            if all(one.value != new.value for one in self.proposed):
                self.proposed.append(new)
        elif current is not None and new.rank < current.rank:
            if all(one.value != new.value or one.rank < new.rank for one in self.contested):
                self.contested.append(new)
        else:
            self._replace(new, corrects)

    def _replace(self, new: Value, corrects: bool) -> None:
        if corrects and self.current is not None:
            new = replace(new, since=min(new.since, self.current.since))
            self.take_back()
        self.close(new.since)
        self.contested, self.proposed, self.current = [], [], new
        self.held.append(replace(new))

    def take_back(self) -> None:
        """The current value never was true."""
        assert self.current is not None
        self.held = [one for one in self.held if one.order != self.current.order]
        self.current = None


Now = dict[tuple[int, str], Believed]


class Model:
    """What is believed of two customers who are one person; ``apply`` does the same step to the model and to the memory."""

    def __init__(self, homes: Sequence[int]) -> None:
        self.homes = homes
        self.now: Now = {(home, name): Believed() for home in homes for name in NAMES}
        self._told = 0

    def apply(self, tx: Tx, step: Tell | Settle, at: float) -> None:
        home = self.homes[step.home]
        believed = self.now[home, step.name]
        if isinstance(step, Tell):
            self._told += 1
            since = None if step.since is None else hour(step.since)
            told = Told(step.name, step.value, step.source, step.confidence, since=since, corrects=step.corrects)
            remember(tx, Declarations(), home, told, at=hour(at), person=self.homes)
            new = Value(step.value, rank_of(step.source, step.confidence), at if step.since is None else step.since, self._told)
            believed.tell(new, sure=step.confidence >= SURE, corrects=step.corrects)
        elif step.how == "end":
            both = [self.now[one, step.name] for one in self.homes]
            assert end_fact(tx, self.homes, step.name, at=hour(at)) is any(one.current is not None for one in both)
            for one in both:
                one.close(at)
        elif step.how == "retract":
            self._retract(tx, home, believed, step, at)
        elif believed.proposed:
            proposal = believed.proposed[step.which % len(believed.proposed)]
            fact_id = self._id(tx, home, step.name, proposal, "proposed")
            assert confirm(tx, Declarations(), fact_id, exchange_id=1, at=hour(at), person=self.homes)
            self._told += 1
            believed.tell(Value(proposal.value, 3, proposal.since, self._told), sure=True, corrects=False)

    def _retract(self, tx: Tx, home: int, believed: Believed, step: Settle, at: float) -> None:
        open_ = [(one, standing) for standing in ("contested", "proposed") for one in getattr(believed, standing)]
        if believed.current is not None:
            open_.append((believed.current, "current"))
        if not open_:
            return
        one, standing = open_[step.which % len(open_)]
        assert retract(tx, self._id(tx, home, step.name, one, standing), at=hour(at))
        if standing == "current":
            believed.take_back()
        else:
            getattr(believed, standing).remove(one)

    @staticmethod
    def _id(tx: Tx, home: int, name: str, value: Value, standing: str) -> int:
        rows = [row for row in fact_history(tx, [home]) if (row.name, row.value, row.standing) == (name, value.value, standing)]
        return int(next(row.id for row in rows if rank_of(row.source, row.confidence) == value.rank))


def seen(rows: Sequence[Record], name: str, then: float) -> dict[str, Any]:
    """What the memory says that it knew of one customer."""
    stood = [row for row in stood_then(rows, hour(then)) if row.name == name]
    current = known_then(rows, hour(then)).get(name)
    held = {time: known_then(rows, hour(then), held_at=hour(time)).get(name) for time in TIMES}
    return {
        "current": current.value if current else None,
        "contested": sorted(row.value for row in stood if row.told_as == Standing.CONTESTED),
        "proposed": sorted(row.value for row in stood if row.told_as == Standing.PROPOSED),
        "held": {time: found.value if found else None for time, found in held.items()},
    }


def remembered(one: Believed) -> dict[str, Any]:
    """The same of the model."""
    return {
        "current": one.current.value if one.current else None,
        "contested": sorted(value.value for value in one.contested),
        "proposed": sorted(value.value for value in one.proposed),
        "held": {time: one.at(time) for time in TIMES},
    }


def snapshot(model: Model) -> tuple[dict[tuple[int, str], dict[str, Any]], dict[str, str]]:
    """What is known now of each customer, and of both as one person: of two values the higher rank counts, then the later."""
    person = {}
    for name in NAMES:
        current = [found.current for home in model.homes if (found := model.now[home, name]).current is not None]
        if current:
            person[name] = max(current, key=lambda one: (one.rank, one.order)).value
    return {place: remembered(one) for place, one in model.now.items()}, person


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(steps, min_size=1, max_size=14))
async def test_every_moment_is_known_as_it_was(database: Database, steps: list[tuple[int, Tell | Settle]]) -> None:
    def live(tx: Tx) -> tuple[dict[float, Any], dict[int, list[Record]]]:
        new = sa.insert(table(Customer)).values(ownership=0, created_at=START).returning(table(Customer).c.id)
        model = Model([tx.execute(new).scalar_one() for _ in range(2)])
        then, moments = 0.0, {-1.0: snapshot(model)}
        for wait, step in steps:
            then += wait
            model.apply(tx, step, then)
            moments[then] = snapshot(model)
        return moments, {home: fact_history(tx, [home]) for home in model.homes}

    moments, rows = await database.read(live)  # nothing of it is kept

    for then, (each, person) in moments.items():
        for (home, name), was in each.items():
            assert seen(rows[home], name, then) == was, (then, name)
        both = sorted((row for some in rows.values() for row in some), key=lambda row: row.id)
        assert {name: row.value for name, row in known_then(both, hour(then)).items()} == person, then


# -- by example -------------------------------------------------------------------------------------------------------------


async def history(database: Database, who: Known) -> list[Record]:
    return await database.read(lambda tx: fact_history(tx, [who.customer_id]))


async def told(database: Database, who: Known, value: str, *, at: float, **rest: Any) -> None:
    await database.write(lambda tx: tell(tx, who.customer_id, "address", value, at=after(at), **rest))


async def test_a_contradiction_that_was_settled_was_one_then(database: Database, cora: Known) -> None:
    await told(database, cora, "Bath", at=0)
    await told(database, cora, "York", at=10, source="system")
    await told(database, cora, "Hull", at=20)

    rows = await history(database, cora)
    assert known_then(rows, after(15))["address"].value == "Bath"
    assert [row.value for row in stood_then(rows, after(15)) if row.told_as == Standing.CONTESTED] == ["York"]
    assert [row.value for row in stood_then(rows, after(20))] == ["Hull"]


async def test_a_contradiction_does_not_take_the_place_of_what_was_taken_back(database: Database, cora: Known) -> None:
    await told(database, cora, "Bath", at=0)
    await told(database, cora, "York", at=10, source="system")
    rows = await history(database, cora)
    await database.write(lambda tx: retract(tx, rows[0].id, at=after(20)))
    await database.write(lambda tx: retract(tx, rows[1].id, at=after(30)))

    rows = await history(database, cora)
    assert known_then(rows, after(10))["address"].value == "Bath"
    assert known_then(rows, after(25)) == known_then(rows, after(35)) == {}
    assert [row.value for row in stood_then(rows, after(25))] == ["York"]


async def test_what_held_in_may_and_what_was_thought_in_may(database: Database, cora: Known) -> None:
    await told(database, cora, "Bath", at=100)
    await told(database, cora, "York", at=200, since=after(150))
    await told(database, cora, "Hull", at=300, since=after(50))

    rows = await history(database, cora)

    def held(then: float, at: float) -> str | None:
        found = known_then(rows, after(then), held_at=after(at)).get("address")
        return found.value if found else None

    assert (held(100, 160), held(200, 160), held(200, 140)) == ("Bath", "York", "Bath")
    assert (held(200, 60), held(300, 60)) == (None, "Hull")
    assert known_then(rows, after(300))["address"].value == "York"
