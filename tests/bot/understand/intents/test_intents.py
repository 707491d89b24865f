"""Learning intents from a few examples and judging messages by them."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.understand.intents import Intents, train
from bot.understand.intents import training as training_module
from memory.errors import SettingsError
from memory.search.layout import Floats
from memory.search.meaning import MiniLm
from tests.bot.understand.intents.sayings import ELSEWHERE, EXAMPLES, HELD_OUT


@pytest.fixture(scope="module")
def intents() -> Intents:
    return train(EXAMPLES)


def share_right(intents: Intents) -> float:
    judged = [(intents.judge(text).guesses[0].intent, name) for name, texts in HELD_OUT.items() for text in texts]
    return sum(guess == name for guess, name in judged) / len(judged)


def test_what_was_never_said_so_is_understood(intents: Intents) -> None:
    assert intents.names == tuple(sorted(EXAMPLES))
    assert share_right(intents) >= 0.7
    assert intents.judge("somebody nicked my credit card").guesses[0].intent == "block_card"


def test_guesses_are_the_best_first_and_are_probabilities(intents: Intents) -> None:
    judged = intents.judge("send money to my sister")

    assert len(judged.guesses) == 3
    confidences = [guess.confidence for guess in judged.guesses]
    assert confidences == sorted(confidences, reverse=True)
    assert all(0 <= one <= 1 for one in confidences)
    assert sum(confidences) <= 1 + 1e-5
    assert judged.tier == "words"


def test_two_intents_have_two_guesses() -> None:
    two = train({name: EXAMPLES[name] for name in ("block_card", "open_hours")})

    assert len(two.judge("block my card").guesses) == 2


def test_other_talk_is_told_from_what_the_assistant_does(intents: Intents) -> None:
    outside = [intents.judge(text).in_scope for text in ELSEWHERE]
    inside = [intents.judge(text).in_scope for texts in HELD_OUT.values() for text in texts]

    assert sum(chance < intents.scope_threshold for chance in outside) >= 0.8 * len(outside)
    assert sum(chance >= intents.scope_threshold for chance in inside) >= 0.7 * len(inside)


def test_even_two_intents_know_their_scope() -> None:
    two = train({name: EXAMPLES[name] for name in ("block_card", "open_hours")})

    assert two.judge("I lost my card").in_scope > two.judge("which planet is the largest").in_scope


@pytest.mark.parametrize("text", ["", "   ", "\0", "😀🎉", "?!...", "\n\t", "´`'"])
def test_a_text_without_a_word_has_no_guess(intents: Intents, text: str) -> None:
    judged = intents.judge(text)

    assert judged.guesses == ()
    assert judged.in_scope == 0.0


@pytest.mark.parametrize(
    "text", ["a" * 100_000, "card " * 20_000, "где моя карта", "我的卡丢了", "\ud800 card", "card\0card", "١٢٣", "ﬁ ǆ ß İ"]
)
def test_odd_texts_are_judged(intents: Intents, text: str) -> None:
    judged = intents.judge(text)

    assert len(judged.guesses) == 3
    assert 0 <= judged.in_scope <= 1


@given(st.text(max_size=300))
@settings(max_examples=60, deadline=None)
def test_any_text_is_safe(text: str) -> None:
    judged = _small().judge(text)

    assert all(np.isfinite(guess.confidence) for guess in judged.guesses)
    assert np.isfinite(judged.in_scope)


_made: list[Intents] = []


def _small() -> Intents:
    if not _made:
        _made.append(train({name: EXAMPLES[name] for name in ("block_card", "open_hours")}))
    return _made[0]


def test_too_few_intents_are_refused() -> None:
    with pytest.raises(SettingsError, match="two intents"):
        train({"only": ["one sentence"], "empty": [], "mute": ["😀"]})


def test_a_slip_of_the_pen_is_read_as_what_was_meant(intents: Intents) -> None:
    assert intents.judge("ballance").guesses[0].intent == "check_balance"
    assert intents.judge("my crad is gone").guesses[0] == intents.judge("my card is gone").guesses[0]


def test_one_example_each_is_enough_to_start() -> None:
    small = train({"block_card": ["I lost my card"], "open_hours": ["when are you open"]})

    assert small.judge("lost card").guesses[0].intent == "block_card"


def test_an_intents_name_says_what_it_means() -> None:
    """Examples that say nothing of the matter leave it to the name."""
    named = train({"report_broken_phone": ["it fell", "help with this"], "ask_for_discount": ["too much", "is that all"]})

    assert named.judge("my phone is broken").guesses[0].intent == "report_broken_phone"


def test_another_language_needs_no_table() -> None:
    german = train(
        {
            "karte_sperren": ["bitte sperren Sie meine Karte", "ich habe meine Karte verloren", "Karte gestohlen"],
            "kontostand": ["wie viel Geld habe ich", "mein Kontostand bitte", "was ist auf dem Konto"],
            "adresse": ["ich bin umgezogen", "meine Adresse ändern", "neue Anschrift"],
        },
        language="de",
    )

    assert german.judge("meine Karte wurde gestohlen").guesses[0].intent == "karte_sperren"
    assert german.judge("neue Adresse").guesses[0].intent == "adresse"


def test_the_same_examples_give_the_same_classifier(intents: Intents) -> None:
    again = train({name: list(reversed(EXAMPLES[name])) for name in reversed(EXAMPLES)})

    assert again.judge("please block the card") == intents.judge("please block the card")


def test_many_threads_judge_as_one_does() -> None:
    fresh = train(EXAMPLES)
    texts = [text for texts in HELD_OUT.values() for text in texts] + [f"{text} {n}ing" for n in range(20) for text in ELSEWHERE]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(fresh.judge, texts * 3))

    assert together == [fresh.judge(text) for text in texts] * 3


def test_more_examples_than_the_softmax_model_takes_have_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_module, "_FEW", 10)
    many = train(EXAMPLES)
    two = train({name: EXAMPLES[name] for name in ("block_card", "open_hours")})

    assert share_right(many) >= 0.6
    assert two.judge("when do you open").guesses[0].intent == "open_hours"


class Keeping:
    """Whether what was learned is kept: a second training would take another way."""

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        return tmp_path / "kept"

    @pytest.fixture(autouse=True)
    def learned(self, monkeypatch: pytest.MonkeyPatch) -> list[int]:
        times: list[int] = []
        learn = training_module._learn

        def counted(*given: Any) -> Any:
            times.append(1)
            return learn(*given)

        monkeypatch.setattr(training_module, "_learn", counted)
        return times


class TestKept(Keeping):
    small: ClassVar = {name: EXAMPLES[name][:3] for name in ("block_card", "open_hours", "loan_request")}

    def test_a_second_start_reads_what_the_first_learned(self, folder: Path, learned: list[int]) -> None:
        first = train(self.small, folder=folder)
        second = train(self.small, folder=folder)

        assert len(learned) == 1
        assert [file.suffix for file in folder.iterdir()] == [".npz"]
        for text in ("card lost", "open today?", "weather"):
            one, other = first.judge(text), second.judge(text)
            assert [guess.intent for guess in one.guesses] == [guess.intent for guess in other.guesses]
            assert one.in_scope == pytest.approx(other.in_scope, abs=0.01)

    def test_other_examples_are_learned_anew(self, folder: Path, learned: list[int]) -> None:
        train(self.small, folder=folder)
        train({**self.small, "block_card": [*self.small["block_card"], "card gone"]}, folder=folder)

        assert len(learned) == 2

    @pytest.mark.parametrize("spoil", [lambda whole: whole[: len(whole) // 2], lambda whole: b"", lambda whole: b"PK\x03\x04 nonsense"])
    def test_a_spoilt_file_is_replaced(self, folder: Path, learned: list[int], spoil: object) -> None:
        train(self.small, folder=folder)
        (file,) = folder.iterdir()
        file.write_bytes(spoil(file.read_bytes()))  # type: ignore[operator]
        train(self.small, folder=folder)
        train(self.small, folder=folder)

        assert len(learned) == 2

    def test_a_foreign_file_is_replaced_and_nothing_in_it_runs(self, folder: Path, learned: list[int]) -> None:
        train(self.small, folder=folder)
        (file,) = folder.iterdir()
        with file.open("wb") as stream:
            np.savez(stream, format=np.array([{"a": 1}], dtype=object))
        train(self.small, folder=folder)

        assert len(learned) == 2

    def test_a_folder_that_cannot_be_written_stops_nothing(self, tmp_path: Path) -> None:
        taken = tmp_path / "file"
        taken.write_text("not a folder")

        assert train(self.small, folder=taken / "kept").judge("lost card").guesses


class Fake:
    """An encoder that knows what a card is, and counts how often it is asked."""

    name = "fake/1"

    def __init__(self) -> None:
        self.asked: list[str] = []

    def encode(self, texts: Sequence[str]) -> Floats:
        self.asked += texts
        rows = [[1.0, float("plastic" in text or "card" in text), float("open" in text)] for text in texts]
        table = np.array(rows, np.float32)
        return np.asarray(table / np.linalg.norm(table, axis=1, keepdims=True), np.float32)


def test_the_encoder_is_asked_where_the_words_leave_it_open() -> None:
    encoder = Fake()
    small = train({name: EXAMPLES[name] for name in ("block_card", "open_hours", "check_balance")}, encoder=encoder)
    encoder.asked.clear()

    open_question = small.judge("plastic zzz")
    assert open_question.tier == "meaning"
    assert open_question.guesses[0].intent == "block_card"
    assert encoder.asked == ["plastic zzz"]

    assert small.judge("please block my card, I lost my card").tier == "words"
    assert encoder.asked == ["plastic zzz"]


def test_an_encoder_that_says_nothing_leaves_it_to_the_words() -> None:
    class Mute(Fake):
        def encode(self, texts: Sequence[str]) -> Floats:
            return np.full((len(texts), 3), np.nan, np.float32) if texts == ["zzz"] else super().encode(texts)

    small = train({name: EXAMPLES[name] for name in ("block_card", "open_hours")}, encoder=Mute())

    assert small.judge("zzz").tier == "words"


def test_a_classifier_kept_with_an_encoder_serves_with_it(tmp_path: Path) -> None:
    small = {name: EXAMPLES[name][:4] for name in ("block_card", "open_hours")}
    train(small, folder=tmp_path, encoder=Fake())
    encoder = Fake()
    again = train(small, folder=tmp_path, encoder=encoder)

    assert encoder.asked == []
    assert again.judge("plastic zzz").tier == "meaning"
    assert train(small, folder=tmp_path).judge("plastic zzz").tier == "words"


def test_the_real_encoder_helps() -> None:
    small = train(EXAMPLES, encoder=MiniLm.load())

    assert share_right(small) >= 0.8
