"""What customers write in answer to a question, and what must come of it. The table is written by hand; typos are meant."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.understand.answers import mentioned, named, read_value
from bot.understand.codes import without_cards
from bot.understand.said import read_said
from bot.understand.wanted import Entity, Wanted, expected
from memory.declared import Declared, Pattern
from memory.patterns import make_pattern
from memory.values import Type

TODAY = date(2026, 11, 22)  # a Sunday

AMOUNT = Wanted("float", low=0.01, high=1e6)
COUNT = Wanted("float", low=1)
LOSS = Wanted("categorical", ("lost", "stolen", "damaged", "suspected"))
REASON = Wanted("categorical", ("not_mine", "wrong_amount", "charged_twice", "not_received"))
CARD = Wanted("categorical", ("blue card", "red card", "gold card"))
YES_NO = Wanted("bool")
TEXT = Wanted("text")
DAY = Wanted("text", entities=("day",))
LIST = Wanted("list")


def fact(name: str, **about: Any) -> Wanted:
    return Wanted(fact=Declared(name, **about), region="GB", today=TODAY)


ACCOUNT = fact("account_number", code=True, form=re.compile(r"\d{8}"), example="12345678")
SORT_CODE = fact("sort_code", code=True, form=re.compile(r"\d{6}"), example="12-34-56")
ENDING = fact("card_ending", code=True, form=re.compile(r"\d{4}"), example="4821")
POLICY = fact("policy_number", code=True, form=re.compile(r"HP\d{6}"), example="HP123456")
REGISTRATION = fact("car_registration", code=True, patterns=(Pattern(make_pattern(r"[A-Z]{2}\d{2} ?[A-Z]{3}").match, 0.9),))
BORN = fact("date_of_birth", type=Type.DATE)
MONEY = fact("limit", type=Type.MONEY)
PHONE = fact("phone", type=Type.PHONE)
EMAIL = fact("email", type=Type.EMAIL)
PLACE = fact("address", type=Type.PLACE)
INTERESTS = fact("interests", type=Type.LIST)
CHANNEL = fact("preferred", choices=("telegram", "email", "text message"))

NOTHING = object()
"""It is no answer, and is asked for again."""

TABLE: list[tuple[Wanted, str, Any]] = [
    # amounts
    (AMOUNT, "50", 50),
    (AMOUNT, "50 quid", 50),
    (AMOUNT, "£50", 50),
    (AMOUNT, "£ 50.00!", 50),
    (AMOUNT, "50 pounds please", 50),
    (AMOUNT, "two hundred and fifty", 250),
    (AMOUNT, "two hundred fifty pounds", 250),
    (AMOUNT, "twenty-five", 25),
    (AMOUNT, "twelve hundred", 1200),
    (AMOUNT, "one thousand two hundred and four", 1204),
    (AMOUNT, "1.2k", 1200),
    (AMOUNT, "2k", 2000),
    (AMOUNT, "a grand", 1000),
    (AMOUNT, "half a million", 500000),
    (AMOUNT, "two and a half thousand", 2500),
    (AMOUNT, "a couple of hundred", 200),
    (AMOUNT, "£1,204.50", 1204.5),
    (AMOUNT, "1.204,50", 1204.5),
    (AMOUNT, "12,50", 12.5),
    (AMOUNT, "10 000", 10000),
    (AMOUNT, "3 fifty", 3.5),
    (AMOUNT, "£3 50", 3.5),
    (AMOUNT, "three pound fifty", 3.5),
    (AMOUNT, "4 pounds 99", 4.99),
    (AMOUNT, "four hundred and ninety nine pounds and 99 pence", 499.99),
    (AMOUNT, "50p", 0.5),
    (AMOUNT, "about 50 i think", 50),
    (AMOUNT, "make it 60", 60),
    (AMOUNT, "it should be 75 I think, thanks", 75),
    (AMOUNT, "£50 to Maria in 2 days", 50),
    (AMOUNT, "50 by 12/3", 50),
    (AMOUNT, "50 by 3 december", 50),
    (AMOUNT, "54 not 45", 54),
    (AMOUNT, "no wait 54 not 45", 54),
    (AMOUNT, "not 50 but 80", 80),
    (AMOUNT, "45, sorry 54", 54),
    (AMOUNT, "45 no wait 54", 54),
    (AMOUNT, "scratch that, make it 60", 60),
    (AMOUNT, "I said 54", 54),
    (AMOUNT, "change it from 50 to 60", 60),
    (AMOUNT, "50, sorry for the late reply", 50),
    (AMOUNT, "５０", 50),
    (AMOUNT, "5\u200b0", 50),
    (AMOUNT, "between 50 and 100", NOTHING),
    (AMOUNT, "50-100", NOTHING),
    (AMOUNT, "three fifty", NOTHING),
    (AMOUNT, "2000000", NOTHING),
    (AMOUNT, "0", NOTHING),
    (AMOUNT, "at 10:30", NOTHING),
    (AMOUNT, "on the 2nd", NOTHING),
    (AMOUNT, "HP123456", NOTHING),
    (AMOUNT, "everything", NOTHING),
    (AMOUNT, "💸💸", NOTHING),
    (AMOUNT, "", NOTHING),
    (COUNT, "one please", 1),
    (COUNT, "just one", 1),
    (COUNT, "two cheque books", 2),
    (COUNT, "a dozen", 12),
    (COUNT, "3 of them", 3),
    (COUNT, "the blue one", NOTHING),
    (COUNT, "one moment", NOTHING),
    # choices
    (LOSS, "lost", "lost"),
    (LOSS, "it was Stolen!", "stolen"),
    (LOSS, "its stollen", "stolen"),
    (LOSS, "the damged one", "damaged"),
    (LOSS, "suspectd i guess", "suspected"),
    (LOSS, "the second one", "stolen"),
    (LOSS, "number 2", "stolen"),
    (LOSS, "option three", "damaged"),
    (LOSS, "1", "lost"),
    (LOSS, "3.", "damaged"),
    (LOSS, "the last one please", "suspected"),
    (LOSS, "not lost, stolen", "stolen"),
    (LOSS, "stolen, not lost", "stolen"),
    (LOSS, "lost - no wait, stolen", "stolen"),
    (LOSS, "both", NOTHING),
    (LOSS, "neither", NOTHING),
    (LOSS, "lost or stolen", NOTHING),
    (LOSS, "the ninth one", NOTHING),
    (LOSS, "don't know", NOTHING),
    (LOSS, "my cat is ill", NOTHING),
    (CARD, "the blue one", "blue card"),
    (CARD, "blue", "blue card"),
    (CARD, "Gold Card", "gold card"),
    (CARD, "the card", NOTHING),
    (CARD, "the blue and the red", NOTHING),
    (CARD, "the blue one, not the red one", "blue card"),
    (CARD, "not the blue card, the red one", "red card"),
    (REASON, "not mine", "not_mine"),
    (REASON, "i was charged twice", "charged_twice"),
    (REASON, "wrong ammount", "wrong_amount"),
    (REASON, "the third", "charged_twice"),
    (CHANNEL, "by e-mail, so email", "email"),
    (CHANNEL, "text message please", "text message"),
    (CHANNEL, "pigeon", NOTHING),
    # yes and no
    (YES_NO, "yes", True),
    (YES_NO, "yup", True),
    (YES_NO, "yeah that's fine", True),
    (YES_NO, "sounds good", True),
    (YES_NO, "go for it", True),
    (YES_NO, "I think so", True),
    (YES_NO, "no problem", True),
    (YES_NO, "why not", True),
    (YES_NO, "I don't mind", True),
    (YES_NO, "that's right", True),
    (YES_NO, "by all means", True),
    (YES_NO, "I have, yes", True),
    (YES_NO, "um, sure", True),
    (YES_NO, "no", False),
    (YES_NO, "nope", False),
    (YES_NO, "of course not", False),
    (YES_NO, "I do not", False),
    (YES_NO, "I don't think so", False),
    (YES_NO, "definitely not", False),
    (YES_NO, "not yet", False),
    (YES_NO, "well, no", False),
    (YES_NO, "that is not right", False),
    (YES_NO, "no way", False),
    (YES_NO, "I'm afraid not", False),
    (YES_NO, "ok no", False),
    (YES_NO, "maybe", NOTHING),
    (YES_NO, "right now", NOTHING),
    (YES_NO, "banana", NOTHING),
    # numbers on paper
    (ACCOUNT, "12345678", "12345678"),
    (ACCOUNT, "1234 5678", "12345678"),
    (ACCOUNT, "12-34-56-78", "12345678"),
    (ACCOUNT, "it should be 12345678 I think, thanks", "12345678"),
    (ACCOUNT, "12345678 and it's the blue card", "12345678"),
    (ACCOUNT, "sort code 12-34-56, account 12345678", "12345678"),
    (ACCOUNT, "one two three four five six seven eight", "12345678"),
    (ACCOUNT, "double one two three four five six seven", "11234567"),
    (ACCOUNT, "not 12345678, 87654321", "87654321"),
    (ACCOUNT, "1234567", NOTHING),
    (ACCOUNT, "123456789", NOTHING),
    (ACCOUNT, "I haven't got it with me", NOTHING),
    (SORT_CODE, "12-34-56", "123456"),
    (SORT_CODE, "it's 12 34 56", "123456"),
    (ENDING, "4821", "4821"),
    (ENDING, "ending in 4821", "4821"),
    (ENDING, "it's 4111 1111 1111 1234 no", NOTHING),
    (ENDING, "4111 1111 1111 1111", "1111"),
    (ENDING, "my card is 5555555555554444 thanks", "4444"),
    (ENDING, "12345678", NOTHING),
    (POLICY, "HP123456", "HP123456"),
    (POLICY, "hp 123 456 I think", "HP123456"),
    (POLICY, "my policy number is HP-123456.", "HP123456"),
    (POLICY, "HP12345", NOTHING),
    (REGISTRATION, "it's ab12 cde thanks", "AB12CDE"),
    # telephones and addresses
    (PHONE, "07700 900123", "+447700900123"),
    (PHONE, "it's 07700 900 123, thanks", "+447700900123"),
    (PHONE, "+44 (0)20 7946 0018", "+442079460018"),
    (PHONE, "oh seven seven double oh nine double oh one two three", "+447700900123"),
    (PHONE, "07700 900123, no wait 07700 900456", "+447700900456"),
    (PHONE, "12", NOTHING),
    (EMAIL, "ann@example.org", "ann@example.org"),
    (EMAIL, "my e-mail is Ann.Lee@Example.ORG, thanks", "Ann.Lee@example.org"),
    (EMAIL, "ann at example dot org", "ann@example.org"),
    (EMAIL, "ann at home", NOTHING),
    (PLACE, "12 Oak Street, Leeds LS1 4AB", {"text": "12 Oak Street, Leeds LS1 4AB"}),
    (PLACE, "my new address is 12 Oak Street, Leeds LS1 4AB thanks", {"text": "12 Oak Street, Leeds LS1 4AB"}),
    (PLACE, "I live at Flat 3, 9 Elm Road", {"text": "Flat 3, 9 Elm Road"}),
    (INTERESTS, "travel, food and music", ["travel", "food", "music"]),
    # days
    (BORN, "12/3/1985", "1985-03-12"),
    (BORN, "12.3.85", "1985-03-12"),
    (BORN, "I was born on 12th March 1985", "1985-03-12"),
    (BORN, "March 12, 1985", "1985-03-12"),
    (BORN, "1985-03-12", "1985-03-12"),
    (BORN, "tomorrow", "2026-11-23"),
    (BORN, "next tuesday", "2026-11-24"),
    (BORN, "12/3", NOTHING),
    (BORN, "12 March", NOTHING),
    (BORN, "31/2/1985", NOTHING),
    (DAY, "next tuesday", "next tuesday"),
    (DAY, "could you do next Tuesday please?", "next tuesday"),
    (DAY, "12/3", "12 March"),
    (DAY, "12/3/27", "12 March 2027"),
    (DAY, "end of march", "31 March"),
    (DAY, "the day after tomorrow", "the day after tomorrow"),
    (DAY, "tomorow", "tomorrow"),
    (DAY, "on fri", "friday"),
    (DAY, "fri", "friday"),
    (DAY, "the 12th of December I think", "12 December"),
    (DAY, "in a fortnight", "in 14 days"),
    (DAY, "not monday, tuesday", "tuesday"),
    # money with its currency
    (MONEY, "50 quid", {"amount": "50.00", "currency": "GBP"}),
    (MONEY, "1,204.50 euros", {"amount": "1204.50", "currency": "EUR"}),
    (MONEY, "two hundred", {"amount": "200.00", "currency": "GBP"}),
    (MONEY, "$20 please", {"amount": "20.00", "currency": "USD"}),
    # free texts
    (TEXT, "Bob please", "Bob"),
    (TEXT, "it's for Bob, thanks", "Bob"),
    (TEXT, "it should be 12345678 I think, thanks", "12345678"),
    (TEXT, "12345678 and it's the blue card", "12345678"),
    (TEXT, "it is too expensive for me", "it is too expensive for me"),
    (TEXT, "card 4111 1111 1111 1111", "card •••• 1111"),
    (TEXT, "\u202eevil\u202c text", "evil text"),
    (TEXT, "\x00\x00", NOTHING),
    (LIST, "milk, eggs and bread please", ["milk", "eggs", "bread"]),
]


def test_the_table_is_large_enough() -> None:
    assert len(TABLE) >= 150


@pytest.mark.parametrize(("wanted", "text", "value"), TABLE, ids=[f"{n}-{text[:30]!r}" for n, (_, text, _) in enumerate(TABLE)])
def test_an_answer_gives_its_value(wanted: Wanted, text: str, value: Any) -> None:
    reading = read_value(wanted, text)

    assert (NOTHING if reading is None else reading.value) == value


@pytest.mark.parametrize(
    ("wanted", "text", "exact"),
    [
        (AMOUNT, "two hundred and fifty pounds please", True),
        (AMOUNT, "I am writing to ask why you have taken 50 from my account", False),
        (ACCOUNT, "1234 5678 I think, thanks", True),
        (LOSS, "the second one", True),
        (YES_NO, "yes but what I really want is to talk about my mortgage", False),
        (TEXT, "Bob", False),
    ],
)
def test_whether_an_answer_is_just_that(wanted: Wanted, text: str, exact: bool) -> None:
    reading = read_value(wanted, text)

    assert reading is not None
    assert reading.exact is exact


def test_the_text_is_kept_as_it_was_written() -> None:
    reading = read_value(AMOUNT, "45, sorry 54")

    assert reading is not None
    assert reading.text == "45, sorry 54"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("transfer £50 to Maria Costa", "Maria Costa"),
        ("send 200 pounds to Anne-Marie O'Neill please", "Anne-Marie O'Neill"),
        ("pay Tom Hill £120", "Tom Hill"),
        ("give Anna 10 quid", "Anna"),
        ("transfer 50 pounds to Bob on Friday", "Bob"),
        ("make a payment of 20 for Leo van Dam", "Leo van Dam"),
        ("send 200 to my landlord", None),
        ("send it on Monday to Leeds and to Bob, £50", None),
        ("i want to transfer money", None),
        ("SEND 50 TO BOB", None),
        ("send 50 to Savings", None),
    ],
)
def test_somebody_is_mentioned_in_a_role(text: str, name: str | None) -> None:
    assert mentioned(Wanted("text", entities=("payee",)), text) == name


def test_other_texts_are_not_mentioned() -> None:
    assert mentioned(TEXT, "transfer £50 to Maria Costa") is None
    assert mentioned(Wanted("text", entities=("colour",)), "transfer £50 to Maria Costa") is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("my card was stolen", "stolen"),
        ("the second one", None),
        ("its stollen", None),
        ("lost or stolen", None),
        ("not lost, stolen", "stolen"),
    ],
)
def test_a_choice_is_mentioned_only_by_its_name(text: str, value: str | None) -> None:
    assert mentioned(LOSS, text) == value


def test_of_two_things_of_a_kind_the_one_that_is_meant_counts() -> None:
    lookups = {"payee": {"Maria": "Maria", "Tom": "Tom"}}
    wanted = Wanted("text", entities=("payee",))

    for text, value in (("Tom, not Maria", "Tom"), ("not Maria, Tom", "Tom"), ("Maria, no wait, Tom", "Tom"), ("Maria and Tom", "Maria")):
        reading = read_value(wanted, text, named(text, lookups, {}))
        assert reading is not None
        assert reading.value == value, text


def test_days_are_named_where_there_are_examples_of_them() -> None:
    text = "can you come next tuesday or on 12/3?"

    assert [one.value for one in named(text, {"day": {"soonest": "soonest"}}, {})] == ["next tuesday", "12 March"]
    assert named(text, {"payee": {"Tom": "Tom"}}, {}) == ()


def test_a_part_of_a_card_number_names_nothing() -> None:
    patterns = {"card_ending": [r"\b\d{4}\b"]}

    assert named("4111 1111 1111 1111", {}, patterns) == ()
    assert named("ends 4821", {}, patterns) == (Entity("card_ending", "4821", 5, 9),)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("my card 4111 1111 1111 1111 is gone", "my card •••• 1111 is gone"),
        ("5555-5555-5555-4444", "•••• 4444"),
        ("378282246310005 and 4111111111111111", "•••• 0005 and •••• 1111"),
        ("order 4111 1111 1111 1112", "order 4111 1111 1111 1112"),
        ("GB29 NWBK 6016 1331 9268 19", "GB29 NWBK 6016 1331 9268 19"),
        ("call 020 7946 0018", "call 020 7946 0018"),
    ],
)
def test_of_a_card_number_the_last_four_digits_are_left(text: str, kept: str) -> None:
    assert without_cards(text) == kept
    assert without_cards(kept) == kept


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        (AMOUNT, "a number from 0.01 to 1,000,000"),
        (COUNT, "a number, 1 or more"),
        (Wanted("float", low=0), "a number, such as 50"),
        (Wanted("float", high=2.5), "a number, 2.5 or less"),
        (LOSS, "lost, stolen, damaged or suspected"),
        (YES_NO, "yes or no"),
        (DAY, "a date, such as 31 January 2026"),
        (BORN, "a date, such as 31 January 2026"),
        (ENDING, "something like 4821"),
        (TEXT, ""),
    ],
)
def test_what_is_expected_can_be_read(wanted: Wanted, words: str) -> None:
    assert expected(wanted) == words


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("scratch that, make it 60", "60"),
        ("I said 54", "54"),
        ("54 not 45", "54"),
        ("my mistake, it's 54", "54"),
        ("hang on, 54", "54"),
        ("typo: 54", "54"),
    ],
)
def test_a_correction_leaves_its_value(text: str, rest: str) -> None:
    said = read_said(text)

    assert said.correct
    assert said.rest == rest


@pytest.mark.parametrize(
    "text", ["not sure", "I'm not sure", "dunno", "idk", "I really don't know", "no clue", "i have no idea", "I cannot remember it"]
)
def test_who_does_not_know_does_not_answer(text: str) -> None:
    assert read_said(text).refuse


@pytest.mark.parametrize("text", ["I'm not sure about that charge, what is it", "I said I lost my card"])
def test_who_says_more_may_answer(text: str) -> None:
    assert not read_said(text).refuse


ALL = [AMOUNT, LOSS, YES_NO, TEXT, DAY, LIST, ACCOUNT, ENDING, POLICY, REGISTRATION, BORN, MONEY, PHONE, EMAIL, PLACE, INTERESTS, CHANNEL]
HOSTILE = [
    "",
    " ",
    "\x00" * 50,
    "👍🏽👩‍👩‍👧‍👦🇬🇧" * 400,
    "1" * 100_000,
    "1 " * 50_000,
    "one " * 25_000,
    "not " * 25_000,
    "no wait " * 12_500,
    "a" * 100_000,
    "a@" * 50_000,
    "1/" * 50_000,
    "£" * 100_000,
    "and a half " * 9_000,
    "((((((((((" * 10_000,
    "\u202e\u200b\u200d\ufeff" * 25_000,
    "٣٤٥ 四五 ५० ５０ ½ ² Ⅷ" * 100,
    "İ" * 2_000,
    "\ud800" * 100,
    "double " * 15_000 + "one",
    "my " * 33_000 + "is 5",
    "to A" + "a" * 100_000,
    "send 5 to " + "Aa " * 30_000,
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_text_is_cut_and_read(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bound on what a text costs is its length: nothing is read beyond the first thousand characters."""
    entities = named(text, {"payee": {"Tom": "Tom"}, "day": {"soonest": "soonest"}}, {"number": [r"\d{1,4}"]})
    read_said(text)
    for wanted in ALL:
        reading, same = read_value(wanted, text, entities), read_value(wanted, text[:1000], entities)
        assert reading == same
        mentioned(wanted, text, entities)
    assert all(one.end <= 1000 for one in entities)


PIECES = """
not no wait 50 £ , . to Maria 12/3 next tuesday k hundred and a half 4111 1111 •••• make it one two @ at dot \u200b \x00 é 𝟓 ½ card
"""
_PIECES = st.sampled_from(PIECES.split(" "))


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(max_size=80), st.lists(_PIECES, max_size=14).map(" ".join)))
def test_whatever_is_written_the_values_fit(text: str) -> None:
    """No text raises anything, and what is read is a value of what was asked."""
    read_said(text)
    for wanted in ALL:
        reading = read_value(wanted, text, named(text, {"day": {"soonest": "soonest"}}, {}))
        if reading is None:
            continue
        if wanted.fact is not None:
            assert wanted.fact.check(reading.value, region="GB") == reading.value
        elif wanted.type == "float":
            assert 0.01 <= reading.value <= 1e6
        elif wanted.type == "categorical":
            assert reading.value in wanted.values
        elif wanted.type == "bool":
            assert isinstance(reading.value, bool)
        elif wanted.type == "text":
            assert isinstance(reading.value, str)
            assert 0 < len(reading.value) <= 500


@settings(max_examples=200, deadline=None)
@given(st.integers(min_value=10**11, max_value=10**15 - 1), st.sampled_from(["", " ", "-"]))
def test_no_card_number_stays_whole(stem: int, mark: str) -> None:
    digits = f"4{stem:015d}"[:15]
    total = sum((2 * int(one) - 9 if 2 * int(one) > 9 else 2 * int(one)) if n % 2 == 0 else int(one) for n, one in enumerate(digits))
    card = digits + str(-total % 10)
    written = mark.join(card[at : at + 4] for at in range(0, 16, 4))

    assert without_cards(f"it is {written}, ok") == f"it is •••• {card[-4:]}, ok"
    for wanted in ALL:
        reading = read_value(wanted, written)
        assert reading is None or card not in re.sub(r"\D", "", str(reading.value))
