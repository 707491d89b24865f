"""The schema: the migrations make what the models say, and any other schema is refused in words."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

import memory.schema
from memory.database import Database, Tx
from memory.errors import SchemaMismatch
from memory.schema import METADATA, MODELS, REVISIONS, check_schema, migrate, present_revision

SCRIPTS = Path(memory.schema.__file__).parent / "migrations"


def config(tx: Tx | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    config.attributes["connection"] = tx
    return config


def downgrade(tx: Tx) -> None:
    command.downgrade(config(tx), "base")


def tables(tx: Tx) -> set[str]:
    return set(sa.inspect(tx).get_table_names())


async def stamp(database: Database, revision: str) -> None:
    await database.write(lambda tx: tx.execute(sa.text("UPDATE alembic_version SET version_num = :r"), {"r": revision}))


async def test_a_fresh_schema_is_what_the_models_say(database: Database) -> None:
    def differences(tx: Tx) -> list[Any]:
        return list(compare_metadata(MigrationContext.configure(tx, opts={"compare_type": True}), METADATA))

    assert await database.read(differences) == []


async def test_partial_indexes_are_what_the_models_say(database: Database) -> None:
    """Alembic does not compare an index's condition, and these are the locks of the whole."""

    def conditions(tx: Tx) -> dict[str, str | None]:
        name = tx.dialect.name
        key = f"{name}_where"
        return {
            index["name"] or "": index.get("dialect_options", {}).get(key)
            for table in METADATA.tables
            for index in sa.inspect(tx).get_indexes(table)
            if index.get("dialect_options", {}).get(key) is not None
        }

    found = await database.read(conditions)
    dialect = "sqlite" if database.is_sqlite else "postgresql"
    wanted = {
        str(index.name): str(where)
        for table in METADATA.tables.values()
        for index in table.indexes
        if (where := index.dialect_options[dialect]["where"]) is not None
    }
    assert wanted
    assert {name: _words(str(where)) for name, where in found.items()} == {name: _words(where) for name, where in wanted.items()}


def _words(condition: str) -> set[str]:
    """PostgreSQL writes a condition in its own way; the names and values in it are the same."""
    return set(re.findall(r"\w+", condition.lower())) - {"any", "array", "character", "varying", "text", "in"}


def test_every_model_is_in_the_schema() -> None:
    assert {model.__tablename__ for model in MODELS} == set(METADATA.tables)


def test_the_revisions_are_those_of_the_scripts() -> None:
    scripts = ScriptDirectory.from_config(config())

    assert tuple(script.revision for script in reversed(list(scripts.walk_revisions()))) == REVISIONS
    assert scripts.get_heads() == [REVISIONS[-1]]


async def test_migrating_again_does_nothing(database: Database) -> None:
    await database.write(migrate)

    await check_schema(database)


async def test_it_can_be_taken_down_and_put_up_again(database: Database) -> None:
    await database.write(downgrade)
    assert await database.read(tables) <= {"alembic_version", "sqlite_sequence"}
    with pytest.raises(SchemaMismatch, match="empty"):
        await check_schema(database)

    await database.write(migrate)
    await check_schema(database)
    assert await database.read(tables) >= set(METADATA.tables)


async def test_postgresql_tidies_up_the_large_ledgers_early(postgres_database_url: str) -> None:
    """Only these tables, and only from the revision on that says so."""

    def settings(tx: Tx) -> dict[str, list[str]]:
        rows = tx.execute(sa.text("SELECT relname, reloptions FROM pg_class WHERE reloptions IS NOT NULL AND relkind = 'r'"))
        ours = set(METADATA.tables)
        return {row.relname: sorted(row.reloptions) for row in rows if row.relname in ours}

    rewritten = ["autovacuum_analyze_scale_factor=0.02", "autovacuum_vacuum_scale_factor=0.02"]
    added_to = ["autovacuum_analyze_scale_factor=0.02", "autovacuum_vacuum_insert_scale_factor=0.02"]
    database = Database(postgres_database_url)
    try:
        assert await database.read(settings) == {"outbox": rewritten, "inbox": rewritten, "exchange": added_to}

        await database.write(lambda tx: command.downgrade(config(tx), "0002"))
        assert await database.read(settings) == {}
    finally:
        await database.close()


async def test_an_empty_database_is_refused(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'new.db'}")
    try:
        assert await database.read(present_revision) is None
        with pytest.raises(SchemaMismatch, match="the database is empty: run `legato migrate` first"):
            await check_schema(database)
    finally:
        await database.close()


async def test_an_older_schema_is_refused_with_the_remedy(sqlite_database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory.schema, "REVISIONS", (*REVISIONS, "9999"))

    with pytest.raises(SchemaMismatch, match=f"has schema {REVISIONS[-1]}, this program needs 9999: run `legato migrate`"):
        await check_schema(sqlite_database)


async def test_a_newer_schema_is_refused_with_the_remedy(database: Database) -> None:
    await stamp(database, "9999")

    with pytest.raises(SchemaMismatch, match=f"has schema 9999, which is newer than this program's {REVISIONS[-1]}: install the newer"):
        await check_schema(database)


async def test_a_migration_that_fails_leaves_nothing(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'new.db'}")

    def half(tx: Tx) -> None:
        migrate(tx)
        raise OSError("the disk is full")

    try:
        with pytest.raises(OSError, match="full"):
            await database.write(half)
        assert await database.read(tables) == set()
    finally:
        await database.close()
