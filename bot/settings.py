"""How this process is set up, from ``LEGATO_`` variables and an ``.env`` file; read once, at start."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from dotenv import dotenv_values
from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from actions.records.connect import check_records_address
from memory.errors import SettingsError
from memory.redis_link import PREFIX as LINK_PREFIX

PREFIX = "LEGATO_"

_TOKEN = re.compile(r"[0-9]+:[A-Za-z0-9_-]{30,}")
_WEBHOOK_SECRET = re.compile(r"[A-Za-z0-9_-]{16,256}")

Seconds = Annotated[float, Field(gt=0, le=86_400)]
SecondsOrNone = Annotated[float, Field(ge=0, le=86_400)]
Rate = Annotated[float, Field(ge=0, le=1000)]


class Settings(BaseSettings):
    """Everything that differs between installations. Seconds where a name ends in ``_s``. Make one with ``load``."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_file_encoding="utf-8", extra="ignore", env_ignore_empty=True, frozen=True)

    telegram_token: SecretStr | None = Field(default=None, description="the customer bot's token, from @BotFather")
    desk_token: SecretStr | None = Field(default=None, description="the desk bot's token, from @BotFather")
    desk_chat: int | None = Field(default=None, lt=0, description="the id of the agents' supergroup, a negative number")
    api_base: str = Field(default="https://api.telegram.org", description="where the Bot API is")
    database_url: str = Field(default="sqlite:///legato.db", description="the shared memory's database")
    redis_url: str | None = Field(default=None, description="Redis, needed only with more than one process")
    redis_prefix: str = Field(
        default=LINK_PREFIX, min_length=1, max_length=64, description="what all names in Redis begin with; another for each installation"
    )
    search_meaning: bool = Field(default=False, description="search the past by meaning too; needs `make meaning`")
    assistant: str = Field(default="banking", min_length=1, description="a built-in assistant's name, or a folder")
    records: str | None = Field(
        default=None,
        description="the company's own systems: an https address, or sample:FILE to try made-up ones; flows read and write there",
    )
    records_token: SecretStr | None = Field(default=None, min_length=1, description="what those systems know us by")
    actions_url: str | None = Field(default=None, description="the action server's address; without it, flows run their actions themselves")
    actions_token: SecretStr | None = Field(
        default=None, description="what an action server wants to hear: of `legato actions`, and of the bot that calls it"
    )
    action_timeout_s: Seconds = Field(default=10.0, description="how long one action may take, nine tenths of a turn's time at most")
    brain: Literal["own", "rasa"] = Field(
        default="own", description="what decides: the assistant's own rules, or a Rasa server with them around it"
    )
    rasa_url: str | None = Field(default=None, description="the Rasa server's address, such as http://127.0.0.1:5005")
    rasa_token: SecretStr | None = Field(
        default=None, min_length=1, description="what is sent to it as a bearer token, for a proxy that stands before it"
    )
    webhook_url: str | None = Field(
        default=None, description="the public https address that Telegram calls; without it, updates are polled"
    )
    webhook_secret: SecretStr | None = Field(default=None, description="what Telegram sends along to prove itself")
    webhook_host: str = Field(default="127.0.0.1", min_length=1, description="the address that the webhook listens on")
    webhook_port: int = Field(default=8080, ge=1, le=65_535, description="the port that the webhook listens on")
    turn_deadline_s: Seconds = Field(default=10.0, description="after this a turn has failed")
    turn_tries: int = Field(default=3, ge=1, le=20, description="how often a turn is tried before a person takes over")
    lease_s: Seconds = Field(default=15.0, description="how long a worker holds a conversation")
    send_timeout_s: Seconds = Field(default=10.0, description="how long one send may take")
    send_lease_s: Seconds = Field(default=30.0, description="how long a worker holds an outgoing")
    returning_after_s: SecondsOrNone = Field(default=1800.0, description="a customer silent for this long is welcomed back")
    flow_still_wanted_s: Seconds = Field(
        default=86_400.0, description="after how long it is asked whether a task that was left is still wanted"
    )
    learned_folder: Path | None = Field(
        default=None, description="where what is learned from examples is kept between starts; without it, in the user's cache"
    )
    album_wait_s: Annotated[float, Field(ge=0, le=30)] = Field(default=1.0, description="how long to wait for the rest of an album")
    uncertain_wait_s: SecondsOrNone = Field(default=120.0, description="when an uncertain send is sent again; 0 is never by itself")
    sends_per_s: Rate = Field(default=30.0, description="sends a second for one bot; 0 is no limit")
    sends_per_chat_per_s: Rate = Field(default=1.0, description="sends a second to one chat; 0 is no limit")
    desk_posts_per_minute: Annotated[float, Field(ge=0, le=10_000)] = Field(
        default=20.0, description="posts a minute in the desk; 0 is no limit"
    )
    overdue_s: Seconds = Field(default=60.0, description="an incoming that no worker came to for this long goes to a person")
    late_answer_s: Seconds = Field(default=120.0, description="an answer that comes later than this is a bad experience")
    late_claim_s: Seconds = Field(default=900.0, description="waiting longer than this for a person is a bad experience")
    timezone: str = Field(default="UTC", description="where customers' hours and agents' dates are counted, such as Europe/London")
    workers: int = Field(default=32, ge=1, le=1000, description="turns at a time")
    keep_files_max_bytes: int = Field(
        default=5_000_000, ge=0, le=20_000_000, description="the largest file that is kept in the database; 0 keeps none"
    )
    erasures_file: Path | None = Field(
        default=None, description="where receipts of forgetting are kept; without it, legato-erasures.jsonl beside the SQLite file"
    )
    proof_fresh_s: Annotated[float, Field(gt=0, le=315_360_000)] = Field(
        default=2_592_000.0, description="how long it holds that a customer has proven who they are"
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] = Field(default="INFO", description="the least that is logged")
    log_json: bool = Field(default=False, description="log one JSON object a line")

    @classmethod
    def load(cls, env_file: str | Path | None = ".env", **overrides: Any) -> Self:
        """The settings; ``overrides`` come before variables, and those before the file (None reads no file).

        Raises ``SettingsError`` with one line for each problem, which names the variable and never shows its value.
        """
        problems = [f"{name} is not a setting; correct its spelling or delete it" for name in _unknown(env_file, overrides)]
        try:
            settings = cls(_env_file=env_file, **overrides)
        except ValidationError as error:
            problems += [_in_words(detail) for detail in error.errors(include_url=False, include_input=False)]
        if problems:
            raise SettingsError("\n".join(problems))
        return settings

    @property
    def receipts(self) -> Path:
        """The file of receipts: the one that is set, or one beside the SQLite file, or in the folder where the process was started."""
        if self.erasures_file is not None:
            return self.erasures_file
        kind, _, file = self.database_url.partition(":///")
        return (Path(file).parent if kind.startswith("sqlite") else Path()) / "legato-erasures.jsonl"

    @field_validator("log_level", mode="before")
    @classmethod
    def _upper(cls, value: object) -> object:
        return value.upper() if isinstance(value, str) else value

    @field_validator("telegram_token", "desk_token")
    @classmethod
    def _check_token(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not _TOKEN.fullmatch(value.get_secret_value()):
            raise ValueError("is not a bot token; copy it whole from @BotFather: digits, a colon, and at least 30 more characters")
        return value

    @field_validator("webhook_secret")
    @classmethod
    def _check_secret(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not _WEBHOOK_SECRET.fullmatch(value.get_secret_value()):
            raise ValueError("must have 16 to 256 letters, digits, hyphens and underscores")
        return value

    @field_validator("actions_token")
    @classmethod
    def _check_actions_token(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not _WEBHOOK_SECRET.fullmatch(value.get_secret_value()):
            raise ValueError("must have 16 to 256 letters, digits, hyphens and underscores")
        return value

    @field_validator("actions_url", "rasa_url")
    @classmethod
    def _check_server(cls, value: str | None) -> str | None:
        return None if value is None else _address(value, ("http", "https")).rstrip("/")

    @field_validator("api_base")
    @classmethod
    def _check_api_base(cls, value: str) -> str:
        return _address(value, ("http", "https")).rstrip("/")

    @field_validator("webhook_url")
    @classmethod
    def _check_webhook_url(cls, value: str | None) -> str | None:
        return None if value is None else _address(value, ("https",))

    @field_validator("records")
    @classmethod
    def _check_records(cls, value: str | None) -> str | None:
        try:
            return None if value is None else check_records_address(value)
        except SettingsError as error:
            raise ValueError(str(error)) from None

    @field_validator("database_url")
    @classmethod
    def _check_database_url(cls, value: str) -> str:
        if not re.match(r"(sqlite|postgresql)(\+[a-z0-9]+)?://", value):
            raise ValueError("must begin with sqlite:// or postgresql://")
        return value

    @field_validator("timezone")
    @classmethod
    def _check_timezone(cls, value: str) -> str:
        try:
            zone_of(value)
        except (KeyError, ValueError, OSError):
            raise ValueError("is no time zone that this machine knows; write one such as Europe/London, or UTC") from None
        return value

    @field_validator("redis_url")
    @classmethod
    def _check_redis_url(cls, value: str | None) -> str | None:
        return None if value is None else _address(value, ("redis", "rediss", "unix"))

    @field_validator("redis_prefix")
    @classmethod
    def _check_redis_prefix(cls, value: str) -> str:
        if not re.fullmatch(r"[A-Za-z0-9_.:-]+", value):
            raise ValueError("must have letters, digits and _ . : - only")
        return value

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        problems = [
            text
            for wrong, text in (
                (self.lease_s <= self.turn_deadline_s, f"{_var('lease_s')} must be more than {_var('turn_deadline_s')}"),
                (self.send_lease_s <= self.send_timeout_s, f"{_var('send_lease_s')} must be more than {_var('send_timeout_s')}"),
                (self.desk_token and self.desk_chat is None, f"{_var('desk_chat')} is missing: {_var('desk_token')} needs it"),
                (self.desk_chat is not None and not self.desk_token, f"{_var('desk_token')} is missing: {_var('desk_chat')} needs it"),
                (self.brain == "rasa" and not self.rasa_url, f"{_var('rasa_url')} is missing: {_var('brain')}=rasa needs it"),
                (self.webhook_url and not self.webhook_secret, f"{_var('webhook_secret')} is missing: {_var('webhook_url')} needs it"),
                (
                    self.telegram_token and self.telegram_token == self.desk_token,
                    f"{_var('desk_token')} is the same as {_var('telegram_token')}; the desk needs a bot of its own",
                ),
            )
            if wrong
        ]
        if problems:
            raise ValueError("\n".join(problems))
        return self


def zone_of(name: str) -> tzinfo:
    """The time zone of this name. Raises ``KeyError``, ``ValueError`` or ``OSError`` for a name that this machine has no zone for."""
    return UTC if name == "UTC" else ZoneInfo(name)


def _var(name: str) -> str:
    return PREFIX + name.upper()


def _unknown(env_file: str | Path | None, overrides: Mapping[str, object]) -> list[str]:
    """Variables that would be passed over in silence. The environment is not searched: orchestrators put names of their own there."""
    written = [name.upper() for name in dotenv_values(env_file)] if env_file is not None and Path(env_file).is_file() else []
    known = {_var(name) for name in Settings.model_fields}
    mine = [name for name in written if name.startswith(PREFIX)] + [_var(name) for name in overrides]
    return [name for name in mine if name not in known]


def _address(value: str, schemes: tuple[str, ...]) -> str:
    scheme, _, rest = value.partition("://")
    if scheme not in schemes or not rest.strip("/") or any(character.isspace() for character in value):
        raise ValueError(f"must be an address that begins with {' or '.join(f'{scheme}://' for scheme in schemes)}")
    return value


def _in_words(detail: Any) -> str:
    """One of pydantic's errors as a line; ``detail`` is its ErrorDetails. Its input is left out, since it may be a secret."""
    if not detail["loc"]:
        return str(detail["ctx"]["error"])
    name = str(detail["loc"][0])
    field = Settings.model_fields.get(name)
    about = f" ({field.description})" if field is not None and field.description else ""
    if detail["type"] == "value_error":
        return f"{_var(name)}{about} {detail['ctx']['error']}"
    return f"{_var(name)}{about}: {detail['msg'][0].lower()}{detail['msg'][1:]}"
