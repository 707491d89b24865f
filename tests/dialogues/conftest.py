"""Every script in this folder is a test, on SQLite and on PostgreSQL."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.qa.pytest_plugin import DialogueFile, collect_script


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> DialogueFile | None:
    return collect_script(file_path, parent, fixtures=("sqlite_database_url", "postgres_database_url"))
