"""The playground as a newcomer meets it: the whole stack, driven through a real browser."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path

import pytest
from selenium.webdriver import Chrome

from bot.tryout import tryout
from tests.bot.assistants.plain import plain_copy
from tests.bot.web.page import CUSTOMERS, DESK, Page, chromium
from tests.once import steady

START_S = 60


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    with chromium(tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture(scope="module")
def assistant(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An assistant that only answers, read once for all tests: none of them writes into it."""
    steady.append(folder := tmp_path_factory.mktemp("assistants"))
    return plain_copy(folder / "banking")


@pytest.fixture
def url(tmp_path: Path, assistant: Path) -> Iterator[str]:
    """Everything that ``legato try`` runs, in a thread of its own: the browser's driver blocks the test's."""
    loop, found = asyncio.new_event_loop(), Future[str]()
    stop = asyncio.Event()

    async def run() -> None:
        try:
            async with tryout(tmp_path, assistant=str(assistant), port=0) as running:
                found.set_result(running.url)
                await stop.wait()
        except BaseException as error:
            if found.done():
                raise
            found.set_exception(error)  # told at once, instead of waiting for what will not come

    thread = threading.Thread(target=lambda: loop.run_until_complete(run()), daemon=True)
    thread.start()
    yield found.result(START_S)
    loop.call_soon_threadsafe(stop.set)
    thread.join(START_S)
    loop.close()


@pytest.fixture
def page(browser: Chrome, url: str) -> Iterator[Page]:
    """The page, just opened. A test that makes the browser complain fails, unless it has looked at the complaints itself."""
    page = Page(browser, url)
    yield page
    complaints, strangers = page.complaints(), page.strangers()
    page.leave()
    assert complaints == []
    assert strangers == []


def hand_over(page: Page) -> None:
    """Ann asks for a person, and the desk gets her card."""
    page.write(CUSTOMERS, "I lost my card")
    page.see(CUSTOMERS, "block")
    page.write(CUSTOMERS, "Can I talk to a person?")
    page.see(DESK, "Ann Lee")


def test_from_a_question_to_a_person_and_back(page: Page) -> None:
    page.write(CUSTOMERS, "I lost my card")
    page.see(CUSTOMERS, "block")
    page.wait_for("#memory .exchange .badge", "sent")
    page.wait_for("#memory .pill", "The assistant speaks")

    page.write(CUSTOMERS, "Can I talk to a person?")
    page.see(DESK, "I lost my card")
    page.wait_for("#memory .pill", "Waits for a person")
    page.wait_for("#memory .handoff", "I lost my card")

    page.press(DESK, "Claim")
    page.wait_for("#memory .pill", "Bea Novak holds the case")
    page.write(DESK, "The card is blocked, a new one is under way")
    page.see(CUSTOMERS, "a new one is under way")
    page.write(CUSTOMERS, "Thank you so much")
    page.see(DESK, "Thank you so much")
    page.wait_for("#memory .exchange.customer .badge", "on the desk")

    page.write(DESK, "/return ask whether it came")
    page.wait_for("#memory .pill", "The assistant speaks")
    page.wait_for("#memory .handoff .badge", "returned")
    page.write(CUSTOMERS, "Hello again")
    page.wait_for("#memory .turn-decision", "greet after handoff")
    page.see(CUSTOMERS, "Bea")


def test_the_second_agent_is_told_who_holds_the_case(page: Page) -> None:
    hand_over(page)
    page.press(DESK, "Claim")
    page.wait_for("#memory .pill", "Bea Novak holds the case")

    page.agent("Chris Lund")
    page.write(DESK, "I can take this")

    page.see(DESK, "Bea Novak holds this case")
    assert page.count(CUSTOMERS, "I can take this") == 0


def test_customers_words_are_never_markup(page: Page) -> None:
    page.write(CUSTOMERS, "<img src=x onerror=\"document.title='owned'\"> <b>bold</b>")

    page.wait_for("#memory .exchange", "<b>bold</b>")  # what the memory holds is drawn anew with its second tick

    assert "<img src=x" in page.see(CUSTOMERS, "<b>bold</b>").text
    assert "owned" not in page.browser.title


def test_an_edit_a_reaction_and_a_deletion(page: Page) -> None:
    page.write(CUSTOMERS, "My adress has changed")
    page.wait_for("#memory .exchange", "My adress has changed")
    page.change(page.see(CUSTOMERS, "My adress has changed"), "Edit")
    field = page.wait_for("#customers .field")
    field.clear()
    page.write(CUSTOMERS, "My address has changed")

    page.wait_for("#customers .message .edited")
    page.see(CUSTOMERS, "My address has changed")
    page.wait_for("#memory .exchange-kind", "edit")

    page.change(page.wait_for("#customers .message.from-bot"), "React 👍")
    page.wait_for("#customers .reaction", "👍")
    page.wait_for("#memory .exchange-kind", "reaction")

    page.change(page.see(CUSTOMERS, "My address has changed"), "Delete")
    page.wait_for("#customers .service", "deleted a message")


def test_everything_that_can_be_sent(page: Page) -> None:
    for label, kind in (("Sample photo", "photo"), ("Sample document", "document"), ("Location", "location"), ("Contact", "contact")):
        page.attach(CUSTOMERS, label)
        page.wait_for("#memory .exchange-kind", kind)
    page.wait_for("#memory .known-name", "phone")
    page.wait_for("#customers .photo img")

    page.attach(CUSTOMERS, "Album of three")
    page.wait_for("#customers .photos.count-3")
    page.attach(CUSTOMERS, "A file of 25 MB")
    page.see(CUSTOMERS, "25.0 MB")
    page.wait_for("#memory .turn-decision", "too large")


def test_a_photo_goes_from_the_customer_to_the_agent_and_from_the_agent_to_the_customer(page: Page) -> None:
    hand_over(page)
    page.attach(CUSTOMERS, "Sample photo")
    page.wait_for("#desk .photo img")

    page.attach(DESK, "Sample photo")
    page.wait_for("#customers .message.from-bot .photo img")


def test_a_customer_who_blocks_the_bot_is_unreachable_until_they_unblock_it(page: Page) -> None:
    hand_over(page)
    page.write(DESK, "One moment")
    page.see(CUSTOMERS, "One moment")

    page.wait_for("#customers .plain-button", "Block bot").click()
    page.wait_for("#customers .rail-note", "blocked the bot")
    page.write(DESK, "Are you still there?")
    page.wait_for("#memory .badge", "refused")
    page.wait_for("#memory .pill", "Unreachable")

    page.wait_for("#customers .plain-button", "Unblock bot").click()
    page.write(CUSTOMERS, "I am back")
    page.see(DESK, "I am back")
    page.gone("#memory .pill", "Unreachable")


def test_a_deleted_topic_is_made_anew(page: Page) -> None:
    hand_over(page)
    page.wait_for("#desk .plain-button", "Delete topic").click()
    page.wait_for("#desk .topic.deleted")
    page.wait_for("#desk .empty-title", "deleted")

    page.write(CUSTOMERS, "Is anybody there?")

    page.see(DESK, "Is anybody there?")
    page.wait_for("#desk .head-row", "Open")


def test_a_lost_answer_leaves_an_uncertain_reply_that_is_not_sent_twice(page: Page) -> None:
    page.wait_for(".segment", "Lost answer").click()
    page.wait_for(".chip", "Lost answer")

    page.write(CUSTOMERS, "I lost my card")

    page.see(CUSTOMERS, "block")
    page.wait_for("#memory .badge", "uncertain")
    page.gone(".chip")
    assert page.count(CUSTOMERS, "block") == 1


def test_an_update_that_comes_twice_is_answered_once(page: Page) -> None:
    page.wait_for(".toggle", "Updates twice").click()
    page.wait_for('.toggle[aria-pressed="true"]')

    page.write(CUSTOMERS, "Hello")
    page.wait_for("#memory .exchange.assistant .badge", "sent")
    page.write(CUSTOMERS, "I lost my card")
    page.wait_for("#memory .turn", "knowledge")

    assert len(page.browser.find_elements("css selector", "#memory .turn")) == 2


def test_what_is_known_beside_the_log(page: Page) -> None:
    page.write(CUSTOMERS, "I lost my card")
    page.wait_for("#memory .known-heading", "Where they stand")
    page.wait_for("#memory .known-value", "reported")
    page.write(CUSTOMERS, "020 7946 0018")
    page.wait_for("#memory .known-value .badge", "likely")
    page.wait_for("#memory .exchange-kind", "lost-card")
    page.write(CUSTOMERS, "please stop sending me offers")
    page.wait_for("#memory .known-heading", "Consents")
    page.write(CUSTOMERS, "This is ridiculous, you are useless, I am furious!")
    page.wait_for("#memory .known-value", "wrote angrily")
    page.wait_for("#memory .exchange-kind", "angry")


def test_another_customer_has_a_memory_of_their_own(page: Page) -> None:
    page.write(CUSTOMERS, "I lost my card")
    page.see(CUSTOMERS, "block")

    page.wait_for(".add-name").send_keys("Eve Olsen\n")
    page.wait_for(".memory-title", "Eve Olsen")
    page.wait_for("#memory .pill", "Not met yet")
    page.wait_for("#customers .main-button", "Start").click()
    page.wait_for("#memory .turn-decision", "welcome")
    page.gone("#customers .message", "I lost my card")

    page.customer("Ann Lee")
    page.see(CUSTOMERS, "I lost my card")
    page.wait_for("#memory .exchange", "I lost my card")


def test_the_list_of_things_to_try_prepares_words_and_can_be_closed(page: Page) -> None:
    page.wait_for(".guide-step", "I lost my card").click()
    assert page.wait_for("#customers .field").get_attribute("value") == "I lost my card"

    page.wait_for("#guide > .icon-button").click()
    page.browser.refresh()
    page.wait_for("#show-guide").click()
    page.wait_for(".guide-step", "Ask for a person")


def test_a_refusal_is_shown_in_words(page: Page) -> None:
    page.paste(CUSTOMERS, "x" * 5000)
    page.write(CUSTOMERS, "")

    page.wait_for(".notice.error", "4096")

    assert page.wait_for("#customers .field").get_attribute("value") == "x" * 5000
    assert all("409" in line for line in page.complaints())
