"""Settling an outgoing of which nobody knows whether it arrived: an agent says so, or has it sent again."""

from __future__ import annotations

from datetime import datetime

from bot.desks import texts
from bot.desks.act import Act, Acted, answer_only
from bot.messages import Incoming, Outgoing
from bot.turn.deliver import again_row
from bot.turn.mirror import AGAIN, settled_notice
from bot.turn.write import GENERAL
from memory.customers import forgotten_among
from memory.database import Tx
from memory.handoffs import handoff_in_topic
from memory.outbox import get_outgoing, put_out, resolve


def settle(tx: Tx, press: Incoming, how: str, outgoing_id: int, *, now: datetime) -> Acted:
    """Settle an uncertain outgoing as ``again`` or ``arrived``; of two presses the second is told that it is settled already.

    The question loses its buttons. Sent again, it keeps its place in the log and takes the next one in the customer's lane.
    """
    row = get_outgoing(tx, outgoing_id)
    if row is None or row.customer_id is None or row.identity_id is None:
        return answer_only(tx, press, texts.UNKNOWN_BUTTON, now=now)
    handoff = handoff_in_topic(tx, press.place) if press.place else None
    place = GENERAL if handoff is None else str(handoff.id)
    act = Act.begin(tx, press, customer_id=row.customer_id, identity_id=row.identity_id, place=place, now=now)
    if act is None:
        return Acted.SEEN
    if forgotten_among(tx, [row.customer_id]) or not resolve(tx, outgoing_id, how):
        act.answer(texts.ALREADY_SETTLED)
        return act.finish("already settled", outgoing=outgoing_id)
    act.answer(texts.SENT_AGAIN if how == AGAIN else texts.NOTED_ARRIVED)
    if how == AGAIN:
        put_out(tx, [again_row(row, row.outgoing, now)])
    notice = settled_notice(how, press.name, str(row.outgoing.get("text", "")))
    act.post(Outgoing(kind="edit", text=notice, html=True, about=press.about))
    return act.finish(f"settled: {how}", outgoing=outgoing_id)
