"""Search: what is found, how sure it is, and what it costs."""

from __future__ import annotations

import time

import pytest

from bot.assistants import BUILT_IN, load_assistant
from bot.understand.knowledge import SURE, UNSURE, Article, Knowledge

KNOWLEDGE = {name: load_assistant(name).knowledge for name in BUILT_IN}
SMALL_TALK = (
    "what is the weather like",
    "tell me a joke",
    "who won the football yesterday",
    "i am bored",
    "lovely day for a walk",
    "4523 8812 ram",
)


def without(knowledge: Knowledge, slug: str, question: str) -> Knowledge:
    articles = [
        Article(a.slug, a.title, a.summary, tuple(q for q in a.questions if (a.slug, q) != (slug, question)), a.body, a.html)
        for a in knowledge.articles
    ]
    return Knowledge(articles)


@pytest.mark.parametrize("name", BUILT_IN)
def test_every_question_finds_its_own_article(name: str) -> None:
    knowledge = KNOWLEDGE[name]
    asked = [(article.slug, question) for article in knowledge.articles for question in article.questions]
    found = sum(knowledge.search(question)[0].article.slug == slug for slug, question in asked)

    assert found / len(asked) > 0.97


def test_a_sure_answer_to_an_unseen_phrasing_is_mostly_right() -> None:
    knowledge = KNOWLEDGE["banking"]
    sure: list[bool] = []
    for article in knowledge.articles:
        for question in article.questions[::5]:
            hits = without(knowledge, article.slug, question).search(question)
            if hits and hits[0].score >= SURE:
                sure.append(hits[0].article.slug == article.slug)

    assert len(sure) > 5
    assert sum(sure) / len(sure) > 0.85


@pytest.mark.parametrize("name", BUILT_IN)
@pytest.mark.parametrize("text", SMALL_TALK)
def test_small_talk_is_never_answered_as_a_question(name: str, text: str) -> None:
    hits = KNOWLEDGE[name].search(text)

    assert not hits or hits[0].score < SURE


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("i lsot my crad", "lost-card"),
        ("what is the ruoting number", "routing-number"),
        ("cheqe book", "order-cheques"),
        ("my PIN is blocked", "pin"),
        ("how to transfr money abroad", "transfer-money"),
    ],
)
def test_a_slip_of_the_finger_is_forgiven(text: str, slug: str) -> None:
    assert KNOWLEDGE["banking"].search(text)[0].article.slug == slug


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "?!",
        "😀🎉",
        '"',
        "' OR 1=1 --",
        "card AND NOT",
        'NEAR("card" "lost")',
        "words:card",
        "card*",
        "^card",
        "{card} : (lost",
        "\x00card",
        "a" * 4096,
    ],
)
def test_hostile_text_is_only_text(text: str) -> None:
    assert all(0 <= hit.score <= 1 for hit in KNOWLEDGE["banking"].search(text))


def test_hits_are_ordered_and_limited() -> None:
    hits = KNOWLEDGE["banking"].search("my card", limit=2)

    assert len(hits) == 2
    assert hits[0].score >= hits[1].score
    assert hits[0].score < SURE, "a word that many articles have is no sure sign of one"


def test_thresholds_leave_room_for_asking_back() -> None:
    assert 0 < UNSURE < SURE < 1


def test_get_knows_the_articles_by_their_short_name() -> None:
    article = KNOWLEDGE["banking"].get("lost-card")

    assert article is not None
    assert article.title == "Lost or stolen card"
    assert KNOWLEDGE["banking"].get("nothing") is None


def test_a_title_is_the_surest_question() -> None:
    assert [(hit.article.slug, hit.score) for hit in KNOWLEDGE["banking"].search("fees and prices")] == [("fees", 1.0)]


def test_knowledge_without_articles_finds_nothing() -> None:
    assert Knowledge([]).search("lost card") == []


def test_a_search_is_quick() -> None:
    knowledge = KNOWLEDGE["telecoms"]
    costs: list[float] = []
    for article in knowledge.articles:
        for question in article.questions:
            started = time.process_time()
            knowledge.search(question)
            costs.append((time.process_time() - started) * 1000)

    assert sorted(costs)[len(costs) // 2] < 0.3
