"""How a customer is spoken to, from what is known of their wishes. Pure."""

from __future__ import annotations

from collections.abc import Collection

from bot.turn.reply import Manner
from memory.context import Context
from memory.declared import LANGUAGE, TONE


def manner_of(context: Context, languages: Collection[str]) -> Manner:
    """The channel, the language and the tone to answer in.

    ``languages`` are those that the assistant speaks beside its own. A wish goes before what the customer's app says of them; who wishes
    for a language that is not spoken is answered in the assistant's own. Preferences need no consent, so they always count.
    """
    wished, tone = context.facts.get(LANGUAGE), context.facts.get(TONE)
    asked = str(wished.value) if wished is not None else context.language or ""
    language = asked.partition("-")[0]
    return Manner(context.channel, language if language in languages else "", str(tone.value) if tone is not None else "")
