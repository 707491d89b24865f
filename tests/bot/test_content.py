"""Files with mistakes: each is named with its line and with a remedy."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict

from bot import content
from bot.content import Mistake, read_as, read_markdown, read_yaml

ASSISTANTS = Path(content.__file__).parent / "assistants"


class Dish(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str
    parts: list[str]


def written(folder: Path, text: str | bytes, name: str = "file.yml") -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("a: 1\nb: 2\na: 3\n", 3, "`a` stands here a second time; the first is in line 1"),
        ("a:\n  b: 1\n  b: 2\n", 3, "`b` stands here a second time; the first is in line 2"),
        ("a: 1\n\tb: 2\n", 2, "indent with spaces"),
        ("a: b: c\n", 1, "stands in quotation marks"),
        ("a: x\n b: y\n", 2, "stands in quotation marks"),
        ('a: "x\nb: y\n', 3, "a quotation mark is not closed"),
        ("a: [1, 2\nb: 3\n", 2, "YAML cannot read this"),
        ("a: *nowhere\n", 1, "a value that begins with *"),
        ("a: @home\n", 1, "a value that begins with this character"),
        ("a: 2024-13-45\n", 1, "YAML cannot read this"),
        ("a: 1\nb: \x07\n", 2, "a control character stands here"),
        (b"a: 1\nb: caf\xe9\n", 2, "this is not UTF-8"),
        ("a: !!python/name:os.system x\n", 1, "YAML cannot read this"),
        ("[" * 600, 1, "YAML cannot read this"),
        ("[" * 100_000 + "]" * 100_000, 1, "YAML cannot read this"),
        ("- " * 100_000 + "a", 1, "YAML cannot read this"),
    ],
)
def test_broken_yaml_is_a_mistake_and_never_a_traceback(tmp_path: Path, text: str | bytes, line: int, said: str) -> None:
    mistakes: list[Mistake] = []

    assert read_yaml(written(tmp_path, text), mistakes) is None

    assert [mistake.line for mistake in mistakes] == [line]
    assert said in mistakes[0].text


@pytest.mark.parametrize("path", sorted(ASSISTANTS.glob("*/*.yml")), ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_file_reads_the_same_without_libyaml(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fast = read_yaml(path, [])
    monkeypatch.setattr(content, "_FAST", None)

    assert fast is not None
    assert fast == read_yaml(path, [])


def test_a_missing_file_is_a_mistake(tmp_path: Path) -> None:
    mistakes: list[Mistake] = []

    assert read_yaml(tmp_path / "none.yml", mistakes) is None
    assert read_yaml(tmp_path, mistakes) is None

    assert "no such file" in mistakes[0].text
    assert "cannot be read" in mistakes[1].text


def test_a_mistake_prints_its_path_from_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    assert str(Mistake(tmp_path / "a" / "b.yml", 7, "wrong")) == f"{Path('a') / 'b.yml'}:7: wrong"
    assert str(Mistake(Path("/elsewhere/b.yml"), 7, "wrong")) == "/elsewhere/b.yml:7: wrong"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name: x\nparts: []\nsauce: y\n", [(3, "unknown key `sauce`")]),
        ("name: x\n", [(1, "`parts` is missing")]),
        (
            "name: no\nparts:\n  - a\n  - 1\n",
            [(1, "`name` is empty or not a text; write it in quotation"), (4, "`parts.1` is empty or not")],
        ),
        ("parts: a\nname:\n", [(1, "`parts` must be a list"), (2, "`name` is empty or not a text")]),
        ("- name\n", [(1, "expected the keys name, parts")]),
        ("", [(1, "expected the keys name, parts")]),
    ],
)
def test_what_does_not_fit_is_named_with_its_line(tmp_path: Path, text: str, expected: list[tuple[int, str]]) -> None:
    mistakes: list[Mistake] = []
    loaded = read_yaml(written(tmp_path, text), mistakes)
    assert loaded is not None

    assert read_as(Dish, loaded, mistakes) is None

    found = sorted((mistake.line, mistake.text) for mistake in mistakes)
    assert len(found) == len(expected)
    assert all(line == wanted and said in text for (line, text), (wanted, said) in zip(found, expected, strict=True))


def test_an_alias_to_itself_comes_to_an_end(tmp_path: Path) -> None:
    mistakes: list[Mistake] = []

    loaded = read_yaml(written(tmp_path, "a: &x\n  b: *x\n"), mistakes)

    assert loaded is not None
    assert not mistakes


def test_markdown_has_a_head_and_a_body_with_the_lines_of_the_file(tmp_path: Path) -> None:
    mistakes: list[Mistake] = []

    loaded = read_markdown(written(tmp_path, "---\r\nname: x\r\nparts:\r\n  - a\r\n---\r\nHello\r\n\r\nyou\r\n", "a.md"), mistakes)

    assert loaded is not None
    assert loaded.data == {"name": "x", "parts": ["a"]}
    assert loaded.line_of(("parts", 0)) == 4
    assert (loaded.body, loaded.body_line) == ("Hello\n\nyou", 6)


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("Hello\n", 1, "must begin with a head"),
        ("", 1, "must begin with a head"),
        ("---\nname: x\n", 1, "the head is not closed"),
        ("---\nname: x\nname: y\n---\n", 3, "a second time; the first is in line 2"),
    ],
)
def test_a_broken_head_is_a_mistake(tmp_path: Path, text: str, line: int, said: str) -> None:
    mistakes: list[Mistake] = []

    assert read_markdown(written(tmp_path, text, "a.md"), mistakes) is None

    assert [mistake.line for mistake in mistakes] == [line]
    assert said in mistakes[0].text
