"""The language of a text."""

from __future__ import annotations

import pytest

from bot.understand.language import Languages

ENGLISH = Languages("en", {"card", "lost", "blocked"}.__contains__)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("I lost my card", "en"),
        ("Ich habe meine Karte verloren", "de"),
        ("J'ai perdu ma carte bancaire hier soir", "fr"),
        ("मेरा कार्ड खो गया है", "hi"),
        ("no", None),
        ("", None),
        ("12345 67890 1234", None),
        ("😀😀😀😀😀😀😀😀😀😀😀😀", None),
        ("asdkjh qwlekj zxmcnb qpwoei", None),
    ],
)
async def test_a_language_is_told_where_it_can_be(text: str, language: str | None) -> None:
    assert await ENGLISH.of(text) == language


@pytest.mark.parametrize(
    "text", ["\x00" * 50, "a" * 200_000, "Ünïcödé" * 9_999, "\ud83d lone surrogate here, is it safe?", "مرحبا hello привет"]
)
async def test_any_text_is_safe(text: str) -> None:
    await ENGLISH.of(text)
