"""How often the right moment is found, on a few made-up customers: a guard against settings that look harmless and are not.

``tests.benchmarks.search`` measures it properly; the bounds here leave room for a few questions more or less.
"""

from __future__ import annotations

from itertools import pairwise

from memory.database import Database
from memory.search.words import ask
from tests.benchmarks.support_talk import HELD_OUT, Talk, talks
from tests.memory.people import meet
from tests.memory.search.talks import found, index_all, say


def some_talks() -> list[Talk]:
    return [talk for sector, seed in HELD_OUT for talk in talks(sector, seed, 1)]


def test_the_talk_follows_from_the_seed_and_points_to_what_was_said() -> None:
    first, second = some_talks(), some_talks()

    assert first == second
    assert talks("banking", 1, 1) != talks("banking", 2, 1)
    for talk in first:
        assert len(talk.said) > 100
        assert len(talk.asked) > 10
        assert all(before.at < after.at for before, after in pairwise(talk.said))
        assert not any("{" in one.text for one in talk.said)
        assert all(asked.evidence and max(asked.evidence) < len(talk.said) for asked in talk.asked)


async def test_the_right_moment_is_mostly_found_by_words(sqlite_database: Database) -> None:
    questions = some_found = ends_early = 0
    for n, talk in enumerate(some_talks()):
        who = await meet(sqlite_database, str(n), name=talk.name)
        ids = [(await say(sqlite_database, who, one.text, author=one.author, name=one.name, at=one.at))[0] for one in talk.said]
        await index_all(sqlite_database, who)
        names = {one.name for one in talk.said if one.name}
        for asked in talk.asked:
            hits = await found(sqlite_database, who, ask(asked.text, names=names, now=talk.said[-1].at))
            questions += 1
            some_found += bool({ids[place] for place in asked.evidence} & set(hits))
            ends_early += len(hits) < 10
    assert questions > 60
    assert some_found / questions > 0.7
    assert ends_early < questions / 2
