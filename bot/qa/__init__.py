"""Scripted dialogues: customers, the assistant and agents played against the whole system, with faults. Start at ``run``."""

from bot.qa.run import run

__all__ = ["run"]
