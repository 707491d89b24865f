"""Who is writing, as actions see it: the customer behind a sender, how well they are proven, and which of the company's records are theirs.

That a record is somebody's is noted as a proof with ``how`` = ``records`` (:mod:`memory.proofs`): they entered the code that the company
sent to the number it holds for that record. It holds for the person, on every channel, while the identity they write from is proven well
enough. What they say of themselves never opens a record.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

import sqlalchemy as sa

from memory.context import Context, recall
from memory.customers import Identity, forgotten_among, identities_of, ownership_of
from memory.database import Database, Tx, table
from memory.known import refresh_known
from memory.proofs import CONFIRMED, level_now, proof_table, prove

T = TypeVar("T")

RECORDS = "records"
"""How it was proven: by a code that the system of record sent."""

TRIES = 5
"""How often a write is begun anew because the customer was merged with another, or parted from them, at that very moment."""

_proof, _identity = proof_table, table(Identity)
_b = sa.bindparam
_by_address = sa.select(_identity.c.id, _identity.c.customer_id).where(
    _identity.c.channel == _b("p_channel"), _identity.c.address == _b("p_address")
)
_newest_of = (
    sa.select(_proof.c.identity_id, _proof.c.evidence)
    .where(_proof.c.identity_id == _b("p_id"), _proof.c.how == RECORDS)
    .order_by(_proof.c.id.desc())
    .limit(1)
)


@dataclass(frozen=True, slots=True)
class Who:
    """The customer behind a sender. ``level`` is how well the identity is proven now, ``record`` their record's id, None where none is."""

    context: Context
    level: str
    record: str | None


def place_of(records_place: str) -> str:
    """A digest of where records are: a record's id means nothing anywhere else."""
    return hashlib.sha256(records_place.encode()).hexdigest()[:16]


def find_who(tx: Tx, sender: str, *, now: datetime, fresh_for: timedelta, place: str | None) -> Who | None:
    """Who writes from ``sender`` (``channel:address``), or None for nobody known. Makes nobody: only a channel meets new people."""
    identity_id = _identity_of(tx, sender)
    if identity_id is None:
        return None
    context = recall(tx, [identity_id])[identity_id]
    level = level_now(context.proof, context.proven_at, now, fresh_for)
    return Who(context, level, _record_of(tx, context, place) if place is not None else None)


async def write_of(database: Database, sender: str, fn: Callable[[Tx, Context], T]) -> T | None:
    """Call ``fn`` in a transaction that holds the customer behind ``sender``, gather what is known of them anew, and commit.

    None, and nothing written, where nobody is known there, or they were forgotten.
    """

    def run(tx: Tx) -> tuple[bool, T | None]:
        identity_id = _identity_of(tx, sender)
        if identity_id is None:
            return True, None
        person = recall(tx, [identity_id])[identity_id].person
        ownership_of(tx, person)
        if forgotten_among(tx, person) or _identity_of(tx, sender) != identity_id:
            return True, None
        context = recall(tx, [identity_id])[identity_id]  # as it stands now that nobody can change it
        if set(context.person) != set(person):
            return False, None
        value = fn(tx, context)
        refresh_known(tx, person)
        return True, value

    for _ in range(TRIES):
        done, value = await database.write(run)
        if done:
            return value
    raise RuntimeError("the customer is merged and parted without a pause")


def prove_record(tx: Tx, context: Context, record: str, *, place: str, call: str, at: datetime, fresh_for: timedelta) -> None:
    """Note that a record is this customer's, since they entered its code; ``call`` is the call that did, which notes it once.

    The caller holds the customer and commits.
    """
    newest = tx.execute(_newest_of, {"p_id": context.identity_id}).first()
    evidence = {"record": record, "place": place_of(place), "call": call}
    if newest is None or newest.evidence != evidence:
        prove(tx, context.identity_id, CONFIRMED, how=RECORDS, evidence=evidence, by="customer", at=at, fresh_for=fresh_for)


def _identity_of(tx: Tx, sender: str) -> int | None:
    channel, _, address = sender.partition(":")
    if not address:
        return None
    row = tx.execute(_by_address, {"p_channel": channel, "p_address": address}).first()
    return None if row is None else int(row.id)


def _record_of(tx: Tx, context: Context, place: str) -> str | None:
    """The record that this identity proved last, else the one that another identity of the same person did."""
    wanted = place_of(place)
    own = _newest_record(tx, context.identity_id, wanted)
    if own is not None:
        return own
    others = (row.id for row in identities_of(tx, [context.customer_id]) if row.id != context.identity_id)
    return next((found for one in others if (found := _newest_record(tx, one, wanted)) is not None), None)


def _newest_record(tx: Tx, identity_id: int, place_digest: str) -> str | None:
    row = tx.execute(_newest_of, {"p_id": identity_id}).first()
    return str(row.evidence["record"]) if row is not None and row.evidence and row.evidence.get("place") == place_digest else None
