"""Knowing what messages want: how many intents are right, what is told to be none of them, and what it costs.

Measured on a small assistant of the project's own making, and with a folder on the data sets in it (``banking77``, ``clinc150``,
``hwu64``): ``train.jsonl``, ``train_10.jsonl`` and ``train_5.jsonl`` (so many examples of an intent), ``test.jsonl``, and
``oos_test.jsonl`` where there are messages out of scope; a line has ``text`` and ``intent``. The first row of each is TF-IDF of words and
characters with a support-vector machine, as scikit-learn has them. ``words`` is what needs no extra, ``cascade`` asks the encoder where the
words are unsure, ``meaning`` about every message; the last two need ``legato[meaning]``. All of ``train.jsonl`` takes minutes.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from bot.understand.intents import Intents, Judged, train
from memory.errors import SettingsError
from memory.search.meaning import Encoder, MiniLm
from tests.benchmarks.search import Remembering
from tests.benchmarks.tables import console, save, show
from tests.bot.understand.intents.sayings import ELSEWHERE, EXAMPLES, HELD_OUT

SETS = ("banking77", "clinc150", "hwu64")
SIZES = ("full", "10", "5")
TIMED = 300
"""Messages of which the time is taken."""

GIVEN_UP = (0.01, 0.02, 0.04, 0.06, 0.1)
"""For the curve: so large a share of the messages in scope is taken to be out of it."""

ASK_ALWAYS = 2.0

SHARES = ("by", "right", "confidence", "encoder asked", "right, in scope", "out of scope told")
COSTS = ("by", "p50 ms", "p95 ms", "training s", "file MB", "memory MB", "load s")


@dataclass(frozen=True)
class Task:
    """Examples to learn from, messages with the intent that is right, and messages that have none."""

    name: str
    examples: Mapping[str, Sequence[str]]
    messages: Sequence[tuple[str, str]]
    elsewhere: Sequence[str]


def own_task() -> Task:
    """The small assistant."""
    return Task("own", EXAMPLES, [(text, name) for name, texts in HELD_OUT.items() for text in texts], ELSEWHERE)


def tasks_in(folder: Path, sets: Sequence[str], sizes: Sequence[str]) -> list[Task]:
    """The data sets in a folder."""
    tasks = []
    for name in sets:
        messages = [(row["text"], row["intent"]) for row in _lines(folder / name / "test.jsonl")]
        file = folder / name / "oos_test.jsonl"
        elsewhere = [row["text"] for row in _lines(file)] if file.exists() else []
        for size in sizes:
            examples: dict[str, list[str]] = {}
            for row in _lines(folder / name / ("train.jsonl" if size == "full" else f"train_{size}.jsonl")):
                examples.setdefault(row["intent"], []).append(row["text"])
            tasks.append(Task(f"{name} {size}", examples, messages, elsewhere))
    return tasks


def _lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def machine(task: Task) -> float:
    """How many of a hundred the usual model gets right."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_pipeline, make_union
    from sklearn.svm import LinearSVC

    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    characters = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True)
    model = make_pipeline(make_union(words, characters), LinearSVC())
    model.fit([text for texts in task.examples.values() for text in texts], [name for name, texts in task.examples.items() for _ in texts])
    found = model.predict([text for text, _ in task.messages])
    return 100 * float(np.mean([guess == name for guess, (_, name) in zip(found, task.messages, strict=True)]))


def is_right(judged: Judged, name: str) -> bool:
    """Whether the first guess is the right one."""
    return bool(judged.guesses) and judged.guesses[0].intent == name


def figures(task: Task, judge: Callable[[str], Judged], threshold: float) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Shares of a hundred, and the curve of what is told to be out of scope beside what stays right."""
    inside = [judge(text) for text, _ in task.messages]
    outside = [judge(text) for text in task.elsewhere]
    right = np.array([is_right(judged, name) for judged, (_, name) in zip(inside, task.messages, strict=True)])
    chances = np.array([judged.in_scope for judged in inside])
    away = np.array([judged.in_scope for judged in outside])
    row = {
        "right": round(100 * float(right.mean()), 2),
        "confidence": round(100 * float(np.mean([judged.guesses[0].confidence if judged.guesses else 0 for judged in inside])), 1),
        "encoder asked": round(100 * float(np.mean([judged.tier == "meaning" for judged in inside])), 1),
        "right, in scope": round(100 * float((right & (chances >= threshold)).mean()), 2),
        "out of scope told": round(100 * float((away < threshold).mean()), 1) if len(away) else "-",
    }
    points = [
        {
            "given up": share,
            "right, in scope": round(100 * float((right & (chances >= at)).mean()), 2),
            "told": round(100 * (away < at).mean(), 1),
        }
        for share in GIVEN_UP
        if len(away)
        for at in [float(np.quantile(chances, share))]
    ]
    return row, points


def times(task: Task, judge: Callable[[str], Judged]) -> dict[str, float]:
    """Processor milliseconds of a message."""
    messages = [text for text, _ in task.messages[:: max(1, len(task.messages) // TIMED)]]
    for text in messages[:20]:
        judge(text)
    ms = []
    for text in messages:
        start = time.thread_time()
        judge(text)
        ms.append(1000 * (time.thread_time() - start))
    ms.sort()
    return {"p50 ms": round(median(ms), 3), "p95 ms": round(ms[int(0.95 * len(ms))], 3)}


def measure(task: Task, encoder: Encoder | None) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The rows of one task and its curves."""
    rows: list[dict[str, Any]] = [{"task": task.name, "by": "TF-IDF, SVM", "right": round(machine(task), 2)}]
    curves = []
    with tempfile.TemporaryDirectory() as kept:
        folder = Path(kept)
        memory = Remembering(encoder) if encoder is not None else None
        cpu = time.process_time()
        core = train(task.examples, folder=folder)
        trained = time.process_time() - cpu
        start = time.perf_counter()
        tracemalloc.start()
        core = train(task.examples, folder=folder)
        held = tracemalloc.get_traced_memory()[0] / 1e6
        tracemalloc.stop()
        load = time.perf_counter() - start
        size = sum(file.stat().st_size for file in folder.iterdir()) / 1e6
        ways: list[tuple[str, Intents, Intents, float]] = [("words", core, core, trained)]
        if memory is not None and encoder is not None:
            cpu = time.process_time()
            both = train(task.examples, folder=folder, encoder=memory)
            trained = time.process_time() - cpu
            timed = train(task.examples, folder=folder, encoder=encoder)
            ways += [("cascade", both, timed, trained), ("meaning", both.asking(ASK_ALWAYS), timed.asking(ASK_ALWAYS), trained)]
        for by, judging, timing, training_s in ways:
            shares, points = figures(task, judging.judge, judging.scope_threshold)
            row = {"task": task.name, "by": by} | shares | times(task, timing.judge)
            rows.append(
                row | {"training s": round(training_s, 1), "file MB": round(size, 1), "memory MB": round(held, 1), "load s": round(load, 2)}
            )
            curves += [{"task": task.name, "by": by} | point for point in points]
    keys = list(rows[-1])
    return [{key: row.get(key, "") for key in keys} for row in rows], curves


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, nargs="?", help="the folder with the data sets")
    parser.add_argument("--json", type=Path, help="write all figures there")
    parser.add_argument("--sets", nargs="+", choices=SETS, default=SETS)
    parser.add_argument("--sizes", nargs="+", choices=SIZES, default=SIZES, help="examples of an intent")
    given = parser.parse_args()
    encoder: Encoder | None = None
    try:
        encoder = MiniLm.load()
    except SettingsError as error:
        console.print(str(error))
    tasks = [own_task(), *(tasks_in(given.data, given.sets, given.sizes) if given.data else [])]
    found, curves = [], []
    for task in tasks:
        rows, points = measure(task, encoder)
        show(task.name, [{key: row[key] for key in SHARES} for row in rows])
        show(f"{task.name}: what it costs", [{key: row[key] for key in COSTS} for row in rows[1:]])
        if points:
            show(f"{task.name}: out of scope", points)
        found += rows
        curves += points
    save(given.json, {"intents": found, "out of scope": curves})


if __name__ == "__main__":
    main()
