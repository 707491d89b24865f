"""The sample's tables: a small bank, an insurer and a telecoms company, each row a made-up one.

A kind of record is a table here, a field a column. Amounts are pence. Days and moments (UTC) are ISO 8601 texts, as records are JSON.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateIndex, CreateTable

from memory.clock import UtcDateTime
from memory.database import Json, Tx

metadata = sa.MetaData()


def _id() -> sa.Column[str]:
    return sa.Column("id", sa.Text, primary_key=True)


def _text(name: str, *, none: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=none)


def _number(name: str, *, none: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=none)


def _flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean, nullable=False, default=False)


def _of(kind: str, name: str, *, none: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, sa.ForeignKey(f"{kind}.id"), nullable=none, index=True)


def _kind(name: str, *columns: sa.Column[Any], newest: str | None = None) -> sa.Table:
    """A kind of record; ``newest`` is the column by which the newest come first, else they come as they were made."""
    return sa.Table(name, metadata, _id(), *columns, info={"newest": newest})


# Everybody's

customers = _kind(
    "customers",
    _text("company"),
    _text("name"),
    sa.Column("phone", sa.Text, index=True),
    _text("email", none=True),
    _text("address"),
    _text("next_address", none=True),
    _text("next_address_from", none=True),
    _text("date_of_birth"),
    sa.Column("customer_number", sa.Text, unique=True),
)

# The bank

accounts = _kind(
    "accounts",
    _of("customers", "customer_id"),
    _text("kind"),
    sa.Column("number", sa.Text, unique=True, nullable=False),
    _text("sort_code"),
    _text("currency"),
    _number("balance"),
    _number("pending"),
    _number("overdraft"),
    _flag("joint"),
    _text("state"),
    _text("closes_on", none=True),
)
cards = _kind(
    "cards",
    _of("customers", "customer_id"),
    _of("accounts", "account_id"),
    _text("kind"),
    _text("ending"),
    _text("state"),
    _text("expires"),
    _text("blocked_for", none=True),
)
card_orders = _kind(
    "card_orders",
    _of("customers", "customer_id"),
    _of("cards", "card_id"),
    _flag("express"),
    _number("fee"),
    _text("arrives_by"),
    _text("ordered_on"),
    newest="ordered_on",
)
transactions = _kind(
    "transactions",
    _of("customers", "customer_id"),
    _of("accounts", "account_id"),
    _of("cards", "card_id", none=True),
    _text("day"),
    _text("merchant"),
    _number("amount"),
    _text("currency"),
    _text("state"),
    newest="day",
)
disputes = _kind(
    "disputes",
    _of("customers", "customer_id"),
    sa.Column("transaction_id", sa.Text, sa.ForeignKey("transactions.id"), unique=True),
    _text("reason"),
    _text("state"),
    _text("opened_on"),
    _text("answer_by"),
    newest="opened_on",
)
payees = _kind(
    "payees",
    _of("customers", "customer_id"),
    _text("name"),
    _text("account_number"),
    _text("routing_number"),
    _text("added_at"),
)
transfers = _kind(
    "transfers",
    _of("customers", "customer_id"),
    _of("accounts", "account_id"),
    _of("payees", "payee_id", none=True),
    _number("amount"),
    _text("currency"),
    _text("arrives_on"),
    _text("sent_at"),
    newest="sent_at",
)
cheque_orders = _kind(
    "cheque_orders",
    _of("customers", "customer_id"),
    _of("accounts", "account_id"),
    _number("books"),
    _number("fee"),
    _text("arrives_by"),
    _text("ordered_on"),
    newest="ordered_on",
)
routing_numbers = _kind("routing_numbers", _text("number"), _text("used_for"))
offers = _kind("offers", _text("kind"), _text("title"), _text("rate"), _text("summary"), _number("least_income"))
offer_checks = _kind(
    "offer_checks",
    _of("customers", "customer_id"),
    _of("offers", "offer_id"),
    _text("result"),
    _text("valid_until", none=True),
    _text("answer_by", none=True),
    _text("checked_on"),
    newest="checked_on",
)

# The insurer

policies = _kind(
    "policies",
    _of("customers", "customer_id"),
    sa.Column("number", sa.Text, unique=True, nullable=False),
    _text("kind"),
    _text("product"),
    _text("item"),
    _text("registration", none=True),
    _text("serial", none=True),
    _number("excess"),
    _text("state"),
    _text("renews_on"),
)
claims = _kind(
    "claims",
    _of("customers", "customer_id"),
    _of("policies", "policy_id"),
    sa.Column("number", sa.Text, unique=True, nullable=False),
    _text("item"),
    _text("damage"),
    _text("state"),
    _text("missing", none=True),
    _text("decision", none=True),
    _number("amount", none=True),
    _number("excess"),
    _text("opened_on"),
    _text("next_by", none=True),
    _text("paid_on", none=True),
    _text("repair_by", none=True),
    _text("ready_by", none=True),
    _text("police_reference", none=True),
    newest="opened_on",
)
proofs = _kind(
    "proofs",
    _of("customers", "customer_id"),
    _of("policies", "policy_id"),
    _text("delivery"),
    _text("arrives_by"),
    _text("issued_at"),
    newest="issued_at",
)

# The telecoms company

plans = _kind("plans", _text("kind"), _text("name"), _number("price"), _number("size"), _text("summary"))
services = _kind(
    "services",
    _of("customers", "customer_id"),
    _of("plans", "plan_id"),
    _text("kind"),
    _text("plan"),
    _number("price"),
    _text("number", none=True),
    _text("state"),
    _text("started_on"),
    _text("bound_until", none=True),
    _text("ends_on", none=True),
)
orders = _kind(
    "orders",
    _of("customers", "customer_id"),
    _of("services", "service_id", none=True),
    _text("kind"),
    _text("plan", none=True),
    _text("plan_before", none=True),
    _number("price", none=True),
    _number("fee"),
    _text("day"),
    _text("return_by", none=True),
    _text("address", none=True),
    sa.Column("services", Json, nullable=True),
    _text("ordered_on"),
    newest="ordered_on",
)
bills = _kind(
    "bills",
    _of("customers", "customer_id"),
    _text("month"),
    _text("issued_on"),
    _text("due_on"),
    _number("total"),
    _text("currency"),
    _text("state"),
    newest="issued_on",
)
bill_items = _kind("bill_items", _of("customers", "customer_id"), _of("bills", "bill_id"), _text("text"), _number("amount"))
usage = _kind(
    "usage",
    _of("customers", "customer_id"),
    _of("services", "service_id"),
    _text("month"),
    _number("used_mb"),
    _number("allowance_mb"),
    _text("as_of"),
    newest="month",
)

KINDS = dict(metadata.tables)
"""Every kind that can be asked for; what follows is the sample's own."""

codes = sa.Table(
    "code",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("customer_id", sa.Text, sa.ForeignKey("customers.id"), nullable=False, index=True),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("sent_at", UtcDateTime, nullable=False),
    sa.Column("wrong", sa.Integer, nullable=False, default=0),
    sa.Column("used", sa.Boolean, nullable=False, default=False),
)
"""One-time codes, as they were sent."""

text_messages = sa.Table(
    "text_message",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("phone", sa.Text, nullable=False, index=True),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("sent_at", UtcDateTime, nullable=False),
)
"""What would have gone out by text message: a screen or a test reads it here."""

done = sa.Table(
    "done",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("asked", sa.Text, nullable=False),
    sa.Column("outcome", Json, nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
)
"""What each key did: a digest of what was asked, and the record or the refusal that came of it."""


def make(tx: Tx) -> None:
    """Make what is missing of the tables on SQLite. The caller commits."""
    for statement in _statements():
        tx.exec_driver_sql(statement)


@cache
def _statements() -> tuple[str, ...]:
    """Compiled once: that takes several times as long as running them, and every script that is played has a sample of its own."""
    made: list[CreateTable | CreateIndex] = []
    for of in metadata.sorted_tables:
        indexes = sorted(of.indexes, key=lambda index: str(index.name))
        made += (CreateTable(of, if_not_exists=True), *(CreateIndex(index, if_not_exists=True) for index in indexes))
    return tuple(str(one.compile(dialect=sqlite.dialect())) for one in made)
