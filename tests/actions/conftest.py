"""What actions find around them in a test: a memory, a clock, and the sample as the company's records."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from actions.records.interface import Records
from actions.records.sample.everybody import nth_code
from actions.records.sample.store import SampleRecords
from actions.shared import lend
from memory.clock import ManualClock
from memory.context import Context, recall
from memory.customers import Profile, find_or_make
from memory.database import Database
from memory.proofs import Proof, proofs_of
from tests.actions.calling import Came, call


@dataclass(slots=True)
class Stage:
    """A memory, a clock and records, with somebody who writes: ``sender``, whom the channel has brought."""

    database: Database
    clock: ManualClock
    records: Records
    sample: SampleRecords
    sender: str = "telegram:501"
    turn: int = 0
    domain: dict[str, Any] = field(default_factory=dict)

    async def meet(self, sender: str = "telegram:501") -> Context:
        """Have the channel bring somebody."""
        channel, _, address = sender.partition(":")
        known = await self.database.write(lambda tx: find_or_make(tx, channel, [Profile(address)], at=self.clock.now()))
        return await self.context(known[address].identity_id)

    async def context(self, identity_id: int) -> Context:
        return await self.database.read(lambda tx: recall(tx, [identity_id])[identity_id])

    async def proofs(self, identity_id: int) -> list[Proof]:
        return await self.database.read(lambda tx: proofs_of(tx, [identity_id]))  # type: ignore[arg-type,return-value]

    async def act(self, action: str, **slots: Any) -> Came:
        """A call of a new turn."""
        self.turn += 1
        return await self.again(action, **slots)

    async def again(self, action: str, **slots: Any) -> Came:
        """The same call of the same turn once more."""
        with lend(self.database, self.clock, self.records):
            return await call(action, self.sender, slots, turn=self.turn, domain=self.domain)

    async def twice(self, action: str, **slots: Any) -> Came:
        """A call of a new turn, repeated: it has to say the same, and what the company holds must not change by the repetition."""
        first = await self.act(action, **slots)
        held = await everything(self.sample)
        assert await self.again(action, **slots) == first
        assert await everything(self.sample) == held
        return first

    async def prove(self, record: str, **by: str) -> None:
        """Have whoever writes enter the next code of this record of the company's."""
        sent = await self.act("action_send_code", **by)
        assert sent.failed == (None, None), sent
        customer = await self.sample.get("customers", record)
        assert customer is not None
        texts = await self.sample.texts_to(customer["phone"])
        code = next(code for n in range(1, 9) if (code := nth_code(record, n)) in texts[0])
        checked = await self.act("action_check_code", code=code, **by)
        assert checked.failed == (None, None), checked


async def everything(sample: SampleRecords) -> dict[str, Any]:
    """All that the company holds, save for what it keeps to know repetitions by."""
    from actions.records.sample.tables import KINDS

    return {kind: await sample.find(kind, {}, limit=100) for kind in KINDS}


@pytest.fixture
async def sample(tmp_path: Path, clock: ManualClock) -> AsyncIterator[SampleRecords]:
    """The company's records: a sample of this test's own."""
    records = SampleRecords(tmp_path / "records.db", clock)
    yield records
    await records.close()


@pytest.fixture
async def stage(sqlite_database: Database, clock: ManualClock, sample: SampleRecords) -> Stage:
    """A memory in SQLite with somebody who writes."""
    made = Stage(sqlite_database, clock, sample, sample)
    await made.meet()
    return made


@pytest.fixture
async def stage_both(database: Database, clock: ManualClock, sample: SampleRecords) -> Stage:
    """The same, once with each kind of database."""
    made = Stage(database, clock, sample, sample)
    await made.meet()
    return made


@pytest.fixture
async def ann(stage: Stage) -> Stage:
    """Ann Lee of the bank, proven."""
    await stage.prove("N1001", account_number="12345678")
    return stage


@pytest.fixture
async def priya(stage: Stage) -> Stage:
    """Priya Nair of the insurer, proven."""
    await stage.prove("H2001", policy_number="HP123456")
    return stage


@pytest.fixture
async def sofia(stage: Stage) -> Stage:
    """Sofia Rossi of the telecoms company, proven."""
    await stage.prove("C3001", customer_number="12345678")
    return stage


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the machine's own settings reaches an action."""
    for name in ("LEGATO_DATABASE_URL", "LEGATO_RECORDS", "LEGATO_RECORDS_TOKEN", "LEGATO_PROOF_FRESH_S"):
        monkeypatch.delenv(name, raising=False)
