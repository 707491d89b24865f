"""What the assistant says: replies by name, in variants, with their variables filled in."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from types import MappingProxyType
from typing import Any

from bot.markup import Html, html_of, plain_of
from bot.messages import Button
from bot.turn.relevance import Relevance
from memory.declared import PROOFS, TONE

REQUIRED: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        name: frozenset(variables.split())
        for name, variables in {
            "utter_welcome": "company",
            "utter_greet": "",
            "utter_greet_returning": "matter",
            "utter_greet_returning_no_matter": "",
            "utter_greet_after_handoff": "agent matter",
            "utter_greet_after_handoff_note": "agent note matter",
            "utter_welcome_back": "",
            "utter_worked_out": "",
            "utter_not_worked_out": "matter",
            "utter_article": "title body",
            "utter_clarify": "question",
            "utter_clarify_open": "",
            "utter_thanks": "",
            "utter_goodbye": "",
            "utter_help": "",
            "utter_yes_what": "",
            "utter_no_what": "",
            "utter_handoff": "expectation",
            "utter_handoff_unsure": "expectation",
            "utter_handoff_failed": "expectation",
            "utter_handoff_waiting": "",
            "utter_agent_joined": "agent",
            "utter_handoff_returned": "agent",
            "utter_handoff_closed": "agent",
            "utter_received_photo": "",
            "utter_received_album": "count",
            "utter_received_document": "",
            "utter_received_voice": "",
            "utter_received_video": "",
            "utter_received_sticker": "",
            "utter_received_location": "",
            "utter_received_contact": "",
            "utter_received_other": "",
            "utter_file_too_large": "limit",
            "utter_resend": "text",
            "utter_link": "code minutes",
            "utter_link_both": "code minutes link",
            "utter_linked": "matter",
            "utter_linked_no_matter": "",
            "utter_linked_person": "",
            "utter_code_own": "",
            "utter_code_used": "",
            "utter_code_expired": "",
            "utter_code_wrong": "",
            "utter_code_too_many": "",
            "utter_prove": "",
            "utter_prove_again": "",
            "utter_prove_person": "",
            "utter_prove_act": "",
            "utter_prove_act_again": "",
            "utter_prove_act_person": "",
            "utter_my_data": "list",
            "utter_my_data_withheld": "list withheld",
            "utter_my_data_nothing": "",
            "utter_forget_confirm": "",
            "utter_forget_declined": "",
            "utter_forgotten": "",
            "utter_noted": "what",
            "utter_noted_language": "language",
            "utter_confirm_fact": "title value",
            "utter_confirm_fact_instead": "title value",
            "utter_fact_kept": "",
            "utter_fact_dropped": "",
            "utter_fact_settled": "",
            "utter_consents": "list",
            "utter_consent_needed": "title text",
            "utter_consent_given": "what",
            "utter_consent_withdrawn": "what",
            "utter_consent_nothing": "",
            "utter_handoff_careful": "expectation",
            "utter_promise_open": "agent promise due",
            "utter_promise_broken": "agent promise due",
            "utter_nothing_now": "",
            "utter_other_language": "language",
            "utter_greet_back": "",
            "utter_flow_back": "flow",
            "utter_flow_switch": "flow other",
            "utter_flow_offer": "",
            "utter_flow_offer_one": "flow",
            "utter_flow_offer_declined": "",
            "utter_flow_still_wanted": "flow",
            "utter_flow_cancel_confirm": "flow",
            "utter_flow_cancelled": "flow",
            "utter_flow_changed": "flow",
            "utter_flow_not_now": "flow",
            "utter_flow_done": "",
            "utter_flow_person": "flow",
            "utter_slot_ask": "title",
            "utter_slot_benefit": "text",
            "utter_slot_consent": "text",
            "utter_slot_confirm": "title value",
            "utter_slot_corrected": "title value",
            "utter_slot_unchanged": "title value",
            "utter_slot_why": "why",
            "utter_slot_why_unsaid": "title",
            "utter_slot_help": "form",
            "utter_slot_help_open": "title",
            "utter_slot_needed": "flow",
            "utter_action_failed": "expectation",
            "utter_action_unavailable": "expectation",
        }.items()
    }
)
"""Every reply an assistant has, with the variables that its caller always gives. Any caller may give those in ``OPTIONAL`` as well."""

OPTIONAL: frozenset[str] = frozenset({"name"})
"""Variables that any reply may use but that are not always known."""

TOLD_TO_ALL: tuple[str, ...] = (
    *("utter_handoff", "utter_link", "utter_code", "utter_prove", "utter_forget", "utter_resend"),
    *("utter_flow", "utter_slot", "utter_action"),
)
"""Beginnings of replies that demand no proof: they are what somebody without one is told, or are not said by a turn."""

VARIABLE = re.compile(r"\{([^{}]*)\}")
"""A variable in a text; braces mean nothing else there."""


@dataclass(frozen=True, slots=True)
class Said:
    """A reply ready to send; ``text`` is the plain form of ``html``, for the log."""

    name: str
    html: str
    text: str
    buttons: tuple[tuple[Button, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Manner:
    """How a customer is spoken to: on which ``channel``, in which ``language`` (the first part of its tag), in which ``tone``.

    An empty one is not known. The assistant's own language and the formal tone are what is spoken without a preference.
    """

    channel: str = ""
    language: str = ""
    tone: str = ""


PLAIN = Manner()


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to say a reply: rendered once, with its variables still in braces.

    ``channel``: it is said there only. ``conditions``: names of slots (and ``tone``) with the values that they must have. ``language``: it
    is a translation into that language; empty, it is in the assistant's own.
    """

    html: str
    text: str
    needs: frozenset[str]
    buttons: tuple[tuple[Button, ...], ...] = ()
    proof: str = "seen"
    channel: str = ""
    conditions: tuple[tuple[str, Any], ...] = ()
    language: str = ""

    @classmethod
    def from_markdown(
        cls,
        markdown: str,
        buttons: tuple[tuple[Button, ...], ...] = (),
        proof: str = "seen",
        *,
        channel: str = "",
        conditions: tuple[tuple[str, Any], ...] = (),
        language: str = "",
    ) -> Variant:
        """A variant from what the designer wrote."""
        html = html_of(markdown)
        return cls(html, plain_of(html), frozenset(VARIABLE.findall(html)), buttons, proof, channel, conditions, language)

    def fits(self, known: Mapping[str, object], manner: Manner, slots: Mapping[str, object] = MappingProxyType({})) -> bool:
        """Whether this can be said where so much is known, in this manner; a language that is not had is no hindrance.

        Conditions ask about ``slots`` before what is ``known``.
        """
        return self.needs <= known.keys() and self.suits(known, manner, slots)

    def suits(self, known: Mapping[str, object], manner: Manner, slots: Mapping[str, object]) -> bool:
        """Whether it is meant for this manner and these values, whatever it needs."""
        if (self.channel and self.channel != manner.channel) or (self.language and self.language != manner.language):
            return False
        return all((manner.tone if name == TONE else slots.get(name, known.get(name))) == value for name, value in self.conditions)

    def rank(self) -> tuple[bool, bool, bool]:
        """Of several that fit, those that rank highest are said: in the customer's language, made for the channel, under conditions."""
        return bool(self.language), bool(self.channel), bool(self.conditions)


class Replies:
    """An assistant's replies by name. ``relevance`` says of some whom they concern."""

    def __init__(self, variants: Mapping[str, Sequence[Variant]], relevance: Mapping[str, Relevance] = MappingProxyType({})) -> None:
        self.relevance = relevance
        self._variants = {name: tuple(ways) for name, ways in variants.items()}
        self._alike = {
            name for name, ways in self._variants.items() if not any(way.channel or way.conditions or way.language for way in ways)
        }

    @property
    def demands(self) -> Mapping[str, str]:
        """The level that somebody needs to be told a reply, by its name, where it is more than the usual: the highest of its variants'."""
        levels = {name: max((way.proof for way in ways), key=PROOFS.index, default="seen") for name, ways in self._variants.items()}
        return {name: level for name, level in levels.items() if PROOFS.index(level) > PROOFS.index("seen")}

    @property
    def names(self) -> frozenset[str]:
        """The names that ``say`` takes."""
        return frozenset(self._variants)

    @property
    def variants(self) -> Mapping[str, Sequence[Variant]]:
        """The ways to say each reply, by its name."""
        return self._variants

    @property
    def languages(self) -> frozenset[str]:
        """The languages, beside the assistant's own, that every reply can be said in without conditions."""
        spoken = [{way.language for way in ways if way.language and not way.conditions} for ways in self._variants.values()]
        return frozenset(set.intersection(*spoken)) if spoken else frozenset()

    def say(
        self,
        name: str,
        /,
        *,
        seed: int,
        manner: Manner = PLAIN,
        blank: str | None = None,
        slots: Mapping[str, object] = MappingProxyType({}),
        **variables: object,
    ) -> Said:
        """The reply ``name``: the same words for the same ``seed``, ``manner`` and known variables.

        A variable that is None or empty is unknown, and a variant that uses it is passed over; where all are, ``blank`` stands for what the
        one that lacks least does not have. ``slots`` are values for conditions. Values are escaped, except ``Html``. Raises ``KeyError``
        for an unknown name and ``ValueError`` where no variant can do with what is known and there is no ``blank``.
        """
        known = {key: value for key, value in variables.items() if value is not None and value != ""}
        ways = [variant for variant in self._variants[name] if variant.fits(known, manner, slots)]
        if not ways and blank is not None:
            meant = [variant for variant in self._variants[name] if variant.suits(known, manner, slots)] or list(self._variants[name])
            ways = [min(meant, key=lambda variant: len(variant.needs - known.keys()))]
            known = {**dict.fromkeys(ways[0].needs, blank), **known}
        if not ways:
            raise ValueError(f"{name} cannot be said with only {sorted(known)}")
        if name not in self._alike:
            best = max(way.rank() for way in ways)
            ways = [way for way in ways if way.rank() == best]
        way = ways[seed % len(ways)]
        return Said(
            name,
            VARIABLE.sub(lambda found: _as_html(known[found[1]]), way.html),
            VARIABLE.sub(lambda found: _as_text(known[found[1]]), way.text),
            way.buttons,
        )


def _as_html(value: object) -> str:
    return value if isinstance(value, Html) else escape(str(value), quote=False)


def _as_text(value: object) -> str:
    return plain_of(value) if isinstance(value, Html) else str(value)
