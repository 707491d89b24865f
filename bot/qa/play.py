"""Playing one script: its steps in order, each followed by everything that comes of it, up to the first difference."""

from __future__ import annotations

import asyncio
import logging
import time
import traceback
from dataclasses import dataclass, field
from pathlib import Path

from bot.qa.check import (
    Difference,
    check_desk,
    check_flow,
    check_handoff,
    check_hears,
    check_ledger,
    check_memory,
    check_ran,
    check_sees,
    check_told,
    check_why,
    quote,
)
from bot.qa.company import write_to_customer
from bot.qa.databases import Source
from bot.qa.deeds import Impossible, do
from bot.qa.format import FAULTS, FaultIs, Hears
from bot.qa.invariants import find_broken
from bot.qa.ledger import find_said, read_outbox
from bot.qa.operator import operate
from bot.qa.read import NOBODY_SPEAKS, Script, Step
from bot.qa.stage import NEVER_S, STEP_LIMIT_S, Stage, Stuck, open_stage
from bot.qa.transcript import Line, lines_of, render
from bot.simulator import Answer, Fault, SeenMessage
from memory.database import Record

_ACTIVE = ("deed", "together", "update", "company", "operator", "wait", "restart")
"""Steps before which every message has to have been heard: what nobody expected is a difference."""


@dataclass(frozen=True, slots=True)
class Played:
    """How a dialogue went. ``line`` and ``expected``/``got`` are set where it differs; ``transcript`` is what was said until then."""

    path: Path
    name: str
    seconds: float
    transcript: tuple[str, ...]
    line: int | None = None
    expected: str = ""
    got: str = ""

    @property
    def passed(self) -> bool:
        return self.line is None


class _Listener(logging.Handler):
    """Puts what is logged into the transcript instead of onto the screen."""

    def __init__(self, player: _Player) -> None:
        super().__init__(logging.WARNING)
        self._player = player
        self.is_over = False
        """What is logged while the stage is taken down is nobody's business."""

    def emit(self, record: logging.LogRecord) -> None:
        if self.is_over:
            return
        error = record.exc_info[1] if record.exc_info else None
        said = record.getMessage() + (f" ({type(error).__name__}: {error})" if error else "")
        self._player.note(f"{record.name}: {said}", kind="log")


@dataclass(slots=True)
class _Player:
    """One dialogue under way."""

    stage: Stage
    script: Script
    lines: list[Line] = field(default_factory=list)
    faults: dict[int, int] = field(default_factory=dict)
    heard: dict[str, int] = field(default_factory=dict)
    presses: dict[str, str] = field(default_factory=dict)
    spoke: str = ""
    seen_event: int = 0

    async def play(self) -> tuple[int, Difference] | None:
        """The first difference and its line, or None."""
        self.spoke = next(iter(self.stage.customers))
        self.heard = dict.fromkeys(self.stage.customers, 0)
        for step in self.script.steps:
            try:
                await self._step(step)
            except Difference as difference:
                return step.line, difference
            except Impossible as error:
                return step.line, Difference(f"{step.who or step.kind} to be able to do this", str(error))
            except Stuck as error:
                return step.line, Difference(f"everything to be done within {STEP_LIMIT_S:.0f} s", str(error))
            finally:
                await self.take_down()
        return await self._at_the_end()

    async def _at_the_end(self) -> tuple[int, Difference] | None:
        for fault in self.stage.sim.faults.waiting():
            if line := self.faults.get(fault.id):
                return line, Difference("this fault to happen", f"it did not, {fault.times} times")
        try:
            self._check_silence("at the end")
        except Difference as difference:
            return self.script.last_line, difference
        broken = await find_broken(self.stage)
        if broken:
            expected, got = broken[0]
            return self.script.last_line, Difference(f"at the end {expected}", got)
        return None

    async def _step(self, step: Step) -> None:
        if step.kind in _ACTIVE:
            self._check_silence("before this step")
        match step.kind:
            case "deed" | "together" | "update":
                self._act(step)
                await self.stage.settle()
            case "wait":
                self.note(f"wait {step.body:g} s")
                self.stage.clock.advance(step.body)
                await self.stage.settle()
            case "restart":
                await self._restart(step)
            case "company":
                await write_to_customer(step.body, self.stage)
                self.note(f"the company → {step.body.to}: {quote(step.body.text)}" + (" (refused)" if step.body.refused else ""))
                await self.stage.settle()
            case "operator":
                self.note(await operate(self.stage, step.body))
                await self.stage.settle()
            case "fault":
                self._fault(step)
            case "actions":
                assert self.stage.actions is not None
                self.stage.actions.answers.update(step.body)
                self.note(f"actions: {', '.join(step.body)}")
            case "records":
                self.stage.records.state = step.body
                self.note(f"records {step.body}")
            case "brain":
                assert self.stage.brain is not None
                self.stage.brain.mode = step.body
                self.note(f"brain {step.body}")
            case _:
                await self._check(step)

    async def _check(self, step: Step) -> None:
        who = step.who or self.spoke
        body = step.body
        match step.kind:
            case "hears":
                await self._hear(who, body)
            case "sees":
                check_sees(body, self.stage.person(who).messages(self.stage.bot_name(self.stage.bot)))
            case "told":
                check_told(body, await self._answer(who))
            case "desk":
                check_desk(body, self.stage)
            case "handoff":
                await check_handoff(body, self.stage, who)
            case "memory":
                await check_memory(body, self.stage, who)
            case "ledger":
                await check_ledger(body, self.stage)
            case "flow":
                await check_flow(body, self.stage, who)
            case "why":
                await check_why(body, self.stage, who)
            case "ran":
                check_ran(body, self.stage)
            case _:
                assert step.kind == NOBODY_SPEAKS
                self._check_silence("here")

    # -- what happens -------------------------------------------------------------------------------------------------

    def _act(self, step: Step) -> None:
        for one in step.steps or (step,):
            if one.steps:
                self._act(one)
            elif one.kind == "update":
                kind, content = next(iter(one.body.items()))
                queue = self.stage.bot.queue
                queue.put(queue.make(kind, content, "raw"))
                self.note(f"a raw update: {kind}")
            else:
                assert one.who is not None
                pressed = do(self.stage, one.who, one.body)
                if pressed is not None:
                    self.presses[one.who] = pressed
                if one.who in self.stage.customers:
                    self.spoke = one.who

    async def _restart(self, step: Step) -> None:
        try:
            async with asyncio.timeout(STEP_LIMIT_S):
                await self.stage.stop(step.body.how)
        except TimeoutError:
            raise Stuck("the process does not end") from None
        self.note(f"restart ({step.body.how})")
        if step.steps:
            self._act(Step("together", step.line, steps=step.steps))
        await self.stage.start()

    def _fault(self, step: Step) -> None:
        if step.body is None:
            self.stage.sim.faults.clear()
            self.faults.clear()
            self.note("faults end")
            return
        body: FaultIs = step.body
        bot = self.stage.desk_bot if body.bot == "desk" else self.stage.bot
        settings: dict[str, object] = {"bot": bot.username, "times": body.times, "method": body.method}
        settings |= {"code": body.code, "description": body.description}
        if body.to is not None:
            settings["chat_id"] = self.stage.customers[body.to].id
        if body.kind == "too many requests":
            settings["retry_after_s"] = int(body.after or 1)
        else:
            settings["seconds"] = NEVER_S if body.kind == "no answer" else body.after or 0.0
        fault: Fault = self.stage.sim.order_fault(FAULTS[body.kind], **settings)  # type: ignore[arg-type]
        if body.kind == "no answer":
            self.stage.hold_back(fault)
        self.faults[fault.id] = step.line
        self.note(f"fault: {body.kind}" + (f" × {body.times}" if body.times > 1 else ""))

    # -- what is heard ------------------------------------------------------------------------------------------------

    def _got(self, who: str) -> list[SeenMessage]:
        """Everything that the customers' bot has sent to a customer."""
        messages = self.stage.person(who).messages(self.stage.bot_name(self.stage.bot), include_deleted=True)
        return [one for one in messages if one.from_bot]

    async def _hear(self, who: str, wanted: Hears) -> None:
        got, at = self._got(who), self.heard[who]
        if at >= len(got):
            what = (
                f"the reply {wanted.reply}" if wanted.reply else f"a message with {quote(wanted.text[0])}" if wanted.text else "a message"
            )
            raise Difference(f"{what} to {who}", "silence")
        self.heard[who] = at + 1
        message = got[at]
        check_hears(wanted, message, find_said(await self._outbox(), str(self.stage.person(who).id), message))

    def _check_silence(self, when: str) -> None:
        for who, at in self.heard.items():
            got = self._got(who)
            if len(got) > at:
                raise Difference(f"no more messages to {who} {when}", f"{len(got) - at} more: {quote(got[at].text)}")

    async def _answer(self, who: str) -> Answer | None:
        pressed = self.presses.get(who)
        if pressed is None:
            raise Difference(f"{who} to have pressed a button", "nothing was pressed")
        return await self.stage.person(who).answer(pressed, timeout_s=0.01)

    async def _outbox(self) -> list[Record]:
        return await self.stage.store.read(read_outbox)

    # -- the transcript -----------------------------------------------------------------------------------------------

    def note(self, text: str, kind: str = "note") -> None:
        """Put a line of the runner's own into the transcript."""
        self.lines.append(Line(self.stage.clock.now(), "", text, kind))

    async def take_down(self) -> None:
        """Take what has happened since into the transcript."""
        events = self.stage.sim.events.after(self.seen_event)
        if not events:
            return
        self.seen_event = events[-1].number
        rows = await self._outbox()
        people = {**self.stage.customers, **self.stage.agents, **self.stage.strangers}
        names = {person.id: name for name, person in people.items()}
        topics = {topic.thread_id: topic.name for topic in self.stage.group.topics()}
        for event in events:
            said = None
            if event.message is not None and event.from_bot and event.chat is not None and event.chat.bot is self.stage.bot:
                message = next((one for one in self.stage.sim.delivered(self.stage.bot) if one.message_id == event.message.id), None)
                said = None if message is None else find_said(rows, str(event.chat.id), message)
            self.lines += lines_of(event, names, topics, said)


async def play(script: Script, source: Source, *, over_http: bool = False) -> Played:
    """Play a script on a fresh database. Never raises: what goes wrong is a difference too."""
    async with source.fresh() as url:
        return await play_on(script, url, over_http=over_http)


async def play_on(script: Script, url: str, *, over_http: bool = False) -> Played:
    """Play a script on the empty, migrated database at ``url``; with ``over_http`` a server runs the actions."""
    started = time.perf_counter()
    lines: list[Line] = []
    found: tuple[int, Difference] | None
    root, listener = logging.getLogger(), None
    try:
        async with open_stage(script, url, over_http=over_http) as stage:
            player = _Player(stage, script)
            player.lines = lines
            player.seen_event = stage.sim.events.last
            listener = _Listener(player)
            root.addHandler(listener)
            found = await player.play()
            listener.is_over = True
            if found is not None:
                lines.append(Line(stage.clock.now(), "", "\n".join(marked(script, *found)), "wrong"))
    except Exception as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        found = 1, Difference("the dialogue to be played", f"{type(error).__name__}: {error} ({Path(last.filename).name}:{last.lineno})")
        lines.append(Line(lines[-1].at, "", "\n".join(marked(script, *found)), "wrong") if lines else _bare(script, found))
    finally:
        if listener is not None:
            root.removeHandler(listener)
    seconds = time.perf_counter() - started
    shown = tuple(render(lines))
    if found is None:
        return Played(script.path, script.head.name, seconds, shown)
    line, difference = found
    return Played(script.path, script.head.name, seconds, shown, line, difference.expected, difference.got)


def marked(script: Script, line: int, difference: Difference) -> list[str]:
    """The first difference as the transcript's end."""
    return [f"✗ {script.path}:{line}", f"    expected {difference.expected}", f"    got      {difference.got}"]


def _bare(script: Script, found: tuple[int, Difference]) -> Line:
    from bot.qa.clock import START

    return Line(START, "", "\n".join(marked(script, *found)), "wrong")
