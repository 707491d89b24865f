"""What a check of flows has to know of the rest: the actions that there are, the replies, and the scripts that play flows."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from bot.assistants import Assistant
from bot.assistants.said import ALWAYS
from bot.content import Loaded, Mistake, read_yaml
from bot.flows.check import ActionNames, ButtonAt, ReplyNames, check_flows
from bot.flows.checks.examples import Judge, Learn
from bot.flows.model import Act, Flows
from bot.flows.read import domain_files
from bot.flows.stack import only_speaks
from bot.turn.reply import OPTIONAL, REQUIRED

PACKAGE = "actions"


def check_assistant_flows(assistant: Assistant, *, own_actions: bool = True, examples: bool = False) -> list[Mistake]:
    """Mistakes and warnings about an assistant's flows. ``own_actions``: they are those of this installation, not of another server.

    ``examples``: they are tried too, which takes some seconds.
    """
    if not assistant.flows and not assistant.flows.examples.intents:
        return []
    return check_flows(
        assistant.flows,
        assistant.declared,
        reply_names(assistant),
        actions=action_names() if own_actions else None,
        played=played_flows(assistant.folder / "dialogues", assistant.flows),
        learn=learner(assistant.language) if examples else None,
    )


def action_names(folders: Iterable[Path] | None = None) -> ActionNames:
    """The actions in ``folders``, by default those that come with Legato, from their source: nothing is imported and nothing runs."""
    names: set[str] = set()
    words: set[str] = set()
    for folder in _package_folders() if folders is None else folders:
        for path in sorted(folder.rglob("*.py")):
            tree = ast.parse(path.read_text("utf-8"), str(path))
            words |= {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
            names |= {name for node in ast.walk(tree) if isinstance(node, ast.ClassDef) for name in _name_of(node)}
    return ActionNames(frozenset(names), frozenset(words))


def _package_folders() -> list[Path]:
    spec = find_spec(PACKAGE)
    return [Path(folder) for folder in (spec.submodule_search_locations or ())] if spec is not None else []


def _name_of(node: ast.ClassDef) -> Iterator[str]:
    """What the class's ``name`` returns, as rasa-sdk asks it."""
    for method in node.body:
        if isinstance(method, ast.FunctionDef) and method.name == "name":
            for line in method.body:
                if isinstance(line, ast.Return) and isinstance(line.value, ast.Constant) and isinstance(line.value.value, str):
                    yield line.value.value


def reply_names(assistant: Assistant) -> ReplyNames:
    """What flows have to know of the assistant's replies."""
    replies = assistant.replies
    paths = (assistant.folder / "replies.yml", *domain_files(assistant.folder))
    files = [loaded for path in paths if path.exists() and (loaded := read_yaml(path, [])) is not None]
    return ReplyNames(
        needs={name: tuple(way.needs for way in ways) for name, ways in replies.variants.items()},
        given=REQUIRED,
        always=OPTIONAL | ALWAYS,
        places={name: (file.path, file.line_of(("responses", name))) for file in files for name in _responses(file)},
        buttons=tuple(button for file in files for button in _buttons(file)),
        instead=frozenset(one.instead for one in replies.relevance.values() if one.instead),
    )


def _responses(loaded: Loaded) -> Mapping[str, Any]:
    section = loaded.data.get("responses") if isinstance(loaded.data, Mapping) else None
    return section if isinstance(section, Mapping) else {}


def _buttons(loaded: Loaded) -> Iterator[ButtonAt]:
    for name, ways in _responses(loaded).items():
        for number, way in enumerate(ways):
            for row, button in enumerate(way.get("buttons") or ()):
                yield ButtonAt(button["payload"], loaded.path, loaded.line_of(("responses", name, number, "buttons", row, "payload")))


def played_flows(folder: Path, flows: Flows | None = None) -> frozenset[str]:
    """The flows that the scripts in ``folder`` name in a step ``flow``, under ``is`` or ``under``, or in a key ``flow`` of their own.

    One of ``flows`` that only speaks is over as soon as it begins: an expected reply of its names it.
    """
    scripts = [read_yaml(path, []) for ending in ("*.yml", "*.yaml") for path in folder.rglob(ending)]
    said = {(key, name) for loaded in scripts if loaded is not None for key, name in _named(loaded.data)}
    replies = {name for key, name in said if key == "reply"}
    speaking = [flow for flow in (flows.flows.values() if flows is not None else ()) if only_speaks(flow)]
    spoken = {flow.id for flow in speaking if any(isinstance(step, Act) and step.action in replies for step in flow.steps.values())}
    return frozenset({name for key, name in said if key == "flow"} | spoken)


def _named(data: Any) -> Iterator[tuple[str, str]]:
    """What a script names under the keys ``flow`` and ``reply``."""
    if isinstance(data, Mapping):
        for key, value in data.items():
            if key in ("flow", "reply"):
                yield from ((key, name) for name in _texts(value))
                if isinstance(value, Mapping):
                    yield from ((key, name) for part in ("is", "under") for name in _texts(value.get(part)))
            yield from _named(value)
    elif isinstance(data, list):
        for item in data:
            yield from _named(item)


def _texts(data: Any) -> list[str]:
    return [one for one in (data if isinstance(data, list) else [data]) if isinstance(one, str)]


def learner(language: str) -> Learn:
    """Learns examples as the assistant itself does, without the model of meanings, and without keeping what was learned."""

    def learn(examples: Mapping[str, Sequence[str]]) -> Judge:
        from bot.understand.intents import train

        intents = train(examples, language=language.partition("-")[0])

        def judge(sentence: str) -> tuple[str, float] | None:
            judged = intents.judge(sentence)
            if not judged.guesses or judged.in_scope < intents.scope_threshold:
                return None
            return judged.guesses[0].intent, judged.guesses[0].confidence

        return judge

    return learn
