"""Where a conversation stands: the assistant's own notes between two turns."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from memory.clock import UtcDateTime
from memory.database import BigId, Json, Row, Tx, insert_into, per_dialect, table


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
