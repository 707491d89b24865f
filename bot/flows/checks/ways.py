"""The ways through flows: steps that nothing leads to, choices that may come to nothing, circles without a question. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import product
from typing import Any, TypeAlias

from bot.content import Mistake
from bot.flows.files.steps import UTTER
from bot.flows.model import END, Act, Call, Collect, Flow, Flows, Link, SetSlots, Slot, Step
from bot.flows.predicate import Predicate

MOST_TRIED = 2000
"""Combinations of values for which it is tried whether one branch of a choice is taken."""

At: TypeAlias = tuple[str, str]
"""A flow and a step of it."""

Graph: TypeAlias = Mapping[At, Collection[At]]


def check_ways(flows: Flows, started: Collection[str] = ()) -> list[Mistake]:
    """Mistakes and warnings about the ways through flows. ``started`` are flows that something else starts, such as a button."""
    found: list[Mistake] = []
    for flow in flows.flows.values():
        found += _unreached(flow)
        found += _open_choices(flow, flows.domain.slots)
    found += _unstarted(flows, started)
    found += _circles(flows)
    found += _self_calls(flows)
    return found


def never_starts(flow: Flow) -> bool:
    """Whether customers cannot start the flow, whatever they say: Rasa's ``if: False``."""
    return flow.guard is not None and not flow.guard.reads and not flow.guard.holds({})


def reachable(flow: Flow) -> set[str]:
    """The steps that can be reached from the first."""
    seen: set[str] = set()
    todo = [flow.first]
    while todo:
        name = todo.pop()
        if name in seen or name not in flow.steps:
            continue
        seen.add(name)
        todo += [branch.to for branch in flow.steps[name].next]
    return seen


def others(flow: Flow) -> Iterator[tuple[Step, str]]:
    """The flows that a flow links to and calls, with the step that does."""
    for step in flow.steps.values():
        if isinstance(step, Link | Call):
            yield step, step.flow


def _unreached(flow: Flow) -> list[Mistake]:
    seen = reachable(flow)
    return [
        Mistake(flow.path, step.line, f"nothing leads to this step of `{flow.id}`; name its `id` in a `next`, or delete it")
        for name, step in flow.steps.items()
        if name not in seen
    ]


def _open_choices(flow: Flow, slots: Mapping[str, Slot]) -> list[Mistake]:
    """Choices without ``else`` in which there are values that none of the conditions is for."""
    found = []
    for step in flow.steps.values():
        conditions = [branch.when for branch in step.next if branch.when is not None]
        if not step.next or step.next[-1].written or _is_closed(conditions, step, slots):
            continue
        text = "where none of these conditions holds, the flow ends here; say so with `- else: END`, or write what comes then"
        found.append(Mistake(flow.path, step.line, text, "warning"))
    return found


def _is_closed(conditions: list[Predicate], step: Step, slots: Mapping[str, Slot]) -> bool:
    """Whether one of the conditions always holds, as far as that can be tried: with each value of slots that have few."""
    names = sorted({name for condition in conditions for name in condition.reads})
    values: list[list[Any]] = []
    for name in names:
        slot = slots.get(name.removeprefix("slots.")) if name.startswith("slots.") else None
        if slot is None or slot.type not in ("bool", "categorical"):
            return False
        known: list[Any] = [True, False] if slot.type == "bool" else list(slot.values)
        answered = isinstance(step, Collect) and step.slot == slot.name
        values.append(known if answered else [*known, None])
    tried = 1
    for one in values:
        tried *= len(one)
    if tried > MOST_TRIED:
        return False
    return all(
        any(
            condition.holds({"slots": {name.removeprefix("slots."): value for name, value in zip(names, chosen, strict=True)}})
            for condition in conditions
        )
        for chosen in product(*values)
    )


def _unstarted(flows: Flows, started: Collection[str]) -> list[Mistake]:
    begun = {flow.id for flow in flows.flows.values() if (flow.triggers and not never_starts(flow)) or flow.id in started}
    todo = list(begun)
    while todo:
        for _, other in others(flows.flows[todo.pop()]):
            if other not in begun and other in flows.flows:
                begun.add(other)
                todo.append(other)
    found = []
    for flow in flows.flows.values():
        if flow.triggers and never_starts(flow):
            text = f"`{flow.id}` has triggers, but its `if` is always false, so that only other flows start it"
            found.append(Mistake(flow.path, flow.line, text, "warning"))
        if flow.id not in begun:
            text = f"nothing starts `{flow.id}`; give it an `nlu_trigger`, or `call` or `link` it from a flow that is started"
            found.append(Mistake(flow.path, flow.line, text, "warning"))
    return found


def _circles(flows: Flows) -> list[Mistake]:
    """Ways that come back to where they were without the customer having been asked, or an action having been run, in between."""
    steps = [step for flow in flows.flows.values() for step in flow.steps.values()]
    emptied = {name for step in steps if isinstance(step, SetSlots) for name, value in step.values.items() if value is None}
    graph = _silent(flows, emptied)
    found = []
    for circle in _knots(graph):
        at = min(circle, key=lambda at: (str(flows.flows[at[0]].path), flows.flows[at[0]].steps[at[1]].line))
        flow = flows.flows[at[0]]
        asks = any(isinstance(flows.flows[name].steps[step], Collect) for name, step in circle)
        way = "an answer once given stays; empty its slot with `set_slots` on the way" if asks else "put a question or an action on the way"
        names = " and ".join(f"`{name}`" for name in sorted({name for name, _ in circle}))
        found.append(Mistake(flow.path, flow.steps[at[1]].line, f"{names} can go round from here for ever: {way}"))
    return found


def _silent(flows: Flows, emptied: Collection[str]) -> dict[At, set[At]]:
    """Which step leads to which without waiting for anybody. A question waits only if its slot may be empty again; an action is trusted."""
    called = {step.flow for flow in flows.flows.values() for step in flow.steps.values() if isinstance(step, Call)}

    def waits(at: At) -> bool:
        step = flows.flows[at[0]].steps[at[1]]
        if isinstance(step, Act):
            return not step.action.startswith(UTTER)
        return isinstance(step, Collect) and (step.slot in emptied or (step.confirm and at[0] in called))

    steps = [(flow.id, name) for flow in flows.flows.values() for name in flow.steps if not waits((flow.id, name))]
    silent = set(steps)
    passed: set[str] = set()  # flows that can be gone through without waiting
    graph: dict[At, set[At]] = {}
    while True:
        graph = {at: {to for to in _next(flows, at, passed) if to in silent} for at in steps}
        through = {flow.id for flow in flows.flows.values() if flow.id not in passed and _passes(flow, graph, passed)}
        if not through:
            return graph
        passed |= through


def _next(flows: Flows, at: At, passed: Collection[str]) -> Iterator[At]:
    flow = flows.flows[at[0]]
    step = flow.steps[at[1]]
    if isinstance(step, Link | Call) and step.flow in flows.flows:
        yield step.flow, flows.flows[step.flow].first
    if not isinstance(step, Call) or step.flow in passed:
        yield from ((flow.id, branch.to) for branch in step.next if branch.to != END)


def _passes(flow: Flow, graph: Graph, passed: Collection[str]) -> bool:
    """Whether the flow's end can be reached from its first step along ``graph``."""
    seen: set[At] = set()
    todo: list[At] = [(flow.id, flow.first)]
    while todo:
        at = todo.pop()
        if at in seen or at not in graph:
            continue
        seen.add(at)
        step = flow.steps[at[1]]
        goes_on = not isinstance(step, Call) or step.flow in passed
        if isinstance(step, Link):
            if step.flow in passed:
                return True
        elif goes_on and any(branch.to == END for branch in step.next):
            return True
        todo += [to for to in graph[at] if to[0] == flow.id and goes_on]
    return False


def _self_calls(flows: Flows) -> list[Mistake]:
    """Flows that call themselves, by others or not: each call waits for the one before it to end."""
    graph: dict[At, set[At]] = {(flow.id, ""): set() for flow in flows.flows.values()}
    lines: dict[str, int] = {}
    for flow in flows.flows.values():
        for step, other in others(flow):
            if other in flows.flows and isinstance(step, Call):
                graph[flow.id, ""].add((other, ""))
                lines.setdefault(flow.id, step.line)
    found = []
    for circle in _knots(graph):
        names = sorted(name for name, _ in circle)
        text = f"{' and '.join(f'`{name}`' for name in names)} call each other without end; `link` back, or name a step's `id` in `next`"
        if len(names) == 1:
            text = f"`{names[0]}` calls itself without end; name the `id` of its first step in `next`"
        found.append(Mistake(flows.flows[names[0]].path, lines[names[0]], text))
    return found


def _knots(graph: Graph) -> list[list[At]]:
    """The sets of steps from each of which all of the others can be reached, and those that lead to themselves (Tarjan 1972)."""
    index: dict[At, int] = {}
    low: dict[At, int] = {}
    held: list[At] = []
    found: list[list[At]] = []
    for start in graph:
        if start in index:
            continue
        # Without recursion: flows may be long.
        work: list[tuple[At, Iterator[At]]] = [(start, iter(_known(graph, start)))]
        index[start] = low[start] = len(index)
        held.append(start)
        while work:
            at, rest = work[-1]
            to = next(rest, None)
            if to is None:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[at])
                if low[at] == index[at]:
                    knot = held[held.index(at) :]
                    del held[held.index(at) :]
                    if len(knot) > 1 or at in graph[at]:
                        found.append(knot)
            elif to not in index:
                index[to] = low[to] = len(index)
                held.append(to)
                work.append((to, iter(_known(graph, to))))
            elif to in held:
                low[at] = min(low[at], index[to])
    return found


def _known(graph: Graph, at: At) -> Iterable[At]:
    return [to for to in graph[at] if to in graph]
