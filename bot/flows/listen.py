"""From a customer's words, or a button, to commands for the flows: an answer, a correction, another matter, or nothing for them. Pure.

In the middle of a flow what fits the question that stands is its answer, unless it is clearly something else. A command is made only where
the flows are to act; whatever else was said is left to the assistant's other rules, which lead back to the flow afterwards.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from bot.flows.ask import NO, SET, START, YES, title_of, wanted_of
from bot.flows.commands import (
    Answer,
    Cancel,
    Command,
    Correct,
    Fill,
    LeadBack,
    Missed,
    Named,
    Offer,
    Refuse,
    Repeat,
    Resume,
    Start,
    Why,
    YesNo,
)
from bot.flows.engine import Engine
from bot.flows.model import Collect, Flow, Slot
from bot.flows.stack import at_step, chain, collects, root_of
from bot.flows.state import State, is_old
from bot.flows.work import Situation, values_of
from bot.understand.hear import Heard
from bot.understand.knowledge import SURE as ARTICLE_SURE
from bot.understand.knowledge import UNSURE as ARTICLE_UNSURE
from bot.understand.said import Entity, Reading, Said, Wanted, mentioned, named, read_said, read_value
from bot.understand.words import words_of
from memory.values import Type

SURE, UNSURE = 0.7, 0.35
"""From the first confidence on an intent starts its flow, where its trigger says nothing else; from the second on it is asked about."""

CLEAR = 0.85
"""What is said instead of an answer has to be understood so surely before it begins something else."""

CLOSE = 0.1
"""Two intents that are nearer to each other than this are asked about."""

BETTER = 0.2
"""An article answers instead of a flow that its score exceeds by so much."""

WITHIN = 0.8
"""What is less likely than this to want anything that is known weakens the intent by as much."""

IN_SCOPE, CLEARLY = 0.5, 0.86
"""Below the first chance a message is taken to want none of the intents; what neither asks nor requests anything begins something else in
the middle of a flow only from the second on."""

UNMISTAKABLE, MOST_STATED = 0.95, 12
"""Where any words would do for an answer, a statement of at most so many is something else only if both chances are so high."""

MOST_OFFERED = 3

_MONEY = re.compile(r"[£€$] ?\d|\d ?(?:pounds?|quid|gbp|euros?|eur|dollars?|usd)\b|\d+ ?p\b", re.IGNORECASE)
_REQUEST = re.compile(
    r"\s*(?:please |hi |hello |ok |also |and |but )*(?:i (?:want|need|would like|wish)|i'd like|can (?:i|you)|could (?:i|you)|let'?s"
    r"|(?:show|tell|give|send|get|cancel|block|open|close|change|order|transfer|report|check|find|make|book|pay|stop|start|upgrade|replace"
    r"|update|help|do))\b"
)
_INTENT = re.compile(r"/([a-z][a-z0-9_+-]*)\s*(\{.*\})?\s*$", re.DOTALL)
_SET_ONE = re.compile(r"\s*([a-z_][a-z0-9_]*)\s*=\s*(\"[^\"]*\"|'[^']*'|[^,()]*)\s*(?:,|$)", re.IGNORECASE)


class Guess(Protocol):
    """An intent, and how surely it is the one."""

    @property
    def intent(self) -> str: ...
    @property
    def confidence(self) -> float: ...


class Judged(Protocol):
    """What a message seems to want, best first; ``in_scope`` is how likely it is anything that the assistant knows, from 0 to 1."""

    @property
    def guesses(self) -> Sequence[Guess]: ...
    @property
    def in_scope(self) -> float: ...


Judge = Callable[[str], Judged]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a message is to the flows. ``active``: a flow was under way. No ``commands``: nothing of it is for them.

    ``entities`` are what it names, ``intent`` what it seems to want; ``trace`` says how it was understood, by names only.
    """

    commands: tuple[Command, ...] = ()
    active: bool = False
    entities: Mapping[str, Any] = field(default_factory=dict)
    intent: str | None = None
    trace: Mapping[str, Any] = field(default_factory=dict)


NO_PLAN = Plan()


class Listener:
    """Understands messages for one assistant's flows. ``judge`` None: nothing is known of intents, and flows begin by buttons only."""

    def __init__(self, engine: Engine, judge: Judge | None = None, *, sure: float = SURE, unsure: float = UNSURE) -> None:
        self._engine = engine
        self._judge = judge
        self._sure = sure
        self._unsure = unsure

    def listen(
        self, state: State, situation: Situation, heard: Heard, found: Sequence[Any] = (), *, payload: str = "", edited: bool = False
    ) -> Plan:
        """What ``situation.text``, or the button with this ``payload``, asks the flows to do.

        ``found`` are facts that the words tell (:func:`bot.understand.extract.extract`); ``edited``: the words replace those that were
        answered last.
        """
        one = _Message(self._engine, self._judge, self._sure, self._unsure, state, situation, heard)
        if payload:
            return one.pressed(payload)
        return one.wrote(found, edited=edited)


@dataclass(slots=True)
class _Message:
    """One message, while it is understood. The intents are judged only where they matter."""

    engine: Engine
    judge: Judge | None
    sure: float
    unsure: float
    state: State
    situation: Situation
    heard: Heard
    said: Said = field(default_factory=lambda: Said(""))
    entities: tuple[Entity, ...] = ()
    facts: bool = False
    guesses: Sequence[Guess] | None = None
    in_scope: bool = True
    scope: float = 1.0

    # -- buttons ------------------------------------------------------------------------------------------------------

    def pressed(self, payload: str) -> Plan:
        state = self.state
        if payload.startswith(START):
            return self._plan([Start(payload.removeprefix(START).strip())])
        if payload in (YES, NO):
            yes = payload == YES
            if state.waits is None:
                return self._plan([])
            slot = state.asked
            is_bool = slot is not None and self._slot(slot).type == "bool" and "value" not in state.waits
            return self._plan([Answer(slot, yes) if is_bool and slot is not None else YesNo(yes)])
        if payload.startswith(SET):
            return self._plan(list(self._set(payload.removeprefix(SET).strip(" ()"))))
        if (match := _INTENT.match(payload)) is not None:
            return self._plan(list(self._by_intent(match[1], match[2])))
        if payload.startswith("/"):
            return self._plan([])
        self.situation = replace(self.situation, text=payload)
        return self.wrote(())

    def _set(self, text: str) -> Iterator[Command]:
        for match in _SET_ONE.finditer(text):
            name, raw = match[1], match[2].strip().strip("\"'")
            slot = self._slot(name)
            reading = read_value(wanted_of(slot, self.engine.declared), raw)
            value = None if raw.lower() in ("none", "null") else reading.value if reading is not None else raw
            answered = any(name in frame.answered for frame in chain(self.state))
            if name == self.state.asked:
                yield Answer(name, value)
            elif answered:
                yield Correct(name, value)
            else:
                yield Fill(name, value)

    def _by_intent(self, intent: str, more: str | None) -> Iterator[Command]:
        named_ = {}
        with_entities = False
        if more:
            try:
                named_ = {str(key): value for key, value in json.loads(more).items()}
                with_entities = bool(named_)
            except (ValueError, AttributeError):
                named_ = {}
        if with_entities:
            yield Named(named_)
        flows = self.engine.flows.by_intent.get(intent, ())
        if flows:
            yield Start(flows[0].id)
        elif with_entities and self.state.waits is not None:
            yield Resume()

    # -- words --------------------------------------------------------------------------------------------------------

    def wrote(self, found: Sequence[Any], *, edited: bool = False) -> Plan:
        text, state, heard = self.situation.text, self.state, self.heard
        if text.startswith("/"):
            command = text.split(maxsplit=1)[0]
            return self._plan([Cancel()] if command == "/cancel" and state.stack else [])
        yes = True if heard.affirm else False if heard.deny else None
        self.said = read_said(text, yes=yes)
        examples = self.engine.flows.examples
        self.facts = bool(found)
        self.entities = named(text, examples.entities, examples.patterns, found)
        if edited:
            return self._plan(list(self._edited()))
        if not state.stack:
            return self._plan(list(self._outside()))
        if state.paused or is_old(state, self.situation.now, self.engine.still_wanted):
            return self._plan(list(self._after_long()))
        return self._plan(list(self._inside()))

    def _outside(self) -> Iterator[Command]:
        """Nothing is under way: something may begin."""
        if self.state.offer == "start" and self.said.yes is not None:
            yield YesNo(self.said.yes)
            return
        if self._is_talk():
            return
        begun = list(self._begin())
        if begun or self.entities:
            yield Named(self._things()) if self.entities else Named({})
            yield from begun

    def _begin(self, *, at_least: float = 0.0, but: str | None = None) -> Iterator[Command]:
        """Start what is wanted, or ask which is meant; ``but`` is a flow that is under way already."""
        best = self._candidates(but)
        if not best or (self.state.stack and not self._requests() and self.scope < CLEARLY):
            return
        flow, confidence, needed = best[0]
        confidence *= min(1.0, self.scope / WITHIN)
        needed = max(needed, at_least)
        article = self.heard.hits[0].score if self.heard.hits else 0.0
        if article >= ARTICLE_SURE and article > confidence + (BETTER if confidence >= needed else 0.0):
            return
        rivals = [one for one, score, _ in best[1:] if confidence - score < CLOSE and score >= self.unsure]
        if rivals and confidence < 0.95 and (not self.state.stack or self._requests()):
            yield Offer((flow.id, *(one.id for one in rivals))[:MOST_OFFERED])
        elif confidence >= needed:
            yield Start(flow.id, round(confidence, 3))
            yield from self._told_at_once(flow)
        elif confidence >= self.unsure and not self.state.stack:
            titles = [(hit.article.title, f"/article {hit.article.slug}") for hit in self.heard.hits if hit.score >= ARTICLE_UNSURE]
            others = [one.id for one, score, _ in best[1:] if score >= self.unsure]
            yield Offer((flow.id, *others)[:MOST_OFFERED], tuple(titles[:2]))

    def _candidates(self, but: str | None) -> list[tuple[Flow, float, float]]:
        """The flows that may be meant, each with how surely and with what it needs; nothing where something else is meant more surely."""
        guesses = self._judged()
        by_intent = self.engine.flows.by_intent
        found: dict[str, tuple[Flow, float, float]] = {}
        for n, guess in enumerate(guesses):
            flows = [one for one in by_intent.get(guess.intent, ()) if self._may_start(one)]
            if not flows and n == 0 and guess.confidence >= self.unsure:
                return []
            for flow in flows:
                trigger = next(one for one in flow.triggers if one.intent == guess.intent)
                needed = trigger.confidence if trigger.confidence is not None else self.sure
                if flow.id not in found:
                    found[flow.id] = (flow, guess.confidence, needed)
        best = list(found.values())
        return [] if best and best[0][0].id == but else [one for one in best if one[0].id != but]

    def _may_start(self, flow: Flow) -> bool:
        engine = self.engine
        return flow.guard is None or flow.guard.holds(values_of(self.state, self.situation, engine.flows, engine.declared))

    def _told_at_once(self, flow: Flow) -> Iterator[Command]:
        """What the message that starts a flow tells of its slots beside what it names."""
        taken = {one.name for one in self.entities}
        numbers = [name for name in collects(flow) if self._slot(name).type == "float" and not self._slot(name).entities]
        for name in collects(flow):
            slot = self._slot(name)
            if not slot.by_customer or slot.fact or taken & {*slot.entities}:
                continue
            value = mentioned(wanted_of(slot, self.engine.declared), self.situation.text)
            if value is None and numbers == [name] and _MONEY.search(self.situation.text):
                reading = read_value(wanted_of(slot, self.engine.declared), self.situation.text)
                value = reading.value if reading is not None else None
            if value is not None:
                yield Fill(name, value)

    def _after_long(self) -> Iterator[Command]:
        """A flow was left long ago, or a person had the case meanwhile: something new goes first, else it is asked whether to go on."""
        said = self.said
        if self.state.offer == "still" and said.yes is not None:
            yield YesNo(said.yes)
        elif said.cancel:
            yield Cancel()
        elif said.resume:
            yield Resume()
        elif self._is_talk() or self.heard.sure:
            return
        else:
            begun = list(self._begin())
            if self.entities:
                yield Named(self._things())
            if begun:
                yield from begun
            elif (answer := self._answer_alone()) is not None:
                yield answer
                yield LeadBack()
            elif self.state.offer == "still":
                yield Missed()
            elif not self.state.paused or self.entities:
                yield LeadBack()

    def _answer_alone(self) -> Answer | None:
        """An answer to the question that stands, where the message is just that and it is more than a yes."""
        slot = self.state.asked
        if slot is None or self._slot(slot).type == "bool" or self.said.yes is not None:
            return None
        reading = self._read(slot, self.situation.text)
        return Answer(slot, reading.value) if reading is not None and reading.exact else None

    def _inside(self) -> Iterator[Command]:
        state, said = self.state, self.said
        if said.cancel and state.offer != "cancel":
            yield Cancel()
            return
        if state.offer is not None and state.offer != "start":
            yield from self._to_offer()
            return
        if state.offer == "start" and said.yes is not None:
            yield YesNo(said.yes)
            return
        for is_it, command in ((said.why, Why()), (said.repeat, Repeat()), (said.resume, Resume())):
            if is_it:
                yield command
                return
        slot = state.asked
        if slot is None:
            yield from self._while_waiting()
            return
        yield from self._to_question(slot)

    def _to_offer(self) -> Iterator[Command]:
        """A yes or no about the flows themselves is open."""
        said = self.said
        if said.yes is not None:
            yield YesNo(said.yes)
        elif said.cancel:
            yield YesNo(True)
        elif said.resume:
            yield YesNo(self.state.offer != "cancel")
        elif self._is_talk() or self.heard.sure:
            return
        else:
            begun = list(self._begin(at_least=CLEAR))
            yield from begun or [Missed()]

    def _while_waiting(self) -> Iterator[Command]:
        """It waits for a proof, or for nothing that could be said."""
        if self._is_talk() or self.heard.sure:
            return
        begun = list(self._begin(but=self._flow_id()))
        if self.entities:
            yield Named(self._things())
        if begun:
            yield from begun
        elif self.state.waits is not None and self.state.waits.get("for") == "proof":
            yield Missed()

    def _to_question(self, slot: str) -> Iterator[Command]:
        said, text, waits = self.said, self.situation.text, self.state.waits or {}
        reads_back = "value" in waits
        about = self._slot(slot)
        if said.yes is not None and (reads_back or waits.get("consent")) and about.type != "bool":
            yield YesNo(said.yes)
            return
        if reads_back and said.yes is None and about.type == "bool" and (read := self._read(slot, text)) is not None:
            yield YesNo(bool(read.value) == bool(waits.get("value")))
            return
        if said.yes is not None and about.type == "bool" and not reads_back:
            yield Answer(slot, said.yes)  # "no thanks" is an answer as a whole, and corrects nothing
            return
        begins = any(one.start == 0 and one.name in about.entities for one in self.entities)  # "no code" is an answer, and no "no"
        if said.correct and not begins and (fixed := self._corrections(slot)):
            yield from fixed
            return
        if said.refuse:
            yield Refuse()
            return
        reading = self._read(slot, text)
        if reads_back and reading is not None and not reading.exact and self._reads_as_yes_no() is not None:
            # "no, it is 14 Elm Road" has been taken as a correction; "yes, that is right" is no new value
            yield YesNo(bool(self._reads_as_yes_no()))
            return
        if reading is not None and reading.exact:
            yield Answer(slot, reading.value)
            yield from self._others(slot)
            return
        if said.yes is not None and (reading is None or self._is_free(about)):
            yield YesNo(said.yes)
            return
        if self._is_talk():
            return
        if (other := self._other_matter(reading)) is not None:
            yield from other
            return
        if reading is not None and not (self._is_free(about) and reads_back):
            yield Answer(slot, reading.value)
            yield from self._others(slot)
            return
        told = list(self._others(slot))
        if any(not isinstance(one, Named) for one in told):
            yield from told
            yield Repeat()
        elif self.facts or (said.asks and any(hit.score >= ARTICLE_UNSURE for hit in self.heard.hits)):
            return
        elif self._judged() and self._candidates(None) and self._candidates(None)[0][0].id == self._flow_id():
            yield Repeat()
        else:
            yield Missed()

    def _other_matter(self, reading: Reading | None) -> list[Command] | None:
        """What is said instead of an answer: commands, none where another rule answers it; None where it is the answer after all."""
        said = self.said
        asks = said.asks or (self._requests() and not (reading is not None and self._names_a_place() and not self._clearly()))
        if reading is not None and not asks and not self._unmistakable():
            return None
        if self.heard.sure and (said.asks or reading is None):
            begun = list(self._begin(but=self._flow_id()))
            return [Named(self._things()), *begun] if begun else []
        begun = list(self._begin(at_least=CLEAR if reading is not None else 0.0, but=self._flow_id()))
        if begun:
            return [Named(self._things()), *begun] if self.entities else begun
        if said.asks and reading is not None and any(hit.score >= ARTICLE_UNSURE for hit in self.heard.hits) and self._is_free_question():
            return []
        return None

    def _unmistakable(self) -> bool:
        """Whether a short statement can only be the beginning of something else, though any words would do for an answer."""
        slot = self.state.asked
        if slot is None or not self._is_free(self._slot(slot)) or len(words_of(self.situation.text)) > MOST_STATED:
            return False
        guesses = self._judged()
        return bool(guesses) and guesses[0].confidence >= UNMISTAKABLE and self.scope >= UNMISTAKABLE

    def _clearly(self) -> bool:
        """Whether the words clearly want something that is known, whatever was asked."""
        return bool(self._judged()) and self.scope >= CLEARLY

    def _names_a_place(self) -> bool:
        """Whether a place is asked for and the words have a number: "send it to 12 Oak Street" is an answer."""
        slot = self.state.asked
        is_place = slot is not None and self._slot(slot).fact and self.engine.declared.fact(slot).type is Type.PLACE
        return is_place and any(character.isdigit() for character in self.situation.text)

    def _is_free_question(self) -> bool:
        slot = self.state.asked
        return slot is not None and self._is_free(self._slot(slot))

    @staticmethod
    def _is_free(slot: Slot) -> bool:
        return not slot.fact and slot.type in ("text", "any", "list") and not slot.values

    def _corrections(self, asked: str) -> list[Command]:
        """What was answered before and is put right now; the slot that the words name, else the one answered last that the value fits."""
        text = self.said.rest
        found = [(slot, value) for slot in self._answered(asked) if (value := self._new_value(slot, text)) is not None]
        # any words fit a free text: what fits more than that, such as a thing of the slot's kind, comes first
        kinds = {one.name for one in self.entities if self.situation.text[one.start : one.end] in text}
        found.sort(key=lambda one: self._is_free(self._slot(one[0])) and not kinds & {*self._slot(one[0]).entities})
        words = set(words_of(self.situation.text))
        by_name = [one for one in found if words & {word for word in words_of(one[0].replace("_", " ")) if len(word) > 2}]
        by_title = [one for one in found if words & set(words_of(title_of(self._slot(one[0]), self.engine.declared))[-1:])]
        for slot, value in [*by_name, *by_title, *found]:
            if slot == asked and self._unmistakable():
                return []  # "my bill is wrong" corrects nothing that was said here
            return [Answer(slot, value)] if slot == asked else [Correct(slot, value)]
        return []

    def _answered(self, asked: str) -> list[str]:
        """The slots that a correction may be about, the likeliest first."""
        answered = [slot for frame in reversed(chain(self.state)) for slot in reversed([*frame.answered, *frame.given])]
        ordered = list(dict.fromkeys(slot for slot in answered if self._slot(slot).by_customer))
        return [asked, *ordered] if "value" in (self.state.waits or {}) else [*ordered, asked]

    def _new_value(self, slot: str, text: str) -> Any:
        """The value that ``text`` gives to a slot beside the one that it has; None where it gives none."""
        about = self._slot(slot)
        if about.type == "bool":
            return None
        inside = [one for one in self.entities if str(one.value) and self.situation.text[one.start : one.end] in text]
        wanted = wanted_of(about, self.engine.declared, self.situation.now.date())
        value = mentioned(wanted, text, inside)
        if value is None:
            reading = read_value(wanted, text, inside)
            is_short = len(words_of(text)) <= 6 and not self.said.asks
            if reading is not None and (reading.exact or (self._is_free(about) and is_short) or (about.fact and is_short)):
                value = reading.value
        if value is None or value == self.state.slots.get(slot):
            return None
        return value

    def _others(self, asked: str) -> Iterator[Command]:
        """What the message tells beside: other slots of the flow, or of those answered another value."""
        flow = self._flow()
        if flow is None:
            return
        taken = {*self._slot(asked).entities, asked}
        frame = self.state.stack[-1]
        for name in collects(flow):
            slot = self._slot(name)
            kinds = {*slot.entities, *([name] if slot.fact else [])}
            if name == asked or not slot.by_customer or kinds & taken:
                continue
            value = mentioned(wanted_of(slot, self.engine.declared), self.situation.text, self.entities)
            if value is None or value == self.state.slots.get(name):
                continue
            taken |= kinds
            yield Correct(name, value) if name in frame.answered else Fill(name, value)
        # a fact that is told beside an answer may be what a flow asks for that is yet to be called
        facts = {one.name: one.value for one in self.entities if one.name in self.engine.declared.facts and one.name not in taken}
        if facts:
            yield Named(facts)

    def _edited(self) -> Iterator[Command]:
        """The words of the last answer were changed: what they answered is put right."""
        for frame in reversed(chain(self.state)):
            for slot in reversed(frame.answered):
                reading = self._read(slot, self.situation.text)
                if reading is not None and reading.value != self.state.slots.get(slot):
                    yield Correct(slot, reading.value)
                return

    # -- what the above ask ---------------------------------------------------------------------------------------------

    def _read(self, slot: str, text: str) -> Reading | None:
        wanted = wanted_of(self._slot(slot), self.engine.declared, self.situation.now.date())
        return read_value(wanted, text, self.entities, yes=self.said.yes)

    def _reads_as_yes_no(self) -> bool | None:
        reading = read_value(_BOOL, self.situation.text, yes=self.said.yes)
        return bool(reading.value) if reading is not None and reading.exact else None

    def _requests(self) -> bool:
        """Whether something is asked or requested, whatever it is."""
        return self.said.asks or _REQUEST.match(self.situation.text.lower()) is not None

    def _is_talk(self) -> bool:
        heard = self.heard
        return heard.greeting or heard.thanks or heard.goodbye or heard.help

    def _judged(self) -> Sequence[Guess]:
        if self.guesses is None:
            judged = self.judge(self.situation.text) if self.judge is not None and self.situation.text else None
            self.scope = 1.0 if judged is None else float(judged.in_scope)
            self.in_scope = self.scope >= IN_SCOPE
            self.guesses = judged.guesses if judged is not None else ()
        return self.guesses if self.in_scope else ()

    def _things(self) -> dict[str, Any]:
        things: dict[str, Any] = {}
        for one in self.entities:
            things.setdefault(one.name, one.value)
        return things

    def _slot(self, name: str) -> Slot:
        return self.engine.flows.domain.slots.get(name) or Slot(name)

    def _flow_id(self) -> str | None:
        root = root_of(self.state)
        return root.flow if root is not None else None

    def _flow(self) -> Flow | None:
        return self.engine.flows.flows.get(self.state.stack[-1].flow) if self.state.stack else None

    def _plan(self, commands: list[Command]) -> Plan:
        guesses = [[one.intent, round(one.confidence, 3)] for one in (self.guesses or ())[:3]]
        trace: dict[str, Any] = {
            "intents": guesses,
            "in_scope": self.in_scope if guesses else None,
            "scope": round(self.scope, 3) if guesses else None,
            "entities": sorted({one.name for one in self.entities}),
            "said": list(self.said.flags),
        }
        top = self.guesses[0].intent if self.guesses and self.in_scope else None
        commands = [one for one in commands if not (isinstance(one, Named) and not one.things)]
        only_named = bool(commands) and all(isinstance(one, Named) for one in commands)
        return Plan(
            tuple(commands) if not only_named else (),
            bool(self.state.stack),
            self._things(),
            top,
            {name: value for name, value in trace.items() if value not in (None, [], ())},
        )


def waits_for_step(state: State, engine: Engine) -> Collect | None:
    """The step whose question stands; None where there is none."""
    if not state.stack or state.asked is None:
        return None
    step = at_step(state.stack[-1], engine.flows)
    return step if isinstance(step, Collect) else None


_BOOL = Wanted("bool")
