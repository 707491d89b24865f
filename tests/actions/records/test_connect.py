"""The setting that says where the records are."""

from __future__ import annotations

from pathlib import Path

import pytest

from actions.records.connect import check_records_address, open_records
from actions.records.http import HttpRecords
from actions.records.sample.store import SampleRecords
from bot.settings import Settings
from memory.errors import SettingsError


@pytest.mark.parametrize(
    "address",
    [
        "https://records.example.com",
        "https://records.example.com:8443/v1",
        "http://localhost:5065",
        "http://127.0.0.1:5065/",
        "http://[::1]:5065",
        "insecure+http://10.0.0.5:5065",
        "sample:records.db",
        "sample:/var/lib/legato/records.db",
    ],
)
def test_an_address_is_taken_as_it_is(address: str) -> None:
    assert check_records_address(address) == address


@pytest.mark.parametrize(
    ("address", "help"),
    [
        ("http://10.0.0.5:5065", "insecure+http://"),
        ("http://records.example.com", "https://"),
        ("http://localhost.example.com", "https://"),
        ("records.example.com", "https://"),
        ("ftp://records.example.com", "https://"),
        ("https://", "https://"),
        ("https://user:secret@records.example.com", "https://"),
        ("https://records.example.com?token=secret", "https://"),
        ("https://records.example.com/a b", "https://"),
        ("https://records.example.com:99999999", "https://"),
        ("https://[::1", "https://"),
        ("sample:", "sample:records.db"),
        ("", "https://"),
    ],
)
def test_what_is_no_address_is_refused_with_what_to_write(address: str, help: str) -> None:
    with pytest.raises(SettingsError) as caught:
        check_records_address(address)
    assert str(caught.value).startswith("must ")
    assert help in str(caught.value)
    assert "secret" not in str(caught.value)


async def test_an_address_leads_to_its_records(tmp_path: Path) -> None:
    sample = open_records(f"sample:{tmp_path / 'records.db'}")
    assert isinstance(sample, SampleRecords)
    assert await sample.get("customers", "N1001") is not None
    await sample.close()

    there = open_records("insecure+http://10.0.0.5:5065/v1/", "token")
    assert isinstance(there, HttpRecords)
    assert there.place == "http://10.0.0.5:5065/v1"


def test_the_bots_settings_check_it() -> None:
    assert Settings.load(None, records="sample:records.db").records == "sample:records.db"
    with pytest.raises(SettingsError, match=r"LEGATO_RECORDS \(.*\) must begin with https://"):
        Settings.load(None, records="http://records.example.com")
