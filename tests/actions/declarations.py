"""What the assistants that come with Legato declare, read without the rest of them."""

from __future__ import annotations

from pathlib import Path

import bot.assistants
from bot.assistants.declared import read_declarations
from bot.content import Mistake
from memory.declared import Declarations


def declared_by(name: str) -> Declarations:
    """What may be known about the customers of a built-in assistant."""
    shared = Path(bot.assistants.__file__).parent
    mistakes: list[Mistake] = []
    articles = [path.stem for path in (shared / name / "knowledge").glob("*.md")]
    declared = read_declarations(shared / "memory.yml", shared / name / "memory.yml", articles, mistakes)
    assert mistakes == []
    return declared
