"""How well it is proven that an identity is who it says: levels, their evidence, and for how long they hold.

    claimed < seen < confirmed < verified

``claimed``: somebody said so. ``seen``: the channel itself vouches for the address. ``confirmed``: by a code or a link that was sent
somewhere else. ``verified``: an agent has checked it. The last two hold for a time; after it the identity is only seen again, until it is
proven anew.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from memory.clock import UtcDateTime
from memory.customers import Identity
from memory.database import BigId, Json, Record, Tx, table
from memory.declared import PROOFS, Declarations, at_least

CLAIMED, SEEN, CONFIRMED, VERIFIED = PROOFS

FRESH_FOR = timedelta(days=30)
"""How long a confirmed or verified identity stays so where nothing else is set."""


class Proof(SQLModel, table=True):
    """One time that an identity was proven, with the evidence; rows are only added. ``how`` is channel, code, link, contact, agent, or
    records: by a code that the company's own system sent."""

    __table_args__ = (sa.Index("proof_identity", "identity_id", "id"),)

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    identity_id: int = Field(foreign_key="identity.id", sa_type=BigId)
    level: str
    how: str
    evidence: dict[str, Any] | None = Field(default=None, sa_type=Json)
    by: str | None = None
    at: datetime = Field(sa_type=UtcDateTime)


proof_table: sa.Table = table(Proof)
_proof, _identity = proof_table, table(Identity)
_b = sa.bindparam
_add = sa.insert(_proof).returning(_proof.c.id)
_present = sa.select(_identity.c.proof, _identity.c.proven_at).where(_identity.c.id == _b("p_id")).with_for_update(key_share=True)
_raise = sa.update(_identity).where(_identity.c.id == _b("p_id")).values(proof=_b("p_proof"), proven_at=_b("p_at"))
_history = sa.select(_proof).where(_proof.c.identity_id.in_(_b("p_ids", expanding=True))).order_by(_proof.c.id)


def prove(
    tx: Tx,
    identity_id: int,
    level: str,
    *,
    how: str,
    evidence: dict[str, Any],
    by: str,
    at: datetime,
    fresh_for: timedelta = FRESH_FOR,
) -> int:
    """Note that an identity was proven, and return the note's id. A level below the one that holds now is noted and changes nothing else.

    ``evidence`` holds ids and kinds, never what the customer said. The caller commits.
    """
    row = {"identity_id": identity_id, "level": level, "how": how, "evidence": evidence, "by": by, "at": at}
    proof_id: int = tx.execute(_add, row).scalar_one()
    present = tx.execute(_present, {"p_id": identity_id}).one()
    if at_least(level, level_now(present.proof, present.proven_at, at, fresh_for)):
        tx.execute(_raise, {"p_id": identity_id, "p_proof": level, "p_at": at})
    return proof_id


def level_now(proof: str, proven_at: datetime | None, now: datetime, fresh_for: timedelta) -> str:
    """The level that holds now: what was confirmed or verified too long ago is only seen. Pure.

    At the very end of its time a proof still holds.
    """
    if not at_least(proof, CONFIRMED):
        return proof
    return proof if proven_at is not None and now - proven_at <= fresh_for else SEEN


def may_tell(fact: str, declared: Declarations, level: str) -> bool:
    """Whether a fact's value may be told to, used for or changed by somebody whose identity is proven to ``level``. Pure."""
    return at_least(level, declared.fact(fact).proof)


def proofs_of(tx: Tx, identity_ids: Collection[int]) -> list[Record]:
    """Every proof of these identities, oldest first."""
    return list(tx.execute(_history, {"p_ids": list(identity_ids)}))


def prove_again(tx: Tx, identity_ids: Collection[int], *, without_merge: int, fresh_for: timedelta = FRESH_FOR) -> None:
    """Set the identities' levels to what their proofs give without those that rest on a merge that was undone."""
    standing: dict[int, tuple[str, datetime | None]] = dict.fromkeys(sorted(identity_ids), (SEEN, None))
    touched: set[int] = set()
    for row in proofs_of(tx, identity_ids):
        if (row.evidence or {}).get("merge") == without_merge:
            touched.add(row.identity_id)
            continue
        level, proven_at = standing[row.identity_id]
        if at_least(row.level, level_now(level, proven_at, row.at, fresh_for)):
            standing[row.identity_id] = (row.level, row.at)
    for identity_id in sorted(touched):
        level, proven_at = standing[identity_id]
        tx.execute(_raise, {"p_id": identity_id, "p_proof": level, "p_at": proven_at})
