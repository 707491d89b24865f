"""Good and bad moments: what makes one, once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.turn.decide import decide
from bot.turn.decision import Decision, Reason
from bot.turn.deeds import NoteExperience
from bot.turn.experience import described, moments_of, said_before
from bot.understand.hear import hear
from bot.understand.knowledge import Knowledge
from memory.context import Context, Past
from memory.experiences import Moment
from tests.bot.turn.gathered import NOW, ago, context, moment, promise, wrote


def spoke(*said: tuple[str, str], minutes: float = 5) -> Context:
    exchanges = tuple(
        Past(n, "in" if who == "customer" else "out", who, None, "text", text, None, NOW - timedelta(minutes=minutes))
        for n, (who, text) in enumerate(said, 1)
    )
    return context(exchanges=exchanges)


ASKED = ("customer", "Where is my new card?"), ("assistant", "On its way.")


@pytest.mark.parametrize(
    ("text", "known", "earlier"),
    [
        ("where is my NEW card??", spoke(*ASKED), 1),
        ("where is the new card", spoke(*ASKED), 1),
        ("where is my new cheque book", spoke(*ASKED), None),
        ("where is my new card", spoke(ASKED[0]), None),  # nobody has answered yet
        ("where is my new card", spoke(*ASKED, minutes=70), None),
        ("where is my new card", spoke(*ASKED, *(("customer", "and the fee"), ("assistant", "None.")) * 3), None),
        ("ok", spoke(("customer", "ok"), ("assistant", "Good.")), None),
    ],
)
def test_what_is_said_again_after_an_answer(text: str, known: Context, earlier: int | None) -> None:
    assert said_before(known, text, NOW) == earlier


@pytest.mark.parametrize(
    ("rule", "text", "mood", "found"),
    [
        ("worked out", "yes", 0.4, [(True, "rating", 1.0)]),
        ("not worked out", "no, this is awful", -0.8, [(False, "rating", 1.0)]),
        ("thanks", "thanks", 0.4, [(True, "thanks", 0.0)]),
        ("clarify", "this is awful", -0.8, [(False, "mood", 0.5)]),
        ("clarify", "hm", -0.4, []),
        ("relay", "where is my new card", -0.9, [(False, "repeated", 0.5)]),
    ],
)
def test_one_turn_makes_at_most_one_moment(rule: str, text: str, mood: float, found: list[tuple[bool, str, float]]) -> None:
    moments = moments_of(spoke(*ASKED), rule, text, mood, NOW)

    assert [(one.good, one.kind, one.weight) for one in moments] == found


@pytest.mark.parametrize(("before", "again"), [({"minutes": 30}, False), ({"hours": 2}, True)])
def test_anger_that_lasts_is_one_bad_moment(before: dict[str, float], again: bool) -> None:
    known = context(experiences=[moment("mood", weight=0.5, at=ago(**before))])

    assert bool(moments_of(known, "clarify", "awful", -0.8, NOW)) is again


def test_thanks_count_once_a_day() -> None:
    known = context(experiences=[moment("thanks", good=True, at=ago(hours=3))])

    assert moments_of(known, "thanks", "thanks", 0.4, NOW) == []


def test_near_the_limit_nobody_is_asked_back() -> None:
    def answered(known: Context) -> Decision:
        return decide(wrote("xyzzy"), hear("xyzzy", Knowledge([])), known, chosen=None, returning_after=timedelta(minutes=30))

    one, two = [moment("waited", minutes=26)], [moment("waited", minutes=26), moment("rating")]
    assert answered(context(experiences=one)).rule == "clarify"
    assert answered(context(experiences=two)).handoff is Reason.CAREFUL
    assert answered(context(experiences=[*two, moment("rating", good=True, at=ago(days=1))])).rule == "clarify"


@pytest.mark.parametrize(
    ("deed", "words"),
    [
        (NoteExperience(False, "waited", 1, {"minutes": 26}), "waited 26 min"),
        (NoteExperience(False, "waited", 1, {"minutes": 200}), "waited 3 h"),
        (NoteExperience(False, "waited", 1, {}), "waited too long"),
        (NoteExperience(False, "failed", 1, {"what": "undelivered"}), "did not get a message of ours"),
        (NoteExperience(False, "failed", 1, {"what": "fault"}), "met a fault of ours"),
        (NoteExperience(False, "rating", 1, {}), "said it did not work"),
        (NoteExperience(True, "rating", 1, {}), "said it worked out"),
        (NoteExperience(False, "solved", 1, {}), "solved"),
    ],
)
def test_moments_in_words(deed: NoteExperience, words: str) -> None:
    assert described(Moment(deed.good, deed.kind, deed.weight, None, deed.evidence, NOW)) == words


def greeted(known: Context) -> Decision:
    return decide(wrote("hello"), hear("hello", Knowledge([])), known, chosen=None, returning_after=timedelta(minutes=30))


def test_a_promise_is_spoken_of_once_and_again_when_it_is_broken() -> None:
    known = spoke(("customer", "hello"), minutes=600)
    due = (NOW + timedelta(days=1)).isoformat()

    def promised(state: str, dialogue: dict[str, object]) -> Context:
        rows = [promise(2, due=due), promise(1, state=state, text="A new card", due=due)]
        return context(promises=rows, exchanges=known.exchanges, dialogue=dialogue)

    first = greeted(promised("open", {}))
    assert [(say.name, say.variables["agent"], say.variables["due"]) for say in first.says] == [("utter_promise_open", "Bea", "6 Jan 2026")]
    assert first.dialogue is not None
    assert greeted(promised("open", first.dialogue)).rule == "greet"
    (broken,) = greeted(promised("broken", first.dialogue)).says
    assert (broken.name, broken.variables["promise"]) == ("utter_promise_broken", "A new card")
