"""Looking into a customer's past, from the topic; only agents see what is found."""

from __future__ import annotations

import logging

from bot.desks import texts
from bot.desks.act import Act
from bot.messages import Incoming, Outgoing
from memory.database import Database
from memory.declared import Declarations
from memory.handoffs import handoff_in_topic
from memory.recall import recall
from memory.recaller import Recaller, Stamped, stamp_of

logger = logging.getLogger(__name__)

FIND = "find"
"""The name of the command."""

ROOM = 6000
"""Characters of everything that is recalled; what is found in the past is a part of it, and fits one post."""


class Looking:
    """Searches before an agent's update is dealt with: no customer waits for it, and it may go by the meaning of the words."""

    def __init__(self, database: Database, recaller: Recaller) -> None:
        self._database = database
        self._recaller = recaller

    async def __call__(self, incoming: Incoming, words: str) -> Stamped | None:
        """What there is about ``words`` of the customer whose case is in the update's topic; None where it cannot be said. Never raises."""
        place = incoming.place or ""
        try:
            handoff = await self._database.read(lambda tx: handoff_in_topic(tx, place))
            return None if handoff is None else await self._recaller.stamped(handoff.customer_id, words, budget=ROOM)
        except Exception as error:
            logger.warning("a past could not be searched before the update: %s", type(error).__name__)
            return None


def find_past(act: Act, words: str, declared: Declarations, looked: Stamped | None = None) -> str | None:
    """Post the moments of this person's whole past that belong to ``words``; what to post instead where there are none.

    What was found before the transaction is shown if it is the present still: nothing was said, nobody was merged, parted or forgotten in
    between. Else it is searched for here, by words.
    """
    if not words:
        return texts.NOT_FOUND_WORDS
    customer_id = act.identity.customer_id
    is_present = looked is not None and looked.stamp == stamp_of(act.tx, customer_id)
    found = looked.recalled if looked is not None and is_present else None
    if found is None:
        found = recall(act.tx, customer_id, declared=declared, now=act.now, query=words, budget=ROOM)
    moments = [item for item in found.items if item.kind == "moment"] if found is not None else []
    if not moments:
        return texts.NOT_FOUND
    lines = [f"• {item.text} ({item.why})" for item in moments]
    act.post(Outgoing(text="\n".join([texts.FOUND, *lines])))
    return None
