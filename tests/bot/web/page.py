"""The playground in a real browser: finding things and waiting for them, in the words of the page."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

WAIT_S, LOOK_S = 20, 0.05
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--lang=en-GB",
)
CUSTOMERS, DESK, MEMORY = "customers", "desk", "memory"


def _program(*names: str) -> str:
    for name in names:
        if found := shutil.which(name):
            return found
    pytest.fail("there is no Chromium to look at the page with: apt-get install chromium chromium-driver", pytrace=False)


@contextmanager
def chromium(profile: Path) -> Iterator[Chrome]:
    """A headless browser with a fresh profile. The test fails where none is installed; nothing is downloaded."""
    options = ChromeOptions()
    options.binary_location = _program("chromium", "chromium-browser")
    for flag in (*FLAGS, f"--user-data-dir={profile}", "--window-size=1600,1000"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    browser = Chrome(options=options, service=Service(executable_path=_program("chromedriver")))
    try:
        yield browser
    finally:
        browser.quit()


class Page:
    """The page as somebody uses it."""

    def __init__(self, browser: Chrome, url: str) -> None:
        self.browser = browser
        self.url = url
        browser.get(url)
        self.customer("Ann Lee")

    def leave(self) -> None:
        """Close the page before its server goes, which it would complain about."""
        self.browser.get("about:blank")

    def wait_for(self, selector: str, text: str = "") -> WebElement:
        """The last shown element that ``selector`` finds and whose text contains ``text``, waited for."""

        script = (
            "return [...document.querySelectorAll(arguments[0])]"
            ".filter((one) => one.checkVisibility() && one.textContent.includes(arguments[1])).pop() ?? null"
        )
        found: WebElement = WebDriverWait(self.browser, WAIT_S, LOOK_S).until(
            lambda browser: browser.execute_script(script, selector, text), f"nothing like {selector} shows {text!r}"
        )
        return found

    def gone(self, selector: str, text: str = "") -> None:
        """Wait until nothing that ``selector`` finds contains ``text``."""
        script = "return ![...document.querySelectorAll(arguments[0])].some((one) => one.textContent.includes(arguments[1]))"
        WebDriverWait(self.browser, WAIT_S, LOOK_S).until(
            lambda browser: browser.execute_script(script, selector, text), f"{selector} still shows {text!r}"
        )

    def see(self, panel: str, text: str) -> WebElement:
        """A message in a panel's chat."""
        return self.wait_for(f"#{panel} .message", text)

    def count(self, panel: str, text: str) -> int:
        """How many messages in a panel's chat contain ``text``."""
        return sum(text in one.text for one in self.browser.find_elements(By.CSS_SELECTOR, f"#{panel} .message"))

    def write(self, panel: str, text: str) -> None:
        """Write into a panel's field and send with Enter."""
        field = self.wait_for(f"#{panel} .field:enabled")
        field.send_keys(text, Keys.ENTER)

    def paste(self, panel: str, text: str) -> None:
        """Put a text into a panel's field at once."""
        self.browser.execute_script("arguments[0].value = arguments[1]", self.wait_for(f"#{panel} .field:enabled"), text)

    def press(self, panel: str, label: str) -> None:
        """Press an inline button."""
        self.wait_for(f"#{panel} .key", label).click()

    def customer(self, name: str) -> None:
        """Look at this customer."""
        self.wait_for("#customers .rail-item", name).click()
        self.wait_for(".memory-title", name)

    def agent(self, name: str) -> None:
        """Write as this agent."""
        self.wait_for(".switch-item", name).click()
        self.wait_for('.switch-item[aria-checked="true"]', name)

    def choose(self, menu: WebElement, label: str) -> None:
        """Open a menu and take one of its entries."""
        menu.click()
        self.wait_for(".menu-item", label).click()

    def attach(self, panel: str, label: str) -> None:
        """Send something from the menu beside a panel's field."""
        self.choose(self.wait_for(f"#{panel} .composer-row > .icon-button"), label)

    def change(self, message: WebElement, label: str) -> None:
        """Take an entry of a message's own menu, by keyboard: it is only seen under the pointer."""
        message.find_element(By.CSS_SELECTOR, ".message-menu").send_keys(Keys.ENTER)
        self.wait_for(".menu-item", label).click()

    def complaints(self) -> list[str]:
        """What the browser has logged as an error since the last time."""
        log = self.browser.get_log("browser")  # type: ignore[no-untyped-call]
        return [entry["message"] for entry in log if entry["level"] == "SEVERE"]

    def strangers(self) -> list[str]:
        """Addresses that the page has loaded from and that are not its own."""
        loaded: list[str] = self.browser.execute_script("return performance.getEntriesByType('resource').map((one) => one.name)")
        return [address for address in loaded if not address.startswith((self.url, "data:", "blob:"))]
