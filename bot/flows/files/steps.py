"""Flows and their steps, as Rasa writes them: ``flows:`` in any file of an assistant's folder ``flows``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from bot.content import Place
from bot.flows.files.node import Node, meant
from bot.flows.model import END, Act, Branch, Call, Collect, Flow, Link, Noop, Rejection, SetSlots, Step, Trigger

MAX_DEPTH = 20
"""Lists of steps in each other."""

UTTER = "utter_"
"""What the names of replies begin with."""

PATTERN = "pattern_"
"""What the names of Rasa's built-in flows begin with."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")

_FLOW_KEYS = (
    "name",
    "description",
    "if",
    "nlu_trigger",
    "always_include_in_prompt",
    "persisted_slots",
    "run_pattern_completed",
    "steps",
)
_DIGRESSION = "another matter is always taken up, and this one is gone on with afterwards: leave it out"
_FLOW_REFUSED = {
    "ask_confirm_digressions": _DIGRESSION,
    "block_digressions": _DIGRESSION,
    "next": "it belongs to a step",
}

_KINDS = ("collect", "action", "set_slots", "link", "call", "noop")
_STEP_KEYS = ("id", "next", "description", "metadata")
_OWN_KEYS: Mapping[str, tuple[str, ...]] = {"collect": ("utter", "ask_before_filling", "reset_after_flow_ends", "rejections")}

_NO_MODEL = "nothing is generated here: write the text in replies.yml and say it with `action: utter_...`"
_VOICE = "there is no voice channel: leave it out"
_TOOL = "tools are called by an action: write one in Python and run it with `action:`"
_BRANCH = "a condition stands in the `next` of the step before"
_STEP_REFUSED = {
    "generation_prompt": _NO_MODEL,
    "prompt": _NO_MODEL,
    "entry_prompt": _NO_MODEL,
    "llm": _NO_MODEL,
    "exit_if": "only steps that decide for themselves have it; write the steps as a flow and `call` it",
    "mcp_server": _TOOL,
    "mapping": _TOOL,
    "agent": "agents that decide for themselves are not called; write their steps as a flow and `call` it",
    "force_slot_filling": _DIGRESSION,
    "ask_confirm_digressions": _DIGRESSION,
    "block_digressions": _DIGRESSION,
    "silence_timeout": _VOICE,
    "intent": "stories and rules are not supported; an intent starts a flow by the flow's `nlu_trigger`",
    "slot_was_set": "stories and rules are not supported; write `set_slots`, or a condition in `next`",
    "active_loop": "forms are not supported; write one `collect` step for each slot",
    "checkpoint": "stories are not supported; name the next step's `id` in `next`",
    "if": _BRANCH,
    "then": _BRANCH,
    "else": _BRANCH,
}

_LEAVE_OUT = "leave the step out"
_ACTIONS_REFUSED = {
    "action_listen": "a `collect` step waits for the customer",
    "action_restart": "let the flow end; what is remembered stays",
    "action_session_start": f"conversations have no sessions here; {_LEAVE_OUT}",
    "action_trigger_search": f"questions are answered from the articles at any time; {_LEAVE_OUT}",
    "action_trigger_chitchat": f"small talk is answered at any time; {_LEAVE_OUT}",
    "action_cancel_flow": f"a customer can stop a flow at any time; {_LEAVE_OUT}",
    "action_correct_flow_slot": f"a customer can correct an answer at any time; {_LEAVE_OUT}",
    "action_clarify_flows": f"the customer is asked what is meant at any time; {_LEAVE_OUT}",
    "action_run_slot_rejections": f"rejections are looked at by themselves; {_LEAVE_OUT}",
    "action_clean_stack": _LEAVE_OUT,
    "action_hangup": _VOICE,
    "action_repeat_bot_messages": _VOICE,
    "action_default_fallback": f"what is not understood is asked about by itself; {_LEAVE_OUT}",
    "action_back": _LEAVE_OUT,
}
"""Rasa's built-in actions."""

_PATTERNS_REFUSED = {
    "pattern_human_handoff": "run `action: action_handoff`, which asks for a person",
    "pattern_search": f"questions are answered from the articles at any time; {_LEAVE_OUT}",
    "pattern_chitchat": f"small talk is answered at any time; {_LEAVE_OUT}",
}


def read_flows_of(file: Node) -> list[Flow]:
    """The flows under ``flows:``. A flow in which something is wrong is left out."""
    section = file.get("flows")
    flows = []
    for name, node in [] if section is None else section.entries("report_lost_card:"):
        before = len(file.mistakes)
        flow = _flow(name, node)
        if flow is not None and len(file.mistakes) == before:
            flows.append(flow)
    return flows


def _flow(name: str, node: Node) -> Flow | None:
    if not isinstance(node.data, Mapping):
        node.bad(f"the flow `{name}` must have keys of its own: at least `description` and `steps`")
        return None
    if name.startswith(PATTERN):
        node.bad(f"`{name}` is built in and cannot be replaced; change its replies instead, in replies.yml")
        return None
    if not _NAME.fullmatch(name):
        node.bad(f"`{name}` must be letters, digits and underscores, such as report_lost_card")
    node.known(_FLOW_KEYS, _FLOW_REFUSED)
    for key in ("always_include_in_prompt", "run_pattern_completed"):
        if (flag := node.get(key)) is not None:
            flag.flag(False)
    title, description, guard = node.get("name"), node.get("description"), node.get("if")
    if description is None:
        node.bad(f"the flow `{name}` needs a `description`: say in a sentence what it does for the customer")
    keeps = _names(node.get("persisted_slots"))
    reader = _Steps(name, keeps)
    steps = reader.read(node.get("steps"), node)
    return Flow(
        name,
        (title.text() if title is not None else None) or name.replace("_", " "),
        (description.text() if description is not None else None) or "",
        steps,
        next(iter(steps), END),
        tuple(_triggers(node.get("nlu_trigger"))),
        guard.condition() if guard is not None else None,
        keeps | reader.kept,
        node.loaded.path,
        node.line,
    )


def _names(node: Node | None) -> frozenset[str]:
    found = [] if node is None else [item.text() for item in node.items("- recipient")]
    return frozenset(name for name in found if name is not None)


def _triggers(node: Node | None) -> list[Trigger]:
    """``nlu_trigger`` in its forms: ``- lost_card``, ``- intent: lost_card``, and with ``name`` and ``confidence_threshold`` below."""
    triggers: list[Trigger] = []
    for item in [] if node is None else node.items("- intent: lost_card"):
        intent: Node | None = item
        if isinstance(item.data, Mapping):
            item.known(("intent",))
            intent = item.get("intent")
        if intent is None:
            item.bad("an item of `nlu_trigger` needs an `intent`")
            continue
        least = None
        name: Node | None = intent
        if isinstance(intent.data, Mapping):
            intent.known(("name", "confidence_threshold"))
            if (threshold := intent.get("confidence_threshold")) is not None:
                least = threshold.number()
                if least is not None and not 0 <= least <= 1:
                    threshold.bad("`confidence_threshold` must be between 0 and 1")
            name = intent.get("name")
        if name is None:
            intent.bad("an `intent` with keys of its own needs its `name`")
        elif (text := name.text()) is not None:
            if any(trigger.intent == text for trigger in triggers):
                name.bad(f"the intent `{text}` stands here twice")
            triggers.append(Trigger(text, least))
    return triggers


class _Steps:
    """Reads the steps of one flow: first gives each its id, in the file's order, then makes them with their ways out."""

    def __init__(self, flow: str, keeps: frozenset[str]) -> None:
        self._flow = flow
        self._keeps = keeps
        self._ids: dict[Place, str] = {}
        self._steps: dict[str, Step] = {}
        self.kept: frozenset[str] = frozenset()

    def read(self, node: Node | None, flow: Node) -> dict[str, Step]:
        """The steps by their ids, in the file's order."""
        if node is None or not node.data:
            (node or flow).bad(f"the flow `{self._flow}` needs `steps`")
            return {}
        before = len(node.mistakes)
        found = _nested(node, 0)
        if len(node.mistakes) > before:
            return {}
        named: dict[str, Node] = {}
        for number, step in enumerate(found, start=1):
            self._ids[step.place] = _id(step, number, named)
        self._list(node, top=True)
        return {name: self._steps[name] for name in named if name in self._steps}

    def _list(self, node: Node, *, top: bool) -> str | None:
        """Make the steps of a list; the id of the first."""
        steps = list(node.items("- collect: amount"))
        for index, step in enumerate(steps):
            if not isinstance(step.data, Mapping):
                step.bad(f"a step must have keys: one of {', '.join(_KINDS)}, such as - collect: amount")
                continue
            following = self._ids[steps[index + 1].place] if index + 1 < len(steps) else END if top else None
            made = self._step(step, following)
            if made is not None:
                self._steps[made.id] = made
        return self._ids[steps[0].place] if steps else None

    def _step(self, node: Node, following: str | None) -> Step | None:
        name, line = self._ids[node.place], node.line
        kinds = [kind for kind in _KINDS if kind in node.data]
        if len(kinds) > 1:
            if set(kinds) == {"action", "collect"}:
                node.bad("a step asks or acts, not both: the question is a reply; run the action in a step of its own before it")
            else:
                both = " and ".join(f"`{kind}`" for kind in kinds)
                node.bad(f"a step does one thing, and this one has {both}; make several steps of it")
            return None
        kind = kinds[0] if kinds else "noop"
        before = len(node.mistakes)
        node.known((kind, *_STEP_KEYS, *_OWN_KEYS.get(kind, ())), _STEP_REFUSED)
        if not kinds and "next" not in node.data:
            if len(node.mistakes) == before:
                node.bad(f"a step needs one of {', '.join(f'`{key}`' for key in _KINDS)}")
            return None
        if kind == "link":
            return self._link(node, name, line)
        ways = self._ways(node, following)
        what = node.get(kind)
        if what is None or kind == "noop":
            if what is not None and what.data is not True:
                what.bad("write `noop: true`")
            return Noop(name, line, ways)
        if kind == "collect":
            return self._collect(node, what, name, line, ways)
        if kind == "set_slots":
            return SetSlots(name, line, ways, _values(what))
        text = what.text()
        if text is None:
            return None
        if kind == "call":
            if text.startswith(PATTERN):
                what.bad(f"the flow `{text}` is not there to be called; {_PATTERNS_REFUSED.get(text, _LEAVE_OUT)}")
            return Call(name, line, ways, text)
        if text in _ACTIONS_REFUSED:
            what.bad(f"`{text}` is not run here: {_ACTIONS_REFUSED[text]}")
        return Act(name, line, ways, text)

    def _link(self, node: Node, name: str, line: int) -> Step | None:
        what = node.get("link")
        target = what.text() if what is not None else None
        if what is None or target is None:
            return None
        if (following := node.get("next")) is not None and following.data != END:
            following.bad("nothing comes after a `link`; to come back from the other flow, `call` it")
        if target.startswith(PATTERN):
            what.bad(f"the flow `{target}` is not there to be linked to; {_PATTERNS_REFUSED.get(target, _LEAVE_OUT)}")
        elif target == self._flow:
            what.bad("a flow cannot link to itself; name the `id` of its first step in `next`")
        return Link(name, line, (), target)

    def _collect(self, node: Node, what: Node, name: str, line: int, ways: tuple[Branch, ...]) -> Step | None:
        slot = what.text()
        if slot is None:
            return None
        utter, confirm, reset, why = (node.get(key) for key in ("utter", "ask_before_filling", "reset_after_flow_ends", "description"))
        keep = reset is not None and not reset.flag(True)
        if keep:
            self.kept |= {slot}
        asks = utter.text() if utter is not None else f"{UTTER}ask_{slot}"
        if utter is not None and asks is not None and not asks.startswith(UTTER):
            utter.bad(f"`{asks}` is not a reply; the names of replies begin with {UTTER}")
        rejections = node.get("rejections")
        return Collect(
            name,
            line,
            ways,
            slot,
            asks or "",
            confirm.flag(False) if confirm is not None else False,
            keep or slot in self._keeps,
            tuple(_rejections(rejections)) if rejections is not None else (),
            why.text() if why is not None else None,
        )

    def _ways(self, node: Node, following: str | None) -> tuple[Branch, ...]:
        """What comes after a step; ``following`` is the step below it, None where a branch's list ends and has to say what is next."""
        where = node.get("next")
        if where is None:
            if following is None:
                node.bad("the last step of a branch says what comes next: `next: END`, or the `id` of a step")
                return ()
            return (Branch(None, following),)
        if isinstance(where.data, list) and where.data:
            return tuple(self._branches(where))
        if isinstance(where.data, Mapping):
            where.bad("the branches of `next` are a list; write a hyphen before `if` and before `else`")
            return ()
        to = self._target(where)
        return () if to is None else (Branch(None, to),)

    def _branches(self, where: Node) -> list[Branch]:
        branches = []
        closed = False
        for item in where.items("- if: slots.amount > 100"):
            otherwise = isinstance(item.data, Mapping) and "else" in item.data
            if not isinstance(item.data, Mapping) or not (otherwise or "if" in item.data):
                item.bad("a branch is written `- if:` with `then:`, or `- else:`")
                continue
            if closed:
                item.bad("`else` is the last branch: what stands below it is never looked at")
            closed = closed or otherwise
            item.known(("else",) if otherwise else ("if", "then"))
            to = item.get("else" if otherwise else "then")
            test = None if otherwise else item.get("if")
            when = None if test is None else test.condition()
            if to is None:
                item.bad("`if` needs a `then`: the `id` of a step, END, or a list of steps")
                continue
            target = self._target(to)
            if target is not None and (otherwise or when is not None):
                branches.append(Branch(when, target))
        if not closed:
            branches.append(Branch(None, END, written=False))
        return branches

    def _target(self, node: Node) -> str | None:
        """A step's id, END, or the first step of a list of steps, which is made."""
        if isinstance(node.data, list):
            if not node.data:
                node.bad("a list of steps is empty; write END, or a step")
            return self._list(node, top=False)
        name = node.text()
        if name is None or name == END:
            return name
        if name not in self._ids.values():
            hint = f"; did you mean `{END}`?" if name.upper() == END else meant(name, list(self._ids.values()))
            node.bad(f"no step of this flow has the id `{name}`{hint}")
            return None
        return name


def _nested(node: Node, depth: int) -> list[Node]:
    """All steps of a list in the file's order, with those in their branches."""
    if not isinstance(node.data, list):
        return []
    if depth > MAX_DEPTH:
        node.bad(f"more than {MAX_DEPTH} lists of steps stand in each other; give a step an `id` and name it in `then`")
        return []
    found = []
    for index, data in enumerate(node.data):
        step = node.child(index, data)
        found.append(step)
        where = step.get("next")
        if where is None or not isinstance(where.data, list):
            continue
        for place, item in enumerate(where.data):
            branch = where.child(place, item)
            for key in ("then", "else"):
                if (inner := branch.get(key)) is not None:
                    found += _nested(inner, depth + 1)
    return found


def _id(step: Node, number: int, named: dict[str, Node]) -> str:
    """The designer's id of a step, or one of its number and kind; noted in ``named``."""
    own = step.get("id")
    name = own.text() if own is not None else None
    if own is not None and name is not None:
        if not _ID.fullmatch(name) or name in (END, "START"):
            own.bad(f"`{name}` cannot be an id; write letters, digits and underscores, such as ask_again")
        elif name in named:
            own.bad(f"the step in line {named[name].line} has the id `{name}` too; each step needs its own")
            name = None
    if name is None:
        name = f"{number}_{_label(step)}"
        while name in named:
            name += "_"
    named[name] = step
    return name


def _label(step: Node) -> str:
    """A step's kind and what it is about."""
    for kind in ("collect", "action", "link", "call"):
        what = step.get(kind)
        if what is not None and isinstance(what.data, str):
            return what.data.strip() if kind == "action" else f"{kind}_{what.data.strip()}"
    return "set_slots" if step.get("set_slots") is not None else "noop"


def _rejections(node: Node) -> list[Rejection]:
    rejections = []
    for item in node.items("- if: slots.amount <= 0"):
        if not isinstance(item.data, Mapping):
            item.bad("a rejection is written `- if:` with `utter:`")
            continue
        item.known(("if", "utter"))
        test, utter = item.get("if"), item.get("utter")
        if test is None or utter is None:
            item.bad("a rejection needs an `if`, and the reply that says why in `utter`")
            continue
        when, name = test.condition(), utter.text()
        if name is not None and not name.startswith(UTTER):
            utter.bad(f"`{name}` is not a reply; the names of replies begin with {UTTER}")
        if when is not None and name is not None:
            rejections.append(Rejection(when, name))
    return rejections


def _values(node: Node) -> dict[str, Any]:
    """``set_slots`` in its two forms: a list of ``- slot: value``, or the slots as keys."""
    values: dict[str, Any] = {}
    for item in [node] if isinstance(node.data, Mapping) else node.items("- confirmed: false"):
        for name, value in item.entries("confirmed: false"):
            if name in values:
                value.bad(f"`{name}` is set twice in one step")
            if not _plain(value.data):
                value.bad(f"`{name}` can be a text, a number, true, false, null, or a list of these; a date stands in quotation marks")
            values[name] = value.data
    if not node.data:
        node.bad("`set_slots` sets nothing; write one slot a line, such as - confirmed: false")
    return values


def _plain(value: Any) -> bool:
    if isinstance(value, list):
        return all(not isinstance(item, list) and _plain(item) for item in value)
    return value is None or isinstance(value, str | int | float | bool)
