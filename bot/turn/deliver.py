"""The last step of the walk: send what waits in the outbox, in order for each address, and record what became of it."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from bot.markup import Html
from bot.messages import Outgoing, Postponed, Receipt, Refused, Sender, Sent, Uncertain, read_outgoing
from bot.turn.experience import BAD, FAILED, WAITED
from bot.turn.limits import Limits
from bot.turn.loop import Batcher, Running
from bot.turn.mirror import refused_notice, uncertain_notice
from bot.turn.reply import Replies
from bot.turn.write import GENERAL, HANDOFF
from memory.clock import Clock
from memory.customers import forgotten_among, get_identity, ownership_of, person_of, set_reachable
from memory.database import Database, Record, Row, Tx
from memory.experiences import experience_row, keep_experiences
from memory.handoffs import OWNED, open_handoff_of
from memory.known import refresh_known
from memory.lanes import Claimed, claim_lanes, leave_lanes, next_ready, pause_lane, still_held
from memory.outbox import (
    DROPPED,
    REFUSED,
    SENDING,
    SENT,
    UNCERTAIN,
    addresses_open,
    first_open,
    mark_done,
    mark_postponed,
    mark_sending,
    outbox_row,
    outgoings_of,
    put_out,
    resolve,
    uncertain_before,
)
from memory.signals import CHANGED, Signals

logger = logging.getLogger(__name__)

LOST_TRACK = "the process ended while this was being sent"


@dataclass(frozen=True, slots=True)
class Job:
    """One outgoing that this process is about to send."""

    lane: Claimed
    row: Record
    outgoing: Outgoing


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a job. ``not_before``: when its address may be sent to again."""

    job: Job
    receipt: Receipt
    not_before: datetime


class Deliver:
    """Delivers one lane of sends through one sender. ``look`` is one round; the caller repeats it.

    ``repeatable``: a send that may or may not have arrived is simply sent again (a desk can bear a doubled post better than a missing one);
    otherwise it becomes uncertain and is shown on the desk. What gets to a customer later than ``late_after_s``, or never, is
    noted as a bad experience. Whatever a receipt says, it is stored in the same commit as what follows.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        signals: Signals,
        sender: Sender,
        limits: Limits,
        *,
        lane: str,
        name: str,
        at_once: int,
        lease_s: float,
        repeatable: bool = False,
        late_after_s: float = 120.0,
    ) -> None:
        self._database = database
        self._clock = clock
        self._signals = signals
        self._sender = sender
        self._limits = limits
        self._lane = lane
        self._name = name
        self._at_once = at_once
        self._lease = timedelta(seconds=lease_s)
        self._repeatable = repeatable
        self._late_after = timedelta(seconds=late_after_s)
        self._paused_until = clock.now()
        self._records: Batcher[Result, None] = Batcher(self._record_many)
        self.wake = signals.listen(lane)
        self._running = Running(self.wake)

    async def look(self) -> float:
        """Claim what is ready and may be sent now, and start the sends; returns the seconds until there may be more."""
        paused = (self._paused_until - self._clock.now()).total_seconds()
        if paused > 0:
            return paused
        most = self._limits.free(self._at_once - len(self._running))
        if most <= 0:
            return self._limits.overall_wait_s() or self._lease.total_seconds()
        jobs, claimed, ready_at = await self._database.write(lambda tx: self._claim(tx, most))
        for job in jobs:
            self._limits.spend(job.lane.key)
            self._running.start(self._send(job))
        if claimed == most or claimed > len(jobs):
            return 0.0
        if ready_at is None:
            return self._lease.total_seconds()
        return max(0.0, (ready_at - self._clock.now()).total_seconds())

    async def finish(self) -> None:
        """Wait for the sends that are under way; no new ones are begun."""
        await self._running.finish(self._lease.total_seconds())

    async def abandon(self) -> None:
        """Drop the sends that are under way, as a killed process does."""
        await self._running.abandon()

    def _claim(self, tx: Tx, most: int) -> tuple[list[Job], int, datetime | None]:
        """Take lanes, mark the first outgoing of each as being sent, and settle those that are not to be sent at all."""
        now = self._clock.now()
        lanes = {c.key: c for c in claim_lanes(tx, self._lane, worker=self._name, now=now, until=now + self._lease, limit=most)}
        jobs: list[Job] = []
        done: list[tuple[int, str, str | None, str | None]] = []
        then: dict[str, datetime | None] = {}
        seen: set[str] = set()
        notices: list[Row] = []
        for row in first_open(tx, self._lane, lanes):
            lane = lanes[row.address]
            seen.add(row.address)
            wait_s = self._limits.wait_s(row.address)
            if row.state == SENDING and not self._is_repeatable(row):
                done.append((row.id, UNCERTAIN, None, LOST_TRACK))
                notices += self._notice(tx, row, Uncertain(LOST_TRACK), now)
            elif row.ownership is not None and row.ownership != row.owned_at:
                done.append((row.id, DROPPED, None, "the conversation changed hands"))
            elif wait_s > 0:
                then[row.address] = now + timedelta(seconds=wait_s)
                continue
            else:
                jobs.append(Job(lane, row, self._resolved(tx, row)))
                continue
            then[row.address] = now
        mark_done(tx, done, at=now)
        mark_sending(tx, [job.row.id for job in jobs])
        then |= dict.fromkeys(lanes.keys() - seen)
        leave_lanes(tx, self._lane, then)
        put_out(tx, notices)
        return jobs, len(lanes), next_ready(tx, self._lane)

    def _resolved(self, tx: Tx, row: Record) -> Outgoing:
        """The outgoing, with the id of the message that it edits; where that never arrived, the edit is sent as a message."""
        outgoing = read_outgoing(row.outgoing)
        if outgoing.about_exchange is None:
            return outgoing
        carried = [one for one in outgoings_of(tx, outgoing.about_exchange) if one.lane == self._lane and one.address == row.address]
        message = next((one.message_id for one in carried if one.state == SENT and one.message_id), None)
        return replace(outgoing, about=message) if message else replace(outgoing, kind="text")

    def _is_repeatable(self, row: Record) -> bool:
        """Whether doing it twice does no harm: on a desk, and where something is deleted."""
        return self._repeatable or row.outgoing.get("kind") == "unsend"

    async def _send(self, job: Job) -> None:
        try:
            receipt = await self._sender.send(job.lane.key, job.outgoing)
        except Exception as error:
            logger.exception("sending outgoing %s failed in a way that its channel does not foresee", job.row.key)
            receipt = Uncertain(type(error).__name__)
        if isinstance(receipt, Uncertain) and self._is_repeatable(job.row):
            receipt = Postponed(1.0, receipt.why)
        now = self._clock.now()
        not_before = now
        if isinstance(receipt, Postponed):
            not_before = now + timedelta(seconds=receipt.seconds)
            if receipt.everyone:
                self._paused_until = max(self._paused_until, not_before)
        try:
            await self._records.add(Result(job, receipt, not_before))
        except Exception:
            # The row still says "sending": when the lease ends, it becomes uncertain, as if the process had died here.
            logger.exception("what became of outgoing %s could not be stored", job.row.key)

    async def _record_many(self, results: list[Result]) -> list[None]:
        noticed = await self._database.write(lambda tx: self._record(tx, results))
        if noticed:
            self._signals.notify(HANDOFF)
        rows = [result.job.row for result in results]
        self._signals.publish(CHANGED, *({"customer": row.customer_id, "outgoing": row.id} for row in rows if row.customer_id is not None))
        return [None] * len(results)

    def _record(self, tx: Tx, results: list[Result]) -> bool:
        now = self._clock.now()
        bad = [(result.job.row, moment) for result in results if (moment := self._bad_moment(result, now)) is not None]
        if bad:  # before the lanes of sends are locked: everywhere customers come first
            ownership_of(tx, {person_of(tx, row.customer_id)[0] for row, _ in bad})
        held = still_held(tx, [result.job.lane for result in results])
        if bad:
            self._note(tx, bad, now)
        done: list[tuple[int, str, str | None, str | None]] = []
        postponed: list[tuple[int, str]] = []
        notices: list[Row] = []
        for result in results:
            row, receipt = result.job.row, result.receipt
            match receipt:
                case Sent(message_id):
                    done.append((row.id, SENT, message_id, None))
                case Postponed(_, why):
                    if result.job.lane.key in held:
                        postponed.append((row.id, why))
                case Refused(why, unreachable):
                    done.append((row.id, REFUSED, None, why))
                    if unreachable:
                        self._give_up_address(tx, row, why, now)
                    notices += self._notice(tx, row, receipt, now)
                case Uncertain(why):
                    done.append((row.id, UNCERTAIN, None, why))
                    notices += self._notice(tx, row, receipt, now)
        mark_done(tx, done, at=now)
        mark_postponed(tx, postponed)
        keys = [result.job.lane.key for result in results]
        waiting = addresses_open(tx, self._lane, keys)
        paused = [r for r in results if isinstance(r.receipt, Postponed) and r.job.lane.key in held]
        for result in paused:  # what is put out meanwhile must not shorten the pause
            pause_lane(tx, result.job.lane, until=result.not_before, tries=result.job.lane.tries + 1)
        left = held - {result.job.lane.key for result in paused}
        leave_lanes(
            tx, self._lane, {r.job.lane.key: r.not_before if r.job.lane.key in waiting else None for r in results if r.job.lane.key in left}
        )
        put_out(tx, notices)
        return bool(notices)

    def _bad_moment(self, result: Result, now: datetime) -> tuple[str, str, dict[str, Any]] | None:
        """Key, kind and evidence of a message that is missed, or comes late. Who has blocked us, or never asked, misses none."""
        row, receipt = result.job.row, result.receipt
        if self._lane == HANDOFF or row.purpose is not None or None in (row.exchange_id, row.identity_id, row.customer_id):
            return None
        if isinstance(receipt, Refused) and not receipt.unreachable:
            return f"{row.key}.{FAILED}", FAILED, {"what": "undelivered", "outgoing": row.id}
        waited = now - row.created_at
        if isinstance(receipt, Sent) and waited > self._late_after:
            # Everything that was held up with it is the same wait.
            key = f"{WAITED}.{row.identity_id}.{now:%Y%m%d%H}"
            return key, WAITED, {"minutes": round(waited.total_seconds() / 60), "until": "delivered", "outgoing": row.id}
        return None

    @staticmethod
    def _note(tx: Tx, bad: list[tuple[Record, tuple[str, str, dict[str, Any]]]], now: datetime) -> None:
        rows = []
        for row, (key, kind, evidence) in bad:
            identity = get_identity(tx, row.identity_id)
            assert identity is not None  # the row refers to it
            rows.append(
                experience_row(
                    key=key,
                    customer_id=identity.home_id,
                    good=False,
                    kind=kind,
                    weight=BAD[kind].weight,
                    exchange_id=row.exchange_id,
                    evidence=evidence,
                    at=now,
                )
            )
        keep_experiences(tx, rows)
        refresh_known(tx, {row["customer_id"] for row in rows})

    def _give_up_address(self, tx: Tx, row: Record, why: str, now: datetime) -> None:
        """Mark the identity unreachable; what waits behind is refused with it, so that nothing is jammed and each is accounted for."""
        if row.identity_id is not None:
            set_reachable(tx, row.identity_id, since=now, why=why)
        while open_ := first_open(tx, self._lane, [row.address]):
            mark_done(tx, [(one.id, REFUSED, None, why) for one in open_], at=now)

    def _notice(self, tx: Tx, row: Record, receipt: Refused | Uncertain, now: datetime) -> list[Row]:
        """What the desk is told, in the customer's topic or else the general one. Nothing is told about desk posts themselves."""
        outgoing = read_outgoing(row.outgoing)
        if row.lane == HANDOFF or outgoing.kind in ("answer", "unsend"):
            return []
        if isinstance(receipt, Uncertain):
            text, buttons = uncertain_notice(row.id, outgoing.text)
        else:
            text, buttons = refused_notice(receipt.why), ()
        handoff = open_handoff_of(tx, row.customer_id) if row.customer_id is not None else None
        if handoff is None and isinstance(receipt, Refused):
            return []
        address = str(handoff.id) if handoff is not None else GENERAL
        post = Outgoing(text=text, html=True, buttons=buttons)
        return [outbox_row(key=f"{row.key}.notice", lane=HANDOFF, address=address, outgoing=post, at=now, customer_id=row.customer_id)]


AGAIN = ".again"
"""What the key of an outgoing that is sent again ends with."""


class Resend:
    """Sends an uncertain reply of the assistant once more, marked as such, when nobody has settled it for ``wait_s``.

    An agent who holds the conversation decides alone; nothing is sent a third time by itself.
    """

    def __init__(self, database: Database, clock: Clock, signals: Signals, replies: Replies, *, lane: str, wait_s: float) -> None:
        self._database = database
        self._clock = clock
        self._signals = signals
        self.replies = replies
        self._lane = lane
        self._wait = timedelta(seconds=wait_s)
        self.wake = asyncio.Event()

    async def look(self) -> float:
        """One round; returns the seconds until the next."""
        before = self._clock.now() - self._wait
        if await self._database.read(lambda tx: bool(uncertain_before(tx, before, limit=1))) and await self._database.write(self._again):
            self._signals.notify(self._lane)
        return self._wait.total_seconds()

    def _again(self, tx: Tx) -> bool:
        now = self._clock.now()
        rows: list[Row] = []
        # Customers are held, and what is theirs is read then: nobody can be forgotten between the look and the commit.
        held = ownership_of(tx, {row.customer_id for row in uncertain_before(tx, now - self._wait) if row.customer_id is not None})
        gone = forgotten_among(tx, held)
        for row in uncertain_before(tx, now - self._wait):
            if row.lane != self._lane or row.key.endswith(AGAIN) or row.customer_id not in held or row.customer_id in gone:
                continue
            outgoing = read_outgoing(row.outgoing)
            handoff = open_handoff_of(tx, row.customer_id)
            if (handoff is not None and handoff.state == OWNED) or not resolve(tx, row.id, "again"):
                continue
            if outgoing.kind == "answer":
                continue
            rows.append(again_row(row, self._marked(row, outgoing), now, ownership=row.ownership))
        put_out(tx, rows)
        return bool(rows)

    def _marked(self, row: Record, outgoing: Outgoing) -> Outgoing:
        if outgoing.kind != "text":
            return outgoing
        said = self.replies.say("utter_resend", seed=row.id, text=Html(outgoing.text) if outgoing.html else outgoing.text)
        return replace(outgoing, text=said.html, html=True)


def again_row(row: Record, outgoing: Outgoing | dict[str, Any], now: datetime, *, ownership: int | None = None) -> Row:
    """The outbox row that sends an uncertain one again; its key makes it the only one. Where a person wishes it, ``ownership`` is None."""
    return outbox_row(
        key=row.key + AGAIN,
        lane=row.lane,
        address=row.address,
        outgoing=outgoing,
        at=now,
        customer_id=row.customer_id,
        identity_id=row.identity_id,
        exchange_id=row.exchange_id,
        ownership=ownership,
    )
