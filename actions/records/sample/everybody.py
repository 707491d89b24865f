"""The sample's rules for everybody: one-time codes, and a change of address."""

from __future__ import annotations

import hashlib
import hmac
from datetime import timedelta

import sqlalchemy as sa

from actions.records.interface import RecordRefused, RecordsUnknown
from actions.records.sample import tables
from actions.records.sample.rules import Call, Made, change, has_postcode, one
from memory.database import Row

CODE_HOLDS = timedelta(minutes=10)
"""How long a code is good for."""

MOST_CODES = 5
"""How many are sent to one customer in ``CODES_WITHIN``."""

CODES_WITHIN = timedelta(hours=1)

MOST_WRONG = 5
"""How many wrong ones may be entered for one that was sent."""

FURTHEST = timedelta(days=90)
"""How far ahead a change of address may lie."""

_code = tables.codes
_sent = sa.select(_code).where(_code.c.customer_id == sa.bindparam("p_customer")).order_by(_code.c.id.desc())
_lately = sa.select(sa.func.count()).where(_code.c.customer_id == sa.bindparam("p_customer"), _code.c.sent_at > sa.bindparam("p_since"))


def nth_code(customer_id: str, n: int) -> str:
    """The code that a customer's ``n``-th text message has, the first being 1.

    It follows from the two, so that a written dialogue can enter it. That is for made-up people only: a real system draws it by lot.
    """
    return f"{int.from_bytes(hashlib.sha256(f'{customer_id}.{n}'.encode()).digest()[:8], 'big') % 1_000_000:06d}"


def send_code(call: Call) -> Made:
    """Text a code to the number that we hold; the answer has that number's last two digits only."""
    customer = _customer(call)
    if not customer["phone"]:
        raise RecordRefused("no_phone")
    lately = call.tx.execute(_lately, {"p_customer": call.id, "p_since": call.now - CODES_WITHIN}).scalar_one()
    if lately >= MOST_CODES:
        raise RecordRefused("too_many_codes")
    sent = len(call.tx.execute(_sent, {"p_customer": call.id}).all())
    code = nth_code(call.id, sent + 1)
    call.tx.execute(sa.insert(_code).values(customer_id=call.id, code=code, sent_at=call.now))
    minutes = int(CODE_HOLDS.total_seconds() // 60)
    text = f"{customer['company']}: your code is {code}. It holds for {minutes} minutes. Enter it only where you asked for it."
    call.tx.execute(sa.insert(tables.text_messages).values(phone=customer["phone"], text=text, sent_at=call.now))
    return "customers", {"id": call.id, "sent_to": f"…{customer['phone'][-2:]}", "minutes": minutes}


def check_code(call: Call) -> Made:
    """Whether this is the code that was sent last. It is good for one time; a wrong one counts, though it is refused."""
    _customer(call)
    row = call.tx.execute(_sent.limit(1), {"p_customer": call.id}).first()
    if row is None or row.used:
        raise RecordRefused("no_code")
    if row.wrong >= MOST_WRONG:
        raise RecordRefused("code_locked")
    if call.now - row.sent_at > CODE_HOLDS:
        raise RecordRefused("code_expired")
    right = hmac.compare_digest(row.code.encode(), call.text("code").encode())
    values = {"used": True} if right else {"wrong": row.wrong + 1}
    call.tx.execute(sa.update(_code).where(_code.c.id == row.id).values(values))
    if not right:
        raise RecordRefused("code_wrong")
    return "customers", {"id": call.id, "checked": True}


def change_address(call: Call) -> Made:
    """Take a new address from a day on, the present one without it; it is used from the next day at the earliest."""
    _customer(call)
    day = call.day("from_day") or call.today
    if day < call.today:
        raise RecordRefused("day_past")
    if day - call.today > FURTHEST:
        raise RecordRefused("day_too_far")
    address = " ".join(call.text("address").split())
    if not has_postcode(address):
        raise RecordRefused("address_incomplete")
    applies = max(day, call.today + timedelta(days=1)).isoformat()
    return "customers", change(call.tx, "customers", call.id, next_address=address, next_address_from=applies)


def _customer(call: Call) -> Row:
    row = one(call.tx, "customers", call.id)
    if row is None:
        raise RecordsUnknown("customers")
    return row
