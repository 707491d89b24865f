"""The tables of the search index. None holds text: words are kept as numbers made of them, meanings as vectors, and both point to
exchanges.

Every key begins with the customer, so a search reads one customer's rows only and forgetting a customer deletes by that column.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from memory.clock import UtcDateTime
from memory.database import BigId


class SearchState(SQLModel, table=True):
    """How far a customer's index reaches; its row is the lock of those who write the index.

    A document is an exchange with words; documents are numbered from 0 in the order in which they were indexed. The first ``folded`` of
    them are found through :class:`SearchPosting`, the others by reading their :class:`SearchBlock`. The first ``vectors`` have vectors,
    made by ``encoder``. ``indexed_to`` is the greatest exchange id that was looked at; ``length`` is the sum of the documents' lengths in
    words. ``words`` is the version of the rules that made words into numbers: an index made by others is made anew.
    """

    __tablename__ = "search_state"

    customer_id: int = Field(primary_key=True, foreign_key="customer.id", sa_type=BigId, sa_column_kwargs={"autoincrement": False})
    words: int
    indexed_to: int = Field(default=0, sa_type=BigId)
    documents: int = 0
    length: int = Field(default=0, sa_type=BigId)
    sessions: int = 0
    last_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    folded: int = 0
    encoder: str | None = None
    vectors: int = 0
    cells: int = 0


class SearchBlock(SQLModel, table=True):
    """A few dozen documents in a row: what is known of each (``docs``), its words' numbers (``terms``), and how often it has each
    (``counts``).

    The arrays' layout stands in ``memory.search.layout``.
    """

    __tablename__ = "search_block"

    customer_id: int = Field(primary_key=True, foreign_key="customer.id", sa_type=BigId, sa_column_kwargs={"autoincrement": False})
    block: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    docs: bytes = Field(sa_type=sa.LargeBinary)
    terms: bytes = Field(sa_type=sa.LargeBinary)
    counts: bytes = Field(sa_type=sa.LargeBinary)


class SearchPosting(SQLModel, table=True):
    """Which of a long history's older documents have a word (``term`` is its number).

    Block 0 is the one being filled, with the newest documents; full ones are 1, 2, ... from the oldest on. ``before`` of block 0 says how
    many documents stand in the full ones, so that block 0 alone tells how frequent the word is.
    """

    __tablename__ = "search_posting"
    __table_args__ = ({"sqlite_with_rowid": False},)

    customer_id: int = Field(primary_key=True, foreign_key="customer.id", sa_type=BigId, sa_column_kwargs={"autoincrement": False})
    term: int = Field(primary_key=True, sa_type=BigId, sa_column_kwargs={"autoincrement": False})
    block: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    before: int = 0
    docs: bytes = Field(sa_type=sa.LargeBinary)


class SearchCell(SQLModel, table=True):
    """Documents of a like meaning: each one's number and vector (``vectors``). Row -1 has the centres of all cells (``centre``) instead."""

    __tablename__ = "search_cell"

    customer_id: int = Field(primary_key=True, foreign_key="customer.id", sa_type=BigId, sa_column_kwargs={"autoincrement": False})
    cell: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    centre: bytes = Field(sa_type=sa.LargeBinary)
    vectors: bytes = Field(sa_type=sa.LargeBinary)
