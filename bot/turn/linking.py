"""Who is writing: what a turn says about links and codes, and what it tells only to those who have proven who they are. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from bot.flows.state import FLOWS
from bot.markup import Html
from bot.messages import Event
from bot.turn.decision import Arrived, Decision, Say
from bot.understand.knowledge import Article
from memory.context import Context
from memory.declared import PROOFS, at_least
from memory.links import Redeemed, find_code, is_token
from memory.proofs import CONFIRMED, FRESH_FOR, SEEN, VERIFIED, level_now

LINK, START = "/link", "/start"
"""Commands of the chat: asks for a code and a link, and brings a link's token after a space."""

PROVING = "proving"
"""The note in a dialogue of what the customer was asked to prove themselves for: an article's short name, or a reply's name."""

MATTERS = ("matter", "tried")
"""What of the other conversation is carried on in this one."""

CARRIED = "carried"
"""The note of it, with the identity that it is from: so it is forgotten when they turn out not to be one person."""

GREETINGS = ("welcome", "greet", "yes_what")
"""Rules, by their beginning, that answer nothing in particular: after one of them the answer that waited for a proof is given."""

_REFUSALS = {
    Redeemed.OWN: "utter_code_own",
    Redeemed.USED: "utter_code_used",
    Redeemed.EXPIRED: "utter_code_expired",
    Redeemed.WRONG: "utter_code_wrong",
    Redeemed.TOO_MANY: "utter_code_too_many",
}


@dataclass(frozen=True, slots=True)
class Wish:
    """What a message wants of links. ``token`` is a link's token or a code that was entered, "" where new ones are wanted.

    ``certain``: it can be nothing else, so that a wrong one is told; else it may be an order number or whatever has the same form.
    """

    token: str = ""
    certain: bool = True


@dataclass(frozen=True, slots=True)
class Offered:
    """A code, and a link where the channel has one. ``minutes`` is how long the code holds."""

    code: str
    link: str | None
    minutes: int


@dataclass(frozen=True, slots=True)
class Linked:
    """What became of a link or a code that was entered.

    If it was used, ``elsewhere`` is where the other conversation stands, which goes by the identity ``there``.
    """

    outcome: Redeemed
    there: int = 0
    elsewhere: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Gate:
    """What a turn knows of who is writing, beside the context.

    ``links`` is what was done about a link in this turn, ``pending`` the article that waits for a proof. ``demands`` are the levels that
    replies need by their names. ``fresh_for`` is how long a proof holds.
    """

    links: Offered | Linked | None = None
    pending: Article | None = None
    demands: Mapping[str, str] = field(default_factory=dict)
    fresh_for: timedelta = FRESH_FOR


OPEN_GATE = Gate()


def wish_of(arrived: Arrived) -> Wish | None:
    """Whether a message asks for a link, or is or has one in it."""
    first = arrived.first
    if first.event is not Event.MESSAGE or first.kind != "text" or arrived.continued:
        return None
    command, _, rest = first.text.strip().partition(" ")
    if command == LINK:
        return Wish()
    if command == START:
        return Wish(rest.strip()) if is_token(rest.strip()) else None
    if command.startswith("/"):
        return None
    found = find_code(first.text)
    return Wish(found.code, found.alone and found.exact) if found is not None else None


def article_say(article: Article) -> Say:
    """An article as it is said, with the level that it needs."""
    return Say("utter_article", {"title": article.title, "body": Html(article.html)}, proof=article.proof)


def answer_link(context: Context, *, now: datetime, gate: Gate) -> Decision | None:
    """What to say about what was done about a link in this turn; None if nothing was.

    The same while a person has the conversation, who is shown it, except for a new code: that is the customer's alone.
    """
    done, state = gate.links, {**context.dialogue, "unsure": 0}
    if done is None:
        return None
    with_person = context.handoff is not None
    if isinstance(done, Offered):
        values: dict[str, Any] = {"code": done.code, "minutes": done.minutes}
        say = Say("utter_link", values, secrets=(done.code,))
        if done.link is not None:
            say = Say("utter_link_both", {**values, "link": done.link}, secrets=(done.code, done.link))
        return Decision("link offered", says=(say,), dialogue=state)
    if done.outcome not in (Redeemed.DONE, Redeemed.AGAIN):
        return Decision(f"code {done.outcome}", says=(Say(_REFUSALS[done.outcome]),), relay=with_person, dialogue=state)
    if with_person:
        return Decision("linked", says=(Say("utter_linked_person"),), relay=True, dialogue=state)
    return _resumed(context, done, now, gate, state)


def _resumed(context: Context, done: Linked, now: datetime, gate: Gate, state: dict[str, Any]) -> Decision:
    """Go on where they were: with what waited for the proof, else with the matter of the other conversation, or of the last one."""
    carried = {key: done.elsewhere[key] for key in MATTERS if done.elsewhere.get(key)}
    source = done.there
    level = CONFIRMED if done.outcome is Redeemed.DONE else level_now(context.proof, context.proven_at, now, gate.fresh_for)
    if gate.pending is not None and at_least(level, gate.pending.proof):
        new = {**state, PROVING: None, "matter": gate.pending.title, "matter_asked": False}
        return Decision("linked", says=(Say("utter_linked_no_matter"), article_say(gate.pending)), dialogue=new, article=gate.pending.slug)
    if not carried.get("matter"):
        last = next((one for one in context.summaries if one.identity_id != context.identity_id and one.wanted), None)
        if last is not None:
            source, carried["matter"] = last.identity_id, last.wanted
    if not (matter := carried.get("matter")):
        return Decision("linked", says=(Say("utter_linked_no_matter"),), dialogue=state)
    asked = {"asked": "worked_out", "asked_matter": matter, "matter_asked": True}
    return Decision(
        "linked",
        says=(Say("utter_linked", {"matter": matter}),),
        dialogue={**state, **carried, **asked, CARRIED: {"from": source, **carried}},
    )


def parted(state: Mapping[str, Any], others: Collection[int]) -> dict[str, Any]:
    """A conversation's state after its customer has been parted from those whose identities ``others`` are.

    What was carried over from them goes, and the question that stands open, as it may have been about them.
    """
    new = {key: value for key, value in state.items() if key not in ("asked", "asked_matter")}
    if (new.get(FLOWS) or {}).get("from") in others:
        del new[FLOWS]
    carried = state.get(CARRIED) or {}
    if carried.get("from") in others:
        del new[CARRIED]
        if new.get("matter") == carried.get("matter"):
            new = {key: value for key, value in new.items() if key not in ("matter", "matter_asked")}
        new["tried"] = [title for title in new.get("tried", ()) if title not in carried.get("tried", ())]
    return new


def guard(decision: Decision, context: Context, *, now: datetime, gate: Gate) -> Decision:
    """The decision, if the customer has proven enough for what it tells; else that they should, and how.

    They are asked once: then what they wanted waits for the proof, and is given in the turn that brings it, or after the next greeting
    where an agent has checked them meanwhile. Whoever is passed to a person is not asked at all.
    """
    level = level_now(context.proof, context.proven_at, now, gate.fresh_for)
    if decision.handoff is None and (needed := _needed(decision, gate)) is not None and not at_least(level, needed):
        asked = context.dialogue.get(PROVING)
        reply = "utter_prove_person" if needed == VERIFIED else "utter_prove" if not asked else "utter_prove_again"
        wanted = decision.article or decision.says[0].name
        return Decision("prove", says=(Say(reply),), dialogue={**context.dialogue, "unsure": 0, PROVING: wanted})
    waiting = gate.pending
    if waiting is None or not at_least(level, waiting.proof) or decision.handoff is not None:
        return decision
    state = {**(decision.dialogue if decision.dialogue is not None else context.dialogue), PROVING: None}
    if decision.article is not None or not decision.rule.startswith(GREETINGS):
        return replace(decision, dialogue=state)
    new = {**state, "matter": waiting.title, "matter_asked": False, "asked": None}
    return replace(decision, says=(article_say(waiting),), rule="given after proof", dialogue=new, article=waiting.slug)


def _needed(decision: Decision, gate: Gate) -> str | None:
    """The highest level that anything of what is said needs; None if nothing needs one."""
    needed = [level for say in decision.says for level in (say.proof, gate.demands.get(say.name, SEEN)) if level != SEEN]
    return max(needed, key=PROOFS.index, default=None)
