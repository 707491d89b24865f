"""The domain: slots, actions, intents and entities in Rasa's forms; what slots may hold; what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bot.flows.files.domain import fact_slot, misfit
from bot.flows.model import Action, Slot
from memory.declared import Declared
from memory.values import Type
from tests.bot.flows.files.sample import DOMAIN, changed, read


def test_a_domain_is_read_as_it_is_written(tmp_path: Path) -> None:
    domain = read(tmp_path)[0].domain

    assert domain.intents == {"block_card", "send_money"}
    assert domain.entities == {"card_kind", "payee"}
    assert domain.actions == {
        "action_block_card": Action("action_block_card", "confirmed"),
        "action_send_money": Action("action_send_money", "seen"),
    }
    assert (
        domain.slots
        == {
            "card_kind": Slot("card_kind", "categorical", values=("debit", "credit", "2"), entities=("card_kind",)),
            "amount": Slot("amount", "float", low=0.01, high=5000),
            "payee": Slot("payee", "text", entities=("payee",)),
            "confirmed": Slot("confirmed", "bool", initial=False),
            "blocked": Slot("blocked", "bool", by_customer=False),
            "limit": Slot("limit", "any", by_customer=False),
            "address": Slot("address", "any", fact=True),
            "age": Slot("age", "float", fact=True),
        }
        or "age" not in domain.slots
    )


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("session_config:", "forms:", "2: `forms` is not supported; write a flow with one `collect` step for each slot"),
        ("session_config:", "rules:", "2: `rules` is not supported; write a flow with an `nlu_trigger`"),
        ("session_config:", "sesion_config:", "2: unknown key `sesion_config`; did you mean `session_config`?"),
        ("  - block_card\n", "  - no\n", "6: `intents` must be a text; write it in quotation marks"),
        ("  - block_card\n", "  - block card\n", "6: `block card` must be letters, digits and underscores"),
        ("  - block_card\n", "  - block_card\n  - send_money\n", "8: the intent `send_money` stands in domain.yml, line 7, already"),
        ("  - block_card\n", "  - {a: {}, b: {}}\n", "6: an item is a name, or one name with keys of its own"),
        ("  - block_card\n", "  - a: 5\n", "6: `a` stands alone, as in - lost_card, or has keys of its own below it"),
        ("      use_entities: []", "      triggers: x", "8: `triggers` is not supported; give the flow an `nlu_trigger`"),
        ("  - payee\n", "  - payee: {roles: [from, to]}\n", "11: `roles` is not supported; roles are not told apart; use two entities"),
        ("    type: float\n", "    type: number\n", "20: `number` is not a type of slots; write `float`"),
        ("    type: float\n", "    type: my.Slot\n", "20: `my.Slot` is not a type of slots; write one of text, bool, float"),
        ("    type: float\n", "", "19: the slot `amount` needs a `type`"),
        ("min_value: 0.01", "min_value: 6000", "19: `amount`: `min_value` is more than `max_value`"),
        ("min_value: 0.01", "min_value: low", "21: `min_value` must be a number"),
        ("initial_value: false", "initial_value: nein", "34: `initial_value` must be true or false"),
        ("initial_value: false", "min_value: 0", "34: `min_value` is for the type float; `confirmed` is bool"),
        ("initial_value: false", "values: [a]", "34: `values` are for the type categorical; `confirmed` is bool"),
        ("initial_value: false", "validation: {}", "34: `validation` is not supported; write `rejections` at the `collect` step"),
        ("    values: [debit, credit, 2]\n", "", "13: the slot `card_kind` is categorical and needs its `values`"),
        ("[debit, credit, 2]", "[]", "15: `values` needs at least one"),
        ("[debit, credit, 2]", "[debit, Debit]", "15: `Debit` stands here twice"),
        ("[debit, credit, 2]", "[yes]", "15: `values` must be a text; write it in quotation marks"),
        (
            "  address: {}\n",
            "  address: {type: text}\n",
            "43: `address` is a fact of memory.yml and is a place: write `any`, or leave `type` out",
        ),
        (
            "  address: {}\n",
            "  address: {initial_value: here}\n",
            "43: `address` is a fact of memory.yml and has the value that is remembered",
        ),
        (
            "  address: {}\n",
            "  plan: {type: categorical, values: [basic]}\n",
            "43: `plan` is a fact of memory.yml with other choices; leave `values` out",
        ),
        ("  address: {}\n", "  address:\n", "43: the slot `address` must have keys of its own"),
        ("  address: {}\n", "  my address: {type: text}\n", "43: `my address` must be letters, digits and underscores"),
        (
            "      - type: from_llm\n",
            "      - type: from_intent\n        value: 5\n",
            "24: `from_intent` is not supported; set the slot with `set_slots`",
        ),
        ("      - type: from_llm\n", "      - type: from_entity\n", "24: `from_entity` needs its `entity`"),
        (
            "      - type: from_llm\n",
            "      - type: from_lm\n",
            "24: `from_lm` is not a mapping; write one of from_entity, from_text, from_llm, contr",
        ),
        ("      - type: from_llm\n", "      - entity: x\n", "24: a mapping needs its `type`"),
        ("      - type: from_llm\n", "      - from_llm\n", "24: a mapping is written `- type:`"),
        (
            "      - type: from_llm\n",
            "      - type: custom\n        action: action_x\n",
            "25: `action` is not supported; write `type: controlled`, and run",
        ),
        (
            "      - type: from_text\n",
            "      - type: from_text\n        role: x\n",
            "32: `role` is not supported; roles are not told apart",
        ),
        ("      proof: confirmed", "      proof: sworn", "46: `proof` must be one of claimed, seen, confirmed, verified"),
        ("      proof: confirmed", "      proff: confirmed", "46: unknown key `proff`; did you mean `proof`?"),
        (
            "  - action_send_money\n",
            "  - action_send_money\n  - action_send_money\n",
            "48: the action `action_send_money` stands in domain.yml, line 47",
        ),
    ],
)
def test_what_cannot_be_used_is_refused(tmp_path: Path, old: str, new: str, expected: str) -> None:
    _, mistakes = read(tmp_path, {"domain.yml": changed(DOMAIN, old, new)})

    assert any(mistake.startswith(f"domain.yml:{expected}") for mistake in mistakes), mistakes


def test_a_slot_can_be_secret(tmp_path: Path) -> None:
    flows, mistakes = read(
        tmp_path, {"domain.yml": changed(DOMAIN, "      - type: from_llm\n", "      - type: from_llm\n        secret: true\n")}
    )

    assert not mistakes
    assert [name for name, slot in flows.domain.slots.items() if slot.secret] == ["amount"]


def test_a_slot_can_have_a_title(tmp_path: Path) -> None:
    flows, mistakes = read(
        tmp_path, {"domain.yml": changed(DOMAIN, "      - type: from_llm\n", "      - type: from_llm\n        title: sum\n")}
    )

    assert not mistakes
    assert {name: slot.title for name, slot in flows.domain.slots.items() if slot.title} == {"amount": "sum"}


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("      - type: from_llm\n", "      - type: from_llm\n        titel: sum\n", "25: unknown key `titel`; did you mean `title`?"),
        ("      - type: from_llm\n", "      - type: from_llm\n        title:\n", "25: `title` is empty"),
        ("      - type: from_llm\n", "      - type: from_llm\n        title: 5\n", "25: `title` must be a text"),
        ("    min_value: 0.01\n", "    title: sum\n", "21: `title` is not supported; Rasa does not start with it; write it in one of the"),
        (
            "        entity: payee\n      - type: from_text\n",
            "        entity: payee\n        title: payee\n      - type: from_text\n        title: person\n",
            "33: `payee` has a `title` already; write it in one of its mappings only",
        ),
        (
            "  address: {}\n",
            "  address: {mappings: [{type: from_text, title: home}]}\n",
            "43: `address` is a fact of memory.yml, where its `title` stands; leave it out here",
        ),
    ],
)
def test_what_is_no_title_is_refused(tmp_path: Path, old: str, new: str, expected: str) -> None:
    _, mistakes = read(tmp_path, {"domain.yml": changed(DOMAIN, old, new)})

    assert [mistake for mistake in mistakes if mistake.startswith(f"domain.yml:{expected}")], mistakes


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("      - type: from_llm\n", "      - type: from_llm\n        secret: often\n", "`secret` must be true or false"),
        (
            "  address: {}\n",
            "  address: {mappings: [{type: from_text, secret: true}]}\n",
            "`address` is a fact of memory.yml and is remembered",
        ),
    ],
)
def test_what_is_no_secret_is_refused(tmp_path: Path, old: str, new: str, expected: str) -> None:
    _, mistakes = read(tmp_path, {"domain.yml": changed(DOMAIN, old, new)})

    assert any(expected in mistake for mistake in mistakes), mistakes


def test_a_domain_must_have_keys(tmp_path: Path) -> None:
    assert read(tmp_path, {"domain.yml": "- intents\n"})[1][0].startswith("domain.yml:1: expected the keys version, intents")


@pytest.mark.parametrize(
    ("fact", "kind"),
    [(Type.TEXT, "text"), (Type.NUMBER, "float"), (Type.DATE, "text"), (Type.MONEY, "any"), (Type.PLACE, "any"), (Type.LIST, "list")],
)
def test_the_slot_of_a_fact_can_hold_its_values(fact: Type, kind: str) -> None:
    declared = Declared("x", fact)
    raw: Any = {Type.TEXT: "a", Type.NUMBER: "2.5", Type.DATE: "2026-01-31", Type.MONEY: "12 GBP", Type.PLACE: "Leeds", Type.LIST: ["a"]}[
        fact
    ]

    assert fact_slot(declared).type == kind
    assert misfit(fact_slot(declared), declared.check(raw)) is None


@pytest.mark.parametrize(
    ("slot", "value", "expected"),
    [
        (Slot("a", "text"), "x", None),
        (Slot("a", "text"), None, None),
        (Slot("a", "text"), 5, "must be a text; write it in quotation marks: without them YAML reads a number, a date or a truth value"),
        (Slot("a", "any"), {"x": 1}, None),
        (Slot("a", "bool"), True, None),
        (Slot("a", "bool"), 1, "must be true or false"),
        (Slot("a", "float"), 1, None),
        (Slot("a", "float"), True, "must be a number"),
        (Slot("a", "float", low=0), -1, "must be between 0 and any"),
        (Slot("a", "float", low=0, high=2.5), 3.0, "must be between 0 and 2.5"),
        (Slot("a", "list"), [], None),
        (Slot("a", "list"), "x", "must be a list"),
        (Slot("a", "categorical", values=("x", "y")), "y", None),
        (Slot("a", "categorical", values=("x", "y")), "z", "must be one of x, y"),
    ],
)
def test_what_fits_a_slot(slot: Slot, value: Any, expected: str | None) -> None:
    assert misfit(slot, value) == expected
