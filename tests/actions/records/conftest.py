"""Records for tests: the sample, and the same sample behind a real HTTP server."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from actions.records.http import HttpRecords
from actions.records.interface import Records
from actions.records.sample.store import SampleRecords
from actions.records.serve import records_app
from tests.actions.records.serving import serving

TOKEN = "a-token-for-tests"


@pytest.fixture(params=["sample", "http"])
async def records(request: pytest.FixtureRequest, sample: SampleRecords) -> AsyncIterator[Records]:
    """The sample itself, and the same over HTTP; a test runs once with each."""
    if request.param == "sample":
        yield sample
        return
    async with serving(records_app(sample, TOKEN)) as address:
        client = HttpRecords(address, TOKEN)
        yield client
        await client.close()
