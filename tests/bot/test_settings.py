"""Settings: where they come from, and what is said about those that cannot be used."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from bot.settings import Settings
from memory.errors import SettingsError

TOKEN = "123456789:" + "A" * 35
OTHER = "987654321:" + "B" * 35


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("LEGATO_"):
            monkeypatch.delenv(name)


def problems_of(env_file: Path | None = None, **overrides: Any) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        Settings.load(env_file, **overrides)
    return str(caught.value).splitlines()


def test_the_defaults_can_be_used() -> None:
    settings = Settings.load(None)

    assert settings.assistant == "banking"
    assert settings.telegram_token is None


def test_overrides_come_before_variables_and_those_before_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    env_file = tmp_path / ".env"
    env_file.write_text("LEGATO_WORKERS=1\nLEGATO_ASSISTANT=telecoms\nLEGATO_LOG_LEVEL=debug\nPOSTGRES_PASSWORD=x\nLEGATO_REDIS_URL=\n")
    monkeypatch.setenv("LEGATO_WORKERS", "2")
    monkeypatch.setenv("LEGATO_ASSISTANT", "insurance")
    monkeypatch.setenv("LEGATO_SERVICE_HOST", "10.0.0.1")

    settings = Settings.load(env_file, workers=3)

    assert (settings.workers, settings.assistant, settings.log_level, settings.redis_url) == (3, "insurance", "DEBUG", None)


def test_a_full_set_up_can_be_used() -> None:
    settings = Settings.load(
        None,
        telegram_token=TOKEN,
        desk_token=OTHER,
        desk_chat=-1001,
        api_base="http://127.0.0.1:8081/",
        database_url="postgresql+asyncpg://u:p@h/d",
        redis_url="redis://localhost",
        webhook_url="https://bot.example/hook",
        webhook_secret="s" * 16,
    )

    assert settings.api_base == "http://127.0.0.1:8081"
    assert TOKEN not in repr(settings)


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        ({"telegram_token": "123:short"}, "LEGATO_TELEGRAM_TOKEN (the customer bot's token, from @BotFather) is not a bot token"),
        ({"lease_s": 5}, "LEGATO_LEASE_S must be more than LEGATO_TURN_DEADLINE_S"),
        ({"send_timeout_s": 30}, "LEGATO_SEND_LEASE_S must be more than LEGATO_SEND_TIMEOUT_S"),
        ({"desk_token": TOKEN}, "LEGATO_DESK_CHAT is missing: LEGATO_DESK_TOKEN needs it"),
        ({"desk_chat": -1}, "LEGATO_DESK_TOKEN is missing: LEGATO_DESK_CHAT needs it"),
        ({"desk_token": TOKEN, "desk_chat": 5}, "LEGATO_DESK_CHAT (the id of the agents' supergroup, a negative number)"),
        ({"desk_token": TOKEN, "telegram_token": TOKEN, "desk_chat": -5}, "LEGATO_DESK_TOKEN is the same as LEGATO_TELEGRAM_TOKEN"),
        ({"webhook_url": "https://x.example"}, "LEGATO_WEBHOOK_SECRET is missing: LEGATO_WEBHOOK_URL needs it"),
        ({"webhook_url": "http://x.example", "webhook_secret": "s" * 16}, "must be an address that begins with https://"),
        ({"webhook_secret": "s" * 15}, "LEGATO_WEBHOOK_SECRET (what Telegram sends along to prove itself) must have 16 to 256 letters"),
        ({"webhook_port": 0}, "LEGATO_WEBHOOK_PORT"),
        ({"workers": "many"}, "LEGATO_WORKERS (turns at a time): input should be a valid integer"),
        ({"log_level": "LOUD"}, "LEGATO_LOG_LEVEL"),
        ({"sends_per_s": -1}, "LEGATO_SENDS_PER_S"),
        ({"uncertain_wait_s": -1}, "LEGATO_UNCERTAIN_WAIT_S"),
        ({"database_url": "mysql://x"}, "must begin with sqlite:// or postgresql://"),
        ({"redis_url": "localhost"}, "must be an address that begins with redis://"),
        ({"api_base": "api.telegram.org"}, "must be an address that begins with http:// or https://"),
        ({"assistent": "banking"}, "LEGATO_ASSISTENT is not a setting"),
    ],
)
def test_a_problem_names_the_variable_and_the_remedy(overrides: dict[str, Any], said: str) -> None:
    problems = problems_of(**overrides)

    assert len(problems) == 1
    assert said in problems[0]


def test_all_problems_are_named_one_a_line() -> None:
    assert len(problems_of(workers=0, turn_tries=0, log_level="x", fruit=1)) == 4


def test_a_misspelt_variable_in_the_file_is_named(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("LEGATO_WORKRES=2\n")

    assert problems_of(tmp_path / ".env") == ["LEGATO_WORKRES is not a setting; correct its spelling or delete it"]


@pytest.mark.parametrize("name", ["telegram_token", "desk_token", "webhook_secret"])
def test_a_secret_is_never_shown(name: str) -> None:
    assert not any("hunter2" in problem for problem in problems_of(None, **{name: "hunter2 is secret"}))


def test_zero_switches_off_what_may_be_off() -> None:
    settings = Settings.load(None, uncertain_wait_s=0, desk_posts_per_minute=0, sends_per_s=0)

    assert settings.uncertain_wait_s == settings.desk_posts_per_minute == settings.sends_per_s == 0


def test_a_rasa_server_and_an_action_server_are_set_up_in_words() -> None:
    assert problems_of(brain="rasa") == ["LEGATO_RASA_URL is missing: LEGATO_BRAIN=rasa needs it"]
    assert "LEGATO_BRAIN" in problems_of(brain="dialogflow")[0]
    assert "LEGATO_ACTIONS_URL" in problems_of(actions_url="127.0.0.1:5055")[0]
    assert "LEGATO_RASA_URL" in problems_of(rasa_url="ftp://host")[0]
    assert problems_of(actions_token="short")[0].endswith("must have 16 to 256 letters, digits, hyphens and underscores")
    settings = Settings.load(None, brain="rasa", rasa_url="http://127.0.0.1:5005/", actions_url="http://127.0.0.1:5055/webhook/")
    assert (settings.rasa_url, settings.actions_url) == ("http://127.0.0.1:5005", "http://127.0.0.1:5055/webhook")
