"""What a flow says when it asks: the question with its benefit, what is known read back, why it is needed, what form is expected. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from bot.flows.actions import Uttered
from bot.flows.model import Collect, Slot
from bot.understand.said import Wanted, expected
from memory.context import Context
from memory.declared import Declarations, Declared, Purpose
from memory.usable import has_consent

YES, NO = "/affirm", "/deny"
START, SET = "/flow ", "/SetSlots"
"""Payloads: the first begins a flow by its id; the second is Rasa's ``/SetSlots(slot=value)``."""

MAX_PAYLOAD = 64
"""Bytes of a button's payload (Bot API, InlineKeyboardButton.callback_data)."""

MOST_BUTTONS = 6
"""More choices than these are better written than pressed."""

UNSHOWN = "•••"
"""Stands for a secret."""

YES_NO = (("Yes", YES), ("No", NO))
RATHER_NOT = (("I would rather not say", NO),)


def wanted_of(slot: Slot, declared: Declarations, today: date | None = None) -> Wanted:
    """What an answer for this slot may be. ``today``: the day from which "next tuesday" is counted."""
    fact = declared.fact(slot.name) if slot.fact else None
    return Wanted(slot.type, slot.values, slot.entities, slot.low, slot.high, fact, declared.region, today)


def title_of(slot: Slot, declared: Declarations) -> str:
    """What a slot is called towards people."""
    title = declared.fact(slot.name).title if slot.fact else slot.title
    return title or slot.name.replace("_", " ")


def shown_value(slot: Slot | None, value: Any, declared: Declarations) -> str:
    """A slot's value as customers read it, who are not shown their secrets."""
    if slot is not None and slot.secret:
        return UNSHOWN
    if slot is not None and slot.fact:
        return declared.fact(slot.name).shown(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value == int(value):
        return str(int(value))
    if isinstance(value, list | tuple):
        return ", ".join(str(one) for one in value)
    if slot is not None and slot.type == "categorical":
        return str(value).replace("_", " ")
    return str(value)


def variables_of(slots: Mapping[str, Any], of: Mapping[str, Slot], declared: Declarations) -> dict[str, Any]:
    """The slots that have a value, as replies say them."""
    return {name: shown_value(of.get(name), value, declared) for name, value in slots.items() if value is not None}


def lacks_consent(fact: Declared, context: Context, declared: Declarations) -> Purpose | None:
    """The purpose that the customer would have to agree to before this fact may be kept; None where it may."""
    purpose = declared.purposes.get(fact.purpose)
    return purpose if purpose is not None and not has_consent(context, declared, fact.purpose) else None


def question(
    step: Collect,
    slot: Slot,
    context: Context,
    declared: Declarations,
    replies: frozenset[str],
    variables: Mapping[str, Any],
    *,
    short: bool,
) -> list[Uttered]:
    """The question of a step. Where the customer gets something for the answer, it says what; ``short``: only the question."""
    says = [_ask(step, slot, declared, replies, variables)]
    if not slot.fact or short:
        return says
    fact = declared.fact(slot.name)
    if (purpose := lacks_consent(fact, context, declared)) is not None:
        text = " ".join(part for part in (fact.benefit, purpose.text) if part)
        says.append(Uttered("utter_slot_consent", {"text": text}, buttons=RATHER_NOT))
    elif fact.benefit:
        says.append(Uttered("utter_slot_benefit", {"text": fact.benefit}))
    return says


def read_back(slot: Slot, value: Any, declared: Declarations) -> Uttered:
    """The question whether what is known is still right."""
    return Uttered("utter_slot_confirm", {"title": title_of(slot, declared), "value": shown_value(slot, value, declared)}, buttons=YES_NO)


def reason(step: Collect, slot: Slot, declared: Declarations) -> Uttered:
    """Why it is asked."""
    why = (declared.fact(slot.name).benefit if slot.fact else None) or step.why
    if why is None:
        return Uttered("utter_slot_why_unsaid", {"title": title_of(slot, declared)})
    return Uttered("utter_slot_why", {"why": _sentence(why)})


def help_with(slot: Slot, declared: Declarations) -> Uttered:
    """What form an answer has to have."""
    form = expected(wanted_of(slot, declared))
    if not form:
        return Uttered("utter_slot_help_open", {"title": title_of(slot, declared)})
    return Uttered("utter_slot_help", {"form": form})


def _ask(step: Collect, slot: Slot, declared: Declarations, replies: frozenset[str], variables: Mapping[str, Any]) -> Uttered:
    spare = _choices(slot)
    if step.utter in replies:
        return Uttered(step.utter, variables, buttons=spare)
    ask = declared.fact(slot.name).ask if slot.fact else None
    if ask is not None:
        return Uttered(None, text=ask, buttons=spare)
    return Uttered("utter_slot_ask", {"title": title_of(slot, declared)}, buttons=spare)


def _choices(slot: Slot) -> tuple[tuple[str, str], ...]:
    """Buttons for a question whose reply has none of its own."""
    if slot.type == "bool":
        return YES_NO
    if slot.type != "categorical" or not 1 < len(slot.values) <= MOST_BUTTONS:
        return ()
    made = tuple((value.replace("_", " ").capitalize(), f"{SET}({slot.name}={value})") for value in slot.values)
    return made if all(len(payload.encode()) <= MAX_PAYLOAD for _, payload in made) else ()


def _sentence(text: str) -> str:
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "!", "?")) else f"{text}."
