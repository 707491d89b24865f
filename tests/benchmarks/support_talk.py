"""Made-up customers of a support line over two years, with questions about their past and the exchanges that answer them.

The matters and phrasings stand in ``support_talk.yml``. The same matter comes back for a customer with other details, so a question must be
answered by these details; the answer often stands in another turn than the words of the question, and in other words. Everything follows
from the seed. Settings may be chosen on ``TRAIN`` seeds and sectors only; the others are held out.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import yaml

SECTORS = ("banking", "insurance", "telecoms")
TRAIN = (("banking", 1), ("insurance", 1))
"""Sector and seed of what settings were chosen on."""
HELD_OUT = (("banking", 2), ("insurance", 2), ("telecoms", 2))

START = datetime(2024, 1, 8, tzinfo=UTC)
DAYS = 730
NAMES = (
    "Amara",
    "Bruno",
    "Chiara",
    "Dmitri",
    "Elif",
    "Fatou",
    "Goran",
    "Hanna",
    "Imran",
    "Jonas",
    "Kaori",
    "Lucia",
    "Mateo",
    "Nadia",
    "Oskar",
)
AGENTS = ("Bea", "Theo", "Ruth", "Priya", "Sven", "Marta", "Yusuf", "Ines", "Kofi", "Petra")
_slot = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Said:
    """An exchange: ``author`` is customer, assistant or agent."""

    author: str
    name: str | None
    text: str
    at: datetime


@dataclass(frozen=True)
class Asked:
    """A question about the past and the places of the exchanges that answer it, all of them."""

    text: str
    evidence: frozenset[int]


@dataclass
class Talk:
    """One customer's two years."""

    sector: str
    name: str
    said: list[Said] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)


@cache
def _book() -> dict[str, Any]:
    text = Path(__file__).with_name("support_talk.yml").read_text(encoding="utf-8")
    book: dict[str, Any] = yaml.safe_load(text)
    return book


def talks(sector: str, seed: int, customers: int) -> list[Talk]:
    """So many customers of one sector, each with 20 to 60 conversations and the questions about them."""
    return [_talk(random.Random(f"{sector} {seed} {n}"), sector) for n in range(customers)]


def _talk(rng: random.Random, sector: str) -> Talk:
    talk = Talk(sector, rng.choice(NAMES))
    agents = rng.sample(AGENTS, 4)
    asked: list[tuple[str, str, frozenset[int]]] = []
    for day in sorted(rng.sample(range(DAYS), rng.randint(20, 60))):
        at = START + timedelta(days=day, minutes=rng.randint(7 * 60, 21 * 60))
        matter = _book()[sector][rng.choice(sorted(_book()[sector]))]
        details = _details(rng, talk.name, rng.choice(agents))
        spoken = dict(_conversation(rng, talk, matter, details, at))
        month = f"{at:%B} {at.year}"
        for question in (turn for turn in matter if turn[0] == "?"):
            *phrasings, needed = question[1:]
            if spoken.keys() >= set(needed) - {"fix"}:
                evidence = frozenset(spoken[label] for label in needed if label in spoken)
                asked.append((_filled(rng.choice(phrasings), details), month, evidence))
    talk.asked = list(_askable(rng, asked))
    return talk


def _askable(rng: random.Random, asked: Sequence[tuple[str, str, frozenset[int]]]) -> Iterator[Asked]:
    """Some of the questions; what was asked of several conversations is asked with the month, or not at all if that does not tell them
    apart."""
    plain = Counter(text for text, _, _ in asked)
    dated = Counter((text, month) for text, month, _ in asked)
    for text, month, evidence in asked:
        if rng.random() > 0.3 or dated[text, month] > 1:
            continue
        if plain[text] > 1 or rng.random() < 0.15:
            text = f"{text[:-1]} in {month}?"
        yield Asked(text, evidence)


def _details(rng: random.Random, name: str, agent: str) -> dict[str, str]:
    """The details of one conversation."""
    details = {slot: rng.choice(values) for slot, values in _book()["slots"].items()}
    for slot in ("city", "phone", "weekday", "hours"):
        details[f"{slot}2"] = rng.choice([value for value in _book()["slots"][slot] if value != details[slot]])
    amount = rng.randint(60, 2400)
    return details | {
        "name": name,
        "agent": agent,
        "amount": str(amount),
        "amount2": str(amount + rng.randint(3, 50)),
        "half": str(amount // 2),
        "small": str(rng.randint(4, 58)),
        "end": f"{rng.randint(1000, 9999)}",
        "ref": f"{rng.choice('CDKR')}{rng.choice('AEX')}-{rng.randint(1000, 99999)}",
        "errorno": str(rng.randint(100, 999)),
        "number": str(rng.randint(1, 180)),
        "day": str(rng.randint(2, 27)),
        "big": str(rng.randint(150, 600)),
        "savings": str(rng.randint(20, 140)),
        "rate": f"{rng.randint(19, 49) / 10}",
        "mbit": str(rng.randint(11, 240)),
        "petname": rng.choice(("Biscuit", "Mimi", "Pablo", "Shadow", "Luna", "Waffles", "Nero", "Pippa")),
    }


def _conversation(
    rng: random.Random, talk: Talk, matter: Sequence[list[Any]], details: dict[str, str], at: datetime
) -> Iterator[tuple[str, int]]:
    """Say the matter's turns; gives the place of each by its label."""
    people = {"c": ("customer", talk.name), "b": ("assistant", None), "a": ("agent", details["agent"])}
    book = _book()

    def say(who: str, text: str) -> int:
        nonlocal at
        at += timedelta(seconds=rng.randint(8, 240))
        author, name = people[who]
        talk.said.append(Said(author, name, _filled(text, details), at))
        return len(talk.said) - 1

    if rng.random() < 0.4:
        say("c", rng.choice(book["hello"]))
    turns = [turn for turn in matter if turn[0] != "?"]
    chat = rng.randrange(1, len(turns)) if rng.random() < 0.35 else None
    for n, (label, who, *texts) in enumerate(turns):
        if texts[-1] == "maybe":
            texts = texts[:-1]
            if rng.random() < 0.5:
                continue
        if n == chat:
            question, answer = rng.choice(book["small_talk"])
            say("c", question)
            say("b", answer)
        yield label, say(who, rng.choice(texts))
    if rng.random() < 0.6:
        say("c", rng.choice(book["bye"]))
        if rng.random() < 0.6:
            say("b", rng.choice(book["you_are_welcome"]))


def _filled(text: str, details: dict[str, str]) -> str:
    return _slot.sub(lambda match: details[match[1]], text)
