"""The rivals, one after another, each in a process of the environment that was made for them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from bot.qa.databases import run_outside, sibling_url


@dataclass(frozen=True)
class Entrant:
    """A rival: its ``key`` in :mod:`tests.benchmarks.rivals`, and how it is called in the tables."""

    key: str
    name: str
    on_postgres: bool


ENTRANTS = (
    Entrant("AsyncSqliteSaver", "LangGraph AsyncSqliteSaver", False),
    Entrant("AsyncSqliteSaver-delta", "  the same with DeltaChannel (beta)", False),
    Entrant("mem0", "mem0, local qdrant, no LLM", False),
    Entrant("AsyncPostgresSaver", "LangGraph AsyncPostgresSaver", True),
    Entrant("AsyncPostgresStore", "LangGraph AsyncPostgresStore", True),
)

SLACK_S = 30.0
"""Starting the process and ending a measurement that has begun may take so much longer than the limits say."""


@dataclass(frozen=True)
class Rules:
    """The rivals' Python, how often each thing is measured, and for how long a history may be filled; measuring gets a third of that."""

    python: Path
    times: int
    limit_s: float


async def contest(entrant: Entrant, length: int, rules: Rules, postgres: str, server: int | None) -> dict[str, Any]:
    """The figures of one rival with one length; where there are none, ``missing`` says why."""
    async with _place(entrant, postgres) as place:
        arguments = [entrant.key, "--length", str(length), "--place", place, "--times", str(rules.times), "--limit", str(rules.limit_s / 3)]
        if server is not None and entrant.on_postgres:
            arguments += ["--server", str(server)]
        child = await asyncio.create_subprocess_exec(
            str(rules.python), "-m", "tests.benchmarks.rivals", *arguments,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, env=_environment(),
        )  # fmt: skip
        assert child.stdout is not None
        assert child.stderr is not None
        errors = asyncio.ensure_future(child.stderr.read())
        figures: dict[str, Any] = {}
        step = "filling"
        try:
            for limit_s, following in ((rules.limit_s + SLACK_S, "measuring"), (3 * rules.limit_s + SLACK_S, "done")):
                line = await asyncio.wait_for(child.stdout.readline(), limit_s)
                if not line:
                    lines = (await errors).decode(errors="replace").split("\n")
                    return {"missing": f"{step} failed: {next((line for line in reversed(lines) if line.strip()), 'it just ended')[:200]}"}
                figures |= orjson.loads(line)
                step = following
        except TimeoutError:
            return {"missing": f"{step} took longer than {limit_s:.0f} s"}
        finally:
            with contextlib.suppress(ProcessLookupError):
                child.kill()
            await child.wait()
            await errors
    return figures


def _environment() -> dict[str, str]:
    """Ours without what would lead the rival's Python to our packages."""
    return {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")}


@contextlib.asynccontextmanager
async def _place(entrant: Entrant, postgres: str) -> AsyncIterator[str]:
    """A folder or a database of the rival's own, gone when the context ends."""
    if not entrant.on_postgres:
        with tempfile.TemporaryDirectory(prefix="legato-rival-") as folder:
            yield folder
        return
    await run_outside(postgres, "DROP DATABASE IF EXISTS rival WITH (FORCE)", "CREATE DATABASE rival")
    try:
        yield sibling_url(postgres, "rival")
    finally:
        await run_outside(postgres, "DROP DATABASE IF EXISTS rival WITH (FORCE)")
