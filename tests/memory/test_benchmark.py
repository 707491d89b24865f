"""`make bench-memory` on a small database: it fills, measures and shows what it says."""

from __future__ import annotations

from pathlib import Path

from tests.benchmarks.crowd import EACH, Crowd
from tests.benchmarks.memory import ANOTHER, parse, run


def test_everybody_has_as_many_exchanges_as_was_asked_for_in_the_order_of_time() -> None:
    crowd = Crowd((10, 1000), others=3)
    rows = list(crowd.rows())

    count = {number: sum(row["customer_id"] == number for row in rows) for number in range(1, crowd.size + 1)}
    assert [count[number] for number in crowd.with_length(10)] == [10] * len(crowd.with_length(10))
    assert [count[number] for number in crowd.with_length(1000)] == [1000]
    assert [count[number] for number in crowd.sample] == [EACH] * 3
    assert len(rows) == crowd.exchanges
    assert [(row["at"], row["id"]) for row in rows] == sorted((row["at"], row["id"]) for row in rows)
    assert list(Crowd((10, 1000), others=3).rows()) == rows


async def test_a_small_run_measures_both_databases(postgres_database_url: str, tmp_path: Path) -> None:
    given = parse(["--others=5", "--lengths=1000,1200", "--times=2", f"--postgres={postgres_database_url}", f"--rivals={tmp_path}/none"])
    figures = await run(given)

    cells = {(cell["subject"], cell["operation"], cell["exchanges"]) for cell in figures["cells"]}
    for subject in ("Legato on SQLite", "Legato on PostgreSQL", "plain SQLite table, FULL", "plain PostgreSQL table"):
        assert {(subject, did, length) for did in ("load", "append") for length in ("1000", "1200")} <= cells
        assert (subject, "load", ANOTHER) in cells
    assert all(cell["p50_ms"] > 0 for cell in figures["cells"])
    assert all(row["bytes/exchange"] > 0 for row in figures["storage"])
    measured = {row["times the plain table"] for row in figures["ratios"]}
    assert {"Legato on SQLite: load, wait", "Legato on PostgreSQL: append, CPU", "Legato on SQLite, for an agent: load, CPU"} <= measured
