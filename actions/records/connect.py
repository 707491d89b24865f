"""From the setting ``LEGATO_RECORDS`` to the records."""

from __future__ import annotations

from urllib.parse import urlsplit

from actions.records.interface import Records
from memory.clock import Clock
from memory.errors import SettingsError

RECORDS_VARIABLE, TOKEN_VARIABLE = "LEGATO_RECORDS", "LEGATO_RECORDS_TOKEN"
SAMPLE, INSECURE = "sample:", "insecure+"
_HERE = ("localhost", "127.0.0.1", "::1")


def check_records_address(text: str) -> str:
    """The address, if it is one. Raises ``SettingsError``, whose text begins with "must" and says what can be written."""
    if text.startswith(SAMPLE):
        if text.removeprefix(SAMPLE).strip():
            return text
        raise SettingsError("must name a file after sample:, such as sample:records.db")
    try:
        parts = urlsplit(text.removeprefix(INSECURE))
        host, _ = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    if parts.scheme not in ("https", "http") or not host or parts.username or parts.query or parts.fragment or any(map(str.isspace, text)):
        raise SettingsError("must be an address that begins with https://, or sample: and a file's name")
    if parts.scheme == "http" and host not in _HERE and not text.startswith(INSECURE):
        raise SettingsError(
            "must begin with https://, since customers' data and the token go there; "
            f"http:// is for this machine only, and {INSECURE}http:// for a network that you trust"
        )
    return text


def open_records(address: str, token: str | None = None, *, clock: Clock | None = None) -> Records:
    """The records at ``address``, which nothing is asked yet. ``clock`` is the sample's. Raises ``SettingsError`` for no address."""
    check_records_address(address)
    if address.startswith(SAMPLE):
        from actions.records.sample.store import SampleRecords

        return SampleRecords(address.removeprefix(SAMPLE).strip(), clock)
    from actions.records.http import HttpRecords

    return HttpRecords(address.removeprefix(INSECURE), token)
