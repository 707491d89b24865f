"""What the runner says of a dialogue: passed, or the first difference with its place."""

from __future__ import annotations

import pytest

from bot.qa import play as playing
from bot.qa import stage as staging
from bot.qa.invariants import find_broken
from bot.qa.read import Script
from bot.qa.stage import CUSTOMERS_TOKEN, Stage, open_stage
from memory.outbox import outbox_table

from .conftest import Play, Write, read

LOST = "name: A lost card\nscript:\n  - ann: I lost my card\n"


async def test_a_dialogue_that_goes_as_written_passes(play: Play) -> None:
    played = await play(LOST + "  - bot: {reply: utter_article, text: block the card first}\n")

    assert played.passed
    assert played.transcript[0] == "09:00:00  ann        I lost my card"
    assert played.transcript[1].startswith("09:00:00  bot → ann  Lost or stolen card Please block")
    assert played.transcript[1].endswith("(utter_article)")


@pytest.mark.parametrize(
    ("step", "expected", "got"),
    [
        ("bot: {reply: utter_clarify}", "the reply utter_clarify", "utter_article: “Lost or stolen card"),
        ("bot: {text: paint it}", "a message with “paint it”", "“Lost or stolen card"),
        ("bot: {pattern: '^Card'}", "fits the pattern '^Card'", "“Lost or stolen card"),
        ("bot: {not: card}", "without the pattern 'card'", "“Lost or stolen card"),
        ("bot: {buttons: [Claim]}", "the buttons Claim", "none"),
        ("bot: {file: photo}", "a message with photo", "one with none"),
        ("ann hears: {from: agent}", "a message from the agent", "one from the assistant"),
        ("nobody speaks", "no more messages to ann here", "1 more: “Lost or stolen card"),
        ("handoff: waiting", "a handoff", "none"),
        ("desk: {topics: 1}", "1 topics", "0"),
        ("desk: Ann", "desk to be able to do this", "the desk has no topic"),
        ("ledger: {sent: 2, turns: 1}", "sent 2", "sent 1"),
        ("memory: {exchanges: 3}", "exchanges: 3", "2"),
        ("memory: {fact: {phone: '1'}}", "the fact phone: 1", "None"),
        ("memory: {log: [{customer: my card}, {assistant: a new one}]}", "assistant: “a new one” as exchange 2", "“assistant: Lost"),
        ("ann sees: {text: Lost or stolen card, count: 2}", "2 times a message with “Lost or stolen card” in the chat", "1 of them"),
        ("ann is told: hello", "ann to have pressed a button", "nothing was pressed"),
        ("ann: {code of: ann}", "no more messages to ann before this step", "1 more"),
        ("bea: hello", "no more messages to ann before this step", "1 more"),
    ],
)
async def test_a_wrong_expectation_is_the_first_difference(play: Play, step: str, expected: str, got: str) -> None:
    played = await play(LOST + f"  - {step}\n  - bot: never reached\nagents: {{bea: Bea Novak}}\n")

    assert played.line == 4
    assert expected in played.expected
    assert got in played.got
    wrong = played.transcript[-1].split("\n")
    assert wrong[0].endswith("script.yml:4")
    assert wrong[0].startswith("✗ ")
    assert wrong[1].startswith("    expected ")
    assert wrong[2].startswith("    got ")


@pytest.mark.parametrize(
    ("deed", "why"),
    [
        ("ann: {press: Claim}", "there is no button “Claim” here; there are: none"),
        ("ann: {react: [hello, 👍]}", "there is no message with “hello” here"),
        ("ann: {edit: [hello, bye]}", "there is no own message with “hello” here"),
        ("bea: hello", "the desk has no topic"),
        ("bea: {text: hello, in: Ben}", "the desk has no topic with “Ben” in its name"),
        ("ann: {text: ' '}", "a message needs a text"),
    ],
)
async def test_an_impossible_deed_is_a_difference(play: Play, deed: str, why: str) -> None:
    played = await play(f"name: Impossible\nagents: {{bea: Bea Novak}}\nscript:\n  - {deed}\n")

    assert played.line == 4
    assert played.expected == f"{deed.partition(':')[0]} to be able to do this"
    assert played.got == why


async def test_silence_can_be_expected(play: Play) -> None:
    said = "name: Silence\nagents: {bea: Bea}\nscript:\n  - ann: agent\n  - bot: {reply: utter_handoff}\n  - ann: my card\n"
    assert (await play(said + "  - nobody speaks\n")).passed


async def test_a_message_is_missed_where_the_bot_stays_silent(play: Play) -> None:
    played = await play(LOST + "  - bot: {reply: utter_article}\n  - bot: {reply: utter_thanks}\n")

    assert (played.line, played.expected, played.got) == (5, "the reply utter_thanks to ann", "silence")


async def test_what_nobody_expected_is_a_difference_at_the_end(play: Play) -> None:
    played = await play(LOST)

    assert (played.line, played.expected) == (3, "no more messages to ann at the end")


async def test_a_fault_that_does_not_happen_is_a_difference(play: Play) -> None:
    played = await play("name: Fault\nscript:\n  - fault: {kind: lost answer, method: sendPhoto, times: 2}\n  - ann: hello\n  - bot: {}\n")

    assert (played.line, played.expected, played.got) == (3, "this fault to happen", "it did not, 2 times")


async def test_what_hangs_is_given_up(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staging, "STEP_LIMIT_S", 0.3)
    monkeypatch.setattr(playing, "STEP_LIMIT_S", 0.3)

    played = await play("name: Slow\nbrain: slow\nsettings: {turn_deadline_s: 9}\nscript:\n  - ann: hello\n  - bot: {}\n")

    assert played.line == 5
    assert played.got == "1 lanes of kind turn are being worked on"


async def test_what_cannot_start_is_a_difference(write: Write) -> None:
    played = await playing.play_on(read(write(LOST)), "postgresql://nobody@127.0.0.1:1/none")

    assert (played.line, played.expected) == (1, "the dialogue to be played")
    assert played.transcript[-1].startswith("✗ ")


async def test_warnings_are_in_the_transcript(play: Play) -> None:
    played = await play("name: Failing\nbrain: failing once\nscript:\n  - ann: hello\n  - bot: {}\n")

    assert played.passed
    assert any("turn 1 failed (try 1): BrainFailed" in line for line in played.transcript)


async def test_the_clock_moves_only_as_far_as_the_script_says(play: Play) -> None:
    played = await play(
        """
        name: Clock
        script:
          - fault: {kind: too many requests, method: sendMessage, after: 30 s}
          - ann: hello
          - nobody speaks
          - wait: 24 s
          - nobody speaks
          - wait: 6 s
          - bot: {}
        """
    )

    assert played.passed, played.transcript
    assert played.transcript[-1].startswith("09:00:30")


POSTPONED = "name: Postponed\nscript:\n  - fault: {kind: too many requests, method: sendMessage, after: 60 s}\n  - ann: hello\n"


async def test_a_script_ends_with_everything_done_unless_it_says_otherwise(play: Play) -> None:
    played = await play(POSTPONED)

    assert (played.line, played.expected, played.got) == (4, "at the end no outgoing left over", "1.0 (waiting)")


async def test_a_script_may_end_unsettled(play: Play) -> None:
    assert (await play("ends: unsettled\n" + POSTPONED)).passed


async def _after_hello(stage: Stage) -> None:
    stage.person("ann").send(stage.bot_name(stage.bot), "hello")
    await stage.settle()
    assert await find_broken(stage) == []


@pytest.fixture
def script(write: Write) -> Script:
    return read(write("name: Hello\nscript:\n  - ann: hello\n"))


async def test_a_doubled_message_breaks_an_invariant(script: Script, sqlite_database_url: str) -> None:
    async with open_stage(script, sqlite_database_url) as stage:
        await _after_hello(stage)

        assert stage.app is not None
        assert stage.app.customers is not None
        await stage.app.customers.bot.send_message(stage.person("ann").id, "hello again")

        broken = await find_broken(stage)
        assert [expected for expected, _ in broken] == ["an outgoing for every message that ann got"]
        assert "1 without one, 0 uncertain outgoings: “hello again”" in broken[0][1]


async def test_a_lost_row_breaks_an_invariant(script: Script, sqlite_database_url: str) -> None:
    async with open_stage(script, sqlite_database_url) as stage:
        await _after_hello(stage)

        await stage.store.write(lambda tx: tx.execute(outbox_table.update().values(state="waiting")))
        assert "no outgoing left over" in [expected for expected, _ in await find_broken(stage)]

        stage.confirmed["telegram"].append(1)
        assert ("every confirmed update in the inbox", "[1] missing") in await find_broken(stage)


async def test_the_stage_uses_bots_of_its_own(script: Script, sqlite_database_url: str) -> None:
    async with open_stage(script, sqlite_database_url) as stage:
        assert stage.bot.token == CUSTOMERS_TOKEN
        assert stage.settings.database_url == sqlite_database_url


@pytest.mark.parametrize(
    ("step", "got"),
    [
        ("ann: {code of: ann}", "ann has been shown no code"),
        ("ann: {link of: operator}", "operator has been shown no link"),
        ("operator: {unmerge: ann}", "ann was never merged"),
        ("operator: {merge: [ann, ann]}", "that is one customer"),
    ],
)
async def test_what_cannot_be_linked_or_merged_is_a_difference(play: Play, step: str, got: str) -> None:
    played = await play(LOST + f"  - bot: Lost\n  - {step}\n")

    assert (played.line, played.got) == (5, got)
