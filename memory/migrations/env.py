"""What Alembic runs: it migrates over the connection that ``memory.schema`` hands it, inside that transaction."""

from __future__ import annotations

from alembic import context

from memory.schema import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    transactional_ddl=True,
    render_as_batch=True,
    transaction_per_migration=False,
)
context.run_migrations()
