"""Links and codes in the chat: they are made and used before the turn is decided, in transactions of their own.

A turn that is run again finds what the first run has done: a code that this identity has used stays used by it, and a code that nobody was
told is replaced by the next. Where two customers become one, both ownership numbers move, so that this turn's commit is refused and the
turn decided anew, knowing what both have said.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

from bot.turn.decision import Arrived
from bot.turn.join import join_people, renew_case
from bot.turn.linking import PROVING, Gate, Linked, Offered, Wish, wish_of
from bot.understand.knowledge import Knowledge
from memory.clock import Clock
from memory.context import Context
from memory.customers import get_identity, person_of
from memory.database import Database, Tx
from memory.declared import Declarations
from memory.dialogue import dialogue_elsewhere
from memory.links import CODE_TTL, Redeemed, confirm_by, find_link, make_code, make_link, redeem
from memory.merges import hold_for_merge

BotName = Callable[[], Awaitable[str | None]]
"""The username of the customers' bot, which links name; None where it is not known here."""


async def _nameless() -> str | None:
    return None


class Linker:
    """Finds out for each turn who is writing. ``standing`` is the gate of turns in which nothing is done about links."""

    def __init__(
        self, database: Database, clock: Clock, knowledge: Knowledge, declared: Declarations, standing: Gate, bot_name: BotName = _nameless
    ) -> None:
        self._database = database
        self._clock = clock
        self._knowledge = knowledge
        self._declared = declared
        self._standing = standing
        self._bot_name = bot_name

    async def gate(self, arrived: Arrived, context: Context) -> Gate:
        """Do what the message wants of links, and say what the turn has to know. Most messages want nothing, which costs nothing."""
        gate, wish = self._standing, wish_of(arrived)
        if slug := context.dialogue.get(PROVING):
            gate = replace(gate, pending=self._knowledge.get(str(slug)))
        if wish is None:
            return gate
        if not wish.token:
            name = await self._bot_name()
            return replace(gate, links=await self._database.write(lambda tx: self._offer(tx, context, name)))
        linked = await self._database.write(lambda tx: self._use(tx, wish, context))
        vague = not wish.certain and linked.outcome in (Redeemed.WRONG, Redeemed.TOO_MANY)
        return gate if vague else replace(gate, links=linked)

    def _offer(self, tx: Tx, context: Context, name: str | None) -> Offered:
        now = self._clock.now()
        code = make_code(tx, context.home_id, context.identity_id, by="customer", at=now)
        token = make_link(tx, context.home_id, context.identity_id, by="customer", at=now, ttl=CODE_TTL) if name is not None else None
        return Offered(code, deep_link(name, token) if name and token else None, round(CODE_TTL / timedelta(minutes=1)))

    def _use(self, tx: Tx, wish: Wish, context: Context) -> Linked:
        now, identity_id = self._clock.now(), context.identity_id
        if (found := find_link(tx, wish.token, at=now)) is not None:  # the locks of a merge come before any other
            hold_for_merge(tx, *_people(tx, found.customer_id, found.identity_id, identity_id))
        used = redeem(tx, wish.token, identity_id, at=now)
        if used.outcome not in (Redeemed.DONE, Redeemed.AGAIN):
            return Linked(used.outcome)
        assert used.customer_id is not None
        theirs, mine = _people(tx, used.customer_id, used.identity_id, identity_id)
        if mine != theirs and used.outcome is Redeemed.AGAIN:  # it has been undone since, and a code that was used does not do it again
            return Linked(Redeemed.USED)
        merged = None
        if mine != theirs:
            evidence = {"identities": [used.identity_id, identity_id]}
            merged = join_people(tx, theirs, mine, how=used.kind, evidence=evidence, by="customer", declared=self._declared, at=now)
            mine = merged.customer_id
        if used.outcome is Redeemed.DONE:
            merge_id = merged.id if merged is not None else None
            confirm_by(tx, used, identity_id, at=now, merge_id=merge_id, fresh_for=self._standing.fresh_for)
            if merged is not None and merged.into is not None:
                renew_case(tx, merged.into, self._declared, now)
        found_there = dialogue_elsewhere(tx, mine, identity_id)
        return Linked(used.outcome, *found_there) if found_there is not None else Linked(used.outcome)


def deep_link(bot_name: str, token: str) -> str:
    """The address that opens the chat with the customers' bot and brings the token (Bot API, deep linking)."""
    return f"https://t.me/{bot_name}?start={token}"


def _people(tx: Tx, customer_id: int, shown_on: int | None, identity_id: int) -> tuple[int, int]:
    """Whose a link is, and who uses it, as they are now."""
    mine = get_identity(tx, identity_id)
    theirs = get_identity(tx, shown_on) if shown_on is not None else None
    assert mine is not None
    return theirs.customer_id if theirs is not None else person_of(tx, customer_id)[0], mine.customer_id
