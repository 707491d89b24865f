"""``legato replay-turn``: what one turn had before it, decided and said, as it was known then, and beside it what is known now."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from bot.commands.common import EnvFile, err, out, with_database

if TYPE_CHECKING:
    from memory.context import Context, KnownFact
    from memory.context_then import ContextThen
    from memory.database import Record, Tx
    from memory.declared import Declarations
    from memory.events import Event

DIFFERS = "changed since: "
GONE = "no longer"
WORDS = 300
"""So many characters of a message are shown."""


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that was known; ``now`` is what is known instead, None where it is the same."""

    what: str
    then: str
    now: str | None = None


def replay_turn(
    turn: Annotated[int, typer.Argument(help="the turn's number, as the log and the memory view show it")],
    sensitive: Annotated[bool, typer.Option("--sensitive", help="show the values of sensitive facts too")] = False,
    env_file: EnvFile = Path(".env"),
) -> None:
    """Show what a turn knew when it began, what it decided and said, and what is known differently now."""
    from bot.assistants import load_assistant
    from bot.settings import Settings
    from memory.context_then import recall_then
    from memory.database import Database
    from memory.events import events_of

    settings = Settings.load(env_file=env_file)
    fresh_for = timedelta(seconds=settings.proof_fresh_s)

    def read(tx: Tx) -> tuple[ContextThen, dict[int, list[Event]]] | None:
        then = recall_then(tx, turn, fresh_for=fresh_for)
        return None if then is None else (then, events_of(tx, [row.id for row in (*then.arrived, *then.said)]))

    async def work(database: Database) -> tuple[ContextThen, dict[int, list[Event]]] | None:
        return await database.read(read)

    found = with_database(env_file, work)
    if found is None:
        err.print(f"There is no turn {turn}, or it is kept no longer.")
        raise typer.Exit(1)
    declared = load_assistant(settings.assistant).declared
    for part in shown(*found, declared, sensitive=sensitive):
        out.print(part, highlight=False, soft_wrap=True)


def shown(then: ContextThen, events: Mapping[int, list[Event]], declared: Declarations, *, sensitive: bool) -> Iterator[RenderableType]:
    """The whole replay, part by part. Pure."""
    turn, context = then.turn, then.context
    took = (turn.finished_at - turn.started_at).total_seconds() * 1000
    yield Text(f"Turn {turn.id}, {turn.started_at:%d %b %Y %H:%M:%S} UTC, took {took:.0f} ms", style="bold")
    yield Text(_who(then))
    yield from _section("What arrived", [Line(_spoke(row), _words(row), _later(row, events)) for row in then.arrived])
    now = replace(context, customer_id=then.person_now[0], person=then.person_now, known=then.now)

    def value(fact: KnownFact) -> str:
        about = declared.fact(fact.name)
        if fact.value is None:
            return "(kept no longer)"
        return about.shown(fact.value) if sensitive or about.sensitivity != "sensitive" else about.masked(fact.value)

    yield from _section("What was known", compared(_facts(context, value), _facts(now, value)))
    yield from _section("What contradicted it", compared(_contested(context, value), _contested(now, value)))
    yield from _section("What was likely", compared(_proposed(context, value), _proposed(now, value)))
    yield from _section("What was agreed to", compared(_consents(context), _consents(now)))
    yield from _section("Where things stood", compared(_journeys(context), _journeys(now)))
    yield from _section("What was promised", compared(_promises(context), _promises(now)))
    yield from _section("Good and bad moments", compared(_moments(context), _moments(now)))
    yield from _section("With a person", _episode(context))
    dialogue = [Line(name, str(value)) for name, value in sorted(context.dialogue.items())]
    yield from _section("Where the conversation stood", dialogue)
    yield from _section(
        "What had been said", [Line(f"{one.at:%d %b %H:%M} {one.author}", _cut(one.text or one.kind)) for one in context.exchanges]
    )
    trace = [Line(name, str(value)) for name, value in turn.trace.items() if name != "dialogue"]
    yield from _section(f"What was decided: {turn.decision}", trace, always=True)
    yield from _section("What was said", [Line(_spoke(row), _words(row), _later(row, events)) for row in then.said])
    yield from _section("What else went out", _posts(then))
    yield from _section("What cannot be shown any more", [Line("", one) for one in then.masked])


def compared(then: Mapping[str, str], now: Mapping[str, str]) -> list[Line]:
    """What was known beside what is known now, by what it is about. Pure."""
    lines = [Line(what, was, None if now.get(what) == was else now.get(what, GONE)) for what, was in then.items()]
    return lines + [Line(what, "(not known then)", is_) for what, is_ in now.items() if what not in then]


def _section(title: str, lines: Iterable[Line], *, always: bool = False) -> Iterator[RenderableType]:
    lines = list(lines)
    if not lines and not always:
        return
    yield Text(f"\n{title}", style="bold")
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 2))
    table.add_column(no_wrap=True)
    table.add_column()
    for line in lines:
        cell = Text(line.then)
        if line.now is not None:
            cell.append(f"\n{DIFFERS}{line.now}", style="yellow")
        table.add_row(Text(line.what), cell)
    if lines:
        yield table


def _who(then: ContextThen) -> str:
    context = then.context
    person = f"Customer {context.customer_id}"
    if len(context.person) > 1:
        person += f", one person with {', '.join(str(one) for one in context.person[1:])}"
    if set(then.person_now) != set(context.person):
        others = [str(one) for one in then.person_now if one != context.home_id]
        person += f" ({DIFFERS}{'one person with ' + ', '.join(others) if others else 'nobody else'})"
    return f"{person}; {context.channel} {context.address}, {context.proof}"


def _spoke(row: Record) -> str:
    who = row.author_name if row.author == "agent" and row.author_name else row.author
    return f"{row.at:%H:%M:%S} {who}"


def _words(row: Record) -> str:
    kind = "" if row.kind == "text" else f"({row.kind}) "
    return _cut(f"{kind}{row.text}") or f"({row.kind})"


def _cut(text: str) -> str:
    return text if len(text) <= WORDS else text[: WORDS - 1].rstrip() + "…"


def _later(row: Record, events: Mapping[int, list[Event]]) -> str | None:
    """What happened to an exchange afterwards."""
    told = []
    for event in events.get(row.id, ()):
        why = f" ({event.why})" if event.why else ""
        settled = f", settled as {event.resolved}" if event.resolved else ""
        told.append(f"{event.kind} {event.at:%d %b %H:%M:%S} by {event.by}{why}{settled}" + (f": {_cut(event.text)}" if event.text else ""))
    return "; ".join(told) or None


def _facts(context: Context, value: Callable[[KnownFact], str]) -> dict[str, str]:
    return {name: f"{value(fact)} {_source(fact)}" for name, fact in sorted(context.facts.items())}


def _source(fact: KnownFact) -> str:
    told = f", exchange {fact.exchange_id}" if fact.exchange_id is not None else ""
    return f"[{fact.by or fact.source}{told}, since {fact.since:%d %b %Y}]"


def _contested(context: Context, value: Callable[[KnownFact], str]) -> dict[str, str]:
    return {
        name: "; ".join(f"{value(one)} {_source(one)}" for one in fact.contested)
        for name, fact in sorted(context.facts.items())
        if fact.contested
    }


def _proposed(context: Context, value: Callable[[KnownFact], str]) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    for fact in context.proposed:
        found.setdefault(fact.name, []).append(f"{value(fact)} {_source(fact)}")
    return {name: "; ".join(sorted(some)) for name, some in sorted(found.items())}


def _consents(context: Context) -> dict[str, str]:
    return {
        purpose: f"{'yes' if one.granted else 'no'}, {one.at:%d %b %Y %H:%M}, wording {one.version}"
        for purpose, one in sorted(context.consents.items())
    }


def _journeys(context: Context) -> dict[str, str]:
    return {
        " ".join(part for part in (one.product, one.matter) if part): f"{one.stage}, since {one.moved_at:%d %b %Y %H:%M}"
        for one in context.journeys
    }


def _promises(context: Context) -> dict[str, str]:
    return {
        f"{one.id} by {one.by}": f"{_cut(one.text)} ({one.state}{f', until {one.due_at:%d %b %Y %H:%M}' if one.due_at else ''})"
        for one in context.promises
    }


def _moments(context: Context) -> dict[str, str]:
    return {f"{one.at:%d %b %Y %H:%M} {one.kind}": f"{'good' if one.good else 'bad'}, weight {one.weight:g}" for one in context.experiences}


def _episode(context: Context) -> list[Line]:
    one: Any = context.last_episode
    if one is None:
        return []
    owner = f", with {one.owner_name or one.owner}" if one.owner else ""
    ended = f", {one.ending} {one.ended_at:%d %b %Y %H:%M}" if one.ended_at else ""
    return [Line(f"handoff {one.id}", f"{one.state}{owner}, because {one.reason}, since {one.opened_at:%d %b %Y %H:%M}{ended}")]


def _posts(then: ContextThen) -> list[Line]:
    """What the turn put out beside its words: posts for the agents, answers to presses."""
    carried = {row.id for row in then.said}
    return [
        Line(f"{row.lane} {row.outgoing.get('kind', 'text')}", row.state + (f" ({row.why})" if row.why else ""))
        for row in then.outgoings
        if row.exchange_id not in carried
    ]
