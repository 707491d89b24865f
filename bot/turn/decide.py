"""What a turn does: the rules, pure. No clock, no database, no network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from typing import Any

from bot.markup import Html
from bot.messages import MAX_FILE_BYTES, Attachment, Button, Event, Incoming
from bot.turn.deeds import Deed
from bot.turn.mirror import first_name
from bot.understand.hear import Heard
from bot.understand.knowledge import UNSURE, Article
from memory.context import Context

ARTICLE, PERSON, AFFIRM, DENY = "/article ", "/person", "/affirm", "/deny"
"""Payloads of the assistant's own buttons; an article's slug follows the first."""

ANSWERED_ALONE = ("photo", "document", "voice", "video", "sticker", "location", "contact")
"""The kinds that have a reply of their own while the assistant cannot read them."""

KEPT_TRIED = 8


class Reason(StrEnum):
    """Why a person is asked to take over."""

    ASKED = "asked"
    UNSURE = "unsure"
    FAILED = "failed"
    OVERDUE = "overdue"


@dataclass(frozen=True, slots=True)
class Arrived:
    """What a turn deals with: one incoming, or all parts of an album. ``continued``: an earlier turn has answered this album.

    ``about_id`` is the logged exchange that an edit, a reaction or a press speaks of, where it is known.
    """

    parts: tuple[Incoming, ...]
    continued: bool = False
    about_id: int | None = None

    @property
    def first(self) -> Incoming:
        return self.parts[0]

    @property
    def text(self) -> str:
        """The words: of a message, or an album's captions."""
        return "\n".join(part.text for part in self.parts if part.text)

    @property
    def attachments(self) -> tuple[Attachment, ...]:
        return tuple(attachment for part in self.parts for attachment in part.attachments)


@dataclass(frozen=True, slots=True)
class Say:
    """A reply by its name, with the variables that only this turn knows, and buttons beside the reply's own."""

    name: str
    variables: dict[str, Any] = field(default_factory=dict)
    buttons: tuple[Button, ...] = ()


@dataclass(frozen=True, slots=True)
class Learned:
    """A fact that the customer told us."""

    name: str
    value: Any
    confidence: float = 1.0


@dataclass(frozen=True, slots=True)
class Decision:
    """What happens. ``says`` become one answer. ``dialogue`` is the conversation's new state, None where it stays as it was."""

    rule: str
    says: tuple[Say, ...] = ()
    handoff: Reason | None = None
    relay: bool = False
    facts: tuple[Learned, ...] = ()
    dialogue: dict[str, Any] | None = None
    reachable: bool | None = None
    deeds: tuple[Deed, ...] = ()


def decide(arrived: Arrived, heard: Heard, context: Context, *, chosen: Article | None, returning_after: timedelta) -> Decision:
    """Choose what this turn does. ``chosen`` is the article whose button was pressed, if it was one and the article still exists.

    Order matters: a customer who is with a person stays with that person, and asking for a person works in the middle of anything.
    """
    first = arrived.first
    facts = _told(arrived)
    if first.event is Event.MEMBERSHIP:
        return Decision("membership", relay=context.handoff is not None, reachable=first.data.get("status") != "kicked")
    if context.handoff is not None:
        return _while_with_person(arrived, heard, context, facts)
    if first.event is Event.REACTION or arrived.continued:
        return Decision("noted")
    if first.event is Event.EDIT and not _edits_last_words(arrived, context):
        return Decision("edit noted")
    decision = _answer(arrived, heard, context, chosen, returning_after)
    return _with_facts(decision, facts)


def fail(context: Context, reason: Reason) -> Decision:
    """What happens when no decision can be reached: say so honestly and ask a person, or the person who is there already."""
    if context.handoff is not None:
        return Decision("relay", relay=True)
    return Decision("failed", says=(Say("utter_handoff_failed"),), handoff=reason)


def _with_facts(decision: Decision, facts: tuple[Learned, ...]) -> Decision:
    if not facts:
        return decision
    return replace(decision, facts=facts)


def _told(arrived: Arrived) -> tuple[Learned, ...]:
    """Facts that the kind of message itself states."""
    data = arrived.first.data
    if arrived.first.kind == "contact" and data.get("own") and data.get("phone"):
        return (Learned("phone", data["phone"]),)
    if arrived.first.kind == "location" and "latitude" in data:
        return (Learned("location", {"latitude": data["latitude"], "longitude": data["longitude"]}),)
    return ()


def _edits_last_words(arrived: Arrived, context: Context) -> bool:
    """Whether the customer's latest message is edited and is still the one that was answered; an older one is only kept as a version."""
    if any(past.author == "agent" for past in context.exchanges[-2:]):
        return False
    events = (Event.EDIT, Event.REACTION, Event.PRESS, Event.MEMBERSHIP)
    own = [past.id for past in context.exchanges if past.author == "customer" and past.kind not in events]
    return bool(own) and arrived.about_id == own[-1]


def _while_with_person(arrived: Arrived, heard: Heard, context: Context, facts: tuple[Learned, ...]) -> Decision:
    """The assistant is silent; only someone who asks again while nobody has come yet is told, once, that the request stands."""
    handoff = context.handoff
    assert handoff is not None
    asks = heard.asks_person or (arrived.first.event is Event.PRESS and arrived.first.data.get("payload") == PERSON)
    if handoff.state == "waiting" and asks and context.dialogue.get("told_waiting") != handoff.id:
        state = {**context.dialogue, "told_waiting": handoff.id}
        return Decision("still waiting", says=(Say("utter_handoff_waiting"),), relay=True, facts=facts, dialogue=state)
    return Decision("relay", relay=True, facts=facts)


def _answer(arrived: Arrived, heard: Heard, context: Context, chosen: Article | None, returning_after: timedelta) -> Decision:
    first, state = arrived.first, context.dialogue
    payload = str(first.data.get("payload", "")) if first.event is Event.PRESS else ""
    if payload == PERSON or heard.asks_person:
        return _hand_over(Reason.ASKED, "utter_handoff", state)
    if first.text.startswith("/start") and first.event is Event.MESSAGE:
        return _greet(arrived, context, returning_after, started=True)
    if first.kind != "text" and first.event is Event.MESSAGE:
        return _received(arrived, heard, context, returning_after)
    if chosen is not None:
        return _give_article(chosen, "chosen", state)
    if payload == AFFIRM or heard.affirm:
        return _yes_no(True, state)
    if payload == DENY or heard.deny:
        return _yes_no(False, state)
    if heard.greeting:
        return _greet(arrived, context, returning_after, started=False)
    for is_it, name in ((heard.thanks, "utter_thanks"), (heard.goodbye, "utter_goodbye"), (heard.help, "utter_help")):
        if is_it:
            return Decision(name.removeprefix("utter_"), says=(Say(name),), dialogue={**state, "unsure": 0})
    return _from_knowledge(arrived, heard, context, returning_after)


def _from_knowledge(arrived: Arrived, heard: Heard, context: Context, returning_after: timedelta) -> Decision:
    state = context.dialogue
    if heard.sure:
        decision = _give_article(heard.hits[0].article, "knowledge", state)
        if _returning(arrived, context, returning_after):
            decision = Decision(decision.rule, (Say("utter_welcome_back"), *decision.says), dialogue=decision.dialogue)
        return decision
    if int(state.get("unsure", 0)) >= 1:
        return _hand_over(Reason.UNSURE, "utter_handoff_unsure", state)
    asked = {**state, "unsure": 1}
    offered = [hit.article for hit in heard.hits if hit.score >= UNSURE]
    if offered:
        buttons = tuple(Button(article.title, ARTICLE + article.slug) for article in offered)
        asked["tried"] = _tried(state, [article.title for article in offered])
        return Decision("clarify", says=(Say("utter_clarify", buttons=(*buttons, Button("Talk to a person", PERSON))),), dialogue=asked)
    return Decision("clarify", says=(Say("utter_clarify_open"),), dialogue=asked)


def _give_article(article: Article, rule: str, state: dict[str, Any]) -> Decision:
    new = {**state, "unsure": 0, "asked": None, "matter": article.title, "matter_asked": False, "tried": _tried(state, [article.title])}
    return Decision(rule, says=(Say("utter_article", {"title": article.title, "body": Html(article.html)}),), dialogue=new)


def _hand_over(reason: Reason, reply: str, state: dict[str, Any]) -> Decision:
    return Decision(f"handoff {reason}", says=(Say(reply),), handoff=reason, dialogue={**state, "unsure": 0, "asked": None})


def _received(arrived: Arrived, heard: Heard, context: Context, returning_after: timedelta) -> Decision:
    """Something that the assistant cannot read yet: its caption is answered if it says enough, else it is acknowledged in words."""
    if any(attachment.too_large for attachment in arrived.attachments):
        limit = f"{MAX_FILE_BYTES // 1024 // 1024} MB"
        return Decision("too large", says=(Say("utter_file_too_large", {"limit": limit}),))
    if arrived.text and heard.sure:
        return _from_knowledge(arrived, heard, context, returning_after)
    if len(arrived.parts) > 1:
        return Decision("received", says=(Say("utter_received_album", {"count": len(arrived.parts)}),))
    kind = arrived.first.kind
    known = "video" if kind in ("video_note", "animation") else "voice" if kind == "audio" else kind
    return Decision("received", says=(Say(f"utter_received_{known if known in ANSWERED_ALONE else 'other'}"),))


def _yes_no(yes: bool, state: dict[str, Any]) -> Decision:
    if state.get("asked") == "worked_out":
        new = {**state, "asked": None, "unsure": 0}
        if yes:
            return Decision("worked out", says=(Say("utter_worked_out"),), dialogue=new)
        return Decision("not worked out", says=(Say("utter_not_worked_out", {"matter": state.get("asked_matter")}),), dialogue=new)
    name = "utter_yes_what" if yes else "utter_no_what"
    return Decision(name.removeprefix("utter_"), says=(Say(name),), dialogue={**state, "unsure": 0})


def _returning(arrived: Arrived, context: Context, returning_after: timedelta) -> bool:
    return context.last_seen is not None and arrived.first.at - context.last_seen >= returning_after


def _greet(arrived: Arrived, context: Context, returning_after: timedelta, *, started: bool) -> Decision:
    """A greeting by what is known: how the last handoff or the last matter went is asked once; after that a greeting is a greeting."""
    state = context.dialogue
    if context.last_seen is None:
        return Decision("welcome", says=(Say("utter_welcome"),), dialogue={**state, "unsure": 0})
    episode = context.last_episode
    packet = (episode.return_packet if episode is not None else None) or {}
    agent, matter, note = packet.get("agent"), packet.get("want"), packet.get("note")
    if episode is not None and agent and matter and state.get("followed_up") != episode.id:
        new = {**state, "unsure": 0, "followed_up": episode.id, "matter_asked": True, "asked": "worked_out", "asked_matter": matter}
        reply = "utter_greet_after_handoff_note" if note else "utter_greet_after_handoff"
        say = Say(reply, {"agent": first_name(agent), "matter": matter, "note": note})
        return Decision("greet after handoff", says=(say,), dialogue=new)
    returning = started or _returning(arrived, context, returning_after)
    matter = state.get("matter")
    if returning and matter and not state.get("matter_asked"):
        new = {**state, "unsure": 0, "matter_asked": True, "asked": "worked_out", "asked_matter": matter}
        return Decision("greet returning", says=(Say("utter_greet_returning", {"matter": matter}),), dialogue=new)
    name = "utter_greet_returning_no_matter" if returning else "utter_greet"
    return Decision("greet", says=(Say(name),), dialogue={**state, "unsure": 0})


def _tried(state: dict[str, Any], titles: Sequence[str]) -> list[str]:
    return [*dict.fromkeys([*state.get("tried", []), *titles])][-KEPT_TRIED:]
