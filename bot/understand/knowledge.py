"""The assistant's articles, and which of them answers a question."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from bot.markup import Html
from bot.understand.words import Spelling, words_of

SURE = 0.6
"""From this score on, an article is given as the answer. Of held-out phrasings that reach it, nine in ten are right."""

UNSURE = 0.25
"""Below this score nothing has been found; between the two the customer is asked what they meant."""

STOP_WORDS = """
a about again all also am an and any are as at be been being but by can cannot cant could did do does doing dont for from get give
had has have hello help hey hi how i id if ill im in into is it its ive just kindly know let like me my need of ok okay on or our
out please pls plz sir madam maam should so some tell that thats the their them there they this to u ur us want wanna was we were
what which will with would you your yes no not thank thanks
"""
"""Words that ask but do not say for what. Who, when, where and why are left out: articles differ in them."""

_STOP = frozenset(STOP_WORDS.split())
_TITLE, _QUESTION, _SUMMARY, _BODY = 2.0, 1.0, 1.5, 1.0
_SATURATION = 3.0
_TYPO = 0.9
_UNKNOWN_IN = 2.0
_PHRASE = 2.0
_AMBIGUOUS = SURE - 0.01
_BIAS, _COVERED, _AHEAD, _MASS, _COVERED_AND_AHEAD = -5.36, 5.59, 0.98, 2.18, 4.22
# Weights and logistic curve were fitted on the built-in assistants: each question of each article held out in turn, and as negatives the
# other assistants' questions and everyday talk. What counts is how many parts of an article have a word (saturating), how rare the word is,
# and how near all words together come to one part. Two in ``_UNKNOWN_IN``: an unknown word weighs like one that two articles have.


@dataclass(frozen=True, slots=True)
class Article:
    """One answer. ``body`` is Markdown; ``html`` is the same for Telegram, at most ``MAX_TEXT`` units long.

    ``proof`` is the level that somebody needs to be given it (:data:`memory.declared.PROOFS`).
    """

    slug: str
    title: str
    summary: str
    questions: tuple[str, ...]
    body: str
    html: Html
    proof: str = "seen"


@dataclass(frozen=True, slots=True)
class Hit:
    """An article that may be the answer; ``score`` is how likely it is to be the right one, from 0 to 1."""

    article: Article
    score: float


@dataclass(frozen=True, slots=True)
class _Word:
    """What one word says: its ``weight`` in the question, the parts that have it, and each article's share of it. No parts: unknown.

    ``heads`` are the articles that have it in their title or questions.
    """

    weight: float
    rarity: float = 0.0
    parts: tuple[int, ...] = ()
    shares: tuple[tuple[int, float], ...] = ()
    heads: frozenset[int] = frozenset()


class Knowledge:
    """Articles with full-text search. Built once; read from one thread at a time."""

    def __init__(self, articles: Iterable[Article]) -> None:
        self._articles = tuple(articles)
        self._by_slug = {article.slug: article for article in self._articles}
        # The thread that builds may be another than the one that reads.
        self._db = sqlite3.connect(":memory:", check_same_thread=False)
        self._db.execute("CREATE VIRTUAL TABLE parts USING fts5(words, tokenize = 'porter unicode61 remove_diacritics 2')")
        self._parts: list[tuple[int, float]] = []
        self._heads: set[int] = set()
        words: list[set[str]] = []
        for index, article in enumerate(self._articles):
            for text, weight, is_head in _parts_of(article):
                if is_head:
                    self._heads.add(len(self._parts))
                self._db.execute("INSERT INTO parts (rowid, words) VALUES (?, ?)", (len(self._parts), " ".join(words_of(text))))
                self._parts.append((index, weight))
                words.append(set(words_of(text)) - _STOP)
        self._vocabulary = set[str]().union(*words)
        self._spelling = Spelling(self._vocabulary)
        self._asked = {tuple(words_of(text)): article for article in self._articles for text in (*article.questions, article.title)}
        self._word = lru_cache(maxsize=4096)(self._look_up)
        self._lengths = [math.hypot(*(self._word(word).rarity for word in part)) or 1.0 for part in words]

    @property
    def articles(self) -> tuple[Article, ...]:
        """All articles, in the order given."""
        return self._articles

    def get(self, slug: str) -> Article | None:
        """The article with this short name."""
        return self._by_slug.get(slug)

    def knows(self, word: str) -> bool:
        """Whether ``word`` occurs in an article, in just this form."""
        return word in self._vocabulary

    def search(self, text: str, limit: int = 3) -> list[Hit]:
        """The articles that may answer ``text``, best first, with how sure that is. Any text is safe."""
        said = words_of(text)
        if (asked := self._asked.get(tuple(said))) is not None:
            return [Hit(asked, 1.0)]
        words = [self._word(word) for word in dict.fromkeys(said) if word not in _STOP]
        found: dict[int, float] = {}
        dots: dict[int, float] = {}
        for word in words:
            for article, share in word.shares:
                found[article] = found.get(article, 0.0) + word.rarity * share
            for part in word.parts:
                dots[part] = dots.get(part, 0.0) + word.rarity * word.rarity
        if not found:
            return []
        length = math.hypot(*(word.rarity for word in words))
        nearest: dict[int, float] = {}
        for part, dot in dots.items():
            article = self._parts[part][0]
            nearest[article] = max(nearest.get(article, 0.0), dot / (length * self._lengths[part]))
        ranks = {article: mass + _PHRASE * nearest[article] for article, mass in found.items()}
        order = sorted(ranks, key=lambda article: -ranks[article])
        total = sum(word.weight for word in words)
        # Where all that is known of the question is in another article's title and questions too ("my card"), it is better to ask back.
        asked_of = frozenset[int].intersection(*(word.heads for word in words if word.parts))
        ceiling = _AMBIGUOUS if asked_of - {order[0]} else 1.0
        hits: list[Hit] = []
        for article in order[:limit]:
            rival = order[0] if article != order[0] else order[1] if len(order) > 1 else None
            ahead = 1.0 if rival is None else (ranks[article] - ranks[rival]) / max(ranks[article], ranks[rival])
            # The order is the ranks'; where the curve sees it otherwise, both are as sure as the first.
            ceiling = min(ceiling, _confidence(found[article], found[article] / total, ahead))
            hits.append(Hit(self._articles[article], ceiling))
        return hits

    def _look_up(self, word: str) -> _Word:
        parts = self._find(word)
        trust = 1.0
        if not parts and (meant := self._spelling.nearest(word)) is not None:
            parts, trust = self._find(meant), _TYPO
        if not parts:
            return _Word(math.log(1 + len(self._articles) / _UNKNOWN_IN))
        weights: dict[int, float] = {}
        for part in parts:
            article, weight = self._parts[part]
            weights[article] = weights.get(article, 0.0) + weight
        shares = {article: weight / (weight + _SATURATION) for article, weight in weights.items()}
        # An article counts as having the word by as much as it has it, so that a mention in passing makes no word common.
        weight = math.log(1 + len(self._articles) / (sum(shares.values()) + 0.5))
        heads = frozenset(self._parts[part][0] for part in parts if part in self._heads)
        return _Word(weight, weight * trust, parts, tuple(shares.items()), heads)

    def _find(self, word: str) -> tuple[int, ...]:
        """The parts that have ``word``; as a quoted string it cannot be read as an operator."""
        return tuple(part for (part,) in self._db.execute("SELECT rowid FROM parts WHERE parts MATCH ?", (f'"{word}"',)))


def _parts_of(article: Article) -> list[tuple[str, float, bool]]:
    """The article's texts, each with its weight and whether it says what is asked rather than what is answered."""
    questions = [(question, _QUESTION, True) for question in article.questions]
    return [(article.title, _TITLE, True), *questions, (article.summary, _SUMMARY, False), (article.body, _BODY, False)]


def _confidence(mass: float, covered: float, ahead: float) -> float:
    """How likely the article is right: ``mass`` of what matched, share of the question ``covered``, and how far ``ahead`` of its rival."""
    logit = _BIAS + _COVERED * covered + _AHEAD * ahead + _MASS * math.log1p(mass) + _COVERED_AND_AHEAD * covered * ahead
    return 1 / (1 + math.exp(-logit))
