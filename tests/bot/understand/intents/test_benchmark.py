"""The benchmark runs on the small assistant and on data of its format."""

from __future__ import annotations

import json
from pathlib import Path

from tests.benchmarks.understanding import measure, own_task, tasks_in
from tests.bot.understand.intents.sayings import ELSEWHERE, EXAMPLES, HELD_OUT
from tests.bot.understand.intents.test_intents import Fake


def test_the_small_assistant_is_measured() -> None:
    rows, curve = measure(own_task(), Fake())

    assert [row["by"] for row in rows] == ["TF-IDF, SVM", "words", "cascade", "meaning"]
    assert rows[0]["right"] < rows[1]["right"] <= 100
    assert rows[1]["encoder asked"] == 0
    assert rows[3]["encoder asked"] == 100
    assert 0 <= rows[1]["out of scope told"] <= 100
    told = [point["told"] for point in curve if point["by"] == "words"]
    assert told == sorted(told)


def test_data_is_read(tmp_path: Path) -> None:
    folder = tmp_path / "clinc150"
    folder.mkdir()

    def lines(texts: dict[str, list[str]]) -> str:
        return "".join(json.dumps({"text": text, "intent": name}) + "\n" for name, some in texts.items() for text in some)

    (folder / "train_10.jsonl").write_text(lines(EXAMPLES))
    (folder / "test.jsonl").write_text(lines(HELD_OUT))
    (folder / "oos_test.jsonl").write_text(lines({"oos": ELSEWHERE}))
    (task,) = tasks_in(tmp_path, ["clinc150"], ["10"])

    assert task.name == "clinc150 10"
    assert task.examples == EXAMPLES
    assert len(task.messages) == sum(map(len, HELD_OUT.values()))
    assert list(task.elsewhere) == ELSEWHERE
