"""The Rasa project in deploy/rasa, as far as it can be read without Rasa: its names agree with each other and with our actions."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.commands.actions import HOST, PORT
from bot.flows.executor import find_actions
from bot.turn.rasa_server import PATH

FOLDER = Path(__file__).parent.parent / "deploy" / "rasa"
README = (FOLDER / "README.md").read_text(encoding="utf-8")


class Yaml12(yaml.SafeLoader):
    """As Rasa reads it (YAML 1.2): only true and false are yes and no. A key that stands twice is a mistake."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        assert len(set(keys)) == len(keys), f"{node.start_mark}: a key stands twice"
        return super().construct_mapping(node, deep)


Yaml12.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in ways if tag != "tag:yaml.org,2002:bool"]
    for first, ways in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
Yaml12.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(?:true|false)$"), list("tf"))


def read(name: str) -> Any:
    return yaml.load((FOLDER / name).read_text(encoding="utf-8"), Yaml12)


DOMAIN = read("domain.yml")
RULES, STORIES, NLU = (read(f"data/{name}.yml") for name in ("rules", "stories", "nlu"))


def steps() -> Iterator[dict[str, Any]]:
    for one in (*RULES["rules"], *STORIES["stories"]):
        yield from one["steps"]


def values(key: str) -> list[Any]:
    return [step[key] for step in steps() if key in step]


def test_every_file_is_of_the_version_that_rasa_36_reads() -> None:
    assert {one["version"] for one in (DOMAIN, RULES, STORIES, NLU)} == {"3.1"}
    assert read("config.yml")["recipe"] == "default.v1"
    assert read("config.yml")["assistant_id"]
    assert "rest" in read("credentials.yml")


def test_the_addresses_are_the_defaults() -> None:
    assert read("endpoints.yml")["action_endpoint"] == {"url": f"http://{HOST}:{PORT}/webhook"}
    assert f"{HOST}:{PORT}" in README
    assert "--interface 127.0.0.1 --port 5005" in README
    assert "LEGATO_RASA_URL=http://127.0.0.1:5005" in README
    assert f"`{PATH}`" in README


def test_every_action_is_one_of_ours_and_each_is_used() -> None:
    ours = find_actions().actions
    assert set(DOMAIN["actions"]) <= set(ours)
    assert set(DOMAIN["actions"]) == {name for name in values("action") if name.startswith("action_")}


def test_what_is_said_and_asked_has_its_words() -> None:
    said = {name for name in values("action") if name.startswith("utter_")}
    asked = {f"utter_ask_{slot}" for form in DOMAIN["forms"].values() for slot in form["required_slots"]}
    assert said | asked | {"utter_default"} <= set(DOMAIN["responses"])
    assert {name for name in values("action") if not name.startswith(("utter_", "action_"))} == set(DOMAIN["forms"])
    assert {loop for loop in values("active_loop") if loop is not None} == set(DOMAIN["forms"])


@pytest.mark.parametrize("action", DOMAIN["actions"])
def test_what_our_actions_say_has_its_words_with_their_variables(action: str) -> None:
    run = find_actions().actions[action]
    source = inspect.getsource(type(run.__self__))
    for name in set(re.findall(r'"(utter_\w+)"', source)):
        variables = {found for one in DOMAIN["responses"][name] for found in re.findall(r"\{(\w+)\}", one["text"])}
        assert all(f'"{variable}"' in source for variable in variables), name


def test_slots_are_declared_and_those_that_lead_the_dialogue_have_their_values() -> None:
    slots = DOMAIN["slots"]
    told = [one for group in values("slot_was_set") for one in group]
    for one in told:
        ((name, value),) = one.items()
        about = slots[name]
        assert about.get("influence_conversation", True), name
        if about["type"] == "categorical" and value is not None:
            assert value in about["values"], name
        if about["type"] == "bool":
            assert isinstance(value, bool)
    for name, about in slots.items():
        assert about["mappings"], name
        assert {one["type"] for one in about["mappings"]} <= {"custom", "from_text"}
        for condition in (condition for one in about["mappings"] for condition in one.get("conditions", ())):
            assert condition["requested_slot"] in DOMAIN["forms"][condition["active_loop"]]["required_slots"]
    for form in DOMAIN["forms"].values():
        assert set(form["required_slots"]) <= set(slots)
    conditions = [one for ways in DOMAIN["responses"].values() for way in ways for one in way.get("condition", ())]
    assert {one["name"] for one in conditions} <= set(slots)


def test_intents_have_examples_and_are_known() -> None:
    examples = {one["intent"]: one["examples"].splitlines() for one in NLU["nlu"]}
    assert set(examples) == set(DOMAIN["intents"])
    assert all(len(lines) >= 5 and all(line.startswith("- ") for line in lines) for lines in examples.values())
    assert set(values("intent")) <= {*DOMAIN["intents"], "nlu_fallback"}
    buttons = [button for ways in DOMAIN["responses"].values() for way in ways for button in way.get("buttons", ())]
    assert {button["payload"].removeprefix("/") for button in buttons} <= set(DOMAIN["intents"])
    assert len({line for lines in examples.values() for line in lines}) == sum(map(len, examples.values()))


def test_no_two_stories_are_the_same_up_to_where_they_part() -> None:
    """Rasa refuses training data in which the same past is followed by two different actions."""
    nexts: dict[str, str] = {}
    for one in (*RULES["rules"], *STORIES["stories"]):
        past = ""
        for step in one["steps"]:
            if "action" in step:
                assert nexts.setdefault(past, step["action"]) == step["action"], one
            past += repr(step)


def test_the_failures_are_those_of_our_actions() -> None:
    table = (FOLDER.parent.parent / "actions" / "README.md").read_text(encoding="utf-8")
    told = set(re.findall(r"^\| `(\w+)` \|", table.partition("| `action_failed` |")[2].partition("\n\n")[0], re.MULTILINE))
    assert told == set(DOMAIN["slots"]["action_failed"]["values"])
