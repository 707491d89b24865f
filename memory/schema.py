"""The whole schema, its migrations, and the check that a database has the one this program was written for."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from sqlmodel import SQLModel

from memory import (
    attachments,
    consents,
    customers,
    dialogue,
    erasure,
    exchanges,
    experiences,
    facts,
    handoffs,
    inbox,
    journeys,
    keys,
    known,
    lanes,
    links,
    merges,
    outbox,
    promises,
    proofs,
    retention,
    summaries,
    turns,
)
from memory.database import Database, Tx
from memory.errors import SchemaMismatch
from memory.search import tables as search

MODELS = (
    customers.Customer,
    customers.Identity,
    exchanges.Exchange,
    facts.Fact,
    handoffs.Handoff,
    dialogue.Dialogue,
    lanes.Lane,
    inbox.Inbox,
    inbox.Quarantine,
    turns.Turn,
    outbox.Outbox,
    consents.Consent,
    journeys.Journey,
    journeys.JourneyMove,
    experiences.Experience,
    promises.Promise,
    summaries.Summary,
    known.Known,
    proofs.Proof,
    links.Link,
    keys.InstallKey,
    merges.Merge,
    merges.Proposal,
    merges.Handle,
    attachments.Blob,
    attachments.BlobUse,
    erasure.Erasure,
    retention.RetentionMark,
    search.SearchState,
    search.SearchBlock,
    search.SearchPosting,
    search.SearchCell,
)
METADATA = SQLModel.metadata

REVISIONS = ("0001", "0002", "0003")
"""Every revision in order; the last one is this program's."""


def migrate(tx: Tx, revision: str = "head") -> None:
    """Bring the schema to ``revision`` inside the caller's transaction; nothing happens if it is there already."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = tx
    command.upgrade(config, revision)


def present_revision(tx: Tx) -> str | None:
    """The revision that the database says it has; None for an empty one."""
    if not sa.inspect(tx).has_table("alembic_version"):
        return None
    revision: str | None = tx.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
    return revision


async def check_schema(database: Database) -> None:
    """Raise :class:`SchemaMismatch`, with what to do, unless the schema is exactly this program's."""
    present = await database.read(present_revision)
    if present == REVISIONS[-1]:
        return
    if present is None:
        raise SchemaMismatch("the database is empty: run `legato migrate` first")
    if present in REVISIONS:
        raise SchemaMismatch(f"the database has schema {present}, this program needs {REVISIONS[-1]}: run `legato migrate`")
    raise SchemaMismatch(f"the database has schema {present}, which is newer than this program's {REVISIONS[-1]}: install the newer Legato")
