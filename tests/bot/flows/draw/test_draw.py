"""Drawings: every step and every way is in them, and no word can break them."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from bot.flows.draw.mermaid import mermaid
from bot.flows.draw.outline import outline
from bot.flows.draw.picture import Arrow, Box, Picture, picture_of
from bot.flows.draw.svg import svg
from bot.flows.model import Flow, Flows
from tests.bot.flows.files.sample import read

SVG = "{http://www.w3.org/2000/svg}"
NASTY = "</text><script>\"'&amp;; %% --> |x| [y] {z} `a` #35; \n — £"


@pytest.fixture
def flows(tmp_path: Path) -> Flows:
    return read(tmp_path)[0]


@pytest.fixture
def flow(flows: Flows) -> Flow:
    return flows.flows["block_card"]


def test_a_picture_has_every_step_and_every_way(flow: Flow) -> None:
    picture = picture_of(flow, texts={"utter_debit": "The debit  card."}, proofs={"action_block_card": "confirmed"})

    assert [(box.kind, box.title, *box.lines) for box in picture.boxes] == [
        ("start", "your lost card", "when understood: block_card"),
        ("ask", "Ask for card_kind", "utter_ask_card_kind"),
        ("say", "Say", "“The debit card.”"),
        ("go", "confirm_it, and back"),
        ("set", "Set", "card_kind = nothing"),
        ("end", "end"),
        ("act", "Do action_block_card", "who writes must be confirmed"),
        ("go", "Go on with other_matters"),
        ("say", "Say", "utter_card_blocked"),
        ("end", "end"),
    ]
    assert picture.arrows == (
        Arrow("(start)", "1_collect_card_kind"),
        Arrow("1_collect_card_kind", "2_utter_debit", '1: card_kind is "debit"'),
        Arrow("1_collect_card_kind", "block", '2: card_kind = "credit"'),
        Arrow("1_collect_card_kind", "4_set_slots", "otherwise"),
        Arrow("2_utter_debit", "3_call_confirm_it"),
        Arrow("3_call_confirm_it", "block"),
        Arrow("4_set_slots", "(end of 4_set_slots)"),
        Arrow("block", "6_link_other_matters", "not blocked"),
        Arrow("block", "say_so", "otherwise"),
        Arrow("say_so", "(end of say_so)"),
    )


def test_what_else_a_box_says(flows: Flows) -> None:
    money = picture_of(flows.flows["send_money"], texts={"utter_too_much": "too " * 40})
    lines = {box.id: box.lines for box in money.boxes}

    assert lines["(start)"] == ("when understood: send_money", "when understood: transfer", "only if context.channel = 'telegram'")
    assert lines["again"][1] == "refuses if amount <= 0: utter_not_positive"
    assert lines["again"][2].endswith("too too…”")
    assert lines["2_collect_payee"] == ("utter_ask_whom", "reads back what is known")
    assert lines["6_set_slots"] == ("confirmed = no", "limit = 1, 2")
    assert [box.title for box in picture_of(flows.flows["other_matters"]).boxes] == ["other matters", "Go on", "end"]
    assert picture_of(flows.flows["other_matters"]).boxes[0].lines == ("started by other flows only",)


def test_ways_to_the_same_step_are_one_arrow(tmp_path: Path) -> None:
    text = """\
flows:
  f:
    description: d
    steps:
      - collect: confirmed
        next:
          - if: slots.confirmed
            then: END
          - if: slots.blocked
            then: END
          - else: END
"""
    flow = read(tmp_path, {"flows/f.yml": text})[0].flows["f"]

    assert picture_of(flow).arrows[1:] == (
        Arrow("1_collect_confirmed", "(end of 1_collect_confirmed)", "1: confirmed or 2: blocked or otherwise"),
    )


def test_mermaid_has_every_box_and_arrow(flow: Flow) -> None:
    picture = picture_of(flow)
    text = mermaid(picture)

    assert text.startswith('---\ntitle: "your lost card"\n---\nflowchart TD\n    n0(["your lost card<br/>when understood: block_card"])\n')
    assert text.count("-->") == len(picture.arrows)
    assert '    n1 -->|"1: card_kind is #34;debit#34;"| n2\n' in text
    assert len(re.findall(r"^    n\d+[\[({>]", text, re.MULTILINE)) == len(picture.boxes)


def nasty() -> Picture:
    boxes = (Box("(start)", "start", NASTY, (NASTY,)), Box(NASTY, "say", NASTY, (NASTY,), 3), Box("(end)", "end", "end"))
    return Picture(NASTY, NASTY, NASTY, boxes, (Arrow("(start)", NASTY, NASTY), Arrow(NASTY, "(end)")))


def test_no_word_can_break_mermaid() -> None:
    lines = mermaid(nasty()).split("\n")

    body = [line for line in lines[4:] if line]
    assert len(body) == 5
    for line in body:
        for words in re.findall(r'"([^"]*)"', line):
            assert not re.search(r"[<>|`\[\]{}&%]", words.replace("<br/>", "")), words
        assert line.count('"') % 2 == 0


def test_no_word_can_break_a_picture() -> None:
    root = ElementTree.fromstring(svg(nasty()))

    assert root.findall(f".//{SVG}script") == []
    assert "</text><script>" in "".join(root.itertext())


@pytest.mark.parametrize("name", ["block_card", "send_money", "other_matters", "confirm_it"])
def test_a_picture_is_a_whole_document(flows: Flows, name: str) -> None:
    picture = picture_of(flows.flows[name])
    root = ElementTree.fromstring(svg(picture))

    assert root.tag == f"{SVG}svg"
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    assert width > 0
    assert height > 0
    assert [path.attrib["class"] for path in root.iter(f"{SVG}path")].count("way") == len(picture.arrows)
    words = " ".join(root.itertext())
    for box in picture.boxes:
        assert box.title in words
    assert not re.search(r"(?:href|src|url)\s*[=(]\s*[\"']?(?:https?:|//)", svg(picture))


def test_the_outline_of_a_flow(flow: Flow) -> None:
    text = outline(picture_of(flow, texts={"utter_debit": "The debit card."}, proofs={"action_block_card": "confirmed"}))

    assert (
        text
        == """\
block_card: your lost card
  Block a card that was lost or stolen.
  when understood: block_card

  1_collect_card_kind   Ask for card_kind
                          utter_ask_card_kind
                          → 2_utter_debit  1: card_kind is "debit"
                          → block  2: card_kind = "credit"
                          → 4_set_slots  otherwise
  2_utter_debit         Say “The debit card.”
  3_call_confirm_it     confirm_it, and back
                          → block
  4_set_slots           Set
                          card_kind = nothing
                          → end
  block                 Do action_block_card
                          who writes must be confirmed
                          → 6_link_other_matters  if not blocked
                          → say_so  otherwise
  6_link_other_matters  Go on with other_matters
  say_so                Say utter_card_blocked
                          → end
"""
    )
