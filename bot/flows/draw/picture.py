"""What a drawing of a flow shows: boxes with words that designers know, and arrows with conditions. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from textwrap import shorten
from typing import Any, Literal, TypeAlias

from bot.flows.files.steps import UTTER
from bot.flows.model import END, Act, Call, Collect, Flow, Link, SetSlots, Step

Kind: TypeAlias = Literal["start", "ask", "say", "act", "set", "go", "choose", "end"]

MAX_QUOTE = 90
"""Characters of a reply that are shown."""


@dataclass(frozen=True, slots=True)
class Box:
    """One thing that happens: ``title`` says what, ``lines`` say more. ``line`` is where it stands in the file."""

    id: str
    kind: Kind
    title: str
    lines: tuple[str, ...] = ()
    line: int = 0


@dataclass(frozen=True, slots=True)
class Arrow:
    """What comes next, and under which condition (empty: always)."""

    start: str
    end: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class Picture:
    """A flow as boxes and arrows; ``title`` is what customers call it. The first box is where it starts."""

    name: str
    title: str
    description: str
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]


def picture_of(flow: Flow, *, texts: Mapping[str, str] | None = None, proofs: Mapping[str, str] | None = None) -> Picture:
    """The flow's picture. ``texts`` are replies by name, which are quoted; ``proofs`` the levels that actions need, where it is more than
    the usual."""
    draw = _Draw(texts or {}, proofs or {})
    begins = [f"when understood: {trigger.intent}" for trigger in flow.triggers] or ["started by other flows only"]
    if flow.guard is not None and flow.guard.reads:
        begins.append(f"only if {said(flow.guard.text)}")
    boxes = [Box("(start)", "start", flow.name, tuple(begins), flow.line)]
    arrows = [Arrow("(start)", flow.first)]
    for step in flow.steps.values():
        boxes.append(draw.box(step))
        arrows += [_arrow(step, number, boxes) for number in range(len(step.next))]
    return Picture(flow.id, flow.name, flow.description, tuple(boxes), tuple(_joined(arrows)))


def said(condition: str) -> str:
    """A condition as it is read aloud: without what is the same everywhere."""
    return " ".join(condition.replace("slots.", "").split())


def _arrow(step: Step, number: int, boxes: list[Box]) -> Arrow:
    """The arrow of a branch. Conditions are numbered where there are several, as the first that holds is taken.

    Each step that may end the flow has an end of its own, so that no arrow crosses the whole picture.
    """
    branch = step.next[number]
    label = "otherwise" if len(step.next) > 1 else ""
    if branch.when is not None:
        label = said(branch.when.text)
        if len(step.next) > 2:
            label = f"{number + 1}: {label}"
    if branch.to != END:
        return Arrow(step.id, branch.to, label)
    end = f"(end of {step.id})"
    if all(box.id != end for box in boxes):
        boxes.append(Box(end, "end", "end"))
    return Arrow(step.id, end, label)


def _joined(arrows: Sequence[Arrow]) -> list[Arrow]:
    """Arrows between the same boxes as one."""
    labels: dict[tuple[str, str], list[str]] = {}
    for arrow in arrows:
        labels.setdefault((arrow.start, arrow.end), []).append(arrow.label)
    return [Arrow(start, end, " or ".join(all_) if all(all_) else "") for (start, end), all_ in labels.items()]


class _Draw:
    def __init__(self, texts: Mapping[str, str], proofs: Mapping[str, str]) -> None:
        self._texts = texts
        self._proofs = proofs

    def box(self, step: Step) -> Box:
        """What a step does, in words."""
        match step:
            case Collect():
                lines = [self._quote(step.utter)]
                lines += ["reads back what is known"] if step.confirm else []
                lines += [f"refuses if {said(one.when.text)}: {self._quote(one.utter)}" for one in step.rejections]
                return self._made(step, "ask", f"Ask for {step.slot}", lines)
            case Act() if step.action.startswith(UTTER):
                return self._made(step, "say", "Say", [self._quote(step.action)])
            case Act():
                proof = self._proofs.get(step.action, "seen")
                return self._made(step, "act", f"Do {step.action}", [f"who writes must be {proof}"] if proof != "seen" else [])
            case SetSlots():
                return self._made(step, "set", "Set", [f"{name} = {_value(value)}" for name, value in step.values.items()])
            case Link():
                return self._made(step, "go", f"Go on with {step.flow}", [])
            case Call():
                return self._made(step, "go", f"{step.flow}, and back", [])
            case _:
                return self._made(step, "choose", "Choose" if len(step.next) > 1 else "Go on", [])

    def _made(self, step: Step, kind: Kind, title: str, lines: Sequence[str]) -> Box:
        return Box(step.id, kind, title, tuple(lines), step.line)

    def _quote(self, reply: str) -> str:
        text = " ".join(self._texts.get(reply, "").split())
        if not text:
            return reply
        return f"“{shorten(text, MAX_QUOTE, placeholder='…')}”"


def _value(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(_value, value)) if isinstance(value, list) else str(value)
