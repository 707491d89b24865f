"""Finding the right moment in a long past: how often it is found, and how fast, beside SQLite's full-text search in the same run.

Measured on support talk of the project's own making (the held-out part), and with a folder on LoCoMo's conversations (``locomo*.json`` in
their original format; category 5 asks for what was never said and is shown on its own). ``any`` and ``all`` say in how many of a hundred
questions one or all of the exchanges that answer were among the first so many. By words, and by words and meaning where ``legato[meaning]``
is installed. Then the same for one customer with a very long past, where only the time is measured.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import re
import sqlite3
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from memory.customers import Profile, find_or_make
from memory.database import Database
from memory.errors import SettingsError
from memory.exchanges import exchange_id, exchange_row, log
from memory.search.find import find
from memory.search.index import index_exchanges, waiting
from memory.search.layout import Floats
from memory.search.meaning import Encoder, MiniLm, Waiting, embed, index_meaning, without_vectors
from memory.search.words import ask
from tests.benchmarks.stores import emptied, own_postgres
from tests.benchmarks.support_talk import HELD_OUT, SECTORS, Said, talks
from tests.benchmarks.tables import console, save, show

DEPTHS = (1, 5, 10, 20)
BASELINE = "fts5, porter"
WORDS = "words"
BOTH = "words + meaning"
LATER = datetime(2100, 1, 1, tzinfo=UTC)
_dia_id = re.compile(r"D\d+:\d+")


@dataclass(frozen=True)
class Asked:
    """A question, the places of the exchanges that answer it, and what kind it is."""

    text: str
    evidence: frozenset[int]
    kind: str


@dataclass(frozen=True)
class Past:
    """One customer's exchanges and the questions about them."""

    said: list[Said]
    asked: list[Asked]

    @property
    def names(self) -> list[str]:
        """Who takes part."""
        return sorted({one.name for one in self.said if one.name})


@dataclass(frozen=True)
class Answer:
    """The places that were found, best first, and how long it took: on the clock, and of this process's own work."""

    asked: Asked
    places: list[int]
    seconds: float
    cpu_s: float


Answers = list[Answer]


def shares(answers: Answers) -> dict[str, str]:
    """Of a hundred questions, to how many was some and was every exchange found that answers them, by depth."""
    row = {}
    for depth in DEPTHS:
        hits = [(one.asked.evidence, one.asked.evidence & set(one.places[:depth])) for one in answers]
        some, every = sum(bool(hit) for _, hit in hits), sum(hit == evidence for evidence, hit in hits)
        row[f"@{depth}"] = f"{100 * some / len(hits):.1f}/{100 * every / len(hits):.1f}"
    return row


def times(answers: Answers) -> dict[str, float]:
    """Milliseconds of a search."""
    ms = sorted(1000 * one.seconds for one in answers)
    return {"p50 ms": median(ms), "p95 ms": ms[int(0.95 * len(ms))], "cpu ms": median(1000 * one.cpu_s for one in answers)}


class Remembering:
    """An encoder that encodes a text of the past once, however many stores it is put into."""

    def __init__(self, encoder: Encoder) -> None:
        self.name = encoder.name
        self._encoder = encoder
        self._seen: dict[str, Floats] = {}

    def encode(self, texts: Sequence[str]) -> Floats:
        new = [text for text in dict.fromkeys(texts) if text not in self._seen]
        self._seen.update(zip(new, self._encoder.encode(new), strict=True) if new else ())
        return np.stack([self._seen[text] for text in texts])

    @property
    def vectors(self) -> Floats:
        """All that was encoded so far."""
        return np.stack(list(self._seen.values()))


def support_pasts(customers: int) -> dict[str, list[Past]]:
    """The held-out customers by sector, so many in all."""
    return {
        sector: [
            Past(talk.said, [Asked(one.text, one.evidence, sector) for one in talk.asked])
            for talk in talks(sector, seed, -(-customers // len(HELD_OUT)))
        ]
        for sector, seed in HELD_OUT
    }


def locomo_pasts(folder: Path) -> list[Past]:
    """LoCoMo's conversations: the first speaker is the customer, the second an agent; a photo's caption stands in brackets."""
    return [_locomo(one) for file in sorted(folder.glob("locomo*.json")) for one in json.loads(file.read_text(encoding="utf-8"))]


def _locomo(conversation: dict[str, Any]) -> Past:
    sessions = conversation["conversation"]
    said: list[Said] = []
    places: dict[str, int] = {}
    for n in itertools.count(1):
        if f"session_{n}_date_time" not in sessions:
            break
        at = datetime.strptime(sessions[f"session_{n}_date_time"], "%I:%M %p on %d %B, %Y").replace(tzinfo=UTC)
        for k, turn in enumerate(sessions.get(f"session_{n}", ())):
            places[turn["dia_id"]] = len(said)
            author = "customer" if turn["speaker"] == sessions["speaker_a"] else "agent"
            caption = f" [{turn['blip_caption']}]" if turn.get("blip_caption") else ""
            said.append(Said(author, turn["speaker"], turn["text"] + caption, at + timedelta(seconds=30 * k)))
    asked = []
    for question in conversation["qa"]:
        evidence = frozenset(places[id_] for id_ in _dia_id.findall(" ".join(question["evidence"])) if id_ in places)
        if evidence:
            asked.append(Asked(question["question"], evidence, str(question["category"])))
    return Past(said, asked)


def long_past(exchanges: int) -> Past:
    """One customer with so many exchanges: the talk of many, one conversation after the other."""
    said: list[Said] = []
    asked: list[Asked] = []
    at = datetime(2000, 1, 1, tzinfo=UTC)
    for seed in itertools.count(100):
        for sector in SECTORS:
            for talk in talks(sector, seed, 10):
                last, first = None, len(said)
                for one in talk.said:
                    at += one.at - last if last is not None and one.at - last < timedelta(hours=6) else timedelta(hours=9)
                    last = one.at
                    said.append(Said(one.author, one.name, one.text, at))
                asked += [Asked(one.text, frozenset(place + first for place in one.evidence), sector) for one in talk.asked[:3]]
                if len(said) >= exchanges:
                    return Past(said[:exchanges], asked)
    raise AssertionError


async def store(database: Database, past: Past, address: str) -> tuple[int, dict[int, int]]:
    """Log and index a past; returns the customer and each exchange's place by its id."""
    profile = Profile(address, name="Somebody")
    known = (await database.write(lambda tx: find_or_make(tx, "telegram", [profile], at=past.said[0].at)))[address]
    places: dict[int, int] = {}
    rows = []
    for place, one in enumerate(past.said):
        turn = known.customer_id * 1_000_000 + place + 1
        places[exchange_id(turn, 0)] = place
        rows.append(
            exchange_row(
                id=exchange_id(turn, 0),
                customer_id=known.customer_id,
                identity_id=known.identity_id,
                turn_id=turn,
                direction="in" if one.author == "customer" else "out",
                author=one.author,
                author_name=one.name,
                kind="text",
                text=one.text,
                at=one.at,
            )
        )
    for start in range(0, len(rows), 5000):
        await database.write(partial(log, rows=rows[start : start + 5000]))
    while batch := await database.read(lambda tx: waiting(tx, known.customer_id, settled=LATER)):
        await database.write(partial(index_exchanges, customer_id=known.customer_id, rows=batch))
    return known.customer_id, places


async def see(database: Database, customer_id: int, name: str, vectors_of: Callable[[Waiting], Floats]) -> None:
    """Give every document of a customer its vector."""
    while work := await database.read(lambda tx: without_vectors(tx, customer_id, name, limit=256)):
        vectors = vectors_of(work)
        await database.write(partial(index_meaning, customer_id=customer_id, encoder=name, waiting=work, vectors=vectors))


async def search(database: Database, customer_id: int, past: Past, places: dict[int, int], encoder: Encoder | None) -> Answers:
    """Ask every question of a past; the time is that of understanding, encoding, reading and ranking."""
    now = past.said[-1].at
    answers = []
    for asked in past.asked:
        start, cpu = time.perf_counter(), time.process_time()
        question = ask(asked.text, names=past.names, now=now)
        meaning = embed(encoder, question.plain) if encoder is not None else None
        moments = await database.read(partial(find, customer_ids=[customer_id], question=question, limit=DEPTHS[-1], meaning=meaning))
        seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
        answers.append(Answer(asked, [places[moment.exchange_id] for moment in moments], seconds, cpu))
    return answers


def full_text(pasts: Sequence[Past]) -> Answers:
    """The baseline: SQLite FTS5 with porter stemming over speaker and text, the question's words joined by OR."""
    answers = []
    for past in pasts:
        connection = sqlite3.connect(":memory:")
        connection.execute("CREATE VIRTUAL TABLE said USING fts5(text, tokenize='porter')")
        lines = ((place, f"{one.name or one.author} {one.text}") for place, one in enumerate(past.said))
        connection.executemany("INSERT INTO said (rowid, text) VALUES (?, ?)", lines)
        for asked in past.asked:
            start, cpu = time.perf_counter(), time.process_time()
            match = " OR ".join(f'"{word}"' for word in re.findall(r"\w+", asked.text))
            rows = connection.execute(
                "SELECT rowid FROM said WHERE said MATCH ? ORDER BY bm25(said) LIMIT ?", (match, DEPTHS[-1])
            ).fetchall()
            answers.append(Answer(asked, [row[0] for row in rows], time.perf_counter() - start, time.process_time() - cpu))
        connection.close()
    return answers


async def measure(database: Database, pasts: Sequence[Past], encoder: Encoder | None, of_past: Encoder | None) -> dict[str, Answers]:
    """Search these pasts by words, and by words and meaning where there is an encoder."""
    await database.write(emptied)
    by_words, by_both = [], []
    for n, past in enumerate(pasts):
        customer_id, places = await store(database, past, str(n))
        by_words += await search(database, customer_id, past, places, None)
        if encoder is not None and of_past is not None:
            await see(database, customer_id, encoder.name, partial(_encode, of_past))
            by_both += await search(database, customer_id, past, places, encoder)
    return {WORDS: by_words} | ({BOTH: by_both} if by_both else {})


def _encode(encoder: Encoder, work: Waiting) -> Floats:
    return encoder.encode(work.texts)


async def measure_long(database: Database, past: Past, encoder: Encoder | None, vectors: Floats | None) -> dict[str, Answers]:
    """The time of a search in one very long past. Its vectors are those of other texts with some noise: only the time is measured."""
    await database.write(emptied)
    customer_id, places = await store(database, past, "long")
    by_words = await search(database, customer_id, past, places, None)
    if encoder is None or vectors is None:
        return {WORDS: by_words}
    rng = np.random.default_rng(1)

    def made(work: Waiting) -> Floats:
        some = vectors[rng.integers(len(vectors), size=len(work.texts))] + rng.normal(0, 0.02, (len(work.texts), vectors.shape[1]))
        return np.asarray(some / np.linalg.norm(some, axis=1, keepdims=True), np.float32)

    await see(database, customer_id, encoder.name, made)
    return {WORDS: by_words, BOTH: await search(database, customer_id, past, places, encoder)}


def differences(ways: dict[tuple[str, str], Answers]) -> int:
    """To how many questions the two databases find something different."""
    pairs = [(ways[how, "sqlite"], ways[how, "postgresql"]) for how in (WORDS, BOTH) if (how, "sqlite") in ways]
    return sum(one.places != other.places for first, second in pairs for one, other in zip(first, second, strict=True))


async def run(arguments: argparse.Namespace) -> None:
    """Measure and show everything that was asked for."""
    try:
        encoder = None if arguments.words_only else MiniLm.load()
    except SettingsError as error:
        console.print(f"Words only: {error}")
        encoder = None
    remembering = Remembering(encoder) if encoder is not None else None
    sets: dict[str, tuple[list[Past], dict[str, set[str]]]] = {}
    by_sector = support_pasts(arguments.customers)
    sets["support"] = (
        [past for pasts in by_sector.values() for past in pasts],
        {sector: {sector} for sector in by_sector} | {"all": set(by_sector)},
    )
    if arguments.folder is not None:
        pasts = locomo_pasts(arguments.folder)
        if not pasts:
            raise SystemExit(f"{arguments.folder} has no locomo*.json")
        groups = {str(n): {str(n)} for n in range(1, 6)} | {"1-4": set("1234"), "1-5": set("12345")}
        sets["locomo"] = (pasts, groups)
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder, own_postgres() as postgres:
        databases = {"sqlite": Database(f"sqlite:///{folder}/search.db"), "postgresql": Database(postgres)}
        for title, (pasts, groups) in sets.items():
            ways = {(BASELINE, "sqlite"): full_text(pasts)}
            for name, database in databases.items():
                ways |= {(how, name): answers for how, answers in (await measure(database, pasts, encoder, remembering)).items()}
            exchanges = sum(len(past.said) for past in pasts)
            found = [
                {"kind": kind, "by": how, "questions": len(chosen)} | shares(chosen)
                for kind, wanted in groups.items()
                for (how, name), answers in ways.items()
                if name == "sqlite" and (chosen := [one for one in answers if one.asked.kind in wanted])
            ]
            show(f"{title}: {len(pasts)} customers, {exchanges} exchanges; any/all found, %", found)
            took = [{"by": how, "in": name} | times(answers) for (how, name), answers in ways.items()]
            show(f"{title}: time of a search", took)
            figures[title] = {"found": found, "time": took, "differ": differences(ways)}
            console.print(f"Questions to which PostgreSQL finds something else than SQLite: {figures[title]['differ']}\n")
        if arguments.long:
            past = long_past(arguments.long)
            ways = {}
            for name, database in databases.items():
                vectors = remembering.vectors if remembering is not None else None
                ways |= {(how, name): answers for how, answers in (await measure_long(database, past, encoder, vectors)).items()}
            figures["long"] = [{"by": how, "in": name} | times(answers) for (how, name), answers in ways.items()]
            show(f"one customer with {len(past.said)} exchanges: time of a search", figures["long"])
        for database in databases.values():
            await database.close()
    save(arguments.json, figures)


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", help="where locomo*.json stands")
    parser.add_argument("--customers", type=int, default=42, help="made-up customers")
    parser.add_argument("--long", type=int, default=100_000, help="exchanges of the customer with a very long past; 0 for none")
    parser.add_argument("--words-only", action="store_true", help="leave meaning out")
    parser.add_argument("--json", type=Path, help="write the figures there too")
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
