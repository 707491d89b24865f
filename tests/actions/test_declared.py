"""What may be known, as a call brings it along."""

from __future__ import annotations

import json
from typing import Any

import pytest

from actions.declared import KEY, STRICT, as_json, declarations_in
from memory.declared import PREFERENCES
from memory.errors import LegatoError
from tests.actions.declarations import declared_by


@pytest.mark.parametrize("name", ["banking", "insurance", "telecoms"])
def test_nothing_that_actions_need_is_lost_on_the_way(name: str) -> None:
    declared = declared_by(name)
    brought = declarations_in(json.loads(json.dumps({KEY: as_json(declared)})))

    assert set(brought.facts) == set(declared.facts)
    for fact in declared.facts.values():
        there = brought.fact(fact.name)
        for part in ("type", "sensitivity", "fresh_days", "proof", "purpose", "identifies", "title", "choices", "example", "code"):
            assert getattr(there, part) == getattr(fact, part), (fact.name, part)
        assert (there.form and there.form.pattern) == (fact.form and fact.form.pattern)
        if fact.example:
            assert there.check(fact.example) == fact.check(fact.example)
    assert brought.purposes == declared.purposes
    assert brought.products == declared.products
    assert brought.region == declared.region


def test_it_is_read_once() -> None:
    domain = {KEY: as_json(declared_by("banking"))}
    assert declarations_in(domain) is declarations_in(json.loads(json.dumps(domain)))


@pytest.mark.parametrize("domain", [None, {}, {"slots": {}}])
def test_without_it_the_call_is_served_strictly(domain: Any) -> None:
    declared = declarations_in(domain)
    assert declared is STRICT
    assert declared.fact("account_number").proof == "confirmed"
    assert {name for name in ("name", *PREFERENCES) if declared.fact(name).proof != "seen"} == set()


@pytest.mark.parametrize("said", [{}, [], "x", {"facts": {}}, {"facts": {"a": {}}, "purposes": {}, "products": {}, "region": None}])
def test_what_cannot_be_read_is_said(said: Any) -> None:
    with pytest.raises(LegatoError, match="as_json"):
        declarations_in({KEY: said})
