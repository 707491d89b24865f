"""What keeps the store tidy: an index by which links that ended are found, and when PostgreSQL tidies up the large ledgers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_SOONER: dict[str, dict[str, str]] = {
    # An outgoing is updated twice (sending, sent) and an incoming once (its turn), never in place: what changes decides whether the row is
    # in a partial index. By default vacuum comes after a fifth of the table is dead, so the wait grows with the history; with a fiftieth,
    # ten times fewer dead rows lie about. Not less, as each vacuum reads every index of the table, and outbox has ten.
    "outbox": {"autovacuum_vacuum_scale_factor": "0.02", "autovacuum_analyze_scale_factor": "0.02"},
    "inbox": {"autovacuum_vacuum_scale_factor": "0.02", "autovacuum_analyze_scale_factor": "0.02"},
    # Rows of the log are added and hardly ever changed. Vacuum still has to freeze them, and does so here in small portions instead of one
    # large one; the planner learns of the newest numbers sooner.
    "exchange": {"autovacuum_vacuum_insert_scale_factor": "0.02", "autovacuum_analyze_scale_factor": "0.02"},
}


def upgrade() -> None:
    """Reads and writes of the ledgers go on meanwhile: SHARE UPDATE EXCLUSIVE keeps only vacuum and schema changes out of them.

    The index is of a small table, and made in a moment.
    """
    op.create_index("link_expires", "link", ["expires_at"])
    if op.get_bind().dialect.name == "postgresql":
        for table, settings in _SOONER.items():
            op.execute(sa.text(f"ALTER TABLE {table} SET ({', '.join(f'{name} = {value}' for name, value in settings.items())})"))


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for table, settings in _SOONER.items():
            op.execute(sa.text(f"ALTER TABLE {table} RESET ({', '.join(settings)})"))
    op.drop_index("link_expires", table_name="link")
