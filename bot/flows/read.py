"""An assistant's flows with what they speak of, read from its folder in Rasa's own YAML.

domain.yml, domain/*.yml    intents, entities, slots, actions (and replies, which are read with the others)
flows/*.yml                 flows
nlu.yml, nlu/*.yml          examples
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from bot.content import Mistake, read_yaml
from bot.flows.files.domain import DomainText, Places, fact_slot, misfit, read_domain_of
from bot.flows.files.examples import ExamplesText, read_examples_of
from bot.flows.files.node import Node, meant
from bot.flows.files.steps import UTTER, read_flows_of
from bot.flows.model import Act, Call, Collect, Domain, Flow, Flows, Link, SetSlots, Slot
from bot.flows.predicate import Predicate
from memory.declared import Declarations

FAILED = "action_failed"
"""The slot in which conditions see how the last action failed; it needs no entry in the domain."""

ENDINGS = ("*.yml", "*.yaml")


def read_flows(folder: Path, declared: Declarations, mistakes: list[Mistake], *, whole: bool = True) -> Flows:
    """The flows of the assistant in ``folder``. What is wrong is added to ``mistakes``, and the flows are then not to be used.

    Without flows there is nothing wrong, and ``Flows`` is empty. A slot with the name of a declared fact is that fact; it needs no entry in
    the domain. Beyond what Rasa has, an action can have ``proof``. Unless ``declared`` is ``whole``, as when memory.yml cannot be read,
    names are not looked up. Reads files, so it is for the start and for checks.
    """
    before = len(mistakes)
    places: Places = {}
    domain, examples = DomainText(), ExamplesText()
    for path in domain_files(folder):
        if (file := _node(path, mistakes)) is not None:
            read_domain_of(file, declared if whole else None, domain, places)
    for path in _files(folder, "nlu"):
        if (file := _node(path, mistakes)) is not None:
            read_examples_of(file, examples, places)
    flows: dict[str, Flow] = {}
    for path in _in(folder / "flows"):
        for flow in _flows_of(path, mistakes):
            if flow.id in flows:
                other = flows[flow.id]
                mistakes.append(Mistake(path, flow.line, f"the flow `{flow.id}` stands in {other.path.name}, line {other.line}, already"))
            flows[flow.id] = flow
    said = examples.done(domain.slots.values(), whole=len(mistakes) == before)
    facts = [fact_slot(declared.facts[name]) for name in _slot_names(flows.values()) if name in declared.facts]
    spoken_of = domain.done(facts)
    # What a file lacks that cannot be read would look like a mistake in the others.
    if whole and len(mistakes) == before:
        for flow in flows.values():
            _check(flow, flows, spoken_of, mistakes)
    return Flows(flows, spoken_of, said, places)


def domain_files(folder: Path) -> list[Path]:
    """The files of an assistant's domain."""
    return _files(folder, "domain")


def _files(folder: Path, name: str) -> list[Path]:
    """``name`` as a file, and the files of the folder ``name``."""
    return [path for path in (folder / ending.replace("*", name) for ending in ENDINGS) if path.is_file()] + _in(folder / name)


def _in(folder: Path) -> list[Path]:
    return sorted(path for ending in ENDINGS for path in folder.rglob(ending))


def _node(path: Path, mistakes: list[Mistake]) -> Node | None:
    loaded = read_yaml(path, mistakes)
    return None if loaded is None else Node.of(loaded, mistakes)


def _flows_of(path: Path, mistakes: list[Mistake]) -> list[Flow]:
    file = _node(path, mistakes)
    if file is None or file.data is None:
        return []
    if file.get("flows") is None:
        file.bad("expected the key `flows`, with the flows below it")
        return []
    file.known(
        ("version", "flows"),
        {
            "nlu": "examples stand in nlu.yml",
            "responses": "replies stand in replies.yml",
            "slots": "slots stand in domain.yml",
            "actions": "actions stand in domain.yml",
            "intents": "intents stand in domain.yml",
            "rules": "write a flow with an `nlu_trigger`",
            "stories": "write flows",
            "e2e_stories": "write a script in the folder dialogues",
        },
    )
    return read_flows_of(file)


def conditions_of(flow: Flow) -> Iterator[tuple[int, Predicate]]:
    """Every condition of a flow with the line of what it belongs to."""
    if flow.guard is not None:
        yield flow.line, flow.guard
    for step in flow.steps.values():
        for branch in step.next:
            if branch.when is not None:
                yield step.line, branch.when
        if isinstance(step, Collect):
            for rejection in step.rejections:
                yield step.line, rejection.when


def asked_about(condition: Predicate) -> list[str]:
    """The slots that a condition asks about."""
    return sorted(name.removeprefix("slots.") for name in condition.reads if name.startswith("slots."))


def replies_of(flow: Flow) -> Iterator[tuple[int, str]]:
    """Every reply that a flow names, with the line of its step; questions too, which need not exist."""
    for step in flow.steps.values():
        if isinstance(step, Act) and step.action.startswith(UTTER):
            yield step.line, step.action
        elif isinstance(step, Collect):
            yield step.line, step.utter
            yield from ((step.line, rejection.utter) for rejection in step.rejections)


def _slot_names(flows: Iterable[Flow]) -> Iterator[str]:
    """Every slot that flows name; a name may come more than once."""
    for flow in flows:
        yield from flow.keeps
        for _, condition in conditions_of(flow):
            yield from asked_about(condition)
        for step in flow.steps.values():
            if isinstance(step, Collect):
                yield step.slot
            elif isinstance(step, SetSlots):
                yield from step.values


def _check(flow: Flow, flows: Mapping[str, Flow], domain: Domain, mistakes: list[Mistake]) -> None:
    """Note what a flow names that is not there."""

    def bad(line: int, text: str) -> None:
        mistakes.append(Mistake(flow.path, line, text))

    def slot(name: str, line: int) -> Slot | None:
        if name not in domain.slots:
            bad(
                line,
                f"there is no slot `{name}`{meant(name, domain.slots)}; list it under `slots` in domain.yml, or as a fact in memory.yml",
            )
        return domain.slots.get(name)

    for name in sorted(flow.keeps):
        slot(name, flow.line)
    for line, condition in conditions_of(flow):
        for name in asked_about(condition):
            if name != FAILED:
                slot(name, line)
    for step in flow.steps.values():
        if isinstance(step, Collect):
            slot(step.slot, step.line)
        elif isinstance(step, SetSlots):
            for name, value in step.values.items():
                found = slot(name, step.line)
                if found is not None and (why := misfit(found, value)) is not None:
                    bad(step.line, f"what `{name}` is set to {why}")
        elif isinstance(step, Link | Call):
            if step.flow not in flows:
                bad(step.line, f"there is no flow `{step.flow}`{meant(step.flow, flows)}")
        elif isinstance(step, Act) and not step.action.startswith(UTTER) and step.action not in domain.actions:
            near = meant(step.action, domain.actions)
            bad(
                step.line,
                f"there is no action `{step.action}`{near}; list it under `actions` in domain.yml; the names of replies begin with {UTTER}",
            )
