"""The command line. Each command imports what it needs when it runs, so that ``legato --help`` answers at once."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
import socket
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from sqlalchemy.exc import DBAPIError

from bot.commands.actions import actions
from bot.commands.customer import customer
from bot.commands.doctor import doctor
from bot.commands.flows import flows
from bot.commands.new import new
from bot.commands.processes import processes
from bot.commands.retention import retention
from bot.commands.turns import replay_turn
from bot.commands.why import why
from memory.errors import LegatoError

app = typer.Typer(
    name="legato",
    help="A customer-support assistant that never makes people start again.",
    epilog="Begin with: legato try",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
qa = typer.Typer(help="Scripted dialogues against the whole system.", no_args_is_help=True)
app.add_typer(qa, name="qa", rich_help_panel="Quality")
app.add_typer(customer, name="customer", rich_help_panel="Store")
app.add_typer(flows, name="flows", rich_help_panel="Design")
app.command("replay-turn", rich_help_panel="Store")(replay_turn)
app.command(rich_help_panel="Store")(why)
app.command(rich_help_panel="Store")(retention)
app.command(rich_help_panel="Store")(doctor)
app.command(rich_help_panel="Design")(new)
app.command(rich_help_panel="Run")(processes)
app.command(rich_help_panel="Run")(actions)
out = Console()
err = Console(stderr=True, highlight=False)

TRY_THIS = """\
  Write [bold]I lost my card[/] as Ann. Her number is 12345678; the code that the bank texts her is shown here and on the page
  Ask something else in the middle, correct yourself, write [bold]why do you need that?[/]: it comes back to the card
  Write [bold]I need to talk to a human[/]; a topic with the whole case opens on the right
  Answer there as Bea: the first answer claims the case, and the assistant is silent from then on
  Write [bold]/return card sent by express[/] in the topic, then [bold]hello[/] as Ann: it knows
  Delete the topic while a case is open, or block the bot, and write on: nothing is lost
  Stop with Ctrl-C, start again, and say hello: the memory is still there"""


def main() -> None:
    """The ``legato`` command: mistakes of people are told in words, never as a traceback."""
    gc.disable()  # a start makes many objects and no garbage; looking for some is a fifth of its time
    try:
        app()
    except LegatoError as error:
        err.print(f"[bold red]legato:[/] {escape(str(error))}", markup=True, soft_wrap=True)
        sys.exit(1)
    except (DBAPIError, ConnectionError, socket.gaierror) as error:
        reason = str(getattr(error, "orig", error))
        err.print(f"[bold red]legato:[/] the database cannot be used: {escape(reason)}. Check LEGATO_DATABASE_URL.", soft_wrap=True)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


def run_loop(main_: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run until done; Ctrl-C and SIGTERM end it in order."""

    async def until_stopped() -> None:
        gc.freeze()
        gc.enable()
        loop = asyncio.get_running_loop()
        task = asyncio.ensure_future(main_())
        for number in (signal.SIGINT, signal.SIGTERM):
            with contextlib.suppress(NotImplementedError):  # Windows has no handlers of loops
                loop.add_signal_handler(number, task.cancel)
        with contextlib.suppress(asyncio.CancelledError):
            await task

    try:
        import uvloop
    except ImportError:
        asyncio.run(until_stopped())
    else:
        uvloop.run(until_stopped())


@app.command("try", rich_help_panel="Run")
def try_(
    assistant: Annotated[str, typer.Option(help="banking, insurance, telecoms, or a folder of your own")] = "banking",
    port: Annotated[int, typer.Option(help="of the page; 0 takes a free one")] = 8000,
    folder: Annotated[Path, typer.Option(help="where the memory is kept between two times")] = Path(".legato"),
    fresh: Annotated[bool, typer.Option("--fresh", help="forget the last time first")] = False,
) -> None:
    """See it work: simulated customers, the assistant, its memory and two agents, on one page. Needs no Telegram."""
    from bot.settings import Settings
    from bot.telemetry import set_up_logging
    from bot.tryout import tryout

    set_up_logging(Settings.load(env_file=None, log_level="WARNING"))
    folder.mkdir(parents=True, exist_ok=True)
    if fresh:
        for file in folder.glob(f"try-{Path(assistant).name}.db*"):
            file.unlink()

    def tell(text: str) -> None:
        out.print(text, markup=False, highlight=False, soft_wrap=True)

    async def main_() -> None:
        async with tryout(folder, assistant=assistant, port=port, told=tell) as running:
            out.print(f"\n[bold]Legato[/] is at [bold cyan]{running.url}[/]   (Ctrl-C stops it)\n\nTry this:\n{TRY_THIS}\n", soft_wrap=True)
            await asyncio.Event().wait()

    run_loop(main_)
    out.print("Stopped. The memory is kept.")


@app.command(rich_help_panel="Run")
def run(
    only: Annotated[list[str] | None, typer.Option(help="channels, worker or watchdog; may be given more than once")] = None,
    env_file: Annotated[Path, typer.Option(help="the settings file")] = Path(".env"),
) -> None:
    """Serve customers and agents on Telegram. Settings come from LEGATO_... variables or the settings file."""
    from bot.app import PARTS, build
    from bot.settings import Settings
    from bot.telemetry import set_up_logging

    parts = frozenset(only or PARTS)
    if unknown := parts - set(PARTS):
        raise typer.BadParameter(f"{', '.join(sorted(unknown))}: there are {', '.join(PARTS)}", param_hint="--only")
    settings = Settings.load(env_file=env_file)
    set_up_logging(settings)
    if "channels" in parts and settings.telegram_token is None:
        from memory.errors import SettingsError

        raise SettingsError("LEGATO_TELEGRAM_TOKEN is not set: put the token that @BotFather gave you into the environment or .env")

    async def main_() -> None:
        legato = await build(settings, parts=parts)
        err.print(f"Legato runs as {legato.assistant.company} ({', '.join(sorted(parts))}). Ctrl-C stops it.")
        await legato.run()

    run_loop(main_)


@app.command(rich_help_panel="Run")
def simulator(
    port: Annotated[int, typer.Option(help="to listen on; 0 takes a free one")] = 8081,
    host: Annotated[str, typer.Option(help="address to listen on")] = "127.0.0.1",
    strict_tokens: Annotated[bool, typer.Option(help="refuse tokens that were not registered")] = False,
) -> None:
    """A Telegram Bot API server with simulated people and faults, for any bot in any language."""
    from bot.simulator import run as serve

    serve(port, host, strict_tokens)


@app.command(rich_help_panel="Quality")
def check(
    assistant: Annotated[str | None, typer.Option(help="a built-in name or a folder; without it, the one in the settings")] = None,
    examples: Annotated[bool, typer.Option("--examples", help="try each example of an intent; takes some seconds")] = False,
    env_file: Annotated[Path, typer.Option(help="the settings file")] = Path(".env"),
) -> None:
    """Validate configuration and content; every mistake is named with its file and line. Warnings do not make it fail."""
    from bot.check import check as find_mistakes

    found = find_mistakes(env_file, assistants=[assistant] if assistant else None, examples=examples)
    for line in (*found.problems, *found.mistakes):
        out.print(str(line), style="red", highlight=False, soft_wrap=True, markup=False)
    for warning in found.warnings:
        out.print(str(warning), style="yellow", highlight=False, soft_wrap=True, markup=False)
    for line in found.summary:
        out.print(line, highlight=False, soft_wrap=True, markup=False)
    if not found.fine:
        raise typer.Exit(1)


@qa.command("run")
def qa_run(
    paths: Annotated[list[Path], typer.Argument(help="scripts, or folders of them")],
    jobs: Annotated[int | None, typer.Option(help="how many at a time")] = None,
    name: Annotated[str | None, typer.Option("--filter", help="only those whose name or file contains this")] = None,
    database: Annotated[str | None, typer.Option(help="a PostgreSQL URL; without it, each plays on a SQLite file")] = None,
    junit: Annotated[Path | None, typer.Option(help="write a JUnit report here")] = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="show every transcript")] = False,
    over_http: Annotated[bool, typer.Option("--over-http", help="let an action server run the actions")] = False,
) -> None:
    """Play scripted dialogues. Exit code: 0 all passed, 1 something differs, 2 a script is broken."""
    from bot.qa import run as play

    raise typer.Exit(play(paths, jobs=jobs, name=name, database=database, junit=junit, verbose=verbose, over_http=over_http))


@app.command(rich_help_panel="Store")
def migrate(env_file: Annotated[Path, typer.Option(help="the settings file")] = Path(".env")) -> None:
    """Bring the database to this program's schema. Safe to repeat."""
    from bot.settings import Settings
    from memory.database import Database
    from memory.schema import REVISIONS, check_schema, present_revision
    from memory.schema import migrate as upgrade

    async def main_() -> None:
        database = Database(Settings.load(env_file=env_file).database_url)
        try:
            before = await database.read(present_revision)
            if before is None or before in REVISIONS:  # a newer one is refused by the check, untouched
                await database.write(upgrade)
            await check_schema(database)
            out.print(f"The schema is {REVISIONS[-1]} (it was {before or 'empty'}).")
        finally:
            await database.close()

    asyncio.run(main_())


@app.command(rich_help_panel="Store")
def quarantine(
    show: Annotated[int | None, typer.Option(help="print the raw update with this number")] = None,
    env_file: Annotated[Path, typer.Option(help="the settings file")] = Path(".env"),
) -> None:
    """List updates that could not be read, or print one as it came."""
    from memory.inbox import quarantined

    rows = asyncio.run(_read(env_file, quarantined))
    if show is not None:
        found = [row for row in rows if row.id == show]
        if not found:
            err.print(f"There is no update {show} in quarantine.")
            raise typer.Exit(1)
        out.print(found[0].raw, highlight=False, soft_wrap=True, markup=False)
        return
    if not rows:
        out.print("Nothing is in quarantine.")
        return
    table = Table("number", "channel", "update", "when", "why")
    for row in rows:
        table.add_row(str(row.id), row.channel, escape(row.update_id), f"{row.at:%Y-%m-%d %H:%M:%S}", escape(row.why))
    out.print(table)


async def _read(env_file: Path, query: Callable[[Any], Any]) -> Any:
    from bot.settings import Settings
    from memory.database import Database
    from memory.schema import check_schema

    database = Database(Settings.load(env_file=env_file).database_url)
    try:
        await check_schema(database)
        return await database.read(query)
    finally:
        await database.close()
