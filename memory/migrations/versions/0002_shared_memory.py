"""The shared memory: identities proven, linked and merged, facts in two times, and everything else that is known; search; rights."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

from memory.clock import UtcDateTime
from memory.database import BigId, Json

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_fact = sa.table(
    "fact",
    sa.column("id", BigId),
    sa.column("customer_id", BigId),
    sa.column("name", sa.String()),
    sa.column("value", Json),
    sa.column("standing", sa.String()),
    sa.column("source", sa.String()),
    sa.column("exchange_id", BigId),
    sa.column("confidence", sa.Float()),
    sa.column("purpose", sa.String()),
    sa.column("since", UtcDateTime()),
    sa.column("until", UtcDateTime()),
    sa.column("learned_at", UtcDateTime()),
    sa.column("fresh_at", UtcDateTime()),
    sa.column("closed_at", UtcDateTime()),
)
_known = sa.table("known", sa.column("customer_id", BigId), sa.column("version", sa.Integer()), sa.column("content", Json))


def _upgrade_facts() -> None:
    """Every fact was learned when it began to hold, and current facts are gathered as :mod:`memory.known` gathers them."""
    with op.batch_alter_table("fact") as fact:
        fact.drop_index("fact_current")
        fact.add_column(sa.Column("standing", sa.String(), nullable=False, server_default="current"))
        fact.add_column(sa.Column("told_as", sa.String(), nullable=False, server_default="current"))
        fact.add_column(sa.Column("by", sa.String(), nullable=True))
        fact.add_column(sa.Column("purpose", sa.String(), nullable=False, server_default="service"))
        fact.add_column(sa.Column("consent_id", BigId, nullable=True))
        fact.add_column(sa.Column("learned_at", UtcDateTime(), nullable=True))
        fact.add_column(sa.Column("fresh_at", UtcDateTime(), nullable=True))
        fact.add_column(sa.Column("closed_at", UtcDateTime(), nullable=True))
        fact.add_column(sa.Column("closed_by_id", BigId, nullable=True))
    standing = sa.case((_fact.c.until.is_(None), "current"), else_="ended")
    op.execute(sa.update(_fact).values(standing=standing, learned_at=_fact.c.since, fresh_at=_fact.c.since, closed_at=_fact.c.until))
    with op.batch_alter_table("fact") as fact:
        fact.alter_column("standing", existing_type=sa.String(), nullable=False, server_default=None)
        fact.alter_column("told_as", existing_type=sa.String(), nullable=False, server_default=None)
        fact.alter_column("purpose", existing_type=sa.String(), nullable=False, server_default=None)
        fact.alter_column("learned_at", existing_type=UtcDateTime(), nullable=False)
        fact.alter_column("fresh_at", existing_type=UtcDateTime(), nullable=False)
        fact.create_index("fact_customer", ["customer_id", "name"])
        fact.create_index(
            "fact_current",
            ["customer_id", "name"],
            unique=True,
            sqlite_where=sa.text("standing = 'current'"),
            postgresql_where=sa.text("standing = 'current'"),
        )
        fact.create_index(
            "fact_closed",
            ["closed_at"],
            sqlite_where=sa.text("closed_at IS NOT NULL"),
            postgresql_where=sa.text("closed_at IS NOT NULL"),
        )
    _gather_facts()


def _gather_facts() -> None:
    """One customer's facts at a time: there may be many customers."""
    connection = op.get_bind()
    rows: list[Any] = []
    statement = sa.select(_fact).where(_fact.c.standing == "current").order_by(_fact.c.customer_id, _fact.c.id.desc())
    for row in connection.execute(statement).all():
        if rows and rows[0].customer_id != row.customer_id:
            _gather(connection, rows)
            rows = []
        rows.append(row)
    if rows:
        _gather(connection, rows)


def _gather(connection: sa.Connection, rows: list[Any]) -> None:
    left_out = ("until", "closed_at")
    facts = [
        {
            key: value.isoformat() if isinstance(value, datetime) else value
            for key, value in row._mapping.items()
            if value is not None and key not in left_out
        }
        for row in rows
    ]
    none: dict[str, list[Any]] = {"consents": [], "journeys": [], "experiences": [], "promises": [], "summaries": []}
    connection.execute(sa.insert(_known), {"customer_id": rows[0].customer_id, "version": 1, "content": {"facts": facts, **none}})


def upgrade() -> None:
    op.create_table(
        "blob",
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("sha256"),
    )
    op.create_table(
        "blob_use",
        sa.Column("exchange_id", BigId, autoincrement=False, nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("customer_id", BigId, nullable=False),
        sa.Column("sha256", sa.String(), nullable=True),
        sa.Column("file", sa.String(), nullable=True),
        sa.Column("why", sa.String(), nullable=True),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("exchange_id", "n"),
    )
    op.create_index("blob_use_blob", "blob_use", ["sha256"], unique=False)
    op.create_index("blob_use_customer", "blob_use", ["customer_id"], unique=False)
    op.create_index(
        "blob_use_file",
        "blob_use",
        ["file"],
        unique=False,
        sqlite_where=sa.text("sha256 IS NOT NULL"),
        postgresql_where=sa.text("sha256 IS NOT NULL"),
    )
    op.create_table(
        "erasure",
        sa.Column("id", BigId, nullable=False),
        sa.Column("customers", Json, nullable=False),
        sa.Column("asked_by", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("todo", Json, nullable=True),
        sa.Column("counts", Json, nullable=False),
        sa.Column("left", Json, nullable=False),
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.Column("done_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "install_key",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "retention_mark",
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("done_to", BigId, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("rule"),
    )
    op.create_table(
        "consent",
        sa.Column("id", BigId, nullable=False),
        sa.Column("customer_id", BigId, nullable=False),
        sa.Column("identity_id", BigId, nullable=True),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("granted", sa.Boolean(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("exchange_id", BigId, nullable=True),
        sa.Column("by", sa.String(), nullable=True),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["customer.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("consent_customer", "consent", ["customer_id", "purpose", "id"], unique=False)
    op.create_table(
        "experience",
        sa.Column("id", BigId, nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("customer_id", BigId, nullable=False),
        sa.Column("good", sa.Boolean(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("weight", sa.Float(), nullable=False),
        sa.Column("exchange_id", BigId, nullable=True),
        sa.Column("evidence", Json, nullable=True),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["customer.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key"),
    )
    op.create_index("experience_customer", "experience", ["customer_id", "id"], unique=False)
    op.create_table(
        "handle",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("customer_id", BigId, nullable=False),
        sa.Column("fact_id", BigId, nullable=True),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["customer.id"],
        ),
        sa.PrimaryKeyConstraint("kind", "digest", "customer_id"),
    )
    op.create_index("ix_handle_customer_id", "handle", ["customer_id"], unique=False)
    op.create_table(
        "journey",
        sa.Column("id", BigId, nullable=False),
        sa.Column("customer_id", BigId, nullable=False),
        sa.Column("product", sa.String(), nullable=False),
        sa.Column("matter", sa.String(), nullable=False),
        sa.Column("stage", sa.String(), nullable=False),
        sa.Column("opened_at", UtcDateTime(), nullable=False),
        sa.Column("moved_at", UtcDateTime(), nullable=False),
        sa.Column("closed_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["customer.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("journey_customer", "journey", ["customer_id", "id"], unique=False)
    op.create_index(
        "journey_open",
        "journey",
        ["customer_id", "product", "matter"],
        unique=True,
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_table(
        "known",
        sa.Column("customer_id", BigId, autoincrement=False, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("content", Json, nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["customer.id"],
        ),
        sa.PrimaryKeyConstraint("customer_id"),
    )
    op.create_table(
        "link",
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("customer_id", BigId, nullable=False),
        sa.Column("identity_id", BigId, nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("used_at", UtcDateTime(), nullable=True),
        sa.Column("used_by_id", BigId, nullable=True),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["customer.id"],
        ),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.create_index("link_customer", "link", ["customer_id"], unique=False)
    op.create_table(
        "merge",
        sa.Column("id", BigId, nullable=False),
        sa.Column("survivor_id", BigId, nullable=False),
        sa.Column("merged_id", BigId, nullable=False),
        sa.Column("evidence", Json, nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("undone_at", UtcDateTime(), nullable=True),
        sa.Column("undone_by", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["merged_id"],
            ["customer.id"],
        ),
        sa.ForeignKeyConstraint(
            ["survivor_id"],
            ["customer.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("merge_merged", "merge", ["merged_id"], unique=False)
    op.create_index("merge_survivor", "merge", ["survivor_id"], unique=False)
    op.create_table(
        "promise",
        sa.Column("id", BigId, nullable=False),
        sa.Column("customer_id", BigId, nullable=False),
        sa.Column("identity_id", BigId, nullable=True),
        sa.Column("handoff_id", BigId, nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("exchange_id", BigId, nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=True),
        sa.Column("settled_at", UtcDateTime(), nullable=True),
        sa.Column("settled_by", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["customer.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("promise_customer", "promise", ["customer_id", "id"], unique=False)
    op.create_index(
        "promise_due",
        "promise",
        ["due_at"],
        unique=False,
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_table(
        "proposal",
        sa.Column("id", BigId, nullable=False),
        sa.Column("one_id", BigId, nullable=False),
        sa.Column("other_id", BigId, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("evidence", Json, nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("settled_at", UtcDateTime(), nullable=True),
        sa.Column("settled_by", sa.String(), nullable=True),
        sa.CheckConstraint("one_id < other_id", name="proposal_order"),
        sa.ForeignKeyConstraint(
            ["one_id"],
            ["customer.id"],
        ),
        sa.ForeignKeyConstraint(
            ["other_id"],
            ["customer.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("one_id", "other_id", "kind"),
    )
    op.create_index("proposal_other", "proposal", ["other_id"], unique=False)
    op.create_table(
        "search_block",
        sa.Column("customer_id", BigId, autoincrement=False, nullable=False),
        sa.Column("block", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("docs", sa.LargeBinary(), nullable=False),
        sa.Column("terms", sa.LargeBinary(), nullable=False),
        sa.Column("counts", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["customer.id"],
        ),
        sa.PrimaryKeyConstraint("customer_id", "block"),
    )
    op.create_table(
        "search_cell",
        sa.Column("customer_id", BigId, autoincrement=False, nullable=False),
        sa.Column("cell", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("centre", sa.LargeBinary(), nullable=False),
        sa.Column("vectors", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["customer.id"],
        ),
        sa.PrimaryKeyConstraint("customer_id", "cell"),
    )
    op.create_table(
        "search_posting",
        sa.Column("customer_id", BigId, autoincrement=False, nullable=False),
        sa.Column("term", BigId, autoincrement=False, nullable=False),
        sa.Column("block", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("before", sa.Integer(), nullable=False),
        sa.Column("docs", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["customer.id"],
        ),
        sa.PrimaryKeyConstraint("customer_id", "term", "block"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "search_state",
        sa.Column("customer_id", BigId, autoincrement=False, nullable=False),
        sa.Column("words", sa.Integer(), nullable=False),
        sa.Column("indexed_to", BigId, nullable=False),
        sa.Column("documents", sa.Integer(), nullable=False),
        sa.Column("length", BigId, nullable=False),
        sa.Column("sessions", sa.Integer(), nullable=False),
        sa.Column("last_at", UtcDateTime(), nullable=True),
        sa.Column("folded", sa.Integer(), nullable=False),
        sa.Column("encoder", sa.String(), nullable=True),
        sa.Column("vectors", sa.Integer(), nullable=False),
        sa.Column("cells", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["customer.id"],
        ),
        sa.PrimaryKeyConstraint("customer_id"),
    )
    op.create_table(
        "summary",
        sa.Column("id", BigId, nullable=False),
        sa.Column("customer_id", BigId, nullable=False),
        sa.Column("identity_id", BigId, nullable=False),
        sa.Column("first_id", BigId, nullable=False),
        sa.Column("last_id", BigId, nullable=False),
        sa.Column("began_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=False),
        sa.Column("wanted", sa.Text(), nullable=False),
        sa.Column("done", sa.Text(), nullable=False),
        sa.Column("ending", sa.String(), nullable=False),
        sa.Column("promised", sa.Text(), nullable=False),
        sa.Column("links", Json, nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["customer.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("customer_id", "first_id"),
    )
    op.create_index("summary_customer", "summary", ["customer_id", "last_id"], unique=False)
    op.create_table(
        "journey_move",
        sa.Column("id", BigId, nullable=False),
        sa.Column("journey_id", BigId, nullable=False),
        sa.Column("customer_id", BigId, nullable=False),
        sa.Column("from_stage", sa.String(), nullable=True),
        sa.Column("to_stage", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("turn_id", BigId, nullable=True),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["journey_id"],
            ["journey.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("journey_move_customer", "journey_move", ["customer_id", "id"], unique=False)
    op.create_index("journey_move_journey", "journey_move", ["journey_id", "id"], unique=False)
    op.create_table(
        "proof",
        sa.Column("id", BigId, nullable=False),
        sa.Column("identity_id", BigId, nullable=False),
        sa.Column("level", sa.String(), nullable=False),
        sa.Column("how", sa.String(), nullable=False),
        sa.Column("evidence", Json, nullable=True),
        sa.Column("by", sa.String(), nullable=True),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["identity_id"],
            ["identity.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("proof_identity", "proof", ["identity_id", "id"], unique=False)
    op.add_column("customer", sa.Column("merged_into_id", BigId, nullable=True))
    op.add_column("customer", sa.Column("merged_at", UtcDateTime(), nullable=True))
    op.add_column("customer", sa.Column("members", Json, nullable=True))
    op.add_column("customer", sa.Column("forgotten_at", UtcDateTime(), nullable=True))
    op.create_index("ix_customer_merged_into_id", "customer", ["merged_into_id"], unique=False)
    op.add_column("exchange", sa.Column("language", sa.String(), nullable=True))
    op.add_column("exchange", sa.Column("mood", sa.Float(), nullable=True))
    op.add_column("exchange", sa.Column("intent", sa.String(), nullable=True))
    op.create_index(
        "exchange_about",
        "exchange",
        ["about_id", "id"],
        unique=False,
        sqlite_where=sa.text("about_id IS NOT NULL"),
        postgresql_where=sa.text("about_id IS NOT NULL"),
    )
    op.create_index("handoff_customer", "handoff", ["customer_id", "id"], unique=False)
    op.create_index(
        "handoff_ended",
        "handoff",
        ["ended_at"],
        unique=False,
        sqlite_where=sa.text("ended_at IS NOT NULL"),
        postgresql_where=sa.text("ended_at IS NOT NULL"),
    )
    op.add_column("identity", sa.Column("home_id", BigId, server_default="0", nullable=False))
    op.add_column("identity", sa.Column("proven_at", UtcDateTime(), nullable=True))
    op.add_column("identity", sa.Column("wrong_codes", sa.Integer(), server_default="0", nullable=False))
    op.add_column("identity", sa.Column("wrong_since", UtcDateTime(), nullable=True))
    op.add_column("outbox", sa.Column("purpose", sa.String(), nullable=True))
    op.create_index("outbox_customer", "outbox", ["customer_id", "id"], unique=False)
    op.create_index(
        "outbox_done",
        "outbox",
        ["done_at"],
        unique=False,
        sqlite_where=sa.text("done_at IS NOT NULL"),
        postgresql_where=sa.text("done_at IS NOT NULL"),
    )
    op.create_index(
        "outbox_purpose",
        "outbox",
        ["customer_id", "purpose"],
        unique=False,
        sqlite_where=sa.text("state = 'waiting' AND purpose IS NOT NULL"),
        postgresql_where=sa.text("state = 'waiting' AND purpose IS NOT NULL"),
    )
    op.create_index(
        "outbox_unasked",
        "outbox",
        ["customer_id", "id"],
        unique=False,
        sqlite_where=sa.text("purpose IS NOT NULL"),
        postgresql_where=sa.text("purpose IS NOT NULL"),
    )
    op.execute(sa.text("UPDATE identity SET home_id = customer_id"))
    op.execute(
        sa.text("INSERT INTO lane (kind, key, ready_at, lease, tries) SELECT 'digest', CAST(id AS VARCHAR), created_at, 0, 0 FROM customer")
    )
    _upgrade_facts()


def downgrade() -> None:
    """What the older program cannot hold is lost: proposals and contradictions, and everything in the tables that it does not have."""
    op.execute(sa.text("DELETE FROM fact WHERE standing IN ('proposed', 'contested', 'retracted')"))
    with op.batch_alter_table("fact") as fact:
        fact.drop_index("fact_current")
        fact.drop_index("fact_customer")
        fact.drop_index("fact_closed")
        for column in ("standing", "told_as", "by", "purpose", "consent_id", "learned_at", "fresh_at", "closed_at", "closed_by_id"):
            fact.drop_column(column)
        fact.create_index(
            "fact_current",
            ["customer_id", "name"],
            unique=True,
            sqlite_where=sa.text("until IS NULL"),
            postgresql_where=sa.text("until IS NULL"),
        )
    op.drop_index(
        "outbox_unasked", table_name="outbox", sqlite_where=sa.text("purpose IS NOT NULL"), postgresql_where=sa.text("purpose IS NOT NULL")
    )
    op.drop_index(
        "outbox_purpose",
        table_name="outbox",
        sqlite_where=sa.text("state = 'waiting' AND purpose IS NOT NULL"),
        postgresql_where=sa.text("state = 'waiting' AND purpose IS NOT NULL"),
    )
    op.drop_index(
        "outbox_done", table_name="outbox", sqlite_where=sa.text("done_at IS NOT NULL"), postgresql_where=sa.text("done_at IS NOT NULL")
    )
    op.drop_index("outbox_customer", table_name="outbox")
    op.drop_column("outbox", "purpose")
    op.drop_column("identity", "wrong_since")
    op.drop_column("identity", "wrong_codes")
    op.drop_column("identity", "proven_at")
    op.drop_column("identity", "home_id")
    op.drop_index(
        "handoff_ended",
        table_name="handoff",
        sqlite_where=sa.text("ended_at IS NOT NULL"),
        postgresql_where=sa.text("ended_at IS NOT NULL"),
    )
    op.drop_index("handoff_customer", table_name="handoff")
    op.drop_index(
        "exchange_about",
        table_name="exchange",
        sqlite_where=sa.text("about_id IS NOT NULL"),
        postgresql_where=sa.text("about_id IS NOT NULL"),
    )
    op.drop_column("exchange", "intent")
    op.drop_column("exchange", "mood")
    op.drop_column("exchange", "language")
    op.drop_index("ix_customer_merged_into_id", table_name="customer")
    op.drop_column("customer", "forgotten_at")
    op.drop_column("customer", "members")
    op.drop_column("customer", "merged_at")
    op.drop_column("customer", "merged_into_id")
    op.drop_index("proof_identity", table_name="proof")
    op.drop_table("proof")
    op.drop_index("journey_move_journey", table_name="journey_move")
    op.drop_index("journey_move_customer", table_name="journey_move")
    op.drop_table("journey_move")
    op.drop_index("summary_customer", table_name="summary")
    op.drop_table("summary")
    op.drop_table("search_state")
    op.drop_table("search_posting")
    op.drop_table("search_cell")
    op.drop_table("search_block")
    op.drop_index("proposal_other", table_name="proposal")
    op.drop_table("proposal")
    op.drop_index("promise_due", table_name="promise", sqlite_where=sa.text("state = 'open'"), postgresql_where=sa.text("state = 'open'"))
    op.drop_index("promise_customer", table_name="promise")
    op.drop_table("promise")
    op.drop_index("merge_survivor", table_name="merge")
    op.drop_index("merge_merged", table_name="merge")
    op.drop_table("merge")
    op.drop_index("link_customer", table_name="link")
    op.drop_table("link")
    op.drop_table("known")
    op.drop_index(
        "journey_open", table_name="journey", sqlite_where=sa.text("closed_at IS NULL"), postgresql_where=sa.text("closed_at IS NULL")
    )
    op.drop_index("journey_customer", table_name="journey")
    op.drop_table("journey")
    op.drop_index("ix_handle_customer_id", table_name="handle")
    op.drop_table("handle")
    op.drop_index("experience_customer", table_name="experience")
    op.drop_table("experience")
    op.drop_index("consent_customer", table_name="consent")
    op.drop_table("consent")
    op.drop_table("retention_mark")
    op.drop_table("install_key")
    op.drop_table("erasure")
    op.drop_index(
        "blob_use_file", table_name="blob_use", sqlite_where=sa.text("sha256 IS NOT NULL"), postgresql_where=sa.text("sha256 IS NOT NULL")
    )
    op.drop_index("blob_use_customer", table_name="blob_use")
    op.drop_index("blob_use_blob", table_name="blob_use")
    op.drop_table("blob_use")
    op.drop_table("blob")
