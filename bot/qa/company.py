"""The company's own word to a customer, as ``legato customer tell`` puts it out."""

from __future__ import annotations

from bot.channels.telegram.updates import CHANNEL
from bot.qa.check import Difference, quote
from bot.qa.format import Company
from bot.qa.ledger import read_customers
from bot.qa.stage import Stage
from bot.settings import zone_of
from bot.turn.tell import Told, tell
from memory.database import Tx


async def write_to_customer(body: Company, stage: Stage) -> None:
    """Write to a customer; raises :class:`Difference` where it is refused, or not refused, against what the script says."""
    app = stage.app
    assert app is not None
    address = str(stage.customers[body.to].id)

    def write(tx: Tx) -> Told:
        known = read_customers(tx).get(address)
        return tell(
            tx,
            app.assistant.declared,
            known.customer_id if known is not None else 0,
            body.text,
            body.purpose,
            now=stage.clock.now(),
            zone=zone_of(stage.settings.timezone),
            channels=(CHANNEL,),
            key=body.key,
        )

    told = await stage.store.write(write)
    app.signals.notify(CHANNEL)
    why = told.refused.why if told.refused is not None else None
    if body.refused is None and why is not None:
        raise Difference(f"{body.to} to be written to", f"it is refused: {why}")
    if body.refused is not None and (why is None or body.refused not in why):
        raise Difference(f"a refusal because {quote(body.refused)}", f"one because {quote(why)}" if why is not None else "none")
