"""What the runner shows: a progress bar, transcripts, a summary, and a JUnit file for CI."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from bot.content import Mistake
from bot.qa.play import Played

_UNPRINTABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold (section 2.2, Char)."""

_WRONG = ("✗", "    expected", "    got")


def progress_on(console: Console) -> Progress:
    """A progress bar, on a terminal only."""
    return Progress(
        TextColumn("[progress.description]{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


def show_mistakes(console: Console, mistakes: Sequence[Mistake]) -> None:
    """List what has to be put right in scripts."""
    for mistake in sorted(set(mistakes)):
        console.print(Text(str(mistake), style="red"), soft_wrap=True)


def show(console: Console, played: Sequence[Played], seconds: float, *, verbose: bool) -> None:
    """Transcripts of those that differ, or of all; then one line that sums up."""
    for one in played:
        if one.passed and not verbose:
            continue
        console.print(Text(f"\n{'✓' if one.passed else '✗'} {one.name}", style="bold green" if one.passed else "bold red"), soft_wrap=True)
        console.print(Text(f"  {one.path}, {one.seconds:.2f} s", style="dim"), soft_wrap=True)
        for line in one.transcript:
            style = "bold red" if line.startswith(_WRONG) else "dim" if "  ·  " in line else ""
            console.print(Text(f"  {line}" if not line.startswith("✗") else _indented(line), style=style), soft_wrap=True)
    wrong = sum(not one.passed for one in played)
    counted = f"{len(played)} dialogue{'s' if len(played) != 1 else ''}"
    summary = f"\n{counted} in {seconds:.1f} s: {len(played) - wrong} passed" + (f", {wrong} differ" if wrong else "")
    console.print(Text(summary, style="bold red" if wrong else "bold green"), soft_wrap=True)


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.split("\n"))


def write_junit(path: Path, played: Sequence[Played], seconds: float) -> None:
    """A JUnit file: one test case for each dialogue, with its transcript."""
    suite = ET.Element(
        "testsuite",
        name="dialogues",
        tests=str(len(played)),
        failures=str(sum(not one.passed for one in played)),
        errors="0",
        time=f"{seconds:.3f}",
    )
    for one in played:
        case = ET.SubElement(suite, "testcase", classname=str(one.path), name=_clean(one.name), time=f"{one.seconds:.3f}")
        if not one.passed:
            case.set("line", str(one.line))
            text = f"{one.path}:{one.line}: expected {one.expected}, got {one.got}"
            ET.SubElement(case, "failure", message=_clean(text)).text = _clean(text)
        ET.SubElement(case, "system-out").text = _clean("\n".join(one.transcript))
    path.parent.mkdir(parents=True, exist_ok=True)
    ET.ElementTree(suite).write(path, encoding="utf-8", xml_declaration=True)


def _clean(text: str) -> str:
    return _UNPRINTABLE.sub("?", text)
