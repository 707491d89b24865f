"""Turns, from the claim to the commit: one at a time for a customer, in the channel's order, whatever number of workers there is."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bot.flows.state import without_values
from bot.messages import read_incoming
from bot.turn.brain import Brain, HandOver, KnowledgeBrain
from bot.turn.decide import fail
from bot.turn.decision import Arrived, Decision, Reason
from bot.turn.deeds import Doing
from bot.turn.learn import follow
from bot.turn.loop import Batcher, Running
from bot.turn.packet import PacketRelated, read_packet, renew_packet, stored
from bot.turn.related import Related
from bot.turn.write import Rows, Writer
from memory.clock import Clock
from memory.context import Context, recall
from memory.customers import ownership_of, set_reachable
from memory.database import Database, Record, Row, Tx
from memory.declared import Declarations
from memory.dialogue import keep_dialogues
from memory.exchanges import find_origin, log
from memory.handoffs import ENDED, get_handoff, open_handoff
from memory.handoffs import renew_packet as keep_packet
from memory.inbox import TURN, album_begun, finish, first_waiting, next_due
from memory.known import refresh_known
from memory.lanes import Claimed, claim_lanes, leave_lanes, next_ready, pause_lane, still_held
from memory.merges import rehome_waiting
from memory.outbox import exchange_sent_as, put_out
from memory.signals import CHANGED, Signals
from memory.turns import DIALOGUE, keep_turns

__all__ = ["Brain", "HandOver", "KnowledgeBrain", "TurnWorker"]

logger = logging.getLogger(__name__)

FIRST_PAUSE_S = 0.5
MAX_PAUSE_S = 60.0


@dataclass(frozen=True, slots=True)
class Work:
    """A claimed turn: what stands first in a customer's lane, and what is known about them."""

    lane: Claimed
    inbox: tuple[Record, ...]
    context: Context
    continued: bool
    about_id: int | None

    @property
    def turn_id(self) -> int:
        return int(self.inbox[0].id)


@dataclass(frozen=True, slots=True)
class Finished:
    """A turn that has been decided and not yet committed."""

    work: Work
    decision: Decision
    rows: Rows
    trace: dict[str, Any]
    started_at: datetime


class TurnWorker:
    """Claims turns, has them decided, commits them. ``look`` is one round; the caller repeats it (:func:`bot.turn.loop.keep_looking`).

    A turn that raises or takes longer than ``deadline_s`` is tried again after a growing pause; after ``tries`` the customer is told and
    a person asked. ``behind_s`` > 0 makes this a watchdog: it takes only what has been ready for so long. An answer that comes later than
    ``late_after_s`` is noted as a bad experience. ``related`` finds what the past has for a handoff that a turn opens.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        signals: Signals,
        brain: Brain,
        writer: Writer,
        declared: Declarations,
        *,
        name: str,
        at_once: int,
        lease_s: float,
        deadline_s: float,
        tries: int,
        behind_s: float = 0.0,
        late_after_s: float = 120.0,
        related: Related | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._signals = signals
        self._brain = brain
        self._writer = writer
        self._declared = declared
        self._name = name
        self._at_once = at_once
        self._lease = timedelta(seconds=lease_s)
        self._deadline_s = deadline_s
        self._tries = tries
        self._behind = timedelta(seconds=behind_s)
        self._late_after = timedelta(seconds=late_after_s)
        self._related = related
        self._commits: Batcher[Finished, bool] = Batcher(self._commit_many)
        # A watchdog is not woken by what arrives: what it looks for is what nobody has come to.
        self.wake = asyncio.Event() if behind_s else signals.listen(TURN)
        self._running = Running(self.wake)

    @property
    def watches(self) -> bool:
        """Whether this is a watchdog, which has a brain of its own kind."""
        return bool(self._behind)

    def use(self, brain: Brain | None, writer: Writer, declared: Declarations) -> None:
        """From the next turn on decide and write with these; None keeps the brain."""
        self._brain = brain or self._brain
        self._writer, self._declared = writer, declared

    async def look(self) -> float:
        """Claim what is ready and start its turns; returns the seconds until there may be more."""
        free = self._at_once - len(self._running)
        if free <= 0:
            return self._deadline_s  # a turn that ends sets ``wake``
        works, ready_at = await self._database.write(lambda tx: self._claim(tx, free))
        for work in works:
            self._running.start(self._turn(work))
        if len(works) == free or ready_at is None:
            return self._deadline_s
        return max(0.0, (ready_at + self._behind - self._clock.now()).total_seconds())

    async def finish(self) -> None:
        """Wait for the turns that are running; no new ones are claimed."""
        await self._running.finish(self._deadline_s)

    async def abandon(self) -> None:
        """Drop the turns that are under way, as a killed process does."""
        await self._running.abandon()

    def _claim(self, tx: Tx, limit: int) -> tuple[list[Work], datetime | None]:
        now = self._clock.now()
        lanes = claim_lanes(tx, TURN, worker=self._name, now=now - self._behind, until=now + self._lease, limit=limit)
        first = first_waiting(tx, [int(lane.key) for lane in lanes])
        contexts = recall(tx, {rows[0].identity_id for rows in first.values()})
        strays = [(id_, now_part_of) for id_, rows in first.items() if (now_part_of := contexts[rows[0].identity_id].customer_id) != id_]
        if strays:  # accepted in the moment of a merge
            rehome_waiting(tx, strays)
            first = first_waiting(tx, [int(lane.key) for lane in lanes])
            contexts = recall(tx, {rows[0].identity_id for rows in first.values()})
        leave_lanes(tx, TURN, {lane.key: None for lane in lanes if int(lane.key) not in first})
        works = [self._work(tx, lane, rows, contexts) for lane in lanes if (rows := first.get(int(lane.key)))]
        return works, next_ready(tx, TURN)

    @staticmethod
    def _work(tx: Tx, lane: Claimed, rows: list[Record], contexts: dict[int, Context]) -> Work:
        row = rows[0]
        incoming = row.incoming or {}
        about_id = None
        if message := incoming.get("about"):
            about = find_origin(tx, row.identity_id, f"{row.channel}:{message}")
            about_id = about.id if about is not None else exchange_sent_as(tx, row.channel, incoming["sender"], message)
        continued = row.album is not None and album_begun(tx, row.identity_id, row.album)
        return Work(lane, tuple(rows), contexts[row.identity_id], continued, about_id)

    async def _turn(self, work: Work) -> None:
        """One turn. Whatever happens, the lane is let go or its lease ends: a customer is never stuck."""
        try:
            async with asyncio.timeout(self._deadline_s):
                finished = await self._think(work)
            await self._commits.add(finished)
        except Exception as error:
            await self._failed(work, error)

    async def _think(self, work: Work) -> Finished:
        started = self._clock.now()
        arrived = Arrived(tuple(read_incoming(row.incoming) for row in work.inbox), work.continued, work.about_id, work.turn_id)
        decision, trace = await self._brain.think(arrived, work.context)
        related: tuple[PacketRelated, ...] = ()
        if self._related is not None and decision.handoff is not None:
            related = await self._related(work.context, self._writer.want(arrived, work.context, decision))
        return self._written(work, arrived, decision, trace, started, related)

    def _written(
        self,
        work: Work,
        arrived: Arrived,
        decision: Decision,
        trace: dict[str, Any],
        started: datetime,
        related: tuple[PacketRelated, ...] = (),
    ) -> Finished:
        now = self._clock.now()
        waited = now - arrived.first.at
        decision = follow(decision, arrived, work.context, self._declared, waited=waited, limit=self._late_after)
        decision, withheld = self._writer.sift(decision, work.context, now)
        if withheld:
            trace = {**trace, "withheld": withheld}
        rows = self._writer.write(work.turn_id, arrived, work.context, decision, about_id=work.about_id, now=now, related=related)
        return Finished(work, decision, rows, trace, started)

    async def _failed(self, work: Work, error: Exception) -> None:
        tries = work.lane.tries + 1
        logger.warning("turn %d failed (try %d): %s", work.turn_id, tries, type(error).__name__, exc_info=error)
        if tries >= self._tries and await self._give_up(work, error):
            return
        until = self._clock.now() + timedelta(seconds=min(MAX_PAUSE_S, FIRST_PAUSE_S * 2 ** (tries - 1)))
        try:
            await self._database.write(lambda tx: pause_lane(tx, work.lane, until=until, tries=tries))
        except Exception:
            logger.exception("turn %d could not be paused; its lease will end", work.turn_id)

    async def _give_up(self, work: Work, error: Exception) -> bool:
        """Tell the customer and ask a person, by the shortest way there is. False if even that cannot be stored now."""
        try:
            arrived = Arrived(tuple(read_incoming(row.incoming) for row in work.inbox), work.continued, work.about_id, work.turn_id)
            decision = fail(work.context, Reason.FAILED)
            await self._commits.add(self._written(work, arrived, decision, {"error": type(error).__name__}, self._clock.now()))
        except Exception:
            logger.exception("turn %d could not be handed over", work.turn_id)
            return False
        return True

    async def _commit_many(self, batch: list[Finished]) -> list[bool]:
        done = await self._database.write(lambda tx: self._commit(tx, batch))
        for topic in {row["lane"] for one, ok in zip(batch, done, strict=True) if ok for row in one.rows.outgoings}:
            self._signals.notify(topic)
        changed = ((one.work.context.customer_id, one.work.turn_id) for one, ok in zip(batch, done, strict=True) if ok)
        self._signals.publish(CHANGED, *({"customer": customer, "turn": turn} for customer, turn in changed))
        return done

    def _commit(self, tx: Tx, batch: list[Finished]) -> list[bool]:
        """Store turns. One whose lane was lost is dropped; one whose customer changed hands meanwhile is let go, to be decided again."""
        now = self._clock.now()
        held = still_held(tx, [one.work.lane for one in batch])
        owned = ownership_of(tx, [one.work.context.customer_id for one in batch])
        mine = [one for one in batch if one.work.lane.key in held]
        good = [one for one in mine if owned[one.work.context.customer_id] == one.work.context.ownership]
        keep_turns(tx, [self._turn_row(one, now) for one in good])
        log(tx, [row for one in good for row in one.rows.exchanges])
        dialogues = {one.work.context.identity_id: one.rows.dialogue for one in good if one.rows.dialogue is not None}
        keep_dialogues(tx, [{"identity_id": id_, "state": state, "at": now} for id_, state in sorted(dialogues.items())])
        for one in good:
            self._commit_rarer(tx, one, now)
        put_out(tx, [row for one in good for row in one.rows.outgoings])
        finish(tx, {row.id: one.work.turn_id for one in good for row in one.work.inbox})
        due = next_due(tx, [one.work.context.customer_id for one in mine])
        leave_lanes(tx, TURN, {one.work.lane.key: due.get(int(one.work.lane.key)) for one in mine})
        committed = {one.work.turn_id for one in good}
        return [one.work.turn_id in committed for one in batch]

    @staticmethod
    def _turn_row(one: Finished, now: datetime) -> Row:
        return {
            "id": one.work.turn_id,
            "customer_id": one.work.context.home_id,
            "lane": TURN,
            "decision": one.decision.rule,
            "trace": {**one.trace, DIALOGUE: without_values(one.work.context.dialogue)} if one.work.context.dialogue else one.trace,
            "started_at": one.started_at,
            "finished_at": now,
        }

    def _commit_rarer(self, tx: Tx, one: Finished, now: datetime) -> None:
        """What few turns do: deeds, reachability, a handoff."""
        context, decision = one.work.context, one.decision
        if decision.deeds:
            doing = Doing(one.work.turn_id, one.rows.exchanges[0]["id"], context, self._declared, now)
            for deed in decision.deeds:
                deed.do(tx, doing)
            refresh_known(tx, [context.customer_id])
            self._renew_packet(tx, context, now)
        if decision.reachable is False:
            set_reachable(tx, context.identity_id, since=now, why="the customer blocked the bot")
        elif context.unreachable:
            set_reachable(tx, context.identity_id, since=None, why=None)
        if decision.handoff is not None and one.rows.packet is not None:
            open_handoff(
                tx,
                one.work.turn_id,
                context.customer_id,
                context.identity_id,
                reason=str(decision.handoff),
                packet=one.rows.packet,
                at=now,
            )

    def _renew_packet(self, tx: Tx, context: Context, now: datetime) -> None:
        """What was learned while a person has the conversation, or is waited for, goes into the packet that they have."""
        handoff = get_handoff(tx, context.handoff.id) if context.handoff is not None else None
        if handoff is None or handoff.state == ENDED:
            return
        present = recall(tx, [handoff.identity_id]).get(handoff.identity_id)
        if present is not None:
            keep_packet(tx, handoff.id, stored(renew_packet(read_packet(handoff.packet), present, self._declared, now)))
