"""``legato customer link``, ``merge``, ``unmerge`` and ``proposals``: who is one person with whom."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from bot.commands.common import EnvFile, out, with_database
from bot.commands.customer import customer
from memory.database import Database
from memory.errors import LegatoError

OPERATOR = "operator"
"""Who acts here, as it is noted."""

Number = Annotated[int, typer.Argument(help="the customer's number", metavar="CUSTOMER")]


class NotLinked(LegatoError):
    """No link can be made; the text says why."""


@customer.command("link")
def link_customer(customer_id: Number, env_file: EnvFile = Path(".env")) -> None:
    """Make a code and a link for a customer.

    Whoever uses one of them on another account becomes one person with the customer, so send them only to the customer's own address. Both
    can be used once; making new ones ends those that were made before and not used.
    """
    from bot.channels.telegram.sender import username_of
    from bot.settings import Settings
    from bot.turn.linker import deep_link
    from memory.clock import SystemClock
    from memory.customers import get_customer
    from memory.links import CODE_TTL, LINK_TTL, make_code, make_link

    settings = Settings.load(env_file=env_file)

    async def work(database: Database) -> None:
        found = await database.read(lambda tx: get_customer(tx, customer_id))
        if found is None:
            raise NotLinked(f"there is no customer {customer_id}")
        if found.forgotten_at is not None:
            raise NotLinked(f"customer {customer_id} was forgotten")
        name = None
        if settings.telegram_token is not None:
            name = await username_of(settings.telegram_token.get_secret_value(), api_base=settings.api_base)
        now = SystemClock().now()
        code = await database.write(lambda tx: make_code(tx, customer_id, None, by=OPERATOR, at=now))
        out.print(f"code: {code} (for {CODE_TTL.total_seconds() / 60:.0f} minutes)", highlight=False)
        if name is None:
            out.print("no link: LEGATO_TELEGRAM_TOKEN is not set, or Telegram does not answer; the code does the same", highlight=False)
            return
        token = await database.write(lambda tx: make_link(tx, customer_id, None, by=OPERATOR, at=now))
        out.print(f"link: {deep_link(name, token)} (for {LINK_TTL.total_seconds() / 3600:.0f} hours)", highlight=False, soft_wrap=True)

    with_database(env_file, work)


@customer.command("merge")
def merge_customers(
    one: Annotated[int, typer.Argument(help="a customer's number", metavar="ONE")],
    other: Annotated[int, typer.Argument(help="the number of a customer who is the same person", metavar="OTHER")],
    why: Annotated[str, typer.Option(help="why they are the same person; it is kept with the merge")],
    env_file: EnvFile = Path(".env"),
) -> None:
    """Make two customers one person. Everything keeps its origin, and the merge can be undone."""
    from bot.assistants import load_assistant
    from bot.settings import Settings
    from bot.turn.join import join_people
    from memory.clock import SystemClock

    if not why.strip():
        raise typer.BadParameter("say why they are the same person", param_hint="--why")
    declared = load_assistant(Settings.load(env_file=env_file).assistant).declared

    async def work(database: Database) -> None:
        now = SystemClock().now()
        done = await database.write(
            lambda tx: join_people(tx, one, other, how=OPERATOR, evidence={"why": why.strip()}, by=OPERATOR, declared=declared, at=now)
        )
        out.print(f"customer {done.merged_id} is part of customer {done.customer_id} now; to undo it: legato customer unmerge {done.id}")

    with_database(env_file, work)


@customer.command("unmerge")
def unmerge_customers(
    merge_id: Annotated[int, typer.Argument(help="the merge's number", metavar="MERGE")], env_file: EnvFile = Path(".env")
) -> None:
    """Undo a merge: both are again who they were, and what was said since goes with the account where it was said."""
    from datetime import timedelta

    from bot.assistants import load_assistant
    from bot.settings import Settings
    from bot.turn.join import part_people
    from memory.clock import SystemClock

    settings = Settings.load(env_file=env_file)
    declared = load_assistant(settings.assistant).declared
    fresh_for = timedelta(seconds=settings.proof_fresh_s)

    async def work(database: Database) -> None:
        now = SystemClock().now()
        done = await database.write(lambda tx: part_people(tx, merge_id, by=OPERATOR, declared=declared, at=now, fresh_for=fresh_for))
        out.print(f"customer {done.customer_id} is a person of their own again, apart from customer {done.survivor_id}")

    with_database(env_file, work)


@customer.command("proposals")
def list_proposals(env_file: EnvFile = Path(".env")) -> None:
    """List customers who may be one person, because they told the same number, address or the like. Nothing is merged by itself."""
    from memory.proposals import all_proposals

    async def work(database: Database) -> None:
        rows = await database.read(all_proposals)
        if not rows:
            out.print("Nobody is proposed to be the same person.")
            return
        table = Table("one", "other", "both told the same", "since")
        for one, other, kind, at in rows:
            table.add_row(str(one), str(other), kind.replace("_", " "), f"{at:%Y-%m-%d %H:%M}")
        out.print(table)
        out.print("To merge two: legato customer merge ONE OTHER --why REASON. Agents write /merge or /notsame in the topic.")

    with_database(env_file, work)
