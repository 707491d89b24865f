"""The ledger: customers, exchanges, facts, handoffs, dialogue state, lanes, inbox, turns and outbox."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from memory.clock import UtcDateTime
from memory.database import BigId, Json

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "customer",
        sa.Column("id", BigId, nullable=False),
        sa.Column("ownership", sa.Integer(), nullable=False),
        sa.Column("handoff_id", BigId, nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "lane",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("ready_at", UtcDateTime(), nullable=False),
        sa.Column("lease", sa.Integer(), nullable=False),
        sa.Column("worker", sa.String(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "key"),
    )
    op.create_index("lane_ready", "lane", ["kind", "ready_at"], unique=False)
    op.create_table(
        "outbox",
        sa.Column("id", BigId, nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("lane", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("customer_id", BigId, nullable=True),
        sa.Column("identity_id", BigId, nullable=True),
        sa.Column("exchange_id", BigId, nullable=True),
        sa.Column("ownership", sa.Integer(), nullable=True),
        sa.Column("outgoing", Json, nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("message_id", sa.String(), nullable=True),
        sa.Column("why", sa.String(), nullable=True),
        sa.Column("resolved", sa.String(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("done_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key"),
        sqlite_autoincrement=True,
    )
    op.create_index("outbox_exchange", "outbox", ["exchange_id"], unique=False)
    op.create_index(
        "outbox_message",
        "outbox",
        ["address", "message_id"],
        unique=False,
        sqlite_where=sa.text("message_id IS NOT NULL"),
        postgresql_where=sa.text("message_id IS NOT NULL"),
    )
    op.create_index(
        "outbox_open",
        "outbox",
        ["lane", "address", "id"],
        unique=False,
        sqlite_where=sa.text("state IN ('waiting', 'sending')"),
        postgresql_where=sa.text("state IN ('waiting', 'sending')"),
    )
    op.create_index(
        "outbox_uncertain",
        "outbox",
        ["done_at"],
        unique=False,
        sqlite_where=sa.text("state = 'uncertain' AND resolved IS NULL"),
        postgresql_where=sa.text("state = 'uncertain' AND resolved IS NULL"),
    )
    op.create_table(
        "quarantine",
        sa.Column("id", BigId, nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("update_id", sa.String(), nullable=False),
        sa.Column("raw", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("channel", "update_id"),
    )
    op.create_table(
        "fact",
        sa.Column("id", BigId, nullable=False),
        sa.Column("customer_id", BigId, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("value", Json, nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("exchange_id", BigId, nullable=True),
        sa.Column("confidence", sa.Float(), nullable=False),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.Column("until", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["customer.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "fact_current",
        "fact",
        ["customer_id", "name"],
        unique=True,
        sqlite_where=sa.text("until IS NULL"),
        postgresql_where=sa.text("until IS NULL"),
    )
    op.create_table(
        "identity",
        sa.Column("id", BigId, nullable=False),
        sa.Column("customer_id", BigId, nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=True),
        sa.Column("username", sa.String(), nullable=True),
        sa.Column("language", sa.String(), nullable=True),
        sa.Column("proof", sa.String(), nullable=False),
        sa.Column("unreachable_since", UtcDateTime(), nullable=True),
        sa.Column("unreachable_why", sa.String(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["customer.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("channel", "address"),
    )
    op.create_index("ix_identity_customer_id", "identity", ["customer_id"], unique=False)
    op.create_table(
        "turn",
        sa.Column("id", BigId, autoincrement=False, nullable=False),
        sa.Column("customer_id", BigId, nullable=False),
        sa.Column("lane", sa.String(), nullable=False),
        sa.Column("decision", sa.String(), nullable=False),
        sa.Column("trace", Json, nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("finished_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["customer.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_turn_customer_id", "turn", ["customer_id"], unique=False)
    op.create_table(
        "dialogue",
        sa.Column("identity_id", BigId, autoincrement=False, nullable=False),
        sa.Column("state", Json, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["identity_id"],
            ["identity.id"],
        ),
        sa.PrimaryKeyConstraint("identity_id"),
    )
    op.create_table(
        "exchange",
        sa.Column("id", BigId, autoincrement=False, nullable=False),
        sa.Column("customer_id", BigId, nullable=False),
        sa.Column("identity_id", BigId, nullable=False),
        sa.Column("turn_id", BigId, nullable=False),
        sa.Column("direction", sa.String(), nullable=False),
        sa.Column("author", sa.String(), nullable=False),
        sa.Column("author_name", sa.String(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("attachments", Json, nullable=True),
        sa.Column("data", Json, nullable=True),
        sa.Column("origin", sa.String(), nullable=True),
        sa.Column("about_id", BigId, nullable=True),
        sa.Column("reply", sa.String(), nullable=True),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["customer.id"],
        ),
        sa.ForeignKeyConstraint(
            ["identity_id"],
            ["identity.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("exchange_customer", "exchange", ["customer_id", "id"], unique=False)
    op.create_index("exchange_origin", "exchange", ["identity_id", "origin"], unique=False)
    op.create_table(
        "handoff",
        sa.Column("id", BigId, autoincrement=False, nullable=False),
        sa.Column("customer_id", BigId, nullable=False),
        sa.Column("identity_id", BigId, nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("packet", Json, nullable=False),
        sa.Column("opened_at", UtcDateTime(), nullable=False),
        sa.Column("owner", sa.String(), nullable=True),
        sa.Column("owner_name", sa.String(), nullable=True),
        sa.Column("claimed_at", UtcDateTime(), nullable=True),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("ending", sa.String(), nullable=True),
        sa.Column("return_packet", Json, nullable=True),
        sa.Column("topic", sa.String(), nullable=True),
        sa.Column("card", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["customer.id"],
        ),
        sa.ForeignKeyConstraint(
            ["identity_id"],
            ["identity.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "handoff_open",
        "handoff",
        ["customer_id"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index("handoff_topic", "handoff", ["topic"], unique=False)
    op.create_table(
        "inbox",
        sa.Column("id", BigId, nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("update_id", sa.String(), nullable=False),
        sa.Column("customer_id", BigId, nullable=False),
        sa.Column("identity_id", BigId, nullable=False),
        sa.Column("album", sa.String(), nullable=True),
        sa.Column("incoming", Json, nullable=True),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.Column("turn_id", BigId, nullable=True),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["customer.id"],
        ),
        sa.ForeignKeyConstraint(
            ["identity_id"],
            ["identity.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("channel", "update_id"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "inbox_album",
        "inbox",
        ["identity_id", "album"],
        unique=False,
        sqlite_where=sa.text("album IS NOT NULL"),
        postgresql_where=sa.text("album IS NOT NULL"),
    )
    op.create_index(
        "inbox_waiting",
        "inbox",
        ["customer_id", "id"],
        unique=False,
        sqlite_where=sa.text("turn_id IS NULL"),
        postgresql_where=sa.text("turn_id IS NULL"),
    )


def downgrade() -> None:

    op.drop_index("inbox_waiting", table_name="inbox", sqlite_where=sa.text("turn_id IS NULL"), postgresql_where=sa.text("turn_id IS NULL"))
    op.drop_index(
        "inbox_album", table_name="inbox", sqlite_where=sa.text("album IS NOT NULL"), postgresql_where=sa.text("album IS NOT NULL")
    )
    op.drop_table("inbox")
    op.drop_index("handoff_topic", table_name="handoff")
    op.drop_index(
        "handoff_open", table_name="handoff", sqlite_where=sa.text("ended_at IS NULL"), postgresql_where=sa.text("ended_at IS NULL")
    )
    op.drop_table("handoff")
    op.drop_index("exchange_origin", table_name="exchange")
    op.drop_index("exchange_customer", table_name="exchange")
    op.drop_table("exchange")
    op.drop_table("dialogue")
    op.drop_index("ix_turn_customer_id", table_name="turn")
    op.drop_table("turn")
    op.drop_index("ix_identity_customer_id", table_name="identity")
    op.drop_table("identity")
    op.drop_index("fact_current", table_name="fact", sqlite_where=sa.text("until IS NULL"), postgresql_where=sa.text("until IS NULL"))
    op.drop_table("fact")
    op.drop_table("quarantine")
    op.drop_index(
        "outbox_uncertain",
        table_name="outbox",
        sqlite_where=sa.text("state = 'uncertain' AND resolved IS NULL"),
        postgresql_where=sa.text("state = 'uncertain' AND resolved IS NULL"),
    )
    op.drop_index(
        "outbox_open",
        table_name="outbox",
        sqlite_where=sa.text("state IN ('waiting', 'sending')"),
        postgresql_where=sa.text("state IN ('waiting', 'sending')"),
    )
    op.drop_index(
        "outbox_message",
        table_name="outbox",
        sqlite_where=sa.text("message_id IS NOT NULL"),
        postgresql_where=sa.text("message_id IS NOT NULL"),
    )
    op.drop_index("outbox_exchange", table_name="outbox")
    op.drop_table("outbox")
    op.drop_index("lane_ready", table_name="lane")
    op.drop_table("lane")
    op.drop_table("customer")
