"""Scripts with mistakes are refused, each mistake with its line and what to write instead."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.content import Mistake
from bot.qa.read import find_files, read_script

from .conftest import Write, read

HEAD = "name: A dialogue\nagents: {bea: Bea Novak}\nscript:\n"


def _mistakes(path: Path) -> list[tuple[int, str]]:
    found: list[Mistake] = []
    assert read_script(path, found) is None
    return [(one.line, one.text) for one in found]


def test_every_kind_of_step_is_read(write: Write) -> None:
    script = read(
        write(
            """
            name: All of them
            shows: [P1, P20]
            assistant: telecoms
            settings: {turn_tries: 2}
            brain: own
            customers: {ann: {first_name: Ann}}
            agents: {bea: Bea Novak}
            strangers: {eve: Eve}
            script:
              - ann: hello
              - ann: [one, two]
              - ann: {album: {photos: 2}}
              - bot: welcome
              - ann hears: {from: agent, not: x}
              - ann sees: {text: x, count: 0}
              - bea: {press: Claim, in: Ann}
              - bea is told: You hold this case now.
              - together: [{ann: a}, {bea: b}, {update: {poll: {}}}]
              - handoff: waiting
              - desk: Ann
              - memory: {fact: {phone: 1}, log: [{customer: hello}]}
              - ledger: {sent: 1}
              - fault: {kind: lost answer, method: sendMessage, after: 2 s}
              - fault: none
              - wait: 1.5 h
              - restart: crash
              - restart: {how: graceful, meanwhile: [{eve: {text: hi, to: desk bot}}]}
              - brain: slow
              - operator: {merge: [ann, ann]}
              - ann: {link of: operator}
              - nobody speaks
            """
        )
    )

    kinds = [step.kind for step in script.steps]
    assert kinds[:5] == ["deed", "together", "deed", "hears", "hears"]
    assert kinds[5:10] == ["sees", "deed", "told", "together", "handoff"]
    assert kinds[10:15] == ["desk", "memory", "ledger", "fault", "fault"]
    assert kinds[15:] == ["wait", "restart", "restart", "brain", "operator", "deed", "nobody speaks"]
    assert script.steps[0].line == 10
    assert script.steps[15].body == 5400
    assert script.steps[17].steps[0].who == "eve"


@pytest.mark.parametrize(
    ("step", "line", "said"),
    [
        ("  - anne: hello\n", 4, "`anne` is neither a person of this script (ann, bea) nor one of bot, together"),
        ("  - bott: hello\n", 4, "did you mean `bot`?"),
        ("  - hello\n", 4, "a step is one key with its value"),
        ("  - ann: hello\n    bot: hello\n", 4, "a step is one key with its value"),
        ("  - ann: hi\n  - bot: {replay: utter_greet}\n", 5, "unknown key `replay`; did you mean `reply`?"),
        ("  - ann: {text: a, photo: {}}\n", 4, "`ann` does text and photo at once; write exactly one of text, start"),
        ("  - ann: {caption: a}\n", 4, "unknown key `caption`"),
        ("  - ann: {document: {size: big}}\n", 4, "`document.size` must be a size with its unit, such as 500 KB or 21 MB"),
        ("  - wait: 2 weeks\n", 4, "`wait` must be a time with its unit, such as 30 s, 5 min, 2 h or 1 d"),
        ("  - bot: {pattern: '('}\n", 4, "`pattern` is not a regular expression"),
        ("  - bot: {to: ben}\n", 4, "there is no customer `ben` in this script"),
        ("  - handoff: {of: ben}\n", 4, "there is no customer `ben` in this script"),
        ("  - handoff: open\n", 4, "`state`: input should be 'none', 'waiting', 'owned' or 'ended'"),
        ("  - brain: tired\n", 4, "`brain` is one of own, failing, failing once, slow, hanging"),
        ("  - together: [{bot: hello}]\n", 4, "here stands only what people do"),
        ("  - update: raw\n", 4, "`update` is a raw update"),
        ("  - fault: {kind: lost answers}\n", 4, "`kind`: input should be 'too many requests'"),
        ("  - memory: [1]\n", 4, "`memory` needs keys of its own: of, fact"),
        ("  - ann: {code of: ben}\n", 4, "there is no customer `ben` in this script"),
        ("  - operator: {link: ben}\n", 4, "there is no customer `ben` in this script"),
        ("  - operator: {link: ann, unmerge: ann}\n", 4, "is exactly one of link, merge, unmerge"),
        ("  - restart:\n      how: crash\n      meanwhile: [{bob: hi}]\n", 6, "`bob` is neither a person"),
    ],
)
def test_a_wrong_step_is_named(write: Write, step: str, line: int, said: str) -> None:
    found = _mistakes(write(HEAD + step))

    assert len(found) == 1
    assert found[0][0] == line
    assert said in found[0][1]


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("name: A\n", 1, "`script` is missing"),
        ("name: A\nscript: []\n", 2, "`script` needs at least 1"),
        ("name: A\nassistent: banking\nscript: [nobody speaks]\n", 2, "unknown key `assistent`"),
        ("name: A\nassistant: bakery\nscript: [nobody speaks]\n", 2, "there is no assistant 'bakery'; write banking"),
        ("name: A\nsettings: {turn_trys: 1}\nscript: [nobody speaks]\n", 2, "did you mean `turn_tries`?"),
        ("name: A\nsettings: {api_base: x}\nscript: [nobody speaks]\n", 2, "`api_base` is set by the runner itself"),
        (
            "name: A\nsettings: {turn_tries: 0}\nscript: [nobody speaks]\n",
            2,
            "TURN_TRIES (how often a turn is tried before a person takes over)",
        ),
        ("name: A\nshows: [P21]\nscript: [nobody speaks]\n", 1, "shows 'P21'; write P1 to P20"),
        ("name: A\nagents: {ann: Ann}\nscript: [nobody speaks]\n", 1, "names ann twice"),
        ("name: A\nscript:\n\t- ann: x\n", 3, "indent with spaces"),
    ],
)
def test_a_wrong_head_is_named(write: Write, text: str, line: int, said: str) -> None:
    found = _mistakes(write(text))

    assert found[0][0] == line
    assert said in found[0][1]


def test_every_mistake_is_named_at_once(write: Write) -> None:
    found = _mistakes(write(HEAD + "  - anne: hello\n  - wait: long\n  - bot: {replay: x}\n"))

    assert [line for line, _ in found] == [4, 5, 6]


def test_folders_are_searched(write: Write, tmp_path: Path) -> None:
    first, second = write(HEAD, "a.yml"), write(HEAD, "b.yaml")
    write("no script", "c.txt")
    mistakes: list[Mistake] = []

    assert find_files([tmp_path, first], mistakes) == [first, second]
    assert not mistakes

    assert find_files([tmp_path / "nowhere"], mistakes) == []
    assert "there is no such file or folder" in mistakes[0].text
