"""Links and codes: used once, in time, by one identity; wrong ones are counted."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from memory.customers import Known, get_identity
from memory.database import Database, Tx
from memory.links import (
    ALPHABET,
    CODE_TTL,
    KEPT_FOR,
    LINK_TTL,
    TOKEN_LENGTH,
    WRONG_CODES,
    Redeemed,
    Redemption,
    Written,
    clear_links,
    confirm_by,
    find_code,
    is_token,
    link_table,
    links_to_clear,
    make_code,
    make_link,
    redeem,
)
from memory.proofs import CONFIRMED, proofs_of
from tests.memory.people import START, after, meet

Make = Callable[[Tx, Known], str]


def a_link(tx: Tx, who: Known) -> str:
    return make_link(tx, who.customer_id, who.identity_id, by="customer", at=START)


def a_code(tx: Tx, who: Known) -> str:
    return make_code(tx, who.customer_id, who.identity_id, by="customer", at=START).replace("-", "")


both = pytest.mark.parametrize("make", [a_link, a_code])


async def use(database: Database, who: Known, token: str, *, at: float = 60) -> Redemption:
    return await database.write(lambda tx: redeem(tx, token, who.identity_id, at=after(at)))


@both
async def test_it_is_used_on_another_identity_which_is_confirmed_by_it(database: Database, cora: Known, make: Make) -> None:
    other = await meet(database, "43")
    token = await database.write(lambda tx: make(tx, cora))

    used = await use(database, other, token)

    assert (used.outcome, used.customer_id, used.identity_id) == (Redeemed.DONE, cora.customer_id, cora.identity_id)
    proof_id = await database.write(lambda tx: confirm_by(tx, used, other.identity_id, at=after(60)))
    identity = await database.read(lambda tx: get_identity(tx, other.identity_id))
    assert identity is not None
    assert (identity.proof, identity.proven_at) == (CONFIRMED, after(60))
    (proof,) = await database.read(lambda tx: proofs_of(tx, [other.identity_id]))
    assert (proof.id, proof.how, proof.evidence["shown_on"]) == (proof_id, used.kind, cora.identity_id)


@both
async def test_the_same_identity_may_repeat_it_and_nobody_else_may(database: Database, cora: Known, make: Make) -> None:
    other, third = await meet(database, "43"), await meet(database, "44")
    token = await database.write(lambda tx: make(tx, cora))

    outcomes = [(await use(database, who, token, at=at)).outcome for who, at in ((other, 60), (other, 61), (third, 62), (other, 9e6))]

    assert outcomes == [Redeemed.DONE, Redeemed.AGAIN, Redeemed.USED, Redeemed.AGAIN]


@both
async def test_it_ends(database: Database, cora: Known, make: Make) -> None:
    other = await meet(database, "43")
    token = await database.write(lambda tx: make(tx, cora))
    ttl = (LINK_TTL if make is a_link else CODE_TTL).total_seconds()

    assert (await use(database, other, token, at=ttl)).outcome is Redeemed.EXPIRED
    assert (await use(database, other, token, at=ttl - 1)).outcome is Redeemed.DONE


@both
async def test_a_newer_one_for_the_same_place_ends_it(database: Database, cora: Known, make: Make) -> None:
    other = await meet(database, "43")
    old = await database.write(lambda tx: make(tx, cora))
    new = await database.write(lambda tx: make(tx, cora))

    assert (await use(database, other, old)).outcome is Redeemed.EXPIRED
    assert (await use(database, other, new)).outcome is Redeemed.DONE


@both
async def test_it_is_of_no_use_where_it_was_handed_out(database: Database, cora: Known, make: Make) -> None:
    token = await database.write(lambda tx: make(tx, cora))

    assert (await use(database, cora, token)).outcome is Redeemed.OWN
    assert (await use(database, await meet(database, "43"), token)).outcome is Redeemed.DONE


@both
async def test_of_two_who_use_it_at_once_one_wins(two: tuple[Database, Database], make: Make) -> None:
    first, second = two
    cora, one, other = await meet(first, "42"), await meet(first, "43"), await meet(first, "44")
    token = await first.write(lambda tx: make(tx, cora))

    used = await asyncio.gather(use(first, one, token), use(second, other, token))

    assert sorted(one.outcome for one in used) == [Redeemed.DONE, Redeemed.USED]


async def test_the_store_has_neither_links_nor_codes(database: Database, cora: Known) -> None:
    tokens = [await database.write(lambda tx, make=make: make(tx, cora)) for make in (a_link, a_code)]  # type: ignore[misc]

    rows = await database.read(lambda tx: tx.execute(sa.select(link_table)).all())

    assert len(rows) == 2
    assert not any(token in str(value) for token in tokens for row in rows for value in row)


async def test_a_link_of_somebody_elses_making_is_wrong(database: Database, cora: Known) -> None:
    other = await meet(database, "43")
    token = await database.write(lambda tx: a_link(tx, cora))
    forged = [token[:n] + ("A" if token[n] != "A" else "B") + token[n + 1 :] for n in range(0, TOKEN_LENGTH - 1, 7)]

    outcomes = {(await use(database, other, one)).outcome for one in forged}

    assert outcomes == {Redeemed.WRONG}


async def test_a_signed_link_whose_row_is_gone_has_ended(database: Database, cora: Known) -> None:
    other = await meet(database, "43")
    token = await database.write(lambda tx: a_link(tx, cora))
    await database.write(lambda tx: tx.execute(sa.delete(link_table)))

    assert (await use(database, other, token, at=60)).outcome is Redeemed.WRONG
    assert (await use(database, other, token, at=LINK_TTL.total_seconds() + 1)).outcome is Redeemed.EXPIRED


async def test_after_a_few_wrong_codes_even_the_right_one_has_to_wait(database: Database, cora: Known) -> None:
    other, third = await meet(database, "43"), await meet(database, "44")
    code = await database.write(lambda tx: make_code(tx, cora.customer_id, cora.identity_id, by="x", at=START, ttl=timedelta(hours=5)))
    code = code.replace("-", "")
    wrong = ("B" if code[0] == "A" else "A") + code[1:]

    outcomes = [(await use(database, other, wrong, at=n)).outcome for n in range(WRONG_CODES)]

    assert outcomes == [Redeemed.WRONG] * WRONG_CODES
    assert (await use(database, other, code, at=10)).outcome is Redeemed.TOO_MANY
    assert (await use(database, other, code, at=3599)).outcome is Redeemed.TOO_MANY
    assert (await use(database, other, code, at=3601)).outcome is Redeemed.DONE
    assert (await use(database, third, code, at=3602)).outcome is Redeemed.USED


async def test_what_ended_is_known_for_a_while_and_then_cleared(database: Database, cora: Known) -> None:
    """Used or not, a few at a time; what was shown by its use stays."""
    other = await meet(database, "43")

    def make(tx: Tx) -> tuple[str, list[str]]:
        used = make_code(tx, cora.customer_id, cora.identity_id, by="customer", at=START).replace("-", "")
        return used, [make_link(tx, cora.customer_id, None, by=f"operator {n}", at=after(n)) for n in range(3)]

    code, tokens = await database.write(make)
    assert (await use(database, other, code)).outcome is Redeemed.DONE
    await database.write(lambda tx: confirm_by(tx, Redemption(Redeemed.DONE, cora.customer_id), other.identity_id, at=after(60)))
    end = START + LINK_TTL + KEPT_FOR

    async def clear(at: datetime, limit: int = 2) -> int:
        counted = await database.read(lambda tx: links_to_clear(tx, now=at))
        cleared = await database.write(lambda tx: clear_links(tx, now=at, limit=limit))
        assert cleared == min(counted, limit)
        return cleared

    assert await clear(START + CODE_TTL + KEPT_FOR - timedelta(seconds=1)) == 2  # links that another one has replaced
    assert (await use(database, other, code, at=3600)).outcome is Redeemed.AGAIN
    assert await clear(START + CODE_TTL + KEPT_FOR) == 1
    assert await clear(end) == 0
    assert (await use(database, other, tokens[2], at=(end - START).total_seconds())).outcome is Redeemed.EXPIRED
    assert await clear(end + timedelta(seconds=2)) == 1
    late = await use(database, other, tokens[2], at=(end - START).total_seconds() + 2)
    assert late.outcome is Redeemed.EXPIRED  # its signature still says that it was ours
    assert len(await database.read(lambda tx: proofs_of(tx, [other.identity_id]))) == 1


async def test_links_are_short_enough_for_telegram_and_never_the_same(database: Database, cora: Known) -> None:
    tokens = [await database.write(lambda tx: a_link(tx, cora)) for _ in range(20)]

    assert len(set(tokens)) == 20
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{1,64}", token) and is_token(token) for token in tokens)


async def test_a_code_is_written_in_two_groups_and_found_again(database: Database, cora: Known) -> None:
    codes = [await database.write(lambda tx: make_code(tx, cora.customer_id, None, by="operator", at=START)) for _ in range(20)]

    for code in codes:
        plain = code.replace("-", "")
        assert re.fullmatch(rf"[{ALPHABET}]{{4}}-[{ALPHABET}]{{4}}", code)
        assert find_code(f" {code.lower()} ") == Written(plain, alone=True, exact=True)
        assert find_code(plain) == Written(plain, alone=True, exact=False)
        assert find_code(f"my code is {code}.") == Written(plain, alone=False, exact=True)


@pytest.mark.parametrize(
    "text", ["transfer", "card fees", "12345678", "2222-3333", "AB2C-DE5", "xAB2C-DE5F", "", "AB2C-DE5F-22", "my 2222"]
)
def test_words_and_numbers_are_no_codes(text: str) -> None:
    assert find_code(text) is None


@given(st.text())
def test_any_text_can_be_searched_for_a_code(text: str) -> None:
    found = find_code(text)

    assert found is None or (len(found.code) == 8 and set(found.code) <= set(ALPHABET))
