"""How a customer is spoken to."""

from __future__ import annotations

from typing import Any

import pytest

from bot.turn.manner import manner_of
from bot.turn.reply import Manner
from tests.bot.turn.gathered import context, fact


@pytest.mark.parametrize(
    ("parts", "manner"),
    [
        ({}, Manner("telegram")),
        ({"language": "de-AT"}, Manner("telegram", "de")),
        ({"language": "fr"}, Manner("telegram")),
        ({"language": "de", "facts": [fact("language", "fr")]}, Manner("telegram")),
        ({"language": "en", "facts": [fact("language", "de")]}, Manner("telegram", "de")),
        ({"facts": [fact("tone", "friendly", id=2)]}, Manner("telegram", "", "friendly")),
    ],
)
def test_a_wish_goes_before_what_their_app_says(parts: dict[str, Any], manner: Manner) -> None:
    assert manner_of(context(**parts), {"de"}) == manner
