"""What designers wrote as questions is answered by the article that they wrote it into."""

from __future__ import annotations

import pytest

from bot.assistants import BUILT_IN, load_assistant
from bot.understand.hear import hear


@pytest.mark.parametrize("name", BUILT_IN)
def test_every_question_is_answered_by_its_article(name: str) -> None:
    knowledge = load_assistant(name).knowledge

    missed = [
        question
        for article in knowledge.articles
        for question in article.questions
        if not (heard := hear(question, knowledge)).sure or heard.hits[0].article != article
    ]

    assert missed == []
