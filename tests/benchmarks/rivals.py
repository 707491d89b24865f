"""One rival with one customer of one length, in a process of its own: filled, loaded from, appended to.

    python -m tests.benchmarks.rivals NAME --length 1000 --place FOLDER-OR-URL [--server PID] [--times 100] [--limit 20]

It runs in the environment of ``rivals.txt``, which has no Legato in it. It prints a line of JSON when it is filled and another when it is
measured. Each rival is asked for the least that brings what a turn needs, and is alone in its database: there are no other customers.
"""

# mypy: disable-error-code="import-not-found,import-untyped,unused-ignore"
from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import resource
import socket
import sys
import time
import uuid
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Protocol

from tests.benchmarks.sayings import saying
from tests.benchmarks.timing import WARM_UP, time_each

SILENT = {"MEM0_TELEMETRY": "False", "POSTHOG_DISABLED": "1", "LANGSMITH_TRACING": "false", "LANGCHAIN_TRACING_V2": "false"}
LAST = 12
"""How many exchanges are wanted, where a rival can give fewer than all."""

ALIKE, SHORT = 20, 1000
"""Below ``SHORT`` exchanges there are so many customers alike, and a history grows by a tenth at most while appending is measured."""

MOST_BYTES = 8 << 30
"""How much memory a rival may take."""


class Rival(Protocol):
    """What is asked of each: ``customer`` is any string."""

    async def fill(self, customer: str, texts: Sequence[str]) -> None:
        """Store a whole history, by the fastest way that it offers."""

    async def load(self, customer: str) -> int:
        """Get what the next answer needs; returns how many exchanges came."""

    async def append(self, customer: str, text: str) -> None:
        """Add one exchange, kept when this returns."""

    async def size(self) -> int:
        """Bytes on disk."""


class Checkpoints:
    """LangGraph: a graph whose state is the list of messages, kept by a checkpointer. ``delta`` keeps differences (beta)."""

    def __init__(self, saver: Any, size: Any, *, delta: bool) -> None:
        from langchain_core.messages import HumanMessage
        from langgraph.channels.delta import DeltaChannel
        from langgraph.graph import MessagesState, StateGraph
        from langgraph.graph.message import _messages_delta_reducer
        from typing_extensions import TypedDict

        channel = Annotated[list[Any], DeltaChannel(_messages_delta_reducer)]
        state = TypedDict("state", {"messages": channel}) if delta else MessagesState  # type: ignore[operator]
        graph = StateGraph(state)
        graph.add_node("answer", lambda _state: {})
        graph.set_entry_point("answer")
        self._graph = graph.compile(checkpointer=saver)
        self._message = HumanMessage
        self.size = size

    async def fill(self, customer: str, texts: Sequence[str]) -> None:
        await self._update(customer, [self._message(content=text, id=str(uuid.uuid4())) for text in texts])

    async def load(self, customer: str) -> int:
        state = await self._graph.aget_state(_thread(customer))
        return len(state.values["messages"])

    async def append(self, customer: str, text: str) -> None:
        await self._update(customer, [self._message(content=text, id=str(uuid.uuid4()))])

    async def _update(self, customer: str, messages: list[Any]) -> None:
        await self._graph.aupdate_state(_thread(customer), {"messages": messages}, as_node="answer")


def _thread(customer: str) -> dict[str, Any]:
    return {"configurable": {"thread_id": customer}}


@contextlib.asynccontextmanager
async def sqlite_saver(place: str, *, delta: bool = False) -> AsyncIterator[Rival]:
    """LangGraph's AsyncSqliteSaver."""
    from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

    path = Path(place) / "checkpoints.db"
    async with AsyncSqliteSaver.from_conn_string(str(path)) as saver:
        await saver.setup()

        async def size() -> int:
            await saver.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            return path.stat().st_size

        yield Checkpoints(saver, size, delta=delta)


def sqlite_saver_delta(place: str) -> contextlib.AbstractAsyncContextManager[Rival]:
    """The same with LangGraph's DeltaChannel."""
    return sqlite_saver(place, delta=True)


@contextlib.asynccontextmanager
async def postgres_saver(place: str) -> AsyncIterator[Rival]:
    """LangGraph's AsyncPostgresSaver."""
    from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver

    async with AsyncPostgresSaver.from_conn_string(place) as saver:
        await saver.setup()
        yield Checkpoints(saver, lambda: _database_size(saver.conn), delta=False)


async def _database_size(connection: Any) -> int:
    cursor = await connection.execute("SELECT pg_database_size(current_database()) AS size")
    return int((await cursor.fetchone())["size"])


class Store:
    """LangGraph's AsyncPostgresStore: one item an exchange in the customer's namespace, the newest of which are asked for."""

    def __init__(self, store: Any) -> None:
        self._store = store

    async def fill(self, customer: str, texts: Sequence[str]) -> None:
        from langgraph.store.base import PutOp

        for some in _batches(list(enumerate(texts)), 1000):
            await self._store.abatch([PutOp(("exchanges", customer), f"{n:09}", {"text": text}) for n, text in some])

    async def load(self, customer: str) -> int:
        return len(await self._store.asearch(("exchanges", customer), limit=LAST))

    async def append(self, customer: str, text: str) -> None:
        await self._store.aput(("exchanges", customer), str(uuid.uuid4()), {"text": text})

    async def size(self) -> int:
        return await _database_size(self._store.conn)


@contextlib.asynccontextmanager
async def postgres_store(place: str) -> AsyncIterator[Rival]:
    """LangGraph's AsyncPostgresStore."""
    from langgraph.store.postgres.aio import AsyncPostgresStore

    async with AsyncPostgresStore.from_conn_string(place) as store:
        await store.setup()
        yield Store(store)


class HashedWords:
    """An embedder that needs no model: each word counts in one of the vector's places."""

    SIZE = 64

    def embed(self, text: str, _action: str | None = None) -> list[float]:
        """The vector of a text."""
        vector = [0.001] * self.SIZE
        for word in text.lower().split():
            vector[hashlib.blake2b(word.encode(), digest_size=1).digest()[0] % self.SIZE] += 1.0
        return vector


class Mem0:
    """mem0 with its own local vector store and no language model: messages are kept as they are, and searched for."""

    def __init__(self, place: str) -> None:
        os.environ["MEM0_DIR"] = place
        from mem0 import Memory

        self._place = Path(place)
        self._memory = Memory.from_config(
            {
                "vector_store": {
                    "provider": "qdrant",
                    "config": {"path": f"{place}/qdrant", "on_disk": True, "embedding_model_dims": HashedWords.SIZE},
                },
                "embedder": {"provider": "openai", "config": {"api_key": "none"}},
                "llm": {"provider": "openai", "config": {"api_key": "none"}},
                "history_db_path": f"{place}/history.db",
            }
        )
        self._memory.embedding_model = HashedWords()

    async def fill(self, customer: str, texts: Sequence[str]) -> None:
        for some in _batches(texts, 100):
            self._memory.add([{"role": "user", "content": text} for text in some], user_id=customer, infer=False)

    async def load(self, customer: str) -> int:
        found = self._memory.search("the card payment was taken twice", filters={"user_id": customer}, top_k=LAST, threshold=0.0)
        return len(found["results"])

    async def append(self, customer: str, text: str) -> None:
        self._memory.add([{"role": "user", "content": text}], user_id=customer, infer=False)

    async def size(self) -> int:
        return sum(file.stat().st_size for file in self._place.rglob("*") if file.is_file())

    def close(self) -> None:
        """Close the vector store's files."""
        self._memory.vector_store.client.close()


@contextlib.asynccontextmanager
async def mem0(place: str) -> AsyncIterator[Rival]:
    """mem0."""
    memory = Mem0(place)
    try:
        yield memory
    finally:
        memory.close()


RIVALS = {
    "AsyncSqliteSaver": sqlite_saver,
    "AsyncSqliteSaver-delta": sqlite_saver_delta,
    "AsyncPostgresSaver": postgres_saver,
    "AsyncPostgresStore": postgres_store,
    "mem0": mem0,
}


def _batches(rows: Sequence[Any], size: int) -> Any:
    return (rows[start : start + size] for start in range(0, len(rows), size))


def stay_here() -> None:
    """Refuse every connection that Python makes to another machine: nothing here has business there."""
    connect = socket.socket.connect

    def checked(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX and address[0] not in ("127.0.0.1", "::1", "localhost"):
            raise ConnectionRefusedError("a benchmark talks to nobody outside")
        connect(self, address)

    socket.socket.connect = checked  # type: ignore[method-assign,assignment]


async def contest(name: str, length: int, place: str, *, server: int | None, times: int, limit_s: float) -> None:
    """Fill, tell, measure, tell."""
    customers = [f"customer{n}" for n in range(ALIKE if length < SHORT else 1)]
    appends = min(times, len(customers) * max(5, length // 10))
    async with RIVALS[name](place) as rival:

        async def load(_: int) -> None:
            await rival.load(customers[0])

        async def append(n: int) -> None:
            await rival.append(customers[n % len(customers)], saying(length + n))

        history = [saying(n // 2, answer=n % 2 == 1) for n in range(length)]
        start = time.perf_counter()
        await rival.fill(customers[0], history)
        tell(filled_s=round(time.perf_counter() - start, 1))
        came = await rival.load(customers[0])
        if came not in (length, min(length, LAST)):
            raise RuntimeError(f"{name} gave {came} of {length} exchanges")
        await time_each(load, WARM_UP, limit_s=limit_s / 10)
        loaded = await time_each(load, times, limit_s=limit_s, server=server)
        for customer in customers[1:]:
            await rival.fill(customer, history)
        await time_each(append, len(customers), limit_s=limit_s / 10)
        before = await rival.size()
        appended = await time_each(append, appends, first=len(customers), limit_s=limit_s, server=server)
        grown = (await rival.size() - before) / len(appended.waits_ms)
        tell(load=loaded.figures(), append=appended.figures(), bytes_per_append=round(grown))


def tell(**facts: Any) -> None:
    """A line for the benchmark."""
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Measure one rival."""
    parser = argparse.ArgumentParser(description="One rival, one length.")
    parser.add_argument("name", choices=RIVALS)
    parser.add_argument("--length", type=int, required=True)
    parser.add_argument("--place", required=True)
    parser.add_argument("--server", type=int)
    parser.add_argument("--times", type=int, default=100)
    parser.add_argument("--limit", type=float, default=20.0, help="seconds for each measurement")
    given = parser.parse_args()
    os.environ.update(SILENT)
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
    stay_here()
    import uvloop

    uvloop.run(contest(given.name, given.length, given.place, server=given.server, times=given.times, limit_s=given.limit))


if __name__ == "__main__":
    main()
