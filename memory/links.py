"""Links and short codes that carry a customer from one channel to another: single-use, expiring, and stored only as digests.

Both are handed out on one identity (or by an operator) and used on another; whoever uses one has seen what was shown in the other place, so
that the identity counts as confirmed. A link is signed and long enough that it cannot be guessed. A code is short enough to be typed, so
wrong codes are counted: after a few an identity has to wait.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
import struct
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from memory.clock import UtcDateTime
from memory.customers import FORGOTTEN, Identity, forgotten_among, ownership_of
from memory.database import BigId, Record, Tx, table
from memory.errors import CustomerForgotten
from memory.keys import LINKS, install_key
from memory.proofs import CONFIRMED, FRESH_FOR, prove

LINK, CODE = "link", "code"

LINK_TTL = timedelta(hours=24)
CODE_TTL = timedelta(minutes=15)

KEPT_FOR = timedelta(days=7)
"""How long one is known after its end, so that who uses it late or again is told so, and nobody is taken for guessing. Longer than any
repeat of a turn: Telegram keeps an update for a day. What its use has proven stands in ``proof``, without the link."""

ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""What codes are made of: no 0, O, 1, I or L, which people mistake for one another."""

CODE_LENGTH = 8
WRONG_CODES = 5
WRONG_WITHIN = timedelta(hours=1)
"""How many wrong codes an identity may enter in this time. There are 31**8, so about 10**12 codes, and one is good for minutes."""

_VERSION = 1
_HEAD = struct.Struct(">BI")
_NONCE_BYTES = _MAC_BYTES = 16
TOKEN_LENGTH = -(-(_HEAD.size + _NONCE_BYTES + _MAC_BYTES) * 4 // 3)
"""Characters of a link's token. Telegram takes 64 of A-Z, a-z, 0-9, _ and - after t.me/bot?start= (Bot API, deep linking)."""

_TOKEN = re.compile(rf"[A-Za-z0-9_-]{{{TOKEN_LENGTH}}}")
_WRITTEN = re.compile(rf"(?<![\w-])([{ALPHABET}]{{4}})([-\u2010-\u2015 ]?)([{ALPHABET}]{{4}})(?![\w-])")


class Link(SQLModel, table=True):
    """One link or code that was handed out. ``digest`` is of the token, so that who reads the store cannot use it.

    ``customer_id`` is the home of the identity where it was asked for, ``identity_id``; None where an operator made it for a customer.
    """

    __table_args__ = (sa.Index("link_customer", "customer_id"), sa.Index("link_expires", "expires_at"))

    digest: str = Field(primary_key=True)
    customer_id: int = Field(foreign_key="customer.id", sa_type=BigId)
    identity_id: int | None = Field(default=None, sa_type=BigId)
    kind: str
    by: str
    made_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
    used_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    used_by_id: int | None = Field(default=None, sa_type=BigId)


class Redeemed(StrEnum):
    """What became of an attempt to use a link or a code."""

    DONE = "done"
    AGAIN = "again"
    OWN = "own"
    USED = "used"
    EXPIRED = "expired"
    WRONG = "wrong"
    TOO_MANY = "too many"


@dataclass(frozen=True, slots=True)
class Redemption:
    """``outcome``, and, except where it is wrong or one tried too often, whose link it was and who made it.

    DONE: used now. AGAIN: this identity has used it before, which changes nothing. OWN: it was handed out on this very identity.
    """

    outcome: Redeemed
    customer_id: int | None = None
    identity_id: int | None = None
    kind: str = CODE
    by: str = ""


@dataclass(frozen=True, slots=True)
class Written:
    """A code found in a text, in its one form; ``alone`` and ``exact``: the text is nothing else, and it has its hyphen."""

    code: str
    alone: bool
    exact: bool


link_table: sa.Table = table(Link)
_link, _identity = link_table, table(Identity)
_b = sa.bindparam
_by_digest = sa.select(_link).where(_link.c.digest == _b("p_digest"))
_use = (
    sa.update(_link)
    .where(_link.c.digest == _b("p_digest"), _link.c.used_at.is_(None), _link.c.expires_at > _b("p_at"))
    .values(used_at=_b("p_at"), used_by_id=_b("p_identity"))
)
_supersede = (
    sa.update(_link)
    .where(
        _link.c.customer_id == _b("p_customer"),
        _link.c.identity_id.is_not_distinct_from(_b("p_identity")),
        _link.c.kind == _b("p_kind"),
        _link.c.used_at.is_(None),
        _link.c.expires_at > _b("p_at"),
    )
    .values(expires_at=_b("p_at"))
)
_tries = sa.select(_identity.c.wrong_codes, _identity.c.wrong_since).where(_identity.c.id == _b("p_id")).with_for_update(key_share=True)
_count_try = (
    sa.update(_identity)
    .where(_identity.c.id == _b("p_id"), _identity.c.address.not_like(f"{FORGOTTEN}:%"))  # whose turn it was is forgotten meanwhile
    .values(wrong_codes=_b("p_count"), wrong_since=_b("p_since"))
)
_old = sa.select(_link.c.digest).where(_link.c.expires_at <= _b("p_before")).order_by(_link.c.expires_at).limit(_b("p_limit"))
_clear = sa.delete(_link).where(_link.c.digest.in_(_old))
_count_old = sa.select(sa.func.count()).select_from(_link).where(_link.c.expires_at <= _b("p_before"))
_of_customer = sa.select(_link).where(_link.c.customer_id.in_(_b("p_ids", expanding=True))).order_by(_link.c.made_at)


def make_link(tx: Tx, customer_id: int, identity_id: int | None, *, by: str, at: datetime, ttl: timedelta = LINK_TTL) -> str:
    """A new signed link's token, of ``TOKEN_LENGTH`` URL-safe characters; an earlier unused one for the same place ends.

    ``customer_id`` is the identity's home, or whom an operator makes it for. The token is returned once and not stored. Raises
    :class:`CustomerForgotten`, as :func:`make_code` does.
    """
    expires_at = at + ttl
    head = _HEAD.pack(_VERSION, int(expires_at.timestamp())) + secrets.token_bytes(_NONCE_BYTES)
    token = base64.urlsafe_b64encode(head + _mac(install_key(tx, LINKS, at=at), head)).rstrip(b"=").decode()
    _hand_out(tx, token, customer_id, identity_id, LINK, by, at, expires_at)
    return token


def make_code(tx: Tx, customer_id: int, identity_id: int | None, *, by: str, at: datetime, ttl: timedelta = CODE_TTL) -> str:
    """A new short code, written ``XXXX-XXXX``; an earlier unused one for the same place ends."""
    while True:
        code = "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))
        if _mixed(code):
            break
    _hand_out(tx, code, customer_id, identity_id, CODE, by, at, at + ttl)
    return f"{code[:4]}-{code[4:]}"


def is_token(text: str) -> bool:
    """Whether this has the form of a link's token. Pure."""
    return _TOKEN.fullmatch(text) is not None


def find_code(text: str) -> Written | None:
    """The code that a text has in it, or None. Pure.

    It is eight signs of the alphabet with at least a digit and a letter among them, so that no word is one.
    """
    found = next((one for one in _WRITTEN.finditer(text.upper()) if _mixed(one[1] + one[3])), None)
    if found is None:
        return None
    return Written(found[1] + found[3], found[0] == text.strip().upper(), found[2] not in ("", " "))


def find_link(tx: Tx, token_or_code: str, *, at: datetime) -> Record | None:
    """The row of a link's token or a code, used or not; None if there is none."""
    return tx.execute(_by_digest, {"p_digest": _digest(tx, token_or_code, at)}).first()


def redeem(tx: Tx, token_or_code: str, identity_id: int, *, at: datetime) -> Redemption:
    """Use a link's token or a code (as :func:`find_code` gives it) on an identity.

    Of two uses at once one wins. The same identity may repeat it at any time: nothing happens a second time. What follows from a use is the
    caller's, in this same transaction: to merge (:func:`memory.merges.merge`), and to confirm the identity (:func:`confirm_by`). The caller
    commits whatever comes out, since a wrong code is counted.
    """
    is_link = is_token(token_or_code)
    if is_link:
        if not _signed(install_key(tx, LINKS, at=at), token_or_code):
            return Redemption(Redeemed.WRONG, kind=LINK)
    elif not _may_try(tx, identity_id, at):
        return Redemption(Redeemed.TOO_MANY)
    found = find_link(tx, token_or_code, at=at)
    if found is None:
        if is_link:  # it was ours: its row has been cleared away after its time
            return Redemption(Redeemed.EXPIRED if _expiry_of(token_or_code) <= at else Redeemed.WRONG, kind=LINK)
        _note_wrong(tx, identity_id, at)
        return Redemption(Redeemed.WRONG)
    whose = Redemption(Redeemed.DONE, found.customer_id, found.identity_id, found.kind, found.by)
    if found.used_at is not None:
        return replace(whose, outcome=Redeemed.AGAIN if found.used_by_id == identity_id else Redeemed.USED)
    if found.identity_id == identity_id:
        return replace(whose, outcome=Redeemed.OWN)
    if found.expires_at <= at:
        return replace(whose, outcome=Redeemed.EXPIRED)
    if tx.execute(_use, {"p_digest": found.digest, "p_identity": identity_id, "p_at": at}).rowcount != 1:
        return redeem(tx, token_or_code, identity_id, at=at)  # another one was faster, and is seen now
    return whose


def confirm_by(
    tx: Tx, used: Redemption, identity_id: int, *, at: datetime, merge_id: int | None = None, fresh_for: timedelta = FRESH_FOR
) -> int:
    """Confirm the identity that has used a link. If that merged two customers, the proof falls with the merge. Returns the proof's id."""
    evidence = {"by": used.by, "shown_on": used.identity_id, "customer": used.customer_id}
    if merge_id is not None:
        evidence["merge"] = merge_id
    return prove(tx, identity_id, CONFIRMED, how=used.kind, evidence=evidence, by="customer", at=at, fresh_for=fresh_for)


def links_of(tx: Tx, customer_ids: list[int]) -> list[Record]:
    """The links and codes that were handed out for these customers, oldest first."""
    return list(tx.execute(_of_customer, {"p_ids": customer_ids}))


def clear_links(tx: Tx, *, now: datetime, limit: int) -> int:
    """Remove up to ``limit`` links and codes that ended long enough ago, used or not; how many it were. The caller commits."""
    return int(tx.execute(_clear, {"p_before": now - KEPT_FOR, "p_limit": limit}).rowcount)


def links_to_clear(tx: Tx, *, now: datetime) -> int:
    """How many links and codes :func:`clear_links` would remove."""
    return int(tx.execute(_count_old, {"p_before": now - KEPT_FOR}).scalar_one())


def _hand_out(
    tx: Tx, token: str, customer_id: int, identity_id: int | None, kind: str, by: str, at: datetime, expires_at: datetime
) -> None:
    ownership_of(tx, [customer_id])  # nobody can forget them before this is stored, and removed with the rest
    if forgotten_among(tx, [customer_id]):
        raise CustomerForgotten(f"customer {customer_id} was forgotten")
    tx.execute(_supersede, {"p_customer": customer_id, "p_identity": identity_id, "p_kind": kind, "p_at": at})
    row = {
        "digest": _digest(tx, token, at),
        "customer_id": customer_id,
        "identity_id": identity_id,
        "kind": kind,
        "by": by,
        "made_at": at,
        "expires_at": expires_at,
    }
    tx.execute(sa.insert(_link), row)


def _digest(tx: Tx, token: str, at: datetime) -> str:
    """A code is too short for a digest without a key: all of them could be tried."""
    return hmac.new(install_key(tx, LINKS, at=at), b"digest\0" + token.encode(), hashlib.sha256).hexdigest()


def _mac(key: bytes, head: bytes) -> bytes:
    return hmac.new(key, b"link\0" + head, hashlib.sha256).digest()[:_MAC_BYTES]


def _raw(token: str) -> bytes:
    return base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))


def _signed(key: bytes, token: str) -> bool:
    """Whether we have made this token."""
    raw = _raw(token)
    return raw[0] == _VERSION and hmac.compare_digest(raw[-_MAC_BYTES:], _mac(key, raw[:-_MAC_BYTES]))


def _expiry_of(token: str) -> datetime:
    return datetime.fromtimestamp(_HEAD.unpack_from(_raw(token))[1], UTC)


def _mixed(code: str) -> bool:
    return any(one.isdigit() for one in code) and any(one.isalpha() for one in code)


def _may_try(tx: Tx, identity_id: int, at: datetime) -> bool:
    row = tx.execute(_tries, {"p_id": identity_id}).one()
    return row.wrong_codes < WRONG_CODES or row.wrong_since is None or at - row.wrong_since >= WRONG_WITHIN


def _note_wrong(tx: Tx, identity_id: int, at: datetime) -> None:
    row = tx.execute(_tries, {"p_id": identity_id}).one()
    over = row.wrong_since is None or at - row.wrong_since >= WRONG_WITHIN
    since, count = (at, 1) if over else (row.wrong_since, row.wrong_codes + 1)
    tx.execute(_count_try, {"p_id": identity_id, "p_count": count, "p_since": since})
