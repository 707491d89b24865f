"""A flow as Mermaid text, which many wikis, editors and code hosts draw."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from bot.flows.draw.picture import Kind, Picture

_SHAPES: Mapping[Kind, tuple[str, str]] = {
    "start": ("([", "])"),
    "ask": ("[/", "/]"),
    "say": ("[", "]"),
    "act": ("[[", "]]"),
    "set": ("[", "]"),
    "go": (">", "]"),
    "choose": ("{", "}"),
    "end": ("((", "))"),
}


def mermaid(picture: Picture) -> str:
    """The picture as a flowchart. Words cannot change it: what Mermaid would read as its own is written as entities."""
    names = {box.id: f"n{number}" for number, box in enumerate(picture.boxes)}
    lines = ["---", f"title: {json.dumps(picture.title, ensure_ascii=False)}", "---", "flowchart TD"]
    for box in picture.boxes:
        left, right = _SHAPES[box.kind]
        lines.append(f'    {names[box.id]}{left}"{_text([box.title, *box.lines])}"{right}')
    for arrow in picture.arrows:
        label = f'|"{_text([arrow.label])}"|' if arrow.label else ""
        lines.append(f"    {names[arrow.start]} -->{label} {names[arrow.end]}")
    return "\n".join(lines) + "\n"


def _text(lines: Iterable[str]) -> str:
    return "<br/>".join("".join(_entity(character) for character in line) for line in lines)


def _entity(character: str) -> str:
    """Letters, digits and spaces as they are; of the rest, what neither Mermaid nor the Markdown in it gives a meaning."""
    if character.isalnum() or character in " ,.:?!“”’…=()/-+'_":
        return character
    return f"#{ord(character)};"
