"""What scripts say of flows: where they stand, why a turn did what it did, and which actions were run."""

from __future__ import annotations

import pytest

from bot.flows.actions import Called
from bot.qa.actions import ScriptedActions
from bot.qa.format import ActionDoes

from .conftest import Play, Write
from .test_read import _mistakes

TRANSFER = """
name: A transfer
assistant: tests/assistants/tasks
actions: {action_transfer: {failed: timeout}}
script:
  - ann: transfer 50 pounds to Bob
  - bot: {reply: utter_ask_sure}
"""


@pytest.mark.parametrize(
    ("step", "expected", "got"),
    [
        ("flow: none", "no flow", "transfer_money at is_sure"),
        ("flow: close_account", "the flow: close_account", "transfer_money"),
        ("flow: {at: go}", "the step: go", "is_sure"),
        ("flow: {under: [close_account]}", "flows below: ['close_account']", "[]"),
        ("flow: {waits: proof}", "what is waited for: proof", "slot sure"),
        ("flow: {slots: {amount: 60}}", "the slot amount: 60", "50"),
        ("flow: {slots: {recipient: null}}", "the slot recipient: None", "Bob"),
        ("why: Action action_transfer", "why “Action action_transfer”", "“Intents: transfer_money"),
        ("why: {not: transfer_money}", "why without the pattern 'transfer_money'", "“Intents"),
        ("ran: {action_transfer: 1}", "action_transfer to have been run: 1", "0"),
    ],
)
async def test_a_difference_says_what_was_expected_and_got(play: Play, step: str, expected: str, got: str) -> None:
    played = await play(f"{TRANSFER}  - {step}\n")

    assert not played.passed
    assert expected in played.expected
    assert got in played.got


async def test_what_is_as_written_passes_and_actions_may_change(play: Play) -> None:
    played = await play(
        TRANSFER
        + """
  - flow: {is: transfer_money, at: is_sure, under: [], waits: slot sure, slots: {amount: 50, recipient: Bob, card: null}}
  - why: {contains: ["Commands: keep what was named: recipient; begin transfer_money"], not: Bob}
  - actions: {action_transfer: {slots: {amount: 51}, text: Done so}}
  - ann: "yes"
  - bot: {text: [Done so, I have transferred 51]}
  - ran: {action_transfer: 1, action_close: 0}
  - flow: none
"""
    )

    assert played.passed, (played.expected, played.got)


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("flow: {of: eve}", 5, "there is no customer `eve`"),
        ("flow: {step: one}", 5, "unknown key `step`"),
        ("actions: {action_x: {}}", 5, "give the head `actions`"),
        ("ran: {action_x: once}", 5, "ran"),
    ],
)
def test_a_wrong_step_is_named(write: Write, text: str, line: int, said: str) -> None:
    found = _mistakes(write(f"name: A\nassistant: tests/assistants/tasks\nscript:\n  - ann: hello\n  - {text}\n"))

    assert [one[0] for one in found] == [line]
    assert said in found[0][1] or said == "ran"


async def test_a_call_that_is_made_again_is_answered_as_before_and_counted_once() -> None:
    actions = ScriptedActions({"action_x": ActionDoes(slots={"a": 1})})
    call = Called("action_x", 7, 0, "telegram:1", {})

    first = await actions(call)
    actions.answers["action_x"] = ActionDoes(failed="error")

    assert await actions(call) == first
    assert (await actions(Called("action_x", 8, 0, "telegram:1", {}))).failed == "error"
    assert actions.ran == {"action_x": 2}
