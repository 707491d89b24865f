"""Flows for the tests of checks: written as designers write them, read as they are read."""

from __future__ import annotations

from pathlib import Path

from bot.content import Mistake
from bot.flows.model import Flows
from bot.flows.read import read_flows
from tests.bot.flows.files.sample import DECLARED

DOMAIN = """\
intents: [go, other]
entities: [thing]
slots:
  flag: {type: bool}
  kind: {type: categorical, values: [a, b]}
  amount: {type: float}
  word: {type: text}
  told: {type: text, mappings: [{type: controlled}]}
actions: [action_do]
"""

NLU = """\
nlu:
  - intent: go
    examples: |
      - please go
      - start now
      - off we go then
      - let us begin
      - i want to start
"""


def flows_of(folder: Path, text: str, *, domain: str = DOMAIN, nlu: str = NLU) -> Flows:
    """The flows in ``text``, in which each flow is begun by its name alone."""
    (folder / "flows").mkdir(exist_ok=True)
    (folder / "domain.yml").write_text(domain)
    (folder / "nlu.yml").write_text(nlu)
    (folder / "flows" / "all.yml").write_text(text)
    mistakes: list[Mistake] = []
    flows = read_flows(folder, DECLARED, mistakes)
    assert not mistakes, [str(mistake) for mistake in mistakes]
    return flows


def flow(name: str, steps: str, *, head: str = "nlu_trigger: [go]") -> str:
    """One flow; ``steps`` are lines that begin without spaces."""
    lines = "\n".join(f"      {line}" for line in steps.strip().split("\n"))
    return f"  {name}:\n    description: d\n    {head}\n    steps:\n{lines}\n"


def told(found: list[Mistake]) -> list[str]:
    """What was found, as ``line severity: text``."""
    return [f"{mistake.line} {mistake.severity}: {mistake.text}" for mistake in sorted(found)]
