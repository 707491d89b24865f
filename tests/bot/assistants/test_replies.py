"""Replies in Rasa's terms: channels, conditions, translations, and whom a reply concerns."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.assistants.replies import read_replies
from bot.content import Mistake
from bot.turn.reply import REQUIRED, Manner, Replies

ALLOWED = {**REQUIRED, "utter_card": frozenset({"ending"}), "utter_any": None}
SHARED = Path(__file__).parents[3] / "bot" / "assistants" / "replies.yml"


def read(tmp_path: Path, text: str, **more: object) -> tuple[Replies, list[Mistake]]:
    own = tmp_path / "replies.yml"
    own.write_text(text)
    mistakes: list[Mistake] = []
    return read_replies(SHARED, own, mistakes, allowed=ALLOWED, purposes=("offers",), **more), mistakes  # type: ignore[arg-type]


def test_variants_are_read_in_rasas_terms(tmp_path: Path) -> None:
    replies, mistakes = read(
        tmp_path,
        """
version: "3.1"
responses:
  utter_card:
    - text: Your card {ending} is blocked.
      id: plain
    - text: "{ending} is blocked!"
      condition:
        - type: slot
          name: tone
          value: friendly
    - text: Card {ending}
      channel: web
""",
    )

    assert mistakes == []

    def said(*manner: str) -> str:
        return replies.say("utter_card", seed=1, manner=Manner(*manner), ending="4821").text

    assert said("telegram") == "Your card 4821 is blocked."
    assert said("web") == "Card 4821"
    assert said("telegram", "", "friendly") == "4821 is blocked!"


def test_buttons_are_translated_with_their_text(tmp_path: Path) -> None:
    replies, _ = read(
        tmp_path,
        """
responses:
  utter_any:
    - text: Shall I block it?
      translation: {de: 'Soll ich sie sperren?'}
      buttons:
        - title: "Yes"
          payload: /affirm
          translation: {de: {title: Ja}}
""",
        languages=("de",),
    )

    said = replies.say("utter_any", seed=1, manner=Manner("", "de"))
    assert (said.text, said.buttons[0][0].title) == ("Soll ich sie sperren?", "Ja")


def test_a_language_that_is_spoken_has_every_reply(tmp_path: Path) -> None:
    _, mistakes = read(tmp_path, "responses: {utter_any: [{text: a, translation: {de: b}}]}", languages=("de",))

    assert len(mistakes) == len(REQUIRED)
    assert "the reply `utter_article` has no translation into `de`" in [one.text for one in mistakes]


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        ("[{text: a, channel: web}]", "needs a variant that can always be said"),
        ("[{text: a, condition: [{type: slot, name: tone, value: friendly}]}]", "needs a variant that can always be said"),
        ("[{text: 'a {name}'}]", "needs a variant without {name}"),
        ("[{text: 'a {number}'}]", "has no variable {number}"),
        ("[{text: a, translation: {de: b}}]", "add `de` to `languages`"),
        ("[{text: a, image: x.png}]", "unknown key"),
        ("[{text: a, metadata: {purpose: raffles}}]", "`raffles` is not declared"),
        ("[{text: a, metadata: {purpose: offers, instead: utter_nowhere}}]", "there is no such reply"),
        ("[{text: a, metadata: {when: 'slots.x >'}}]", "slots.x"),
        ("[{text: a}, {text: b, metadata: {purpose: offers}}]", "with its first variant"),
        ("[{text: a, buttons: [{title: A, payload: '" + "x" * 65 + "'}]}]", "65 bytes"),
    ],
)
def test_mistakes_are_named_with_what_to_do(tmp_path: Path, reply: str, says: str) -> None:
    _, mistakes = read(tmp_path, "responses:\n  utter_card: " + reply)

    assert len(mistakes) == 1
    assert says in mistakes[0].text


def test_whom_a_reply_concerns_is_read(tmp_path: Path) -> None:
    replies, mistakes = read(
        tmp_path,
        "responses: {utter_any: [{text: a, metadata: {purpose: offers, when: \"customer.household = 'family'\", instead: utter_card}}], "
        "utter_card: [{text: b}]}",
    )

    assert mistakes == []
    rule = replies.relevance["utter_any"]
    assert (rule.purpose, rule.instead) == ("offers", "utter_card")
    assert rule.when is not None
    assert rule.when.holds({"customer": {"household": "family"}, "slots": {}})
    assert not rule.when.holds({"customer": {"household": "single"}, "slots": {}})


def test_what_everybody_is_told_cannot_be_withheld(tmp_path: Path) -> None:
    _, mistakes = read(tmp_path, "responses: {utter_thanks: [{text: a, metadata: {purpose: offers}}]}")

    assert "cannot be withheld" in mistakes[0].text
