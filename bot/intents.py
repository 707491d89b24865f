"""What an assistant's examples teach: the classifier of intents, learned at the start and kept between starts."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from bot.assistants import Assistant
from bot.settings import Settings

if TYPE_CHECKING:
    from bot.understand.intents import Intents
    from memory.search.meaning import Encoder

OTHER = "(other)"
"""What an article is asked with counts as, where there is only one intent to tell from others."""


def learn_intents(assistant: Assistant, settings: Settings, encoder: Encoder | None = None) -> Intents | None:
    """The classifier of the assistant's intents; None where no flow is begun by one. Takes a second, unless it was learned before."""
    examples = {name: texts for name, texts in assistant.flows.examples.intents.items() if texts}
    if not examples or not assistant.flows.by_intent:
        return None
    if len(examples) == 1:
        asked = tuple(question for article in assistant.knowledge.articles for question in article.questions)
        if not asked:
            return None
        examples[OTHER] = asked
    from bot.understand.intents import train  # it brings numpy, which an assistant without flows does not need

    language = assistant.language.partition("-")[0]
    return train(examples, folder=settings.learned_folder or learned_folder(), encoder=encoder, language=language)


def learned_folder() -> Path:
    """The user's cache (XDG Base Directory Specification), where nothing else is set."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "legato"
