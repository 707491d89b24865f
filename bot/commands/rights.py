"""``legato customer show | search | export | correct | forget``: what a customer has a right to, done by an operator."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from bot.commands.common import EnvFile, err, out, with_database
from bot.commands.customer import customer
from memory.database import Database, Record
from memory.errors import LegatoError

if TYPE_CHECKING:
    from memory.declared import Declarations
    from memory.erasure import Receipt
    from memory.portrait import Portrait

Who = Annotated[str, typer.Argument(help="a number, channel:address, or a value such as an e-mail address", metavar="CUSTOMER")]
ENV = Path(".env")
NAME = "legato customer"
"""The worker's name, where an erasure is carried out from here."""


@customer.command("show")
def show(who: Who, env_file: EnvFile = ENV) -> None:
    """Show what is known of a customer: identities, facts with their sources, consents, journeys, promises, cases, last words."""
    from memory.portrait import find_one, portrait

    declared, now = _declared(env_file), _now()

    async def work(database: Database) -> Portrait:
        async with database.reading() as read:
            customer_id = await read(lambda tx: find_one(tx, declared, who, at=now))
            found = await read(lambda tx: portrait(tx, customer_id, now=now))
        assert found is not None  # it was found a moment ago, and customers are never deleted
        return found

    for part in _shown(with_database(env_file, work), declared):
        out.print(part, soft_wrap=isinstance(part, str))


@customer.command("search")
def search(
    who: Who,
    words: Annotated[list[str], typer.Argument(help="what to look for", metavar="WORDS")],
    limit: Annotated[int, typer.Option(min=1, max=50, help="how many moments")] = 10,
    env_file: EnvFile = ENV,
) -> None:
    """Find moments of a customer's whole past by words."""
    from memory.portrait import find_one, look_for

    declared, now = _declared(env_file), _now()

    async def work(database: Database) -> list[tuple[Record, str]]:
        async with database.reading() as read:
            customer_id = await read(lambda tx: find_one(tx, declared, who, at=now))
            return await read(lambda tx: look_for(tx, customer_id, " ".join(words), now=now, limit=limit))

    found = with_database(env_file, work)
    if not found:
        out.print("Nothing of that was said.")
        return
    table = Table("when (UTC)", "who", "what", "why it is here", "exchange", show_lines=True)
    for row, why in found:
        table.add_row(_minute(row.at), escape(_author(row)), escape(row.text), escape(why), str(row.id))
    out.print(table)


@customer.command("export")
def export_(
    who: Who,
    to: Annotated[Path | None, typer.Option(help="the archive; by default customer-NUMBER.zip here")] = None,
    env_file: EnvFile = ENV,
) -> None:
    """Write everything that is kept about a customer to one archive: customer.json, conversation.html, and their files."""
    from memory.export import Exported, export
    from memory.portrait import find_one

    declared, now = _declared(env_file), _now()

    async def work(database: Database) -> Exported:
        async with database.reading() as read:
            customer_id = await read(lambda tx: find_one(tx, declared, who, at=now))
        path = to or Path(f"customer-{customer_id}.zip")
        return await export(database, customer_id, path, now=now, declared=declared)

    done = with_database(env_file, work)
    rows = sum(done.rows.values())
    out.print(
        f"{done.path}: {rows} rows about customer {_numbers(done.customers)}, {done.rows.get('exchange', 0)} of them exchanges, "
        f"and {done.files} files",
        soft_wrap=True,
    )


@customer.command("correct")
def correct_(
    who: Who,
    fact: Annotated[str, typer.Argument(help="the fact's name in memory.yml", metavar="FACT")],
    value: Annotated[str, typer.Argument(help="what is right", metavar="VALUE")],
    by: Annotated[str, typer.Option(help="who says so; it stands with the fact")],
    env_file: EnvFile = ENV,
) -> None:
    """Set a fact right. What was gone by before is kept as never having been true."""
    from memory.portrait import correct, find_one

    declared, now = _declared(env_file), _now()

    async def work(database: Database) -> int:
        customer_id = await database.read(lambda tx: find_one(tx, declared, who, at=now))
        await database.write(lambda tx: correct(tx, declared, customer_id, fact, value, by=by, at=now))
        return customer_id

    number = with_database(env_file, work)
    out.print(f"`{fact}` of customer {number} is corrected, and `{by}` stands as who said so.", markup=False, soft_wrap=True)


@customer.command("forget")
def forget_(
    who: Annotated[str | None, typer.Argument(help="a number, channel:address, or a value", metavar="CUSTOMER")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="do not ask")] = False,
    by: Annotated[str, typer.Option(help="who asked for it; it stands in the receipt")] = "operator",
    full: Annotated[bool, typer.Option("--full", help="write the database's files anew, which holds up turns while it lasts")] = False,
    replay: Annotated[
        Path | None, typer.Option(help="forget again everybody whose receipt is in this file: after restoring a backup")
    ] = None,
    env_file: EnvFile = ENV,
) -> None:
    """Forget a customer: everything about them goes, and a receipt without personal data stays. It cannot be undone.

    Messages and topics on Telegram are deleted by the running assistant. Exit code: 0 done, 3 something is still to be done by it.
    """
    if (who is None) == (replay is None):
        raise typer.BadParameter("write whom to forget, or --replay with the file of receipts")
    if replay is not None:
        is_done = forget_again(replay, full, env_file)
    else:
        receipt = _forgotten(str(who), yes, by, full, env_file)
        is_done = receipt.is_done
        _print(receipt)
    if not is_done:
        raise typer.Exit(3)


def forget_again(file: Path, full: bool, env_file: Path) -> bool:
    """Forget whoever has a receipt in this file, and print the receipts; whether all of it is done."""
    receipts = _replayed(file, full, env_file)
    if not receipts:
        out.print("Nobody in this file is here, or all of them are forgotten already.")
    for receipt in receipts:
        _print(receipt)
    return all(receipt.is_done for receipt in receipts)


def _print(receipt: Receipt) -> None:
    for line in receipt_lines(receipt):
        out.print(line, markup=False, highlight=False, soft_wrap=True)


def _forgotten(who: str, yes: bool, by: str, full: bool, env_file: Path) -> Receipt:
    from bot.settings import Settings
    from bot.turn.rights import forgotten_post
    from memory.clock import SystemClock
    from memory.forget import forget
    from memory.portrait import find_one, portrait

    declared, settings = _declared(env_file), Settings.load(env_file=env_file)

    async def work(database: Database) -> Receipt:
        async with database.reading() as read:
            customer_id = await read(lambda tx: find_one(tx, declared, who, at=_now()))
            found = await read(lambda tx: portrait(tx, customer_id, now=_now()))
        assert found is not None
        if not yes:
            channels = ", ".join(sorted({row.channel for row in found.identities})) or "no channel"
            err.print(f"Customer {_numbers(found.customers)}: {found.count} exchanges, {len(found.facts)} facts, on {channels}.")
            typer.confirm("Forget them? This cannot be undone", abort=True, err=True)
        return await forget(
            database,
            SystemClock(),
            customer_id,
            asked_by=by,
            receipts=settings.receipts,
            notice=forgotten_post,
            full=full,
            name="legato customer",
        )

    return with_database(env_file, work)


def _replayed(file: Path, full: bool, env_file: Path) -> list[Receipt]:
    from bot.settings import Settings
    from bot.turn.rights import forgotten_post
    from memory.clock import SystemClock
    from memory.erasure import ask_again, read_receipts
    from memory.forget import resume_erasures

    settings = Settings.load(env_file=env_file)
    try:
        told = read_receipts(file)
    except OSError as error:
        raise LegatoError(f"the file of receipts cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise LegatoError(f"the file of receipts cannot be used: {error}") from None

    async def work(database: Database) -> list[Receipt]:
        asked = set()
        for customers in told:
            id_ = await database.write(lambda tx, customers=customers: ask_again(tx, customers, at=_now()))  # type: ignore[misc]
            asked.add(id_)
        options = {"receipts": settings.receipts, "notice": forgotten_post, "full": full, "name": NAME}
        done = await resume_erasures(database, SystemClock(), **options)
        return [receipt for receipt in done if receipt.id in asked]

    return with_database(env_file, work)


def receipt_lines(receipt: Receipt) -> Iterator[str]:
    """A receipt as lines for reading. Pure."""
    numbers = _numbers(receipt.customers)
    if receipt.is_done:
        assert receipt.done_at is not None
        yield f"Customer {numbers} is forgotten (erasure {receipt.id}, {receipt.done_at:%Y-%m-%d %H:%M} UTC)."
    else:
        yield f"Customer {numbers} is cut off and removed here (erasure {receipt.id}); it still waits for {receipt.waits_for}."
    if receipt.counts:
        yield "Removed or masked: " + ", ".join(f"{count} {name}" for name, count in receipt.counts.items()) + "."
    for one in receipt.left:
        count = f"{one.count} " if one.count else ""
        yield f"Left: {count}{one.what}: {one.why}" + (f" ({one.remedy})" if one.remedy else "") + "."


# -- what is shown ----------------------------------------------------------------------------------------------------


def _shown(found: Portrait, declared: Declarations) -> Iterator[Table | str]:
    names = ", ".join(dict.fromkeys(row.name for row in found.identities if row.name))
    title = f"[bold]Customer {_numbers(found.customers)}[/]{f' · {escape(names)}' if names else ''}"
    if found.forgotten_at is not None:
        yield f"{title} · forgotten on {found.forgotten_at:%Y-%m-%d %H:%M} UTC"
        return
    yield f"{title} · since {_day(found.since)} · {found.count} exchanges · bad moments weigh {found.weight:.1f}"
    yield from _table(
        "Identities",
        ("channel", "address", "name", "proof", "since", "unreachable"),
        (
            (
                row.channel,
                row.address,
                " ".join(part for part in (row.name, f"@{row.username}" if row.username else None) if part),
                row.proof + (f" on {_day(row.proven_at)}" if row.proven_at else ""),
                _day(row.created_at),
                f"{_day(row.unreachable_since)}: {row.unreachable_why}" if row.unreachable_since else "",
            )
            for row in found.identities
        ),
    )
    yield from _facts(found, declared)
    yield from _of_context(found, declared)
    yield from _table(
        "Cases",
        ("number", "why", "state", "who", "opened", "ended"),
        (
            (str(one.id), one.reason, one.ending or one.state, one.owner_name or "", _minute(one.opened_at), _minute(one.ended_at))
            for one in found.handoffs
        ),
    )
    yield from _table(
        "Merges",
        ("number", "into", "customer", "by", "when", "undone"),
        ((str(one.id), str(one.survivor_id), str(one.merged_id), one.by, _minute(one.at), _minute(one.undone_at)) for one in found.merges),
    )
    yield from _table(
        "May be the same person (to say so: legato customer merge ONE OTHER --why REASON)",
        ("customer", "both told the same", "since"),
        ((str(one.customer_id), ", ".join(kind.replace("_", " ") for kind in one.kinds), _minute(one.at)) for one in found.maybes),
    )
    yield from _table(
        "Last exchanges",
        ("number", "when (UTC)", "who", "what"),
        ((str(one.id), _minute(one.at), _author(one), one.text or f"({one.kind})") for one in found.exchanges),
    )


def _facts(found: Portrait, declared: Declarations) -> Iterator[Table | str]:
    """What is gone by first, then what contradicts it or is only likely, then what held once."""
    order = {"current": 0, "contested": 1, "proposed": 2}
    facts = sorted(found.facts, key=lambda one: (order.get(one.standing, 3), one.name, one.id))
    yield from _table(
        "Facts",
        ("fact", "value", "stands as", "source", "sure", "from", "last said", "until"),
        (
            (
                one.name,
                declared.fact(one.name).shown(one.value),
                one.standing,
                " ".join(part for part in (one.source, one.by, f"(exchange {one.exchange_id})" if one.exchange_id else None) if part),
                f"{one.confidence:.0%}",
                _day(one.since),
                _day(one.fresh_at),
                _day(one.until),
            )
            for one in facts
        ),
    )


def _of_context(found: Portrait, declared: Declarations) -> Iterator[Table | str]:
    context = found.context
    if context is None:
        return
    yield from _table(
        "Consents",
        ("purpose", "said", "text", "channel", "when"),
        ((name, "yes" if one.granted else "no", one.version, one.channel, _day(one.at)) for name, one in context.consents.items()),
    )
    yield from _table(
        "Journeys",
        ("product", "matter", "stage", "since"),
        ((one.product, one.matter, one.stage, _day(one.moved_at)) for one in context.journeys),
    )
    yield from _table(
        "Promises",
        ("what", "by", "state", "due", "made"),
        ((one.text, one.by, one.state, _minute(one.due_at), _day(one.made_at)) for one in context.promises),
    )
    yield from _table(
        "Good and bad moments",
        ("moment", "kind", "weight", "when", "exchange"),
        (
            ("good" if one.good else "bad", one.kind, f"{one.weight:g}", _day(one.at), str(one.exchange_id or ""))
            for one in context.experiences
        ),
    )
    yield from _table(
        "Conversations in short",
        ("from", "wanted", "done", "ended", "promised"),
        ((_minute(one.began_at), one.wanted, one.done, one.ending, one.promised) for one in context.summaries),
    )


def _table(title: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[Table | str]:
    lines = list(rows)
    if not lines:
        return
    table = Table(*heads, title=title, title_justify="left", title_style="bold")
    for line in lines:
        table.add_row(*(escape(cell or "") for cell in line))
    yield table


def _author(row: Record) -> str:
    return str(row.author_name or row.author)


def _day(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d}" if at is not None else ""


def _minute(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M}" if at is not None else ""


def _numbers(ids: Sequence[int]) -> str:
    return " = ".join(str(one) for one in ids)


def _declared(env_file: Path) -> Declarations:
    from bot.assistants import load_assistant
    from bot.settings import Settings

    return load_assistant(Settings.load(env_file=env_file).assistant).declared


def _now() -> datetime:
    from memory.clock import SystemClock

    return SystemClock().now()
