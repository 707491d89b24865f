"""Buttons: what their payloads name has to be there, and has to fit."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.flows.checks.buttons import ButtonAt, check_buttons, started
from tests.bot.flows.checks.helpers import flow, flows_of, told


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ("/affirm", None),
        ("/flow f", None),
        ("/flow  g", "there is no flow `g`"),
        ("/flow ff", "there is no flow `ff`; did you mean `f`?"),
        ("/SetSlots(flag=true)", None),
        ("/SetSlots(flag=No, kind = 'A')", None),
        ("/SetSlots(amount=12.5, word=two words)", None),
        ("/SetSlots(kind=null)", None),
        ("/SetSlots(age=x)", None),
        ("/SetSlots(kind=c)", "`kind` must be one of a, b"),
        ("/SetSlots(flag=perhaps)", "`flag` must be true or false"),
        ("/SetSlots(amount=much)", "`amount` must be a number"),
        ("/SetSlots(knd=a)", "there is no slot `knd`; did you mean `kind`?"),
        ("/SetSlots()", "`/SetSlots()` cannot be read; write /SetSlots(slot=value), with a comma between several"),
        ("/SetSlots(kind)", "`/SetSlots(kind)` cannot be read"),
        ("/SetSlots kind=a", "`/SetSlots kind=a` cannot be read"),
        ("/SetSlots(kind=a, )", "`/SetSlots(kind=a, )` cannot be read"),
    ],
)
def test_what_buttons_name(tmp_path: Path, payload: str, expected: str | None) -> None:
    flows = flows_of(tmp_path, "flows:\n" + flow("f", "- collect: flag\n- collect: age"))
    found = told(check_buttons(flows, [ButtonAt(payload, tmp_path / "replies.yml", 7)]))

    assert len(found) == (expected is not None)
    assert all(text.startswith(f"7 mistake: {expected}") for text in found)


def test_the_flows_that_buttons_start(tmp_path: Path) -> None:
    buttons = [ButtonAt(payload, tmp_path, 1) for payload in ("/flow a", "/flow  b ", "/flowers", "/person")]

    assert started(buttons) == {"a", "b"}
