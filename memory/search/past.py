"""What a search reads of one customer's past: the recent documents with their words, the postings of a long past, and some older blocks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from memory.database import Record, Tx, per_dialect, table
from memory.exchanges import Exchange
from memory.search import index
from memory.search.layout import DOC, DOCS_PER_BLOCK, OPENS_SESSION, POSTING, POSTINGS_PER_BLOCK, Array, Docs, Floats
from memory.search.rank import BEFORE, idf, saturated
from memory.search.tables import SearchBlock, SearchPosting

TAIL = 200
"""How many of the newest exchanges are read as text where the index does not reach them yet."""

TAIL_CHARACTERS = 40_000
"""Of these exchanges as many of the newest as have no more text than this: making words of it takes some ten milliseconds."""

TERMS = 12
"""The question's rarest words that are looked for."""

POSTING_BLOCKS = 64
"""Full blocks of postings that one search reads, the rarest words' first: frequent words of a very long history count in its newer part
only."""

CANDIDATES = 96
"""Older documents that are looked at closely, and at most as many blocks of them are read."""


_block, _posting, _exchange = table(SearchBlock), table(SearchPosting), table(Exchange)
_b = sa.bindparam
_tail = (
    sa.select(*index.COLUMNS)
    .where(_exchange.c.customer_id == _b("p_customer"), _exchange.c.id > _b("p_after"))
    .order_by(_exchange.c.id.desc())
    .limit(TAIL)
)
_unfolded = (
    sa.select(_block.c.docs, _block.c.terms, _block.c.counts)
    .where(_block.c.customer_id == _b("p_customer"), _block.c.block >= _b("p_first"))
    .order_by(_block.c.block)
)
_heads = sa.select(_posting.c.term, _posting.c.before, _posting.c.docs).where(
    _posting.c.customer_id == _b("p_customer"), _posting.c.block == 0, _posting.c.term.in_(_b("p_terms", expanding=True))
)
_full = sa.union_all(
    *(  # a list of pairs would read every posting of the customer on SQLite; each of these is a range of the key
        sa.select(_posting.c.term, _posting.c.docs).where(
            _posting.c.customer_id == _b("p_customer"), _posting.c.term == _b(f"p_term{n}"), _posting.c.block >= _b(f"p_first{n}")
        )
        for n in range(TERMS)
    )
)


@per_dialect
def _older(dialect: str) -> Any:
    """A list as one parameter: a parameter for each block would cost more than reading them."""
    listed: Any = _block.c.block == sa.any_(_b("p_blocks", type_=ARRAY(sa.Integer)))
    if dialect == "sqlite":
        listed = _block.c.block.in_(sa.select(sa.func.json_each(_b("p_blocks", type_=sa.JSON)).table_valued("value").c.value))
    return sa.select(_block.c.block, _block.c.docs).where(_block.c.customer_id == _b("p_customer"), listed).order_by(_block.c.block)


class Hits(NamedTuple):
    """Where the question's words stand: the document's number, which of the words (by their place in order), and what it scores there."""

    docs: Array
    terms: Array
    shares: Array


class Past:
    """What a search has read of one customer. Documents go by their number; the ones from ``folded`` on are here with their words."""

    def __init__(self, tx: Tx, customer_id: int, state: Record | None) -> None:
        self.customer_id = customer_id
        self.state = state
        self.folded = state.folded if state is not None else 0
        docs = Docs.empty()
        if state is not None and state.documents > self.folded:
            first = self.folded // DOCS_PER_BLOCK
            docs = Docs.unpack(tx.execute(_unfolded, {"p_customer": customer_id, "p_first": first}).all())
        tail = _unindexed(tx, customer_id, state)
        self.recent = docs + tail
        self.size = self.folded + len(self.recent)
        self.length = (state.length if state is not None else 0) + int(tail.docs["length"].sum())
        self.scores: Floats = np.zeros(self.size, np.float32)
        self.near: Array = np.empty(0, np.int64)
        self.joined: Floats = np.empty(0, np.float32)
        self.session = self.scores
        self.in_session: Array = np.zeros((0, 0), bool)
        self.like: Floats | None = None
        self.like_session = self.scores
        self.hits = Hits(*(np.empty(0, np.int64),) * 3)
        self.numbers: Array = np.arange(self.folded, self.size)
        self.docs: Array = self.recent.docs

    def names(self) -> set[int]:
        """The numbers of the names of those who spoke lately."""
        return set(np.unique(self.recent.docs["name"]).tolist()) - {0}

    def opens(self) -> Array:
        """Which of the closely seen documents open a session."""
        return np.asarray((self.docs["flags"] & OPENS_SESSION != 0) | (self.numbers == 0))

    def join(self) -> None:
        """Give each document a part of the score of the one before; where sessions begin is known of the recent ones only."""
        touched = np.zeros(self.size + 1, bool)
        touched[self.hits.docs] = True
        touched[self.hits.docs + 1] = True
        self.near = np.flatnonzero(touched[: self.size])
        before = np.where(self.near > 0, self.scores[self.near - 1], np.float32(0))
        recent = np.searchsorted(self.near, self.folded)
        before[recent:][self.recent.docs["flags"][self.near[recent:] - self.folded] & OPENS_SESSION != 0] = 0
        self.joined = self.scores[self.near] + np.float32(BEFORE) * before

    def look_closely(self, tx: Tx) -> None:
        """Read the blocks of the most promising older documents."""
        if not self.folded:
            return
        older = int(np.searchsorted(self.near, self.folded))
        chosen = self.near[:older][_greatest(self.joined[:older], CANDIDATES)]
        if self.like is not None:
            alike = np.flatnonzero(self.like[: self.folded] > 0)
            chosen = np.concatenate([chosen, alike[_greatest(self.like[alike], CANDIDATES // 2)]])
        blocks = np.unique(chosen // DOCS_PER_BLOCK)
        if not len(blocks):
            return
        rows = tx.execute(_older(tx), {"p_customer": self.customer_id, "p_blocks": blocks.tolist()}).all()
        self.docs = np.frombuffer(b"".join(row.docs for row in rows) + self.recent.docs.tobytes(), DOC)
        there = np.array([row.block for row in rows], np.int64)
        self.numbers = np.concatenate([(there[:, None] * DOCS_PER_BLOCK + np.arange(DOCS_PER_BLOCK)).ravel(), self.numbers])

    def score_sessions(self, terms: int) -> None:
        """Give each closely seen document what the question's words make together in its session, each where it weighs most; so for
        likeness."""
        _, session = np.unique(self.docs["session"], return_inverse=True)
        sessions = int(session.max()) + 1
        row = np.zeros(self.size, np.int32)
        row[self.numbers] = np.arange(1, len(self.numbers) + 1)
        rows = row[self.hits.docs]
        seen = rows > 0
        best = np.zeros((terms, sessions), np.float32)
        np.maximum.at(best, (self.hits.terms[seen], session[rows[seen] - 1]), self.hits.shares[seen])
        self.session = best.sum(axis=0)[session]
        self.in_session = best[:, session] > 0
        if self.like is not None:
            likest = np.full(sessions, np.nan, np.float32)
            np.fmax.at(likest, session, self.like[self.numbers])
            self.like_session = likest[session]


def _greatest(scores: Floats, count: int) -> Array:
    """Where so many of the greatest scores stand."""
    return np.argpartition(-scores, count)[:count] if len(scores) > count else np.arange(len(scores))


def _unindexed(tx: Tx, customer_id: int, state: Record | None) -> Docs:
    """The newest exchanges that the index does not have yet, as it would have them."""
    after = state.indexed_to if state is not None else 0
    rows = []
    characters = 0
    for row in tx.execute(_tail, {"p_customer": customer_id, "p_after": after}).all():
        characters += len(row.text)
        if characters > TAIL_CHARACTERS:
            break
        if index.is_document(row):
            rows.append(row)
    entries, _, _ = index.entries_of(rows[::-1], state, {})
    return Docs.of(entries)


def score_words(tx: Tx, past: Sequence[Past], terms: dict[int, str]) -> None:
    """Give every document its words' score."""
    if not terms:
        return
    wanted = np.array(sorted(terms), np.uint32)
    size = sum(one.size for one in past)
    matches = [one.recent.matches(wanted) for one in past]
    heads = [_heads_of(tx, one, wanted) for one in past]
    df = np.zeros(len(wanted), np.int64)
    for (_, place, _), head in zip(matches, heads, strict=True):
        df += np.bincount(place, minlength=len(wanted))
        for at, (before, docs) in head.items():
            df[at] += before + len(docs) // POSTING.itemsize
    chosen = [at for at in np.argsort(df, kind="stable").tolist() if df[at]][:TERMS]
    weight = np.zeros(len(wanted), np.float32)
    weight[chosen] = idf(df[chosen], size)
    average = sum(one.length for one in past) / size
    for one, (owner, place, counts), head in zip(past, matches, heads, strict=True):
        which, postings = _postings_of(tx, one, wanted, chosen, head)
        numbers = np.concatenate([postings["doc"], one.folded + owner])
        which = np.concatenate([which, place])
        lengths = np.concatenate([postings["length"], one.recent.docs["length"][owner]])
        shares = saturated(np.concatenate([postings["count"], counts]), lengths, average) * weight[which]
        np.add.at(one.scores, numbers, shares)
        one.hits = Hits(numbers, which, shares)


Heads = dict[int, tuple[int, bytes]]


def _heads_of(tx: Tx, one: Past, wanted: Array) -> Heads:
    """Of each word's place in ``wanted``: how many postings its full blocks have, and the block being filled."""
    if not one.folded:
        return {}
    rows = tx.execute(_heads, {"p_customer": one.customer_id, "p_terms": wanted.tolist()}).all()
    return {int(np.searchsorted(wanted, row.term)): (row.before, row.docs) for row in rows}


def _postings_of(tx: Tx, one: Past, wanted: Array, chosen: Sequence[int], heads: Heads) -> tuple[Array, Array]:
    """The postings of the chosen words, and of which word each is; of full blocks the newest, as many as one search may read."""
    found = [(at, heads[at][1]) for at in chosen if at in heads]
    left = POSTING_BLOCKS
    ranges = {"p_customer": one.customer_id} | {f"p_term{n}": -1 for n in range(TERMS)} | {f"p_first{n}": 1 for n in range(TERMS)}
    for n, at in enumerate(chosen):
        full = heads[at][0] // POSTINGS_PER_BLOCK if at in heads else 0
        if full and left:
            taken = min(full, left)
            left -= taken
            ranges |= {f"p_term{n}": int(wanted[at]), f"p_first{n}": full - taken + 1}
    if left < POSTING_BLOCKS:
        found.extend((int(np.searchsorted(wanted, row.term)), row.docs) for row in tx.execute(_full, ranges).all())
    postings = np.frombuffer(b"".join(docs for _, docs in found), POSTING)
    which = np.repeat([at for at, _ in found], [len(docs) // POSTING.itemsize for _, docs in found]).astype(np.int64)
    if len(postings) and int(postings["doc"].max()) >= one.folded:  # folded since the state was read: they are among the recent ones
        known = postings["doc"] < one.folded
        which, postings = which[known], postings[known]
    return which, postings


def doc_of(tx: Tx, one: Past, at: int, number: int) -> Any | None:
    """A document by its number, which would stand at ``at`` among those at hand, or else in a block that is read now."""
    if 0 <= at < len(one.numbers) and one.numbers[at] == number:
        return one.docs[at]
    row = tx.execute(_older(tx), {"p_customer": one.customer_id, "p_blocks": [number // DOCS_PER_BLOCK]}).first()
    return np.frombuffer(row.docs, DOC)[number % DOCS_PER_BLOCK] if row is not None else None
