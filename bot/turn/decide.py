"""What a turn does: the rules, pure. No clock, no database, no network."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from bot.flows.listen import NO_PLAN, Plan
from bot.messages import MAX_FILE_BYTES, Button, Event
from bot.turn.confirm import answer_question
from bot.turn.consent import answer_consent, ask_consent
from bot.turn.decision import AFFIRM, ARTICLE, DENY, FLOW, PERSON, Arrived, Decision, Reason, Say
from bot.turn.experience import FAILED, bad, careful
from bot.turn.learn import NOTHING, Lessons, words_beside
from bot.turn.linking import OPEN_GATE, Gate, answer_link, article_say, guard
from bot.turn.mirror import first_name
from bot.turn.rights import answer_rights
from bot.understand.clauses import Found
from bot.understand.hear import Heard
from bot.understand.knowledge import UNSURE, Article
from memory.context import Context, KnownPromise
from memory.declared import LANGUAGE, LANGUAGES, Declarations
from memory.promises import BROKEN

__all__ = ["AFFIRM", "ARTICLE", "DENY", "PERSON", "Arrived", "Decision", "Reason", "Say", "decide", "fail"]

ANSWERED_ALONE = ("photo", "document", "voice", "video", "sticker", "location", "contact")
"""The kinds that have a reply of their own while the assistant cannot read them."""

KEPT_TRIED = 8

BESIDE = 5
"""Around what a message tells, so few words ask for nothing that is not certain by itself."""

_UNDECLARED = Declarations()


def decide(
    arrived: Arrived,
    heard: Heard,
    context: Context,
    *,
    chosen: Article | None,
    returning_after: timedelta,
    declared: Declarations = _UNDECLARED,
    found: Sequence[Found] = (),
    lessons: Lessons = NOTHING,
    speaks: Collection[str] = ("en",),
    gate: Gate = OPEN_GATE,
    plan: Plan = NO_PLAN,
) -> Decision:
    """Choose what this turn does. ``chosen`` is the article whose button was pressed, if it was one and the article still exists.

    ``found`` is what the words tell of the customer, ``lessons`` what of it is new (:func:`bot.turn.learn.study`); ``speaks`` are the
    languages that the assistant answers in; ``gate`` is what is known of who is writing; ``plan`` is what the flows make of it. Where it is
    theirs, the decision's rule is ``FLOW`` and says nothing yet. Order matters: a customer who is with a person stays with that person, and
    asking for a person works in the middle of anything.
    """
    first = arrived.first
    if first.event is Event.MEMBERSHIP:
        return Decision("membership", relay=context.handoff is not None, reachable=first.data.get("status") != "kicked")
    if (link := answer_link(context, now=first.at, gate=gate)) is not None:
        return link
    if (right := answer_rights(arrived, heard, context, declared, fresh_for=gate.fresh_for)) is not None:
        return right
    consent = answer_consent(arrived, found, context, declared)
    if context.handoff is not None:
        return _while_with_person(arrived, heard, context, consent)
    if first.event is Event.REACTION or arrived.continued:
        return Decision("noted")
    if first.event is Event.EDIT and not _edits_last_words(arrived, context):
        return Decision("edit noted")
    if plan.commands and arrived.text.strip(" .!").lower() == "stop":
        consent = None  # in the middle of a task it is the task that stops
    asks_more = heard.asks_person or (heard.sure and words_beside(arrived.text, found) > BESIDE)
    if consent is not None and not asks_more:
        return consent
    decision = _answer(arrived, heard, context, chosen, returning_after, declared, lessons, speaks, plan)
    decision = guard(decision, context, now=first.at, gate=gate)
    if consent is not None and consent.deeds:
        decision = replace(decision, says=(*consent.says, *decision.says), deeds=(*consent.deeds, *decision.deeds))
    return decision


def in_other_language(decision: Decision, language: str, context: Context) -> Decision:
    """The decision for words in a language that the assistant does not know: where it would only ask back, it says so, and offers a person.

    Where something was understood all the same, such as a name or a wish for a person, that stays.
    """
    if decision.rule != "clarify":
        return decision
    said = Say("utter_other_language", {"language": LANGUAGES[language]}, (Button("Talk to a person", PERSON),))
    return replace(decision, rule="other language", says=(said,))


def fail(context: Context, reason: Reason) -> Decision:
    """What happens when no decision can be reached: say so honestly and ask a person, or the person who is there already."""
    if context.handoff is not None:
        return Decision("relay", relay=True)
    moment = bad(FAILED, what="overdue" if reason is Reason.OVERDUE else "fault")
    return Decision("failed", says=(Say("utter_handoff_failed"),), handoff=reason, deeds=(moment,))


def _edits_last_words(arrived: Arrived, context: Context) -> bool:
    """Whether the customer's latest message is edited and is still the one that was answered; an older one is only kept as a version."""
    if any(past.author == "agent" for past in context.exchanges[-2:]):
        return False
    events = (Event.EDIT, Event.REACTION, Event.PRESS, Event.MEMBERSHIP)
    own = [past.id for past in context.exchanges if past.author == "customer" and past.kind not in events]
    return bool(own) and arrived.about_id == own[-1]


def _while_with_person(arrived: Arrived, heard: Heard, context: Context, consent: Decision | None) -> Decision:
    """The assistant is silent, save for two things: that a consent was given or taken back, which no agent does for the customer, and,
    once, to someone who asks again while nobody has come yet, that the request stands."""
    handoff = context.handoff
    assert handoff is not None
    if consent is not None and consent.deeds:
        return Decision(consent.rule, says=consent.says, relay=True, deeds=consent.deeds)
    asks = heard.asks_person or (arrived.first.event is Event.PRESS and arrived.first.data.get("payload") == PERSON)
    if handoff.state == "waiting" and asks and context.dialogue.get("told_waiting") != handoff.id:
        state = {**context.dialogue, "told_waiting": handoff.id}
        return Decision("still waiting", says=(Say("utter_handoff_waiting"),), relay=True, dialogue=state)
    return Decision("relay", relay=True)


def _answer(
    arrived: Arrived,
    heard: Heard,
    context: Context,
    chosen: Article | None,
    returning_after: timedelta,
    declared: Declarations,
    lessons: Lessons,
    speaks: Collection[str],
    plan: Plan,
) -> Decision:
    first, state = arrived.first, context.dialogue
    payload = str(first.data.get("payload", "")) if first.event is Event.PRESS else ""
    if payload == PERSON or heard.asks_person:
        return _hand_over(Reason.ASKED, "utter_handoff", state)
    if plan.active and first.event is Event.MESSAGE and (heard.greeting or first.text.startswith("/start")):
        return Decision("greet", says=(Say("utter_greet_back"),), dialogue={**state, "unsure": 0})
    if first.text.startswith("/start") and first.event is Event.MESSAGE:
        return _greet(arrived, context, returning_after, started=True)
    if first.kind != "text" and first.event is Event.MESSAGE and not plan.commands:
        return _received(arrived, heard, context, returning_after)
    if chosen is not None:
        return _give_article(chosen, "chosen", state)
    yes = True if payload == AFFIRM or heard.affirm else False if payload == DENY or heard.deny else None
    if (answered := answer_question(payload, yes, context)) is not None:
        return answered
    if plan.commands:
        return Decision(FLOW)
    if plan.active and first.event is Event.EDIT:
        return Decision("edit noted")
    if payload == AFFIRM or heard.affirm:
        return _yes_no(True, state)
    if payload == DENY or (heard.deny and not (heard.thanks and not state.get("asked"))):  # "thanks, that's all" is a thank you
        return _yes_no(False, state)
    if heard.greeting:
        return _greet(arrived, context, returning_after, started=False)
    for is_it, name in ((heard.thanks, "utter_thanks"), (heard.goodbye, "utter_goodbye"), (heard.help, "utter_help")):
        if is_it:
            return Decision(name.removeprefix("utter_"), says=(Say(name),), dialogue={**state, "unsure": 0})
    if (told := _told(heard, state, declared, lessons, speaks)) is not None:
        return told
    return _from_knowledge(arrived, heard, context, returning_after)


def _told(heard: Heard, state: dict[str, Any], declared: Declarations, lessons: Lessons, speaks: Collection[str]) -> Decision | None:
    """An acknowledgement of what the customer told, where they asked for nothing beside it. What is only likely is asked about instead."""
    asks = heard.sure or (any(hit.score >= UNSURE for hit in heard.hits) and lessons.beside > BESIDE)
    if asks or not (lessons.facts or lessons.missing):
        return None
    new = {**state, "unsure": 0, "asked": None}
    says: list[Say] = []
    noted: list[str] = []
    for fact in lessons.sure:
        about = declared.fact(fact.name)
        if fact.name == LANGUAGE and fact.value not in speaks:
            says.append(Say("utter_noted_language", {"language": about.shown(fact.value)}))
        else:
            noted.append(f"{about.title or fact.name.replace('_', ' ')}: {about.shown(fact.value)}")
    if noted:
        says.insert(0, Say("utter_noted", {"what": "; ".join(noted)}))
    if not says and not lessons.likely:
        about = declared.fact(lessons.missing[0])
        purpose = declared.purposes.get(about.purpose)
        asked = state.get("asked_consents", ())
        if purpose is None or purpose.name in asked:
            return None
        new["asked_consents"] = [*asked, purpose.name]
        says = [ask_consent(purpose, about.title, about.benefit)]
    return Decision("told", says=tuple(says), dialogue=new)


def _from_knowledge(arrived: Arrived, heard: Heard, context: Context, returning_after: timedelta) -> Decision:
    state = context.dialogue
    if heard.sure:
        decision = _give_article(heard.hits[0].article, "knowledge", state)
        if _returning(arrived, context, returning_after):
            told = _promise_told(context, decision.dialogue or state)
            greeting, new = told if told is not None else (Say("utter_welcome_back"), decision.dialogue)
            decision = replace(decision, says=(greeting, *decision.says), dialogue=new)
        return decision
    if int(state.get("unsure", 0)) >= 1:
        return _hand_over(Reason.UNSURE, "utter_handoff_unsure", state)
    if careful(context, arrived.first.at):
        # Being asked back is one more effort, and this customer has had two bad moments too many.
        return _hand_over(Reason.CAREFUL, "utter_handoff_careful", state)
    asked = {**state, "unsure": 1}
    offered = [hit.article for hit in heard.hits if hit.score >= UNSURE]
    if offered:
        buttons = tuple(Button(article.title, ARTICLE + article.slug) for article in offered)
        asked["tried"] = _tried(state, [article.title for article in offered])
        return Decision("clarify", says=(Say("utter_clarify", buttons=(*buttons, Button("Talk to a person", PERSON))),), dialogue=asked)
    return Decision("clarify", says=(Say("utter_clarify_open"),), dialogue=asked)


def _give_article(article: Article, rule: str, state: dict[str, Any]) -> Decision:
    new = {**state, "unsure": 0, "asked": None, "matter": article.title, "matter_asked": False, "tried": _tried(state, [article.title])}
    return Decision(rule, says=(article_say(article),), dialogue=new, article=article.slug)


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
    if (told := _promise_told(context, {**state, "unsure": 0})) is not None:
        say, new = told
        return Decision("greet with a promise", says=(say,), dialogue=new)
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


def _promise_told(context: Context, state: dict[str, Any]) -> tuple[Say, dict[str, Any]] | None:
    """What is said, once, about a promise that is not kept yet: a broken one before an open one, of which the next due comes first."""
    told = state.get("told_promises", ())
    waiting = [one for one in context.promises if f"{one.id} {one.state}" not in told]
    if not waiting:
        return None
    one = min(waiting, key=_urgency)
    due = f"{one.due_at.day} {one.due_at:%b %Y}" if one.due_at is not None else "soon"
    reply = "utter_promise_broken" if one.state == BROKEN else "utter_promise_open"
    marks = [*told, *(f"{other.id} {other.state}" for other in waiting)][-KEPT_TRIED:]
    return Say(reply, {"agent": first_name(one.by), "promise": one.text, "due": due}), {**state, "told_promises": marks}


def _urgency(promise: KnownPromise) -> tuple[bool, datetime]:
    return promise.state != BROKEN, promise.due_at or promise.made_at


def _tried(state: dict[str, Any], titles: Sequence[str]) -> list[str]:
    return [*dict.fromkeys([*state.get("tried", []), *titles])][-KEPT_TRIED:]
