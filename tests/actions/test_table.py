"""The tables in actions/README.md name the actions that there are, with the proof that each demands."""

from __future__ import annotations

import inspect

from rasa_sdk import Action
from rasa_sdk.utils import all_subclasses

from actions.base import RecordsAction
from tests.actions.calling import executor, promised


def kinds() -> dict[str, type[Action]]:
    executor()  # imports the package
    found = [kind for kind in all_subclasses(Action) if kind.__module__.startswith("actions.") and not inspect.isabstract(kind)]
    return {kind().name(): kind for kind in found}


def test_every_action_has_its_row_and_every_row_its_action() -> None:
    assert set(promised()) == set(kinds())
    assert set(kinds()) <= set(executor().actions)


def test_the_proof_that_a_row_names_is_the_one_that_the_action_demands() -> None:
    assert {name: row.proof for name, row in promised().items()} == {name: kind.proof for name, kind in kinds().items()}


def test_names_say_what_is_done() -> None:
    for name, kind in kinds().items():
        assert name.startswith("action_")
        assert kind.__doc__ or not issubclass(kind, RecordsAction)


def test_each_row_says_what_it_reads_and_sets_in_slots_that_yaml_takes() -> None:
    for row in promised().values():
        for slot in row.reads | row.sets:
            assert slot.isidentifier(), (row.name, slot)
            assert slot == slot.lower(), (row.name, slot)
