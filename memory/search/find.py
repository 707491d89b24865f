"""Finding the exchanges of a customer's past that answer a question, in bounded time however long the past is.

Read, per customer: the state; the newest exchanges that are not indexed yet; the blocks of the documents that are not folded; of a long
history, the postings of the question's rarest words, newest first; and the blocks of the most promising older documents.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from memory.database import Tx
from memory.search import index
from memory.search.cells import Embedded, likeness
from memory.search.layout import HAS_FIGURE, ONLY_ASKS, OPENS_SESSION, Array, Floats, joined, seconds
from memory.search.past import Past, doc_of, score_words
from memory.search.rank import WEIGHTS, Features, Weights, rank
from memory.search.words import Question, ask

LIKE = 0.2
"""A cosine of likeness below this says nothing."""


@dataclass(frozen=True, slots=True)
class Moment:
    """An exchange that may answer, with its neighbours: what was said just before and just after it in the same session.

    ``score`` is in standard deviations above the average exchange of this customer; ``why`` tells a person what was found.
    """

    customer_id: int
    exchange_id: int
    score: float
    why: str
    before_id: int | None
    after_id: int | None


def find(
    tx: Tx,
    customer_ids: Sequence[int],
    question: Question | str,
    *,
    limit: int = 10,
    meaning: Embedded | None = None,
    until_id: int | None = None,
    weights: Weights = WEIGHTS,
) -> list[Moment]:
    """The ``limit`` exchanges that answer best, best first, out of the past of one person.

    ``customer_ids`` are that person's; nothing of anybody else is read. ``meaning`` is ``question.plain`` as an encoder sees it, where
    there is one. ``until_id`` leaves out the exchanges from that one on, which a turn has before it anyway. Fewer come back if fewer have
    anything to do with the question.
    """
    if isinstance(question, str):
        question = ask(question)
    states = index.states(tx, customer_ids)
    past = [one for id_ in dict.fromkeys(customer_ids) if (one := Past(tx, id_, states.get(id_))).size]
    if not past:
        return []
    terms, named = _sorted_out(question, set().union(*(one.names() for one in past)))
    score_words(tx, past, terms)
    for one in past:
        if meaning is not None and one.state is not None:
            one.like = likeness(tx, one.state, meaning, one.size)
        one.join()
        one.look_closely(tx)
        one.score_sessions(len(terms))
    scores = rank(_features(past, question, named), weights)
    return _moments(tx, past, scores, terms, question, named, limit, until_id)


def _sorted_out(question: Question, present: Collection[int]) -> tuple[dict[int, str], set[int]]:
    """The words to look for, and who is named: a name of somebody who takes part says who speaks, not what about."""
    named = question.names.keys() & present
    gone = {question.names[name] for name in named}
    return {term: word for term, word in question.terms.items() if term not in gone}, set(named)


def _features(past: Sequence[Past], question: Question, named: set[int]) -> Features:
    """What is known of all closely seen documents, one customer after the other."""
    docs = past[0].docs if len(past) == 1 else joined(one.docs for one in past)
    near = np.concatenate([one.joined for one in past])
    size = sum(one.size for one in past)  # all others score nothing
    mean = float(near.sum()) / size
    meaning = before = session = None
    if any(one.like is not None for one in past):
        session = np.concatenate([one.like_session if one.like is not None else _own(one, None) for one in past])
        meaning = np.concatenate([_own(one, one.like) for one in past])
        before = np.concatenate([_before(one, one.like, np.nan) for one in past])
    return Features(
        words=np.concatenate([_own(one, one.scores) for one in past]),
        before=np.concatenate([_before(one, one.scores, 0) for one in past]),
        session=np.concatenate([one.session for one in past]),
        asks=docs["flags"] & ONLY_ASKS != 0,
        speaker=_speaker(docs, question, named),
        figure=(docs["flags"] & HAS_FIGURE != 0) & question.wants_figure,
        in_time=_in_time(docs, question),
        mean=mean,
        deviation=max(float(np.square(near).sum()) / size - mean * mean, 0.0) ** 0.5,
        meaning=meaning,
        meaning_before=before,
        meaning_session=session,
    )


def _own(one: Past, values: Floats | None) -> Floats:
    return values[one.numbers] if values is not None else np.full(len(one.numbers), np.nan, np.float32)


def _before(one: Past, values: Floats | None, nothing: float) -> Floats:
    if values is None:
        return np.full(len(one.numbers), np.nan, np.float32)
    return np.where(one.opens(), np.float32(nothing), values[np.maximum(one.numbers - 1, 0)])


def _speaker(docs: Array, question: Question, named: set[int]) -> Array:
    """Who is named in the question has said it; where nobody is, ``my`` and ``your`` tell which side has."""
    if named:
        return np.isin(docs["name"], np.array(sorted(named), np.uint32))
    if question.of_customer:
        return np.asarray(docs["author"] == 0)
    if question.of_us:
        return np.asarray(docs["author"] != 0)
    return np.zeros(len(docs), bool)


def _in_time(docs: Array, question: Question) -> Array:
    if question.since is None or question.until is None:
        return np.zeros(len(docs), bool)
    return (docs["at"] >= seconds(question.since)) & (docs["at"] < seconds(question.until))


def _moments(
    tx: Tx,
    past: Sequence[Past],
    scores: Floats,
    terms: dict[int, str],
    question: Question,
    named: set[int],
    limit: int,
    until_id: int | None,
) -> list[Moment]:
    """The best documents as moments; a message and its edits are one."""
    owner = np.repeat(np.arange(len(past)), [len(one.docs) for one in past])
    starts = np.cumsum([0] + [len(one.docs) for one in past])
    eligible = np.flatnonzero(np.concatenate([_eligible(one, question, until_id) for one in past]))
    chosen: dict[tuple[int, int], tuple[Past, int, float]] = {}
    for place in eligible[np.argsort(-scores[eligible], kind="stable")].tolist():
        one = past[owner[place]]
        at = place - int(starts[owner[place]])
        chosen.setdefault((one.customer_id, int(one.docs[at]["about"])), (one, at, float(scores[place])))
        if len(chosen) == limit:
            break
    in_order = [terms[term] for term in sorted(terms)]
    words = {id(one): _words(one, in_order, [at for other, at, _ in chosen.values() if other is one]) for one in past}
    return [
        Moment(customer_id, exchange_id, score, _why(one, at, in_order, words[id(one)], question, named), *_neighbours(tx, one, at))
        for (customer_id, exchange_id), (one, at, score) in chosen.items()
    ]


def _eligible(one: Past, question: Question, until_id: int | None) -> Array:
    """The documents that have anything to do with the question."""
    fits = (_own(one, one.scores) > 0) | (_before(one, one.scores, 0) > 0) | (one.session > 0)
    if one.like is not None:
        fits |= np.nan_to_num(_own(one, one.like), nan=-1) >= LIKE
    if question.since is not None:
        fits |= _in_time(one.docs, question)
    if until_id is not None:
        fits &= one.docs["id"] < until_id
    return fits


def _neighbours(tx: Tx, one: Past, at: int) -> tuple[int | None, int | None]:
    """The exchanges just before and after a document in its session."""
    opens = bool(one.docs[at]["flags"] & OPENS_SESSION)
    number = int(one.numbers[at])
    before = None if opens or number == 0 else doc_of(tx, one, at - 1, number - 1)
    after = doc_of(tx, one, at + 1, number + 1) if number + 1 < one.size else None
    if after is not None and after["flags"] & OPENS_SESSION:
        after = None
    return (int(before["about"]) if before is not None else None), (int(after["about"]) if after is not None else None)


def _words(one: Past, terms: Sequence[str], places: Sequence[int]) -> dict[int, set[str]]:
    """Which words of the question stand in the documents at these places, and in the ones before them, by the documents' numbers."""
    wanted = np.zeros(one.size + 1, bool)
    wanted[one.numbers[places]] = True
    wanted[one.numbers[places] - 1] = True
    hits = np.flatnonzero(wanted[one.hits.docs])
    words: dict[int, set[str]] = {}
    for number, term in zip(one.hits.docs[hits].tolist(), one.hits.terms[hits].tolist(), strict=True):
        words.setdefault(number, set()).add(terms[term])
    return words


def _why(one: Past, at: int, terms: Sequence[str], words: dict[int, set[str]], question: Question, named: set[int]) -> str:
    """What was found, in words of the question."""
    number, doc = int(one.numbers[at]), one.docs[at]
    own, before = words.get(number, set()), words.get(number - 1, set())
    parts = [f"words: {', '.join(sorted(own))}"] if own else []
    if before - own and not doc["flags"] & OPENS_SESSION:
        parts.append(f"just before: {', '.join(sorted(before - own))}")
    if not parts:
        around = sorted(terms[term] for term in np.flatnonzero(one.in_session[:, at]).tolist())
        parts += [f"around: {', '.join(around)}"] if around else []
    if one.like is not None and one.like[number] >= LIKE:
        parts.append("meaning")
    if int(doc["name"]) in named:
        parts.append("who is named")
    if question.since is not None and _in_time(one.docs[at : at + 1], question)[0]:
        parts.append("time")
    return "; ".join(parts)
