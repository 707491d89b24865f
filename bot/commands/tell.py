"""``legato customer tell``: write to a customer who has not asked, if they agreed to it and want it now."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bot.commands.common import EnvFile, out, with_database
from bot.commands.customer import customer
from memory.database import Database
from memory.errors import LegatoError


class NotTold(LegatoError):
    """The customer may not be written to; the text says why, and from when on they may be."""


@customer.command("tell")
def tell_customer(
    customer_id: Annotated[int, typer.Argument(help="the customer's number", metavar="CUSTOMER")],
    text: Annotated[str, typer.Argument(help="what to write to them")],
    purpose: Annotated[str, typer.Option(help="what it is for, as memory.yml declares it")],
    key: Annotated[str | None, typer.Option(help="a name for this message: written twice under the same one, it is sent once")] = None,
    env_file: EnvFile = Path(".env"),
) -> None:
    """Write to a customer who has not asked.

    Their consent to the purpose, the hours and the frequency that they asked for, an open case, a broken promise and a recent bad
    experience all count. Exit code 1: not written, with why, and from when on it may be.
    """
    from bot.assistants import load_assistant
    from bot.channels.telegram.updates import CHANNEL
    from bot.settings import Settings, zone_of
    from bot.turn.tell import tell
    from memory.clock import SystemClock

    settings = Settings.load(env_file=env_file)
    declared = load_assistant(settings.assistant).declared
    zone = zone_of(settings.timezone)
    channels = (CHANNEL,) if settings.telegram_token is not None else ()
    if not text.strip():
        raise NotTold("the message is empty; write what the customer is to read")

    async def work(database: Database) -> None:
        now = SystemClock().now()
        told = await database.write(
            lambda tx: tell(tx, declared, customer_id, text, purpose, now=now, zone=zone, channels=channels, key=key)
        )
        if told.refused is not None:
            until = told.refused.until
            when = f"; from {until.astimezone(zone):%d %b %Y %H:%M %Z} on they may be" if until is not None else ""
            raise NotTold(f"customer {customer_id} was not written to: {told.refused.why}{when}")
        if told.again:
            out.print("a message of this key has been put out before")
        else:
            out.print(f"put out as turn {told.turn_id}; a running `legato` sends it")

    with_database(env_file, work)
