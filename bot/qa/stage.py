"""The stage: the simulated Telegram, the assistant that connects to it over HTTP, a database, and a clock that stands still."""

from __future__ import annotations

import asyncio
import contextlib
import os
import tempfile
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Literal

import sqlalchemy as sa

from actions.declared import KEY, as_json
from actions.shared import lend
from bot.app import WATCHDOG, WORKER, Legato, build
from bot.assistants import load_assistant
from bot.channels.telegram.updates import CHANNEL
from bot.flows.executor import find_actions
from bot.qa.actions import ScriptedActions
from bot.qa.brain import ScriptedBrain
from bot.qa.clock import StageClock
from bot.qa.read import Script, settings_of
from bot.qa.records import StagedRecords
from bot.settings import Settings
from bot.simulator import Bot, Fault, Group, Person, Simulator, serve
from bot.simulator.updates import Update
from bot.turn.write import HANDOFF
from bot.web.actions import actions_app
from bot.web.guard import App
from bot.web.playground import serve_app
from memory.database import Database, Record, Tx, table
from memory.inbox import TURN
from memory.lanes import Lane

CUSTOMERS_TOKEN = "4200:" + "C" * 35
DESK_TOKEN = "4300:" + "D" * 35
DESK_CHAT = -1_001_000_000_001

STEP_LIMIT_S = 10.0
"""Real seconds that a step may take: nothing hangs."""

HOP_S, BUDGET_S = 5.0, 12.0
"""How far the clock moves by itself to what is due next, at one time and in one step: albums, short pauses after failures."""

RECHECK_S = 0.005
"""Real seconds after which the runner looks again although nothing has told it to."""

NEVER_S = 3600.0
"""How long an answer is held back that is not to come."""

_SLOW_DEADLINE_S = 0.15
_PACES = ("sends_per_s", "sends_per_chat_per_s", "desk_posts_per_minute")
_lane = table(Lane)
_lanes = sa.select(_lane.c.kind, _lane.c.worker, _lane.c.ready_at)


class Stuck(Exception):
    """Something is still going on after ``STEP_LIMIT_S``; the text says what."""


@dataclass(frozen=True, slots=True)
class Standing:
    """``busy`` says what is going on, empty where nothing is. ``ready`` are kinds of lanes that could be worked on."""

    busy: str = ""
    ready: frozenset[str] = frozenset()
    due: datetime | None = None


class Stage:
    """Everything that a script moves. Make one with :func:`open_stage`."""

    def __init__(self, script: Script, sim: Simulator, clock: StageClock, store: Database, settings: Settings) -> None:
        head = script.head
        self.script = script
        self.sim = sim
        self.clock = clock
        self.store = store
        self.settings = settings
        self.bot: Bot = sim.bot(CUSTOMERS_TOKEN)
        self.desk_bot: Bot = sim.bot(DESK_TOKEN)
        self.customers = {name: sim.add_person(**one.model_dump()) for name, one in head.customers.items()}
        self.agents = {name: self._add(full) for name, full in head.agents.items()}
        self.strangers = {name: self._add(full) for name, full in head.strangers.items()}
        boss = sim.add_person("Desk", last_name="Owner")
        self.group: Group = sim.add_group("Agents", id=DESK_CHAT, admins=[boss, *self.agents.values()], bots=[self.bot_name(self.desk_bot)])
        self.app: Legato | None = None
        self.brain: ScriptedBrain | None = None
        self.actions = ScriptedActions(head.actions) if head.actions is not None else None
        self.records = StagedRecords(clock)
        self.operator_sees: list[str] = []
        """What the command line has shown: codes and links."""
        self.confirmed: dict[str, list[int]] = {CHANNEL: [], "desk": []}
        """Update ids in the order in which each bot confirmed them."""
        self._held: list[tuple[Fault, int]] = []
        self._dead: set[str] = set()
        self._running: AsyncExitStack | None = None
        self._watch(self.bot, CHANNEL)
        self._watch(self.desk_bot, "desk")

    @staticmethod
    def bot_name(bot: Bot) -> str:
        """A bot's username, by which people find it."""
        return bot.username or ""

    def person(self, name: str) -> Person:
        """The customer, agent or stranger of this name in the script."""
        return {**self.customers, **self.agents, **self.strangers}[name]

    def hold_back(self, fault: Fault) -> None:
        """Do not wait for requests that this fault never answers."""
        self._held.append((fault, fault.times))

    # -- life ---------------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Build the assistant anew and wait until it polls."""
        head = self.script.head
        if self.brain is None and (head.brain or any(step.kind == "brain" for step in self.script.steps)):
            self.brain = ScriptedBrain(head.brain or "own")
        brain = self.brain.around if self.brain is not None else None
        self.app = await build(
            self.settings,
            clock=self.clock,
            parts=frozenset(head.parts),
            brain=brain,
            actions=self.actions,
            records=self.records,
            flows=head.flows,
        )
        self._running = AsyncExitStack()
        await self._running.enter_async_context(self.app.running())
        await self.settle()

    async def stop(self, how: Literal["graceful", "crash"] = "graceful") -> None:
        """End the assistant, finishing what is under way or not; what it held is dead from then on."""
        if self.app is None or self._running is None:
            return
        self.app.crashed = how == "crash"
        app, running, self.app, self._running = self.app, self._running, None, None
        held = self._held if how == "graceful" else []
        for fault, _ in held:
            self.sim.faults.clear(fault.id)
        await running.aclose()
        del app
        self._held.clear()
        self._dead |= {worker for _, worker, _ in await self.store.read(lambda tx: tx.execute(_lanes).all()) if worker}

    # -- settling -----------------------------------------------------------------------------------------------------

    async def settle(self) -> None:
        """Return when nothing is going on. Raises :class:`Stuck` where that does not come."""
        standing = Standing("nothing has been looked at yet")
        try:
            async with asyncio.timeout(STEP_LIMIT_S):
                left, idle = BUDGET_S, 0
                while True:
                    parkings = self.clock.parkings
                    standing = await self._look()
                    if standing.busy:
                        idle = 0
                        await self._stir(RECHECK_S)
                    elif standing.ready and idle < 2:
                        idle = await self._nudge(standing.ready, idle)
                    else:
                        hop = self._hop(standing)
                        if hop is None or hop > left:
                            if parkings == self.clock.parkings:
                                return
                            continue
                        left, idle = left - hop, 0
                        self.clock.advance(hop)
        except TimeoutError:
            raise Stuck(standing.busy or "lanes are ready that nobody works on: " + ", ".join(sorted(standing.ready))) from None

    def _hop(self, standing: Standing) -> float | None:
        """Seconds to move the clock by itself, or None. Lanes that are ready but left alone wait for a limit or a pause to pass."""
        if standing.ready:
            return 1.0
        if standing.due is None:
            return None
        seconds = (standing.due - self.clock.now()).total_seconds()
        return seconds if seconds <= HOP_S else None

    async def _nudge(self, kinds: frozenset[str], idle: int) -> int:
        """Do what a loop's own look from time to time does, without moving the clock; returns how often in a row it was in vain."""
        assert self.app is not None
        for kind in kinds:
            self.app.signals.notify(kind)
        await self._stir(RECHECK_S)
        return idle + 1

    async def _stir(self, seconds: float) -> None:
        self.clock.stirred.clear()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.clock.stirred.wait(), seconds)

    def _going_on(self) -> str:
        """What is going on outside the database."""
        app = self.app
        assert app is not None
        if not all(bot.requests["getUpdates"] for bot, is_used in ((self.bot, app.customers), (self.desk_bot, app.desk)) if is_used):
            return "a bot has not begun to poll"
        for name, bot, used in (("customers'", self.bot, app.customers), ("agents'", self.desk_bot, app.desk)):
            if used and len(bot.queue):
                return f"{len(bot.queue)} updates of the {name} bot are not confirmed"
        loops = len(app.workers) + len(app.deliveries) + len(app.background)
        if self.clock.parked() < loops:
            return f"{loops - self.clock.parked()} of {loops} loops are busy"
        return "somebody is waking up" if self.clock.is_waking else ""

    async def _look(self) -> Standing:
        if busy := self._going_on():
            return Standing(busy)
        rows = await self.store.read(_read_lanes)
        if busy := self._going_on():
            return Standing(busy)
        return self._judge(rows)

    def _judge(self, rows: list[Record]) -> Standing:
        now = self.clock.now()
        held: Counter[str] = Counter()
        ready: set[str] = set()
        due: list[datetime] = []
        for kind, worker, ready_at in rows:
            ready_at = self._claimable(kind, ready_at)
            if worker and worker not in self._dead and ready_at > now:
                held[kind] += 1
            elif ready_at <= now:
                ready.add(kind)
            else:
                due.append(ready_at)
        hanging = {TURN: self.brain.hanging if self.brain else 0, CHANNEL: 0, HANDOFF: 0}
        for fault, times in self._held:
            hanging[CHANNEL if fault.bot == self.bot.username else HANDOFF] += times - fault.times
        for kind, count in held.items():
            if count > hanging.get(kind, 0):
                return Standing(f"{count} lanes of kind {kind} are being worked on")
        return Standing("", frozenset(ready), min(due, default=None))

    def _claimable(self, kind: str, ready_at: datetime) -> datetime:
        """When a lane can be claimed by what runs here: without a worker, turns are left to the watchdog, or to nobody."""
        if kind == TURN and WORKER not in self.script.head.parts:
            late = self.settings.overdue_s if WATCHDOG in self.script.head.parts else NEVER_S * 24 * 365
            return ready_at + timedelta(seconds=late)
        return ready_at

    # -- making -------------------------------------------------------------------------------------------------------

    def _add(self, full_name: str) -> Person:
        first, _, last = full_name.partition(" ")
        return self.sim.add_person(first, last_name=last or None)

    def _watch(self, bot: Bot, channel: str) -> None:
        """Note which updates the bot confirms."""
        before, confirmed = bot.queue.on_confirmed, self.confirmed[channel]

        def note(update: Update) -> None:
            confirmed.append(update.id)
            if before is not None:
                before(update)

        bot.queue.on_confirmed = note


def _read_lanes(tx: Tx) -> list[Record]:
    return list(tx.execute(_lanes).all())


def _settings(script: Script, api_base: str, url: str) -> Settings:
    """The script's settings. Paces are off, since the clock stands still: a script that is about them sets them."""
    head = script.head
    own: dict[str, Any] = {}
    is_slow = head.brain == "slow" or any(step.kind == "brain" and step.body == "slow" for step in script.steps)
    if is_slow and "turn_deadline_s" not in head.settings:
        own["turn_deadline_s"] = _SLOW_DEADLINE_S
    settings = settings_of(
        head,
        telegram_token=CUSTOMERS_TOKEN,
        desk_token=DESK_TOKEN,
        desk_chat=DESK_CHAT,
        api_base=api_base,
        database_url=url,
        erasures_file=Path(os.devnull),
        learned_folder=Path(tempfile.gettempdir()) / "legato-qa",
        **own,
    )
    return settings.model_copy(update={name: 0.0 for name in _PACES if name not in head.settings})


def _action_server(stage: Stage) -> App:
    lent = partial(lend, stage.store, stage.clock, stage.records, proof_fresh_s=stage.settings.proof_fresh_s)
    return actions_app(find_actions(), lend=lent, more={KEY: as_json(load_assistant(stage.settings.assistant).declared)})


@asynccontextmanager
async def open_stage(script: Script, url: str, *, over_http: bool = False) -> AsyncIterator[Stage]:
    """A stage with the assistant running on the migrated database at ``url``, settled. Raises what starting raises.

    ``over_http``: the actions are run by a server of their own, which reaches the same memory and the same records.
    """
    clock = StageClock()
    sim = Simulator(now=clock.now, sleep=clock.sleep, repeat_window_s=0)
    sim.add_bot("legato_bot", token=CUSTOMERS_TOKEN)
    sim.add_bot("desk_bot", token=DESK_TOKEN)
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(serve(sim))
        store = Database(url, pool_size=2)
        stack.push_async_callback(store.close)
        stage = Stage(script, sim, clock, store, _settings(script, server.url, url))
        stack.push_async_callback(stage.records.remove)
        stack.push_async_callback(stage.stop, "crash")
        if over_http:
            address = await stack.enter_async_context(serve_app(_action_server(stage)))
            stage.settings = stage.settings.model_copy(update={"actions_url": address})
        await stage.start()
        yield stage
