"""Real conversations through the whole system while the assistant's process is killed, again and again; then the books are checked.

    python -m tests.benchmarks.replay FOLDER [--conversations 200] [--kills 10] [--redis] [--json FILE]

FOLDER holds ``finance``, ``insurance`` and ``media`` with ``train.tsv`` in the MultiDoGO layout. Fifty customers at a time write what the
real ones wrote; an agent answers whoever is handed over and gives them back. The truth that the ledger is compared with is the simulator's.

With ``--redis`` the assistant has a Redis, which is stopped, flushed and frozen all the while, and on PostgreSQL it is several processes,
each killed on its own. The books must be as right as without.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import csv
import random
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import uvloop

from bot.simulator import Simulator, serve
from bot.simulator.state import GENERAL, Message
from bot.understand.codes import without_cards
from memory.customers import Identity
from memory.database import Database, Tx, table
from memory.exchanges import Exchange
from memory.inbox import inbox_table
from memory.outbox import outbox_table
from memory.turns import turn_table
from tests.benchmarks.bots import CUSTOMER_TOKEN, DESK_CHAT, DESK_TOKEN
from tests.benchmarks.stores import emptied, own_postgres
from tests.benchmarks.tables import console, save, show
from tests.own_redis import FAULTS, OwnRedis, frozen, stopped

SECTORS = {"finance": "banking", "insurance": "insurance", "media": "telecoms"}
PATIENCE_S = 25.0
"""A customer who has no answer for so long writes on."""

QUICK = ("turn_deadline_s=2", "lease_s=3", "send_timeout_s=3", "send_lease_s=5", "uncertain_wait_s=4", "album_wait_s=0.2")
"""Leases short enough that a run with many kills takes minutes; the rules are the same as with the defaults."""

TOGETHER = ("parts=channels+worker+watchdog",)
APART = ("parts=channels+watchdog", "parts=worker", "parts=worker")
"""The processes of an assistant that has Redis and PostgreSQL: none can do without the others."""

FROZEN_S = 5.0
STOPS_WITHIN_S = 60.0
FIRST_PERSON = 5_000_000


def conversations(folder: Path, most: int) -> list[list[str]]:
    """What the customers of one sector wrote, a list a conversation, in turn order."""
    by_id: dict[str, list[tuple[float, str]]] = defaultdict(list)
    with (folder / "train.tsv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            if text := " ".join(row["utterance"].split()):
                by_id[row["conversationId"]].append((float(row["turnNumber"]), text[:4096]))
    return [[text for _, text in sorted(turns, key=lambda turn: turn[0])] for turns in list(by_id.values())[:most]]


@dataclass
class Stage:
    """The simulated people of one sector, and what each customer has written, in order."""

    sim: Simulator = field(default_factory=lambda: Simulator(event_limit=20_000))
    wrote: dict[int, list[str]] = field(default_factory=lambda: defaultdict(list))
    answered: dict[int, asyncio.Event] = field(default_factory=lambda: defaultdict(asyncio.Event))
    impatient: int = 0
    seen_in_topic: Counter[int] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.sim.add_bot("replay_bot", token=CUSTOMER_TOKEN)
        desk = self.sim.add_bot("replay_desk_bot", token=DESK_TOKEN)
        self.agent = self.sim.add_person("Bea", id=9_000_000, last_name="Novak")
        self.sim.add_group("desk", id=DESK_CHAT, members=[self.agent], admins=[self.agent], bots=[desk])

    async def play(self, number: int, texts: list[str]) -> None:
        """One customer, from the first message to the last answer."""
        person = self.sim.add_person(f"Customer{number}", id=FIRST_PERSON + number)
        for text in texts:
            self.answered[person.id].clear()
            person.send("replay_bot", text)
            self.wrote[person.id].append(text)
            try:
                await asyncio.wait_for(self.answered[person.id].wait(), PATIENCE_S)
            except TimeoutError:
                self.impatient += 1

    async def follow(self) -> None:
        """Tell customers of their answers, and be the agent: greet, answer twice, give back."""
        seen = self.sim.events.last
        while True:
            for event in await self.sim.events.wait(seen, 5):
                seen = event.number
                if event.kind != "message" or not event.from_bot or event.chat is None:
                    continue
                if event.chat.id != DESK_CHAT:
                    self.answered[event.chat.id].set()
                elif event.message is not None and not self._settles(event.message) and event.message.thread_id not in (None, GENERAL):
                    self._act(event.message)

    def _settles(self, message: Message) -> bool:
        """Whether it is the question about what may not have arrived; then it is sent again."""
        asked = _has_button(message, "Send again")
        if asked:
            self.agent.tap(DESK_CHAT, "Send again", message.id)
        return asked

    def _act(self, message: Message) -> None:
        thread = message.thread_id or GENERAL
        if _has_button(message, "Claim"):  # a new case; a customer may come back to the same topic
            self.seen_in_topic[thread] = 0
        self.seen_in_topic[thread] += 1
        count = self.seen_in_topic[thread]
        words = "Hello, I have read your case." if count == 1 else f"Noted, thank you ({count})." if count < 4 else "/return"
        if count <= 4:
            with contextlib.suppress(Exception):  # the topic may have been closed by then
                self.agent.send(DESK_CHAT, words, thread_id=thread)


def _has_button(message: Message, title: str) -> bool:
    keyboard = (message.data.get("reply_markup") or {}).get("inline_keyboard", [])
    return any(button["text"] == title for row in keyboard for button in row)


async def keep_killing(url: str, database_url: str, options: Sequence[str], kills: int, done: asyncio.Event, rng: random.Random) -> int:
    """Run a process; SIGKILL and restart it at random moments until it was killed often enough; stop it in order at the end."""
    killed = 0
    while True:
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.benchmarks.bots", "legato", url, database_url, *options, *QUICK,
            stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert child.stdout is not None
        if await child.stdout.readline() != b"ready\n":
            raise RuntimeError("the assistant did not start")
        ending = asyncio.create_task(child.wait())
        asked = asyncio.create_task(done.wait())
        within = rng.uniform(0.3, 2.5) if killed < kills else None
        await asyncio.wait({ending, asked}, timeout=within, return_when=asyncio.FIRST_COMPLETED)
        asked.cancel()
        if ending.done():
            raise RuntimeError(f"the assistant ({' '.join(options)}) ended by itself, with {child.returncode}")
        if done.is_set():
            child.terminate()
            try:
                async with asyncio.timeout(STOPS_WITHIN_S):
                    await child.wait()
            except TimeoutError:
                child.kill()
                raise RuntimeError(f"the assistant ({' '.join(options)}) did not stop when it was asked to") from None
            return killed
        child.kill()
        await child.wait()
        killed += 1


async def torment(redis: OwnRedis, done: asyncio.Event, rng: random.Random) -> dict[str, int]:
    """Do everything to Redis that may happen to it, in ever another order, until all is done; returns how often, and what it carried."""
    did: Counter[str] = Counter()
    messages = 0
    while not done.is_set():
        for fault in rng.sample(FAULTS, len(FAULTS)):
            if await _is_done_within(done, rng.uniform(0.5, 2.5)):
                break
            if fault is stopped:
                messages += redis.published()
            mend = fault(redis)
            did[fault.__name__] += 1
            if fault in (frozen, stopped):
                await _is_done_within(done, FROZEN_S if fault is frozen else rng.uniform(0.5, 3.0))
            await asyncio.to_thread(mend)
    return {f"times that Redis was {fault.__name__}": did[fault.__name__] for fault in FAULTS} | {
        "messages through Redis": messages + redis.published()
    }


async def _is_done_within(done: asyncio.Event, seconds: float) -> bool:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(done.wait(), seconds)
    return done.is_set()


async def quiet(database: Database, sim: Simulator, limit_s: float = 90.0) -> bool:
    """Wait until nothing waits anywhere: updates, lanes, unsettled sends. Summaries of conversations may wait: those go on."""
    waiting = sa.text(
        "SELECT (SELECT count(*) FROM lane WHERE kind <> 'digest')"
        " + (SELECT count(*) FROM outbox WHERE state = 'uncertain' AND resolved IS NULL"
        " AND lane = 'telegram' AND key NOT LIKE '%.again')"
    )
    end = time.monotonic() + limit_s
    while time.monotonic() < end:
        left = await database.read(lambda tx: tx.execute(waiting).scalar_one())
        if left == 0 and sim.pending("replay_bot") == 0 and sim.pending("replay_desk_bot") == 0:
            return True
        await asyncio.sleep(0.2)
    return False


def check_books(tx: Tx, stage: Stage) -> dict[str, int]:
    """Compare the ledger with what the simulated customers wrote and got."""
    exchange, identity = table(Exchange), table(Identity)
    address = {row.id: row.address for row in tx.execute(sa.select(identity.c.id, identity.c.address))}
    logged: dict[int, list[str]] = defaultdict(list)
    heard = sa.select(exchange.c.identity_id, exchange.c.text).where(exchange.c.direction == "in").order_by(exchange.c.id)
    for row in tx.execute(heard):
        logged[int(address[row.identity_id])].append(row.text)
    wrong = sum(logged[person] != [without_cards(text) for text in texts] for person, texts in stage.wrote.items())
    answered = set(tx.execute(sa.select(exchange.c.turn_id).where(exchange.c.direction == "out")).scalars())
    relayed = set(tx.execute(sa.select(turn_table.c.id).where(turn_table.c.decision.in_(["relay", "still waiting"]))).scalars())
    turns = set(tx.execute(sa.select(turn_table.c.id).where(turn_table.c.lane == "turn")).scalars())
    unfinished = tx.execute(sa.select(sa.func.count()).select_from(inbox_table).where(inbox_table.c.turn_id.is_(None))).scalar_one()
    return {
        "customer messages": sum(len(texts) for texts in stage.wrote.values()),
        "logged": sum(len(texts) for texts in logged.values()),
        "customers whose log is not exactly what they wrote": wrong,
        "turns": len(turns),
        "turns without answer or relay": len(turns - answered - relayed),
        "inbox rows without a turn": unfinished,
        **_check_sends(tx, stage),
    }


def _check_sends(tx: Tx, stage: Stage) -> dict[str, int]:
    """Every outgoing to a customer: how often the simulated customer really got it."""
    got: dict[int, dict[int, str]] = {
        person: {m.message_id: m.text for m in stage.sim.person(person).messages("replay_bot") if m.from_bot} for person in stage.wrote
    }
    rows = tx.execute(sa.select(outbox_table).where(outbox_table.c.lane == "telegram").order_by(outbox_table.c.id)).all()
    states = Counter(row.state for row in rows)
    extra = {person: dict(messages) for person, messages in got.items()}
    for row in rows:
        if row.state == "sent" and row.message_id:
            extra[int(row.address)].pop(int(row.message_id), None)
    again = {row.key: row.state for row in rows if row.key.endswith(".again")}  # each of these accounts for itself
    twice = lost = 0
    for row in rows:
        if row.state == "uncertain":
            text = _visible(row.outgoing["text"])
            match = next((id_ for id_, seen in extra[int(row.address)].items() if seen == text), None)
            if match is not None:
                extra[int(row.address)].pop(match)
            later = again.get(f"{row.key}.again")
            twice += match is not None and later == "sent"
            lost += match is None and later is None
        elif row.state == "sent" and row.message_id and int(row.message_id) not in got[int(row.address)]:
            lost += 1
    return {
        "outgoings": len(rows),
        "sent": states["sent"],
        "uncertain": states["uncertain"],
        "dropped as the conversation changed hands": states["dropped"],
        "refused": states["refused"],
        "delivered twice, after uncertain": twice,
        "delivered twice otherwise": sum(len(messages) for messages in extra.values()),
        "lost": lost + states["waiting"] + states["sending"],
    }


def _visible(html: str) -> str:
    """What a customer sees of Telegram HTML."""
    from bot.markup import plain_of

    return plain_of(html)


@contextlib.contextmanager
def databases(given: str | None) -> Iterator[dict[str, str]]:
    """The databases to replay on, by name: a SQLite file, and a PostgreSQL that is given or started."""
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        if given is None:
            given = stack.enter_context(own_postgres())
        yield {"SQLite": f"sqlite:///{folder}/replay.db", "PostgreSQL": given}


async def replay(
    sector: str,
    texts: list[list[str]],
    database_url: str,
    records: Path,
    *,
    at_once: int,
    kills: int,
    seed: int,
    redis: OwnRedis | None = None,
) -> dict[str, Any]:
    """One sector on one database, with the company's records in a file of its own; returns its figures."""
    database = Database(database_url)
    await database.write(emptied)
    stage, done, rng = Stage(), asyncio.Event(), random.Random(seed)
    start = time.monotonic()
    async with serve(stage.sim) as server, _background(stage.follow()):
        processes = APART if redis is not None and not database.is_sqlite else TOGETHER
        options = [f"assistant={SECTORS[sector]}", f"records=sample:{records}", *([f"redis_url={redis.url}"] if redis is not None else [])]
        killers = [
            asyncio.create_task(
                keep_killing(
                    server.url,
                    database_url,
                    [parts, *options],
                    (kills + number) // len(processes),
                    done,
                    random.Random(f"{seed} {number}"),
                )
            )
            for number, parts in enumerate(processes)
        ]
        tormentor = asyncio.create_task(torment(redis, done, rng)) if redis is not None else None
        places = asyncio.Semaphore(at_once)

        async def one(number: int, conversation: list[str]) -> None:
            async with places:
                await stage.play(number, conversation)

        playing = asyncio.gather(*(one(number, conversation) for number, conversation in enumerate(texts)))
        beside: set[asyncio.Future[Any]] = {*killers, *([tormentor] if tormentor is not None else [])}
        ended, _ = await asyncio.wait({playing, *beside}, return_when=asyncio.FIRST_COMPLETED)
        for broken in ended & beside:  # none of them ends before it is told to
            await broken
        await playing
        is_quiet = await quiet(database, stage.sim)
        done.set()
        killed = sum(await asyncio.gather(*killers))
        tormented = await tormentor if tormentor is not None else {}
        seconds = time.monotonic() - start
        books = await database.read(lambda tx: check_books(tx, stage))
    await database.close()
    return {
        "conversations": len(texts),
        "kills": killed,
        **tormented,
        "seconds": round(seconds),
        "came to rest": is_quiet,
        "customers who waited too long": stage.impatient,
        **books,
    }


@contextlib.asynccontextmanager
async def _background(work: Any) -> AsyncIterator[None]:
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def faults_of(figures: dict[str, Any]) -> list[str]:
    """What must not be, in words."""
    must_be_zero = (
        "customers whose log is not exactly what they wrote",
        "turns without answer or relay",
        "inbox rows without a turn",
        "delivered twice otherwise",
        "lost",
    )
    never = [f"0 {name}" for name, figure in figures.items() if "Redis" in name and not figure]
    wrong = [f"{figures[name]} {name}" for name in must_be_zero if figures[name]]
    return [*wrong, *never, *([] if figures["came to rest"] else ["never came to rest"])]


def main() -> None:
    """Replay and show; exit code 1 if the books are wrong."""
    parser = argparse.ArgumentParser(description="Real conversations while the assistant is killed.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--conversations", type=int, default=200, help="of each sector")
    parser.add_argument("--at-once", type=int, default=50)
    parser.add_argument("--kills", type=int, default=10, help="of each sector on each database")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--postgres", help="a PostgreSQL URL whose database may be emptied; by default one is started")
    parser.add_argument("--only", choices=["SQLite", "PostgreSQL"])
    parser.add_argument("--sector", choices=[*SECTORS], help="only this one")
    parser.add_argument("--redis", action="store_true", help="with a Redis that is stopped, flushed and frozen")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    figures: dict[str, dict[str, Any]] = {}
    with databases(given.postgres) as urls, OwnRedis() if given.redis else contextlib.nullcontext() as redis:
        for name, url in urls.items():
            if given.only in (None, name):
                for sector in [given.sector] if given.sector else SECTORS:
                    texts = conversations(given.folder / sector, given.conversations)
                    how = {"at_once": given.at_once, "kills": given.kills, "seed": given.seed, "redis": redis}
                    with tempfile.TemporaryDirectory() as folder:
                        figures[f"{name}, {SECTORS[sector]}"] = uvloop.run(replay(sector, texts, url, Path(folder) / "records.db", **how))
                    console.print(f"{name}, {SECTORS[sector]}: {figures[f'{name}, {SECTORS[sector]}']}")
    keys = list(next(iter(figures.values())))
    show("Replay", [{"": key} | {run: one[key] for run, one in figures.items()} for key in keys])
    save(given.json, figures)
    wrong = {run: faults for run, one in figures.items() if (faults := faults_of(one))}
    for run, faults in wrong.items():
        console.print(f"[red]{run}: {'; '.join(faults)}[/]")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
