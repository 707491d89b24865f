"""YAML, and Markdown with a YAML head, read so that every mistake can be named with its file and line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

Place = tuple[str | int, ...]
"""Where a value stands in a file: keys and list positions from the outside in, as in pydantic's errors."""

Severity: TypeAlias = Literal["mistake", "warning"]

Model = TypeVar("Model", bound=BaseModel)

_FENCE = "---"
_FAST: Any = getattr(yaml, "CSafeLoader", None)
"""PyYAML's loader over libyaml, which some builds lack."""

_DEEP = 5_000
"""How deep a text may nest for libyaml: a quarter of what was seen to fit a stack of 8 MB."""

_QUOTE = "write it in quotation marks: without them YAML reads a number, a date or a truth value"
_REMEDIES = (
    ("'\\t'", "indent with spaces: YAML takes no tabs"),
    ("mapping values are not allowed", "a value that contains a colon followed by a space stands in quotation marks"),
    ("expected <block end>", "the indentation does not match the lines above, or a quotation mark stands inside a value"),
    ("could not find expected ':'", "this line needs a colon after its key, or it is not indented like the text it belongs to"),
    ("while scanning a quoted scalar", "a quotation mark is not closed"),
    ("cannot start any token", "a value that begins with this character stands in quotation marks"),
    ("undefined alias", "a value that begins with * stands in quotation marks"),
)
"""What PyYAML says, by a part of it, and what its reader should do."""


@dataclass(frozen=True, slots=True, order=True)
class Mistake:
    """One thing to put right in one file; ``line`` counts from 1.

    A warning need not be put right: everything works, but perhaps not as it is meant.
    """

    path: Path
    line: int
    text: str
    severity: Severity = "mistake"

    def __str__(self) -> str:
        here = Path.cwd()
        shown = self.path.relative_to(here) if self.path.is_relative_to(here) else self.path
        return f"{shown}:{self.line}: {'warning: ' if self.severity == 'warning' else ''}{self.text}"


@dataclass(frozen=True, slots=True)
class Loaded:
    """A file's data and the line of each key and list item; ``body`` is what follows the head of a Markdown file."""

    path: Path
    data: Any
    lines: Mapping[Place, int] = field(default_factory=dict)
    body: str = ""
    body_line: int = 1

    def line_of(self, place: Sequence[str | int]) -> int:
        """The line of ``place``, or of the nearest thing around it that the file has."""
        key = tuple(place)
        while key and key not in self.lines:
            key = key[:-1]
        return self.lines.get(key, 1)

    def mistake(self, place: Sequence[str | int], text: str) -> Mistake:
        """A mistake at ``place``."""
        return Mistake(self.path, self.line_of(place), text)

    def warning(self, place: Sequence[str | int], text: str) -> Mistake:
        """A warning at ``place``."""
        return Mistake(self.path, self.line_of(place), text, "warning")

    def mistakes_of(self, error: ValidationError) -> list[Mistake]:
        """What pydantic found, in the words of the person who edits the file."""
        return [self.mistake(detail["loc"], _in_words(detail)) for detail in error.errors(include_url=False)]


def read_yaml(path: Path, mistakes: list[Mistake]) -> Loaded | None:
    """The file's data, or None after adding to ``mistakes``."""
    text = _read_text(path, mistakes)
    return None if text is None else _load(path, text, mistakes)


def read_markdown(path: Path, mistakes: list[Mistake]) -> Loaded | None:
    """A Markdown file's head as data and the rest as ``body``, or None after adding to ``mistakes``."""
    text = _read_text(path, mistakes)
    if text is None:
        return None
    lines = text.split("\n")
    if lines[0].rstrip() != _FENCE:
        mistakes.append(Mistake(path, 1, f"the file must begin with a head: a line {_FENCE}, the keys, and a line {_FENCE}"))
        return None
    end = next((index for index, line in enumerate(lines[1:], start=1) if line.rstrip() == _FENCE), None)
    if end is None:
        mistakes.append(Mistake(path, 1, f"the head is not closed: put a line {_FENCE} after its last key"))
        return None
    # The fence becomes an empty line, so that YAML's line numbers are the file's.
    head = _load(path, "\n".join(["", *lines[1:end]]), mistakes)
    if head is None:
        return None
    return Loaded(path, head.data, head.lines, body="\n".join(lines[end + 1 :]).strip("\n"), body_line=end + 2)


def read_as(model: type[Model], loaded: Loaded, mistakes: list[Mistake]) -> Model | None:
    """The file's data as ``model``, or None after adding every mistake that pydantic finds."""
    if not isinstance(loaded.data, dict):
        mistakes.append(Mistake(loaded.path, 1, f"expected the keys {', '.join(model.model_fields)}, each with a colon after it"))
        return None
    try:
        return model.model_validate(loaded.data)
    except ValidationError as error:
        mistakes += loaded.mistakes_of(error)
        return None


def _read_text(path: Path, mistakes: list[Mistake]) -> str | None:
    try:
        return path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
    except FileNotFoundError:
        mistakes.append(Mistake(path, 1, "there is no such file"))
    except OSError as error:
        mistakes.append(Mistake(path, 1, f"cannot be read: {error.strerror}"))
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        mistakes.append(Mistake(path, line, "this is not UTF-8; save the file with that encoding"))
    return None


def _load(path: Path, text: str, mistakes: list[Mistake]) -> Loaded | None:
    try:
        loader, node = _nodes(text)
        before = len(mistakes)
        lines: dict[Place, int] = {}
        if node is not None:
            _walk(node, (), lines, path, mistakes, seen=set())
        if len(mistakes) > before:
            return None
        return Loaded(path, None if node is None else loader.construct_document(node), lines)
    except yaml.reader.ReaderError as error:
        mistakes.append(Mistake(path, text.count("\n", 0, error.position) + 1, "a control character stands here; delete it"))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        mistakes.append(Mistake(path, 1 if mark is None else mark.line + 1, _yaml_in_words(error)))
    except (ValueError, RecursionError) as error:  # such as a date with month 13, or lists nested a thousand deep
        mistakes.append(Mistake(path, 1, f"YAML cannot read this: {error}"))
    return None


def _nodes(text: str) -> tuple[Any, yaml.Node | None]:
    """The loader, which constructs the data, and the text's nodes; raises what PyYAML's own loader raises.

    libyaml reads nine times as fast but says less of a mistake, so whatever it refuses is read again for its words. It composes by
    recursion in C, where too deep a nesting ends the process: a text that could nest that deep is left to Python, which raises
    RecursionError.
    """
    if _FAST is not None and _may_nest(text) < _DEEP:
        try:
            loader = _FAST(text)
            return loader, loader.get_single_node()
        except (yaml.YAMLError, ValueError):
            pass
    loader = yaml.SafeLoader(text)
    return loader, loader.get_single_node()


def _may_nest(text: str) -> int:
    """How deep ``text`` nests at most: a bracket opens one level; a block begins further right than its own, or is a list in a mapping."""
    return text.count("[") + text.count("{") + 2 * max(map(len, text.split("\n")))


def _walk(node: yaml.Node, place: Place, lines: dict[Place, int], path: Path, mistakes: list[Mistake], *, seen: set[int]) -> None:
    """Note each key's line and refuse keys that stand twice, which PyYAML takes silently. An alias is visited once, so cycles end."""
    if id(node) in seen:
        return
    seen.add(id(node))
    lines.setdefault(place, node.start_mark.line + 1)
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            _walk(item, (*place, index), lines, path, mistakes, seen=seen)
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            inner = (*place, str(key.value))
            line = key.start_mark.line + 1
            if inner in lines:
                mistakes.append(Mistake(path, line, f"`{key.value}` stands here a second time; the first is in line {lines[inner]}"))
            lines[inner] = line
            _walk(value, inner, lines, path, mistakes, seen=seen)


def _yaml_in_words(error: yaml.MarkedYAMLError) -> str:
    said = " ".join(part for part in (error.context, error.problem) if part)
    remedy = next((remedy for part, remedy in _REMEDIES if part in said), None)
    return f"YAML cannot read this: {said}" if remedy is None else f"{remedy} (YAML says: {said})"


def _in_words(detail: Any) -> str:
    """One of pydantic's errors as a sentence; ``detail`` is its ErrorDetails."""
    key = ".".join(str(part) for part in detail["loc"])
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "missing":
        return f"`{key}` is missing"
    if kind == "extra_forbidden":
        return f"unknown key `{key}`"
    if kind == "string_type":
        return f"`{key}` is empty or not a text; {_QUOTE}"
    if kind == "string_too_short":
        return f"`{key}` is empty"
    if kind == "string_too_long":
        return f"`{key}` has {len(detail['input'])} characters; at most {context['max_length']} are allowed"
    if kind == "too_short":
        return f"`{key}` needs at least {context['min_length']}"
    if kind == "list_type":
        return f"`{key}` must be a list, one item a line, each beginning with a hyphen"
    if kind in ("model_type", "dict_type"):
        return f"`{key}` must have keys of its own"
    if kind == "value_error":
        return f"`{key}` {context['error']}"
    return f"`{key}`: {detail['msg'][0].lower()}{detail['msg'][1:]}"
