"""A customer who talks to the assistant of ``tests/assistants/tasks``: its brain in memory, without a database."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from bot.assistants import Assistant, load_assistant
from bot.flows.actions import Called, Done
from bot.flows.engine import Engine
from bot.flows.model import Flow, Slot
from bot.flows.state import State, read_state
from bot.messages import Event, Incoming
from bot.turn.brain import KnowledgeBrain
from bot.turn.decision import Arrived, Decision
from bot.turn.deeds import GiveConsent, Remember
from bot.turn.flow import FlowTurns
from bot.turn.reply import Said
from bot.turn.write import Writer
from memory.context import Context, Past

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
TASKS = Path(__file__).parents[2] / "assistants" / "tasks"

INTENTS = {
    "report_lost_card": ("lost my", "stolen", "lost card", "card is gone"),
    "transfer_money": ("transfer", "send money", "pay "),
    "order_brochure": ("brochure",),
    "close_account": ("close my account",),
    "card_details": ("details",),
    "send_card": ("new card", "replacement"),
}


@dataclass(frozen=True)
class Guess:
    intent: str
    confidence: float


@dataclass(frozen=True)
class Judged:
    guesses: tuple[Guess, ...] = ()
    in_scope: float = 1.0


def judge(text: str) -> Judged:
    """Intents by the words above; "perhaps" makes them doubtful."""
    sure = 0.5 if "perhaps" in text.lower() or "closing" in text else 0.95
    found = [Guess(name, sure) for name, words in INTENTS.items() if any(word in text.lower() for word in words)]
    return Judged(tuple(found), float(bool(found)))


@cache
def assistant() -> Assistant:
    return load_assistant(TASKS)


@dataclass
class Actions:
    """Actions that answer what a test says; without it, that it is done."""

    answers: dict[str, Done] = field(default_factory=dict)
    calls: list[Called] = field(default_factory=list)

    async def __call__(self, called: Called) -> Done:
        self.calls.append(called)
        return self.answers.get(called.action, Done())


class Talk:
    """One conversation. ``said`` is what the assistant said last, ``decision`` and ``trace`` the turn behind it."""

    def __init__(
        self,
        *,
        proof: str = "seen",
        dialogue: Mapping[str, Any] | None = None,
        more: Sequence[Flow] = (),
        slots: Sequence[Slot] = (),
        **known: Any,
    ) -> None:
        loaded = assistant()
        self.actions = Actions()
        domain = replace(loaded.flows.domain, slots={**loaded.flows.domain.slots, **{one.name: one for one in slots}})
        flows = replace(loaded.flows, flows={**loaded.flows.flows, **{one.id: one for one in more}}, domain=domain)
        self.engine = Engine(flows, loaded.declared, loaded.replies.names, loaded.replies.demands)
        self.brain = KnowledgeBrain(
            loaded.knowledge,
            returning_after_s=1800,
            declared=loaded.declared,
            flows=FlowTurns(self.engine, judge=judge, run_action=self.actions),
        )
        self.writer = Writer(loaded.replies, company="Northbank", expectation="Soon.", declared=loaded.declared)
        self.now = NOW
        self.turn = 0
        self.context = Context(
            customer_id=1,
            home_id=1,
            person=(1,),
            identity_id=1,
            channel="telegram",
            address="42",
            profile_name="Ann",
            username=None,
            language=None,
            proof=proof,
            proven_at=NOW if proof != "seen" else None,
            unreachable=False,
            ownership=0,
            dialogue=dict(dialogue or {}),
            known=dict(known),
            version=0,
            exchanges=(Past(1, "in", "customer", None, "text", "hello", None, NOW - timedelta(minutes=1)),),
            last_episode=None,
        )
        self.decision = Decision("none")
        self.trace: dict[str, Any] = {}
        self.said: Said | None = None
        self.remembered: dict[str, Any] = {}
        self.consents: list[str] = []
        self.logged: list[str] = []

    def say(self, text: str) -> str:
        """Write something; returns what is answered."""
        return self._come(Incoming("telegram", str(self.turn), "42", self.now, text=text, message_id=str(self.turn)))

    def press(self, payload: str) -> str:
        return self._come(Incoming("telegram", str(self.turn), "42", self.now, event=Event.PRESS, data={"payload": payload}))

    def edit(self, text: str) -> str:
        exchange = Past(7, "in", "customer", None, "text", "before", None, self.now)
        self.context = replace(self.context, exchanges=(*self.context.exchanges[:1], exchange))
        return self._come(Incoming("telegram", str(self.turn), "42", self.now, event=Event.EDIT, text=text), about=7)

    def share(self, *, kind: str, **data: Any) -> str:
        """Send a contact or a position."""
        return self._come(Incoming("telegram", str(self.turn), "42", self.now, kind=kind, data=data, message_id=str(self.turn)))

    def wait(self, **time: float) -> None:
        self.now += timedelta(**time)

    def know(self, name: str, value: Any, **more: Any) -> None:
        """Have a fact in the memory."""
        self.context = replace(
            self.context, known={**self.context.known, "facts": [*self.context.known.get("facts", ()), fact(name, value, **more)]}
        )

    def agree(self, purpose: str) -> None:
        consent = {"purpose": purpose, "granted": True, "version": "1", "channel": "telegram", "at": NOW.isoformat()}
        self.context = replace(self.context, known={**self.context.known, "consents": [consent]})

    def _come(self, incoming: Incoming, about: int | None = None) -> str:
        self.turn += 1
        arrived = Arrived((incoming,), turn_id=self.turn, about_id=about)
        self.decision, self.trace = asyncio.run(self.brain.think(arrived, self.context))
        rows = self.writer.write(self.turn, arrived, self.context, self.decision, about_id=about, now=self.now)
        if self.decision.dialogue is not None:
            self.context = replace(self.context, dialogue=self.decision.dialogue)
        for deed in self.decision.deeds:
            if isinstance(deed, Remember):
                self.remembered[deed.name] = deed.value
            elif isinstance(deed, GiveConsent):
                self.consents.append(deed.purpose)
        said = [row["text"] for row in rows.exchanges if row["direction"] == "out"]
        self.logged = [row["text"] for row in rows.exchanges if row["direction"] == "in"]
        self.wait(seconds=20)
        return said[0] if said else ""

    @property
    def state(self) -> State:
        return read_state(self.context.dialogue)

    @property
    def names(self) -> list[str]:
        """The replies of the last turn."""
        return [one.name for one in self.decision.says]

    @property
    def at(self) -> tuple[str, str] | None:
        frame = self.state.active
        return None if frame is None else (frame.flow, frame.step)

    @property
    def buttons(self) -> list[str]:
        return [one.title for say in self.decision.says for one in (*say.buttons, *say.spare)]


def fact(
    name: str, value: Any, *, source: str = "customer", confidence: float = 1.0, days: float = 0, standing: str = "current", **more: Any
) -> dict[str, Any]:
    """A fact as the memory gathers it, told ``days`` ago."""
    at = (NOW - timedelta(days=days, minutes=5)).isoformat()
    row = {"id": 11, "customer_id": 1, "name": name, "value": value, "standing": standing, "source": source, "confidence": confidence}
    return {**row, "purpose": "service", "since": at, "learned_at": at, "fresh_at": at, **more}


def texts(answers: Sequence[str]) -> str:
    return " | ".join(answers)
