"""What customers tell about themselves: found where it is told, and left where it is asked, denied or another's."""

from __future__ import annotations

import itertools
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.assistants import load_assistant
from bot.understand.clauses import MAX_TEXT, Text
from bot.understand.extract import LIKELY, SURE, Found, extract
from memory.declared import PREFERENCES, Declarations, Declared, Pattern, Purpose
from memory.patterns import make_pattern
from memory.values import Type, check_value

BANKING = load_assistant("banking").declared
INSURANCE = load_assistant("insurance").declared
TELECOMS = load_assistant("telecoms").declared


def told(text: str, declared: Declarations = BANKING) -> list[tuple[str, Any, bool]]:
    """What was found: name, value, and whether it is sure."""
    found = extract(text, declared)
    assert all(one.confidence >= LIKELY for one in found)
    return [(one.name, one.value, one.confidence >= SURE) for one in found]


def sure(name: str, value: Any) -> list[tuple[str, Any, bool]]:
    return [(name, value, True)]


def likely(name: str, value: Any) -> list[tuple[str, Any, bool]]:
    return [(name, value, False)]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("My name is Ann Lee", "Ann Lee"),
        ("Hello, my name is Ann Lee and I lost my card.", "Ann Lee"),
        ("my name is Ann, can you help me?", "Ann"),
        ("Hi! my name’s Ann", "Ann"),
        ("The name is Bond. James is my son.", "Bond"),
        ("My full name is Jean-Luc O'Neil van der Berg.", "Jean-Luc O'Neil van der Berg"),
        ("my name is Maria de la Cruz, hello", "Maria de la Cruz"),
        ("My name is John F. Kennedy", "John F. Kennedy"),
        ("my name is Dr. Ann Lee", "Ann Lee"),
        ("My name is now Ann Park", "Ann Park"),
        ("My name is 王伟", "王伟"),
        ("my name is: Zoë", "Zoë"),
        ("Name: Ann Lee\nI have lost my card", "Ann Lee"),
        ("I'm called Bob", "Bob"),
        ("I am called Bob by everyone", "Bob"),
        ("Please call me Ann", "Ann"),
        ("this is Ann Lee speaking", "Ann Lee"),
        ("Hello, this is Ann speaking", "Ann"),
        ("Ann Lee speaking", "Ann Lee"),
        ("Hi, it's Ann here", "Ann"),
        ("Ann Lee is my name", "Ann Lee"),
        # Most people write in small letters.
        ("my name is ann", "Ann"),
        ("my name is ann lee", "Ann Lee"),
        ("my name is ann lee and my card is gone", "Ann Lee"),
        ("my name is ann j lee, hello", "Ann J Lee"),
        ("my name is juan del potro", "Juan del Potro"),
        ("my name is ann lee 2345", "Ann Lee"),
        ("MY NAME IS ANN O'NEIL", "Ann O'Neil"),
        ("this is ann lee speaking", "Ann Lee"),
        ("İstanbul! My name is Ann", "Ann"),
    ],
)
def test_names_that_are_said_are_sure(text: str, name: str) -> None:
    assert told(text) == sure("name", name)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("my name is ann lee marie", "Ann Lee Marie"),
        ("my name ann lee", "Ann Lee"),
        ("I am Ann", "Ann"),
        ("I'm Ann Lee, I lost my card", "Ann Lee"),
        ("I am Ann from Leeds", "Ann"),
        ("Hello, this is Ann Lee", "Ann Lee"),
        ("My name is Ann?", "Ann"),
        ("I did not say that my name is Ann", "Ann"),
        ("they think my name is Ann", "Ann"),
    ],
)
def test_names_that_may_be_meant_are_likely(text: str, name: str) -> None:
    assert told(text) == likely("name", name)


@pytest.mark.parametrize(
    "text",
    [
        "I am angry",
        "I AM ANGRY",
        "I am Very Angry",
        "i'm waiting",
        "I'm Sorry",
        "I am German",
        "I am British",
        "I am In London",
        "I am VIP customer",
        "I am Premium member",
        "I am Level 3",
        "I am iPhone user",
        "i am ann",
        "This is ridiculous",
        "This is Ridiculous",
        "It's broken",
        "This is Ann's husband",
        "I am Ann’s husband",
        "My name is not Ann",
        "my name isn't Ann",
        "is my name Ann?",
        "do you know my name is Ann",
        "my wife's name is Sue",
        "His name is Bob",
        "your name is Bob",
        "my name is wrong on the card",
        "my name is misspelt",
        "My name is on the account",
        "my name is still missing",
        "I forgot my user name",
        "change my name please",
        "what is my name",
        "this is my name",
        "my name and address",
        "My name is Mr Smith",
        "in the name of Ann Lee",
        "call me",
        "call me back",
        "Call me Monday",
        "call me ASAP",
        "Call me Please",
        "call me on my mobile",
        "the card called Visa",
        "speaking of fees",
        "stop speaking",
        "you're speaking too fast",
        "it's dirty here",
        "in what form is my name saved",
        "Ich bin im Urlaub",
        "my name is",
        "my name is @ann",
    ],
)
def test_what_is_no_name_is_left(text: str) -> None:
    assert told(text) == []


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("ann@example.org", "ann@example.org"),
        ("Ann.Lee@Example.ORG.", "Ann.Lee@example.org"),
        ("my e-mail is ann@example.org", "ann@example.org"),
        ("e-mail: ann@example.org", "ann@example.org"),
        ("please write to ann@example.org, thanks", "ann@example.org"),
        ("You can reach me at (ann@example.org)", "ann@example.org"),
        ("can you send it to ann@example.org?", "ann@example.org"),
        ("My email address has changed to ann@example.org", "ann@example.org"),
        ("my email changed from old@example.org to ann@example.org", "ann@example.org"),
        ("not old@example.org but ann@example.org", "ann@example.org"),
        ("my old email was old@example.org, the new one is ann@example.org", "ann@example.org"),
        ("use ann@example.org instead of old@example.org", "ann@example.org"),
        ("I can't log in but my email is ann@example.org", "ann@example.org"),
        ("ann@example.org is my email", "ann@example.org"),
        ("my email is ann@example.org, yes ann@example.org", "ann@example.org"),
    ],
)
def test_email_addresses_are_sure(text: str, value: str) -> None:
    assert told(text) == sure("email", value)


@pytest.mark.parametrize(
    "text",
    [
        "is my email ann@example.org?",
        "do you still have ann@example.org",
        "Which address do you have, is it ann@example.org?",
        "How do I change it to ann@example.org?",
        "my wife's e-mail is sue@example.org",
        "my husband is bob@example.org",
        "her email is sue@example.org",
        "your email is help@example.org",
        "Sue's address is sue@example.org",
        "ann@example.org is my wife's",
        "sue@example.org belongs to my sister",
        "I got an email from fraud@example.org",
        "I wrote to help@example.org",
        "I have sent my claim to help@example.org",
        "fraud@example.org keeps writing",
        "ann@example.org is not my email",
        "ann@example.org is no longer in use",
        "don't use ann@example.org",
        "please do not write to ann@example.org",
        "stop sending it to ann@example.org",
        "my old email is ann@example.org",
        "my email used to be ann@example.org",
        "I no longer use ann@example.org",
        "@ann on Twitter",
        "ann@localhost",
        "see you @ 5",
        "ann@@example.org",
    ],
)
def test_email_addresses_that_are_asked_denied_or_anothers_are_left(text: str) -> None:
    assert told(text) == []


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("my number is +44 20 7946 0018", "+442079460018"),
        ("My number is 07911 123456, can you call me?", "+447911123456"),
        ("my phone number has changed to 07911 123456", "+447911123456"),
        ("call me on 07911 123456", "+447911123456"),
        ("Could you call me back on (07911) 123456?", "+447911123456"),
        ("please text me: 07911-123456", "+447911123456"),
        ("you can reach me at 07911 123456", "+447911123456"),
        ("Mobile: 07911 123456", "+447911123456"),
        ("phone number 07911 123456", "+447911123456"),
        ("07911 123456 is my new number", "+447911123456"),
        ("I can be reached on 07911 123456", "+447911123456"),
        ("my mobile is +1 202 555 0123", "+12025550123"),
        # Numbers of ranges that are kept for stories are none that are in use.
        ("my number is +1 555 010 0123", "+15550100123"),
        ("call me on 07700 900123", "+447700900123"),
        ("my old number was 07911 123456, my new number is 07911 123457", "+447911123457"),
        ("my card is 4111 1111 1111 1111 and my number is 07911 123456", "+447911123456"),
    ],
)
def test_numbers_that_are_called_the_customers_are_sure(text: str, value: str) -> None:
    assert told(text) == sure("phone", value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("07911 123456", "+447911123456"),
        ("+1 202 555 0123", "+12025550123"),
        ("+1 555 010 0123", "+15550100123"),
        ("it is 020 7946 0018 during the day", "+442079460018"),
    ],
)
def test_numbers_without_a_word_about_them_are_likely(text: str, value: str) -> None:
    assert told(text) == likely("phone", value)


@pytest.mark.parametrize(
    "text",
    [
        "is my number +44 20 7946 0018?",
        "do you have 07911 123456 as my number?",
        "his number is +44 20 7946 0018",
        "my wife's number is 07911 123456",
        "call my husband on 07911 123456",
        "your number is 020 7946 0018",
        "I got a call from 07911 123456",
        "07911 123456 keeps calling me",
        "who is 07911 123456",
        "I called 020 7946 0018",
        "I tried 020 7946 0018 twice",
        "my number is not 07911 123456",
        "07911 123456 is not my number",
        "don't call me on 07911 123456",
        "my old number is 07911 123456",
        "my number was 07911 123456",
        "order number 07911123456",
        "my customer number is 07911123456",
        "my reference is 07911 123456",
        "my number is 12345678",
        "I paid 1 234 567.89 on 05/01/2026 at 10:30",
        "my number 05.01.2026 10:30",
        "2026-01-05 10:30:22",
        "4111 1111 1111 1111",
        "my number is 4111 1111 1111 1111",
        "call me on 4111111111111111",
        "3 weeks, 2 days and 14 hours in 2025 and 2026",
    ],
)
def test_other_numbers_are_left(text: str) -> None:
    assert told(text) == []


def test_the_region_decides_about_numbers_that_name_no_country() -> None:
    assert extract("my number is 030 123456", BANKING, region="DE")[0].value == "+4930123456"
    assert extract("my number is (202) 555-0123", BANKING, region="US")[0].value == "+12025550123"
    assert extract("my number is 030 123456", Declarations(facts=BANKING.facts)) == ()


def test_the_numbering_plans_are_loaded_for_telephone_numbers_only(monkeypatch: pytest.MonkeyPatch) -> None:
    # It takes tens of milliseconds, which the first turn of a process need not pay for nothing.
    monkeypatch.setitem(sys.modules, "phonenumbers", None)

    assert told("my email is ann@example.org and I paid 25 pounds on 3 May") == sure("email", "ann@example.org")
    with pytest.raises(ImportError):
        extract("my number is 07911 123456", BANKING)


@pytest.mark.parametrize(
    ("text", "declared", "name", "value"),
    [
        ("my account number is 12345678", BANKING, "account_number", "12345678"),
        ("account 1234 5678 please", BANKING, "account_number", "12345678"),
        ("12345678 is my account number", BANKING, "account_number", "12345678"),
        ("sort code 12-34-56", BANKING, "sort_code", "123456"),
        ("the card ending in 4821 is gone", BANKING, "card_ending", "4821"),
        ("I was born on 1980-02-03", BANKING, "date_of_birth", "1980-02-03"),
        ("what about claim HC 123 456?", INSURANCE, "claim_number", "HC123456"),
        ("my claim hc123456 has not been paid", INSURANCE, "claim_number", "HC123456"),
        ("I have not heard anything about HC-123456", INSURANCE, "claim_number", "HC123456"),
        ("why was HC123456 declined?", INSURANCE, "claim_number", "HC123456"),
        ("policy HP123456", INSURANCE, "policy_number", "HP123456"),
        ("my car is ab12cde", INSURANCE, "car_registration", "AB12CDE"),
        ("IMEI 49-015420-323751-8", INSURANCE, "device_serial", "490154203237518"),
        ("my customer number is 1234 5678", TELECOMS, "customer_number", "12345678"),
        ("postcode sw1a1aa", TELECOMS, "postcode", "SW1A1AA"),
    ],
)
def test_declared_patterns_are_found_and_stored_as_declared(text: str, declared: Declarations, name: str, value: str) -> None:
    assert told(text, declared) == sure(name, value)


@pytest.mark.parametrize(
    ("text", "declared", "name", "value"),
    [
        ("is my policy HP123456?", INSURANCE, "policy_number", "HP123456"),
        ("AB12 CDE", INSURANCE, "car_registration", "AB12CDE"),
        ("I live in SW1A 1AA", TELECOMS, "postcode", "SW1A1AA"),
        ("I'm on Calla 150", TELECOMS, "internet_plan", "Calla 150"),
    ],
)
def test_patterns_have_their_own_confidence(text: str, declared: Declarations, name: str, value: str) -> None:
    assert told(text, declared) == likely(name, value)


@pytest.mark.parametrize(
    ("text", "declared"),
    [
        ("12345678", BANKING),
        ("I paid 12345678 pence", BANKING),
        ("my account number is 123456789", BANKING),
        ("my account has 4 fees, and you sent me letter 12345678 about something else", BANKING),
        ("I was born on 1980-02-30", BANKING),
        ("HC123456 is not my claim", INSURANCE),
        ("my claim is not HC123456", INSURANCE),
        ("my wife's policy is HP123456", INSURANCE),
        ("my old policy HP123456", INSURANCE),
        ("XHC123456", INSURANCE),
        ("HC1234567", INSURANCE),
        ("Calla 150 costs how much", TELECOMS),
    ],
)
def test_patterns_are_left_where_something_else_is_meant(text: str, declared: Declarations) -> None:
    assert told(text, declared) == []


def test_a_number_takes_the_phrase_before_it_for_itself() -> None:
    assert told("sort code 12-34-56 and account number 1234 5678") == [
        ("sort_code", "123456", True),
        ("account_number", "12345678", True),
    ]
    assert told("customer number 11112222, ref 33334444", TELECOMS) == sure("customer_number", "11112222")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("I moved to 12 Oak Street, Springfield", "12 Oak Street, Springfield"),
        ("I have just moved to 12a Oak Rd, Leeds LS1 1AA last week", "12a Oak Rd, Leeds LS1 1AA"),
        ("we moved from 1 Elm Road to 12 Oak Street and need a new router", "12 Oak Street"),
        ("My new address is Flat 3, 12 Oak Street, Leeds.", "Flat 3, 12 Oak Street, Leeds"),
        ("my address is Hauptstraße 5, 10115 Berlin", "Hauptstraße 5, 10115 Berlin"),
        ("my new adress is 12 Oak Street, Leeds", "12 Oak Street, Leeds"),
        ("I live at 12 Oak St. Springfield", "12 Oak St. Springfield"),
        ("our address is now: 12 rue de la Paix, Paris", "12 rue de la Paix, Paris"),
        ("I live at 12 Oak Street, can you send it?", "12 Oak Street"),
    ],
)
def test_addresses_are_likely(text: str, value: str) -> None:
    assert told(text) == likely("address", {"text": value})


@pytest.mark.parametrize(
    "text",
    [
        "my son moved to 12 Oak Street",
        "have you moved to 12 Oak Street?",
        "I am moving to 12 Oak Street next month",
        "we moved to another provider",
        "I moved to Springfield",
        "I moved to plan 5",
        "my address is not 12 Oak Street",
        "is my address 12 Oak Street?",
        "how do I change my address",
        "send it to 12 Oak Street",
        "your address is 12 Oak Street",
    ],
)
def test_other_places_are_left(text: str) -> None:
    assert told(text) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("write to me in German", sure("language", "de")),
        ("Please reply in French", sure("language", "fr")),
        ("in Spanish please", sure("language", "es")),
        ("I'd prefer to speak Polish", sure("language", "pl")),
        ("my first language is Turkish", sure("language", "tr")),
        ("auf Deutsch bitte", sure("language", "de")),
        ("en français s'il vous plaît", sure("language", "fr")),
        ("can we switch to Italian", likely("language", "it")),
        ("can you speak German?", likely("language", "de")),
        ("do you speak German?", likely("language", "de")),
        ("I want to talk to someone in Welsh or speak to an agent in Dutch", likely("language", "nl")),
        ("don't write to me in German", []),
        ("I cannot write in English", []),
        ("why do you write in German?", []),
        ("please write in German or English", []),
        ("my letter is in German", []),
        ("the German car", []),
        ("my husband prefers French", []),
        ("please don't call me after 6pm", sure("contact_hours", "00:00-18:00")),
        ("No calls after 20:00 please", sure("contact_hours", "00:00-20:00")),
        ("never ring before 9am", sure("contact_hours", "09:00-24:00")),
        ("please contact me only between 09:00 and 17:30", sure("contact_hours", "09:00-17:30")),
        ("Don't call me before 9am or after 5pm", sure("contact_hours", "09:00-17:00")),
        ("don't call me after 6", likely("contact_hours", "00:00-18:00")),
        ("do not call before 9", likely("contact_hours", "09:00-24:00")),
        ("don't ring me before 10 or after 8", likely("contact_hours", "10:00-20:00")),
        ("only call me after 5", likely("contact_hours", "17:00-24:00")),
        ("call me only before 10", likely("contact_hours", "00:00-10:00")),
        ("call me between 9 and 5", likely("contact_hours", "09:00-17:00")),
        ("call me between 2pm and 4pm", likely("contact_hours", "14:00-16:00")),
        ("call me between 2 and 3 tomorrow", []),
        ("call me after 5 today", []),
        ("don't call me after 99", []),
        ("call me between 10:75 and 11", []),
        ("you called me after 6", []),
        ("why can nobody call me between 9 and 5?", []),
        ("why do you not call before 9am?", []),
        ("don't charge me after 6 months", []),
        ("please use e-mail", sure("preferred_channel", "email")),
        ("I prefer email", sure("preferred_channel", "email")),
        ("I would prefer to be contacted by phone", sure("preferred_channel", "phone")),
        ("please contact me via Telegram", sure("preferred_channel", "telegram")),
        ("write to me by letter", sure("preferred_channel", "letter")),
        ("my preferred method is text message", sure("preferred_channel", "text message")),
        ("by post instead", likely("preferred_channel", "letter")),
        ("I prefer email or phone", []),
        ("don't contact me by phone", []),
        ("do you prefer email?", []),
        ("please use my email address", []),
        ("the letter came by post", []),
        ("please call me by my first name", likely("tone", "friendly")),
        ("no need to be so formal", likely("tone", "friendly")),
        ("please don't use my first name", likely("tone", "formal")),
        ("could you be less familiar", likely("tone", "formal")),
        ("is there a formal complaint", []),
        ("contact me at most once a month", likely("contact_frequency", "monthly")),
        ("message me weekly", likely("contact_frequency", "weekly")),
        ("contact me any time", likely("contact_frequency", "any")),
        ("stop contacting me", likely("contact_frequency", "never")),
        ("Don't contact me again", likely("contact_frequency", "never")),
        ("stop contacting me by phone", []),
        ("I pay once a month", []),
    ],
)
def test_preferences(text: str, found: list[tuple[str, Any, bool]]) -> None:
    assert told(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "no more offers",
        "No more offers, please!",
        "no offers please",
        "stop sending me offers",
        "Please stop sending me any marketing emails.",
        "please don't send me offers",
        "I don’t want your newsletter",
        "I do not want to receive any more adverts",
        "can you stop sending me offers?",
        "unsubscribe",
        "Unsubscribe me please",
        "take me off your mailing list",
        "opt out of marketing",
        "remove me from the newsletter",
    ],
)
def test_asking_for_no_more_offers_takes_the_consent_back(text: str) -> None:
    assert told(text) == sure("consent:offers", False)


@pytest.mark.parametrize(
    "text",
    [
        "don't stop sending me offers",
        "why did you stop sending me offers?",
        "there are no offers",
        "you don't send me any offers",
        "I got no more offers",
        "I don't want this offer",
        "I don't want to miss offers",
        "my wife does not want offers",
        "stop the payment",
        "send me offers",
        "what offers do you have",
        "the advert says 5 percent",
    ],
)
def test_other_words_about_offers_take_nothing_back(text: str) -> None:
    assert told(text) == []


def test_asking_how_to_unsubscribe_is_worth_a_question() -> None:
    assert told("how do I unsubscribe from your newsletter?") == likely("consent:offers", False)


def test_offers_that_need_no_consent_have_none_to_take_back() -> None:
    free = Declarations(purposes={"offers": Purpose("offers", "Offers", "We tell you.", "1")})

    assert extract("no more offers", free) == ()
    assert extract("no more offers", Declarations()) == ()


def test_several_things_are_found_in_their_order() -> None:
    text = "Hi, my name is Ann Lee. Write to me in German at ann@example.org or call me on 07911 123456, not after 8pm. No more offers!"

    found = extract(text, BANKING)

    assert [one.name for one in found] == ["name", "language", "email", "phone", "consent:offers"]
    assert [text[one.start : one.end] for one in found[2:4]] == ["ann@example.org", "07911 123456"]


def test_what_is_told_in_two_ways_is_asked_about() -> None:
    assert told("my email is ann@example.org, or rather ann@example.com") == [
        ("email", "ann@example.org", False),
        ("email", "ann@example.com", False),
    ]


def test_only_declared_facts_are_found() -> None:
    text = "My name is Ann Lee, ann@example.org, my number is +44 20 7946 0018, I live at 12 Oak Street. Please reply in German."

    assert [one.name for one in extract(text, Declarations())] == ["language"]


def test_a_pattern_below_the_likely_is_dropped() -> None:
    pattern = make_pattern(r"\d{4}")
    declared = Declarations(facts={"year": Declared("year", Type.NUMBER, patterns=(Pattern(pattern.match, 0.4, (), True),))})

    assert extract("in 1999", declared) == ()


def test_a_value_that_is_not_of_its_type_is_dropped() -> None:
    pattern = make_pattern(r"\w{4}")
    declared = Declarations(facts={"year": Declared("year", Type.NUMBER, patterns=(Pattern(pattern.match, 0.9),))})

    assert [one.value for one in extract("from 1999 on", declared)] == [1999]


PIECES = """
my name is Ann Lee|call me|on|07911 123456|+44 20 7946 0018|ann@example.org|@|?|.|,|not|isn't|his|wife's|is my number|I am|I'm|Bob
this is|speaking|moved to|I live at|12 Oak Street|in German|write to me|don't|stop sending me offers|between 9 and 5|after 6pm|HC123456
account number|12345678|4111 1111 1111 1111|GB82 WEST 1234 5698 7654 32|please|but|and|(|)|’|İ|ß|ﬁ|👍|1|99|-|'s|a|of|use|e-mail|instead
once a month|contact me
"""
words = st.sampled_from([*PIECES.replace("\n", "|").strip("|").split("|"), "\n", "\u202e", "e\u0301"])


@given(text=st.text(max_size=100) | st.lists(words | st.text(max_size=4), max_size=25).map(" ".join))
def test_whatever_is_written_the_findings_are_sound(text: str) -> None:
    for declared in (BANKING, INSURANCE):
        found = extract(text, declared)

        assert found == extract(text, declared)
        assert all(0 <= one.start < one.end <= len(text) for one in found)
        assert all(one.end <= following.start for one, following in itertools.pairwise(found))
        assert all(LIKELY <= one.confidence <= 1 for one in found)
        for one in found:
            assert_stored(one, declared)


def assert_stored(one: Found, declared: Declarations) -> None:
    if one.name.startswith("consent:"):
        assert one.value is False
    else:
        assert one.name in declared.facts
        assert declared.facts[one.name].check(one.value) == one.value


@given(text=st.text(max_size=60) | st.lists(words, max_size=10).map(" ".join))
def test_the_lower_case_form_has_the_places_of_the_text(text: str) -> None:
    said = Text(text)

    assert len(said.low) == len(said.text)


@given(unit=words | st.text(min_size=1, max_size=6), other=words)
def test_long_texts_are_cut_and_find_the_same_again(unit: str, other: str) -> None:
    text = f"{unit} {other} " * (2 * MAX_TEXT // (len(unit) + len(other) + 2))

    assert extract(text, BANKING) == extract(text[:MAX_TEXT], BANKING)


def test_values_are_stored_as_their_type_says() -> None:
    [found] = extract("my e-mail is Ann@EXAMPLE.org", BANKING)

    assert found.value == check_value(Type.EMAIL, found.value)
    assert set(PREFERENCES) <= set(BANKING.facts)
