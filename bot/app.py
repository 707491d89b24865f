"""The one place that builds objects: from settings to a running assistant."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import uvicorn

from actions.declared import KEY, as_json
from actions.past import use_recaller
from actions.records.connect import open_records
from actions.records.interface import Records
from actions.shared import lend
from bot.assistants import Assistant, load_assistant
from bot.channels.polling import PollLoop
from bot.channels.telegram.intake import CustomerIntake
from bot.channels.telegram.sender import CustomerBot, CustomerFiles
from bot.channels.telegram.updates import CHANNEL
from bot.channels.telegram.webhook import PATH, webhook_app
from bot.desks.attendance import Attendance
from bot.desks.casework import Casework
from bot.desks.intake import DeskIntake
from bot.desks.looking import Looking
from bot.desks.topics import TopicDesk
from bot.flows.actions import RunAction
from bot.flows.engine import Engine
from bot.flows.model import Flows
from bot.flows.run_action import DEADLINE_PART, Runner, make_runner
from bot.intents import learn_intents
from bot.messages import Files
from bot.processes import Process, bots_of, warn_of_rivals
from bot.settings import Settings, zone_of
from bot.turn.accept import Accept
from bot.turn.brain import Brain, HandOver, KnowledgeBrain
from bot.turn.deliver import Deliver, Resend
from bot.turn.digest import Digest
from bot.turn.files import KeepFiles, OrKept
from bot.turn.flow import FlowTurns
from bot.turn.limits import Limits
from bot.turn.linker import Linker
from bot.turn.linking import Gate
from bot.turn.loop import Looks, keep_looking
from bot.turn.promises import Promises
from bot.turn.rasa_brain import RasaBrain
from bot.turn.rasa_server import RasaServer
from bot.turn.related import Related
from bot.turn.retain import Retain
from bot.turn.rights import forgotten_post
from bot.turn.worker import TurnWorker
from bot.turn.write import HANDOFF, Writer
from bot.understand.language import load_languages
from memory.between import Between, between
from memory.clock import Clock, SystemClock
from memory.database import Database
from memory.errors import SettingsError
from memory.forget import Forgetting
from memory.recaller import Recaller
from memory.schema import check_schema, migrate
from memory.signals import Signals

if TYPE_CHECKING:
    from bot.understand.intents import Intents
    from memory.search.meaning import Encoder

logger = logging.getLogger(__name__)

CHANNELS, WORKER, WATCHDOG = "channels", "worker", "watchdog"
PARTS = (CHANNELS, WORKER, WATCHDOG)
"""What one process can do; several processes may share the same or different parts."""

SENDS_AT_ONCE = 32

Around = Callable[[Brain], Brain]
"""Makes another brain of the assistant's own, such as one that fails when a script says so."""


@dataclass
class Legato:
    """A built assistant. ``run`` runs it; the fields are for those who look inside: screens, scripts, tests."""

    settings: Settings
    clock: Clock
    database: Database
    between: Between
    assistant: Assistant
    parts: frozenset[str]
    intake: CustomerIntake
    process: Process
    recaller: Recaller
    """Recalls people for agents, for a handoff and for actions."""
    encoder: Encoder | None = None
    """What sees the meaning of texts, where the search by meaning is on."""
    intents: Intents | None = None
    """Which intents messages have, where flows are begun by them."""
    customers: CustomerBot | None = None
    desk: TopicDesk | None = None
    desk_intake: DeskIntake | None = None
    workers: list[TurnWorker] = field(default_factory=list)
    deliveries: list[Deliver] = field(default_factory=list)
    background: dict[str, Looks] = field(default_factory=dict)
    """What goes on beside turns and sends, by its name in the log."""
    records: Records | None = None
    """The company's systems, where whoever built this lends them."""
    warming: list[Callable[[], Coroutine[Any, Any, None]]] = field(default_factory=list)
    """What is got ready while everything else begins."""
    closing: list[Callable[[], Awaitable[None]]] = field(default_factory=list)
    """What lets go of connections at the end, beside the database's."""
    crashed: bool = False
    """Set by scripts that want ``running`` to end as a killed process does: nothing under way is finished."""

    @property
    def signals(self) -> Signals:
        """Wake-ups and live updates."""
        return self.between.signals

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[Legato]:
        """Start every part; at the end stop taking in, let running turns and sends end, close the connections.

        Raises :class:`SettingsError` where Telegram does not know a token or the agents' group cannot be used.
        """
        async with contextlib.AsyncExitStack() as stack:
            stack.push_async_callback(self.database.close)
            stack.push_async_callback(self._let_go)
            await self.between.start()
            stack.push_async_callback(self.between.close)
            self.process.announce(self.between.presence)
            tasks: list[asyncio.Task[None]] = []
            try:
                for warm in self.warming:
                    self._spawn(tasks, warm())
                if CHANNELS in self.parts:
                    if self.between.link is not None:
                        self._spawn(tasks, warn_of_rivals(self.between.presence, self.process))
                    await self._start_customers(stack, tasks)
                    await self._start_desk(stack, tasks)
                for worker in self.workers:
                    self._spawn(tasks, keep_looking("the turn worker", worker.look, wake=worker.wake, clock=self.clock))
                for delivery in self.deliveries:
                    self._spawn(tasks, keep_looking("the delivery", delivery.look, wake=delivery.wake, clock=self.clock))
                for about, one in self.background.items():
                    self._spawn(tasks, keep_looking(about, one.look, wake=one.wake, clock=self.clock))
                yield self
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
                busy: list[TurnWorker | Deliver] = [*self.workers, *self.deliveries]
                for one in busy:
                    await (one.abandon() if self.crashed else one.finish())

    async def use(self, assistant: Assistant) -> None:
        """Go on with this content in place of the old: the next turn is its first. What is under way ends with the old one.

        For trying things: a running assistant of several processes is restarted instead, so that all of them say the same.
        """
        self.assistant = assistant
        if self.intents is not None or assistant.flows:
            self.intents = await asyncio.to_thread(learn_intents, assistant, self.settings, self.encoder)
        own = _brain(self)
        writer = _writer(self)
        for worker in self.workers:
            worker.use(None if worker.watches else own, writer, assistant.declared)
        if self.desk_intake is not None:
            self.desk_intake.casework.use(assistant.replies, assistant.declared)
        for one in self.background.values():
            if isinstance(one, Resend):
                one.replies = assistant.replies
            elif isinstance(one, Retain):
                one.rules = assistant.declared.retention
        self.recaller.use(assistant.declared)

    async def run(self) -> None:
        """Run until cancelled."""
        async with self.running():
            await asyncio.Event().wait()

    async def _let_go(self) -> None:
        """Close what was opened along the way; new content has opened more."""
        for close in reversed(self.closing):
            await close()

    @staticmethod
    def _spawn(tasks: list[asyncio.Task[None]], work: Coroutine[Any, Any, None]) -> None:
        tasks.append(asyncio.create_task(work))

    async def _start_customers(self, stack: contextlib.AsyncExitStack, tasks: list[asyncio.Task[None]]) -> None:
        if self.customers is None:
            return
        stack.push_async_callback(self.customers.close)
        if self.settings.webhook_url is None:
            await self.customers.start()
            self._spawn(tasks, PollLoop("customers' bot", self.customers.fetch, self.intake).run())
            return
        assert self.settings.webhook_secret is not None
        secret = self.settings.webhook_secret.get_secret_value()
        await self._serve(stack, webhook_app(self.intake, self.clock, secret=secret))
        await self.customers.start(webhook=self.settings.webhook_url.rstrip("/") + PATH, secret=secret)

    async def _start_desk(self, stack: contextlib.AsyncExitStack, tasks: list[asyncio.Task[None]]) -> None:
        if self.desk is None or self.desk_intake is None:
            logger.warning("no agents' bot is set (LEGATO_DESK_TOKEN, LEGATO_DESK_CHAT): handoffs wait until there is one")
            return
        stack.push_async_callback(self.desk.close)
        await self.desk.start()
        assert self.settings.desk_chat is not None
        attendance = Attendance(self.between.presence, chat_id=self.settings.desk_chat)
        poll = PollLoop("agents' bot", self.desk.fetch_updates, attendance.of_words(self.desk_intake))
        self._spawn(tasks, poll.run())

    async def _serve(self, stack: contextlib.AsyncExitStack, app: Any) -> None:
        """Serve the webhook inside this loop until the stack closes."""
        settings = self.settings
        config = uvicorn.Config(
            app, host=settings.webhook_host, port=settings.webhook_port, log_config=None, lifespan="off", access_log=False
        )
        server = uvicorn.Server(config)
        listening = socket.socket(socket.AF_INET6 if ":" in settings.webhook_host else socket.AF_INET)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((settings.webhook_host, settings.webhook_port))
        except OSError as error:
            where = f"{settings.webhook_host}:{settings.webhook_port}"
            raise SettingsError(f"LEGATO_WEBHOOK_PORT: {where} cannot be listened on ({error.strerror})") from None
        serving = asyncio.create_task(server._serve([listening]))

        async def stop() -> None:
            server.should_exit = True
            await serving

        stack.push_async_callback(stop)


async def build(
    settings: Settings,
    *,
    clock: Clock | None = None,
    parts: frozenset[str] = frozenset(PARTS),
    brain: Brain | Around | None = None,
    actions: RunAction | None = None,
    records: Records | None = None,
    flows: bool = True,
) -> Legato:
    """Build an assistant from its settings.

    The schema must be right (:class:`SchemaMismatch` says what to do); an empty SQLite file is given it, as nobody else has the file.
    ``brain`` replaces the assistant's own, or is put around it; ``actions`` runs flows' actions in place of what the settings say,
    ``records`` are what actions in this process find in place of those. Without ``flows`` it only answers.
    Raises :class:`ContentError` for content with mistakes.
    """
    clock = clock or SystemClock()
    assistant = load_assistant(settings.assistant)
    if not flows:
        assistant = replace(assistant, flows=Flows())
    database = Database(settings.database_url)
    try:
        if database.is_sqlite:
            await database.write(migrate_if_empty)
        await check_schema(database)
    except BaseException:
        await database.close()
        raise
    name = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}"
    process = Process(name, parts, bots_of(settings) if CHANNELS in parts else ())
    shared = between(settings.redis_url, clock, prefix=settings.redis_prefix, name=name)
    accept = Accept(database, clock, shared.signals, album_wait_s=settings.album_wait_s)
    encoder = await asyncio.to_thread(load_encoder) if settings.search_meaning and parts & {WORKER, CHANNELS} else None
    recaller = Recaller(database, assistant.declared, clock, shared.cache, encoder=encoder)
    use_recaller(database, recaller)
    intake = CustomerIntake(accept, database, clock)
    legato = Legato(settings, clock, database, shared, assistant, parts, intake, process, recaller, encoder)
    if WORKER in parts and assistant.flows:
        legato.intents = await asyncio.to_thread(learn_intents, assistant, settings, encoder)
    legato.records = records
    _add_turns(legato, name, brain, actions)
    if CHANNELS in parts:
        _add_channels(legato, name)
    return legato


def load_encoder() -> Encoder:
    """Load the encoder of the search by meaning; raises :class:`SettingsError` where it is not installed."""
    from memory.search.meaning import MiniLm  # it brings numpy, which a start does not need

    return MiniLm.load()


def migrate_if_empty(tx: Any) -> None:
    """Give an empty database the schema; one that has any schema is left to ``legato migrate``."""
    from memory.schema import present_revision

    if present_revision(tx) is None:
        migrate(tx)


def _linker(legato: Legato) -> Linker:
    """Who knows the customers' bot by name is the process that has started it; elsewhere codes are offered without links."""
    assistant = legato.assistant
    standing = Gate(demands=assistant.replies.demands, fresh_for=timedelta(seconds=legato.settings.proof_fresh_s))

    async def bot_name() -> str | None:
        return legato.customers.username if legato.customers is not None else None

    return Linker(legato.database, legato.clock, assistant.knowledge, assistant.declared, standing, bot_name)


def _flows(legato: Legato, actions: RunAction | None) -> FlowTurns | None:
    """The assistant's flows, where it has any."""
    assistant = legato.assistant
    if not assistant.flows:
        return None
    engine = Engine(
        assistant.flows,
        assistant.declared,
        assistant.replies.names,
        assistant.replies.demands,
        timedelta(seconds=legato.settings.flow_still_wanted_s),
    )
    judge = legato.intents.judge if legato.intents is not None else None
    return FlowTurns(engine, judge=judge, run_action=actions or _runner(legato), database=legato.database)


def _runner(legato: Legato) -> Runner:
    """What runs the actions of flows. In this process they get the assistant's own database, clock and records."""
    settings, assistant = legato.settings, legato.assistant
    records = legato.records
    if records is None and settings.records is not None and settings.actions_url is None:
        token = settings.records_token.get_secret_value() if settings.records_token is not None else None
        records = open_records(settings.records, token, clock=legato.clock)
        legato.closing.append(records.close)
    runner = make_runner(
        settings,
        assistant.flows.domain,
        clock=legato.clock,
        lend=partial(lend, legato.database, legato.clock, records, proof_fresh_s=settings.proof_fresh_s),
        replies=assistant.replies.names,
        more={KEY: as_json(assistant.declared)},
    )
    legato.warming.append(runner.warm)
    legato.closing.append(runner.close)
    return runner


def _own_brain(legato: Legato, actions: RunAction | None) -> Brain:
    assistant = legato.assistant
    legato.warming.append(load_languages)
    return KnowledgeBrain(
        assistant.knowledge,
        returning_after_s=legato.settings.returning_after_s,
        declared=assistant.declared,
        language=assistant.language,
        linker=_linker(legato),
        flows=_flows(legato, actions),
        speaks=assistant.replies.languages,
    )


def _rasa_brain(legato: Legato) -> Brain:
    """The assistant's rules around a Rasa server. Its articles and flows are left alone."""
    settings, assistant = legato.settings, legato.assistant
    assert settings.rasa_url is not None
    server = RasaServer(
        settings.rasa_url,
        token=settings.rasa_token.get_secret_value() if settings.rasa_token is not None else None,
        timeout_s=DEADLINE_PART * settings.turn_deadline_s,
        at_once=settings.workers,
    )
    legato.closing.append(server.close)
    return RasaBrain(
        server,
        returning_after_s=settings.returning_after_s,
        declared=assistant.declared,
        language=assistant.language,
        linker=_linker(legato),
    )


def _brain(legato: Legato, actions: RunAction | None = None) -> Brain:
    return _rasa_brain(legato) if legato.settings.brain == "rasa" else _own_brain(legato, actions)


def _writer(legato: Legato) -> Writer:
    assistant = legato.assistant
    return Writer(
        assistant.replies,
        company=assistant.company,
        expectation=assistant.expectation,
        declared=assistant.declared,
        language=assistant.language,
    )


def _add_turns(legato: Legato, name: str, brain: Brain | Around | None, actions: RunAction | None) -> None:
    settings, assistant = legato.settings, legato.assistant
    writer = _writer(legato)

    def worker(thinks: Brain, behind_s: float) -> TurnWorker:
        return TurnWorker(
            legato.database,
            legato.clock,
            legato.signals,
            thinks,
            writer,
            assistant.declared,
            name=name,
            at_once=settings.workers,
            lease_s=settings.lease_s,
            deadline_s=settings.turn_deadline_s,
            tries=settings.turn_tries,
            behind_s=behind_s,
            late_after_s=settings.late_answer_s,
            related=Related(legato.recaller),
        )

    if WORKER in legato.parts:
        own = _brain(legato, actions)
        legato.workers.append(worker(own if brain is None else brain(own) if callable(brain) else brain, 0.0))
        legato.background["the digest"] = Digest(legato.database, legato.clock, legato.signals, name=name, encoder=legato.encoder)
        legato.background["forgetting"] = Forgetting(
            legato.database,
            legato.clock,
            legato.signals,
            name=name,
            receipts=settings.receipts,
            cache=legato.between.cache,
            notice=forgotten_post,
        )
    if WATCHDOG in legato.parts:
        legato.workers.append(worker(HandOver(), settings.overdue_s))
        legato.background["the promises"] = Promises(legato.database, legato.clock, legato.signals)
        legato.background["retention"] = Retain(legato.database, legato.clock, assistant.declared.retention)


def _add_channels(legato: Legato, name: str) -> None:
    settings, clock = legato.settings, legato.clock
    files: dict[str, Files] = {}
    legato.background["the files"] = KeepFiles(legato.database, clock, files, name=name, max_bytes=settings.keep_files_max_bytes)
    if settings.telegram_token is not None:
        bot = CustomerBot(
            settings.telegram_token.get_secret_value(), api_base=settings.api_base, timeout_s=settings.send_timeout_s, files=files
        )
        legato.customers = bot
        files[CHANNEL] = OrKept(CustomerFiles(bot), legato.database)
        limits = Limits(clock, overall_per_s=settings.sends_per_s, burst=settings.sends_per_s, address_per_s=settings.sends_per_chat_per_s)
        legato.deliveries.append(
            Deliver(
                legato.database,
                clock,
                legato.signals,
                bot,
                limits,
                lane=CHANNEL,
                name=name,
                at_once=SENDS_AT_ONCE,
                lease_s=settings.send_lease_s,
                late_after_s=settings.late_answer_s,
            )
        )
        if settings.uncertain_wait_s > 0:
            legato.background["the resend"] = Resend(
                legato.database, clock, legato.signals, legato.assistant.replies, lane=CHANNEL, wait_s=settings.uncertain_wait_s
            )
    if settings.desk_token is not None and settings.desk_chat is not None:
        desk = TopicDesk(
            settings.desk_token.get_secret_value(),
            settings.desk_chat,
            legato.database,
            clock,
            files,
            base_url=settings.api_base,
            timeout_s=settings.send_timeout_s,
            proof_fresh_s=settings.proof_fresh_s,
        )
        legato.desk = desk
        files["desk"] = OrKept(desk, legato.database)
        legato.desk_intake = DeskIntake(
            legato.database,
            Casework(
                legato.assistant.replies,
                legato.assistant.declared,
                zone=zone_of(settings.timezone),
                late_claim_s=settings.late_claim_s,
            ),
            legato.signals,
            clock,
            chat_id=settings.desk_chat,
            is_member=Attendance(legato.between.presence, chat_id=settings.desk_chat).of_presses(desk.is_member),
            looking=Looking(legato.database, legato.recaller),
        )
        per_s = settings.desk_posts_per_minute / 60
        limits = Limits(clock, overall_per_s=per_s, burst=settings.desk_posts_per_minute, address_per_s=0)
        legato.deliveries.append(
            Deliver(
                legato.database,
                clock,
                legato.signals,
                desk,
                limits,
                lane=HANDOFF,
                name=name,
                at_once=SENDS_AT_ONCE,
                lease_s=settings.send_lease_s,
                repeatable=True,
            )
        )
