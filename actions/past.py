"""The whole past of a customer as actions reach it: by the assistant's own recaller where it runs them, else by one made here.

An action that wants to know more than slots hold asks :func:`related_to`. Nothing here opens a transaction around anything that waits, and
nothing is written.
"""

from __future__ import annotations

from weakref import WeakKeyDictionary

from actions.shared import shared_clock, shared_database
from memory.cache import LocalCache
from memory.context import look_at_address
from memory.database import Database
from memory.declared import Declarations
from memory.recall import Item
from memory.recaller import Recaller

_recallers: WeakKeyDictionary[Database, Recaller] = WeakKeyDictionary()


def use_recaller(database: Database, recaller: Recaller) -> None:
    """Have every action that works on ``database`` recall through this one: it has the processes' cache, and may know meanings."""
    _recallers[database] = recaller


async def shared_recaller() -> Recaller:
    """The recaller of the database that actions have now. Raises as :func:`actions.shared.shared_database` does.

    One that is made here knows of no declaration: what it gives of facts is for nobody but who looks at their proof and consent too.
    """
    database = await shared_database()
    recaller = _recallers.get(database)
    if recaller is None:
        clock = shared_clock()
        recaller = _recallers[database] = Recaller(database, Declarations(), clock, LocalCache(clock))
    return recaller


async def related_to(sender: str, words: str) -> list[Item]:
    """The moments of the whole past of ``sender`` (``channel:address``) that belong to ``words``, the best first.

    Only what was said with this person, on whatever channel of theirs: no facts, so that nothing is told that needs a proof or a consent.
    Empty for somebody who is not known.
    """
    channel, _, address = sender.partition(":")
    if not address or not words.strip():
        return []
    context = await look_at_address(await shared_database(), channel, address)
    if context is None:
        return []
    recaller = await shared_recaller()
    found = await recaller(context.customer_id, for_="action", query=words)
    return [item for item in found.items if item.kind == "moment"] if found is not None else []
