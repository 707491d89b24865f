"""Where a conversation stands: the assistant's own notes between two turns."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from memory.clock import UtcDateTime
from memory.customers import Identity
from memory.database import BigId, Json, Record, Row, Tx, insert_into, per_dialect, table


class Dialogue(SQLModel, table=True):
    """One row a conversation, that is, an identity's thread on its channel."""

    identity_id: int = Field(primary_key=True, foreign_key="identity.id", sa_type=BigId, sa_column_kwargs={"autoincrement": False})
    state: dict[str, Any] = Field(sa_type=Json)
    at: datetime = Field(sa_type=UtcDateTime)


@per_dialect
def _keep(dialect: str) -> Any:
    new = insert_into(Dialogue, dialect)
    return new.on_conflict_do_update(index_elements=["identity_id"], set_={"state": new.excluded.state, "at": new.excluded.at})


def keep_dialogues(tx: Tx, rows: list[Row]) -> None:
    """Store the new state of conversations; ``rows`` have identity_id, state and at."""
    if not rows:
        return
    tx.execute(_keep(tx), rows)


dialogue_table: sa.Table = table(Dialogue)

_identity = table(Identity)
_b = sa.bindparam
_elsewhere = (
    sa.select(dialogue_table.c.identity_id, dialogue_table.c.state)
    .select_from(dialogue_table.join(_identity, _identity.c.id == dialogue_table.c.identity_id))
    .where(_identity.c.customer_id == _b("p_customer"), _identity.c.id != _b("p_identity"))
    .order_by(dialogue_table.c.at.desc(), dialogue_table.c.identity_id.desc())
    .limit(1)
)


_of = sa.select(dialogue_table).where(dialogue_table.c.identity_id.in_(_b("p_ids", expanding=True))).order_by(dialogue_table.c.identity_id)


def dialogue_elsewhere(tx: Tx, customer_id: int, identity_id: int) -> tuple[int, dict[str, Any]] | None:
    """Where a person's latest conversation stands that goes by another of their identities, and which; None if there is none."""
    found = tx.execute(_elsewhere, {"p_customer": customer_id, "p_identity": identity_id}).first()
    return (found.identity_id, found.state) if found is not None else None


def dialogues_of(tx: Tx, identity_ids: Collection[int]) -> list[Record]:
    """Where these conversations stand."""
    return list(tx.execute(_of, {"p_ids": list(identity_ids)}))
