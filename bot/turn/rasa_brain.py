"""A Rasa server as the brain, with Legato's own rules around it.

What must hold whoever answers stays here: a person who has the conversation, membership, links, rights over data, consents, asking for a
person, what cannot be read. Whatever else a customer writes or presses goes to the server, and what it answers is said as it is.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from bot.flows.commands import Resume
from bot.flows.listen import NO_PLAN
from bot.messages import Button, Event
from bot.turn.brain import ENGLISH
from bot.turn.decide import decide
from bot.turn.decision import AFFIRM, DENY, FLOW, Arrived, Decision, Reason, Say
from bot.turn.learn import learn, study
from bot.turn.linker import Linker
from bot.turn.linking import OPEN_GATE, Gate
from bot.turn.rasa_server import Answered, RasaServer
from bot.understand.extract import extract
from bot.understand.hear import hear
from bot.understand.knowledge import Knowledge
from bot.understand.mood import Mood
from memory.context import Context
from memory.declared import Declarations, at_least
from memory.proofs import level_now
from memory.usable import usable

RULE = "rasa"

BUTTONS = "rasa_buttons"
"""The note in a dialogue of what its latest buttons mean to the server: payloads by their marks."""

MARK = "/b "
"""What a button's payload begins with; the mark follows. A payload of Rasa's is often longer than Telegram takes."""

KEPT_BUTTONS = 20

_LEAVE = replace(NO_PLAN, commands=(Resume(),))
"""A plan by which the rules leave the turn where none of them takes it, as they leave one to the flows."""


class RasaBrain:
    """Asks ``server`` what to say. Of the assistant's content it uses the replies and what may be known, neither articles nor flows.

    A turn that is run again asks again, with the same ``turn_id``: the server takes it for a second message, as Rasa knows no repeats.
    Raises :class:`bot.turn.rasa_server.RasaFailed`, and the turn is tried again, until a person is asked.
    """

    def __init__(
        self,
        server: RasaServer,
        *,
        returning_after_s: float,
        declared: Declarations | None = None,
        language: str = ENGLISH,
        linker: Linker | None = None,
    ) -> None:
        self._server = server
        self._linker = linker
        self._returning_after = timedelta(seconds=returning_after_s)
        self._declared = declared or Declarations()
        self._language = language.partition("-")[0]
        self._nothing = Knowledge(())
        self._mood = Mood()

    async def think(self, arrived: Arrived, context: Context) -> tuple[Decision, dict[str, Any]]:
        """The decision, and a trace of what it rests on."""
        gate = await self._linker.gate(arrived, context) if self._linker is not None else OPEN_GATE
        heard = hear(arrived.text, self._nothing)
        is_said = arrived.text and arrived.first.event in (Event.MESSAGE, Event.EDIT) and gate.links is None
        found = extract(arrived.text, self._declared) if is_said else ()
        lessons = study(arrived, found, context, self._declared)
        message = message_of(arrived, context.dialogue)
        payload = str(arrived.first.data.get("payload", ""))
        # The assistant's own question, with which it greets, gets its answer itself.
        own = context.dialogue.get("asked") == "worked_out" and (heard.affirm or heard.deny or payload in (AFFIRM, DENY))
        decision = decide(
            as_words(arrived) if message else arrived,
            heard,
            context,
            chosen=None,
            returning_after=self._returning_after,
            declared=self._declared,
            found=found,
            lessons=lessons,
            speaks=(self._language,),
            gate=gate,
            plan=_LEAVE if message and not own else NO_PLAN,
        )
        trace: dict[str, Any] = {}
        if decision.rule == FLOW:
            started = time.perf_counter()
            answered = await self._ask(message, arrived, context, gate)
            took = round((time.perf_counter() - started) * 1000, 1)
            trace["rasa"] = {
                "answers": len(answered.texts),
                "buttons": len(answered.buttons),
                "handoff": answered.handoff is not None,
                "ms": took,
            }
            decision = merged(decision, answered, context)
        decision, learned = learn(arrived, lessons, context, decision, self._declared, mood=self._mood_of(arrived, context))
        return decision, {**trace, **learned}

    async def _ask(self, message: str, arrived: Arrived, context: Context, gate: Gate) -> Answered:
        level = level_now(context.proof, context.proven_at, arrived.first.at, gate.fresh_for)
        metadata = {
            "turn_id": arrived.turn_id,
            "language": context.language or self._language,
            "proof": level,
            "facts": {
                name: fact.value
                for name, fact in usable(context, self._declared, arrived.first.at).items()
                if at_least(level, self._declared.fact(name).proof)
            },
        }
        sender = f"{context.channel}:{context.address}"
        return await self._server.ask(sender, message, metadata, message_id=str(arrived.turn_id))

    def _mood_of(self, arrived: Arrived, context: Context) -> float | None:
        english = self._language == ENGLISH and (context.language or ENGLISH).startswith(ENGLISH)
        if not english or arrived.first.event is not Event.MESSAGE or not arrived.text or arrived.text.startswith("/"):
            return None
        return self._mood.of(arrived.text)


def message_of(arrived: Arrived, dialogue: Mapping[str, Any]) -> str:
    """What is sent to the server; empty where there is nothing to send. Pure.

    Rasa takes a text that begins with a slash for an intent, with entities and all, so that a customer could fill slots by writing one: the
    slash is left out of what people write. Only a button that the server has given, and that is still remembered, sends its payload; an
    older one sends its title, as if it had been written.
    """
    first = arrived.first
    if first.event is Event.PRESS:
        payload = dialogue.get(BUTTONS, {}).get(str(first.data.get("payload", "")).removeprefix(MARK))
        return str(payload if payload is not None else first.data.get("title") or "").strip()
    if first.event not in (Event.MESSAGE, Event.EDIT) or any(one.too_large for one in arrived.attachments):
        return ""
    return arrived.text.strip().lstrip("/").strip()


def as_words(arrived: Arrived) -> Arrived:
    """A photo with a caption as its caption: the rules for what cannot be read are for what says nothing beside."""
    first = arrived.first
    if first.event is not Event.MESSAGE or first.kind == "text":
        return arrived
    return replace(arrived, parts=(replace(first, kind="text", text=arrived.text, attachments=()),))


def merged(decision: Decision, answered: Answered, context: Context) -> Decision:
    """The decision with what the server said. Pure. Its texts are said as they are, without markup.

    Where it says nothing the customer is asked once to say it in other words, and then passed to a person: Rasa answers so too where one of
    its own actions or models has failed.
    """
    state = {**(decision.dialogue if decision.dialogue is not None else context.dialogue)}
    texts = list(answered.texts) or ([" / ".join(title for title, _ in answered.buttons)] if answered.buttons else [])
    buttons, kept = marked(answered.buttons, state.get(BUTTONS, {}))
    says: list[Say] = list(decision.says)
    handoff: Reason | None = None
    tried: tuple[str, ...] = ()
    if texts:
        says.append(Say("", text="\n\n".join(texts), buttons=buttons))
    if answered.handoff is not None:
        handoff = {"failed": Reason.FAILED, "unsure": Reason.UNSURE}.get(answered.handoff, Reason.ASKED)
        tried = tuple(
            line for line in (answered.handoff if handoff is Reason.ASKED else None, answered.note) if line and line != Reason.ASKED
        )
        says.append(Say("utter_handoff"))
    elif not texts and int(state.get("unsure", 0)) >= 1:
        handoff = Reason.UNSURE
        says.append(Say("utter_handoff_unsure"))
    elif not texts:
        says.append(Say("utter_clarify_open"))
    state |= {"unsure": 1 if not texts and handoff is None else 0, "asked": None}
    if buttons:
        state[BUTTONS] = kept
    rule = RULE if texts or answered.handoff is not None else "handoff unsure" if handoff is not None else "clarify"
    return replace(decision, rule=rule, says=tuple(says), handoff=handoff, dialogue=state, tried=tried)


def marked(buttons: Sequence[tuple[str, str]], kept: Mapping[str, str]) -> tuple[tuple[Button, ...], dict[str, str]]:
    """The buttons with marks in place of the server's payloads, and what the marks mean, the latest of them. Pure."""
    by_mark = {hashlib.sha256(payload.encode()).hexdigest()[:16]: (title, payload) for title, payload in buttons}
    meant = {**{mark: payload for mark, payload in kept.items() if mark not in by_mark}, **{mark: one[1] for mark, one in by_mark.items()}}
    shown = tuple(Button(title, MARK + mark) for mark, (title, _) in by_mark.items())
    return shown, dict(list(meant.items())[-KEPT_BUTTONS:])
