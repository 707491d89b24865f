"""What an operator does with the command line, against the same store."""

from __future__ import annotations

from bot.qa.deeds import Impossible
from bot.qa.format import OPERATOR, OperatorDoes
from bot.qa.ledger import read_customers
from bot.qa.stage import Stage
from bot.turn.join import join_people, part_people
from bot.turn.linker import deep_link
from memory.customers import person_of
from memory.database import Tx
from memory.errors import MergeRefused
from memory.links import make_code, make_link
from memory.merges import merges_of


async def operate(stage: Stage, does: OperatorDoes) -> str:
    """Do it, and say what was done. Raises :class:`Impossible` with what the command line would say."""
    assert stage.app is not None
    declared, now = stage.app.assistant.declared, stage.clock.now()

    def write(tx: Tx) -> str:
        numbers = [_number(tx, stage, name) for name in does.customers]
        if does.link is not None:
            code = make_code(tx, numbers[0], None, by=OPERATOR, at=now)
            token = make_link(tx, numbers[0], None, by=OPERATOR, at=now)
            stage.operator_sees.append(f"{code} {deep_link(stage.bot_name(stage.bot), token)}")
            return f"operator makes a link for {does.link}"
        if does.merge is not None:
            one, other = numbers
            done = join_people(tx, one, other, how=OPERATOR, evidence={}, by=OPERATOR, declared=declared, at=now)
            return f"operator merges {' and '.join(does.merge)} (merge {done.id})"
        last = [row for row in merges_of(tx, person_of(tx, numbers[0])) if row.undone_at is None]
        if not last:
            raise Impossible(f"{does.unmerge} was never merged")
        part_people(tx, last[-1].id, by=OPERATOR, declared=declared, at=now)
        return f"operator undoes merge {last[-1].id}"

    try:
        return await stage.store.write(write)
    except MergeRefused as refused:
        raise Impossible(str(refused)) from None


def _number(tx: Tx, stage: Stage, name: str) -> int:
    """A customer's number as it stands on a card: that of the person."""
    found = read_customers(tx).get(str(stage.customers[name].id))
    if found is None:
        raise Impossible(f"nobody knows {name} yet")
    return int(found.customer_id)
