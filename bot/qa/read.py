"""From a file to a script, or to its mistakes: each with its line and what to write instead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from bot.assistants import BUILT_IN
from bot.content import Loaded, Mistake, Place, read_as, read_yaml
from bot.qa.format import (
    COMPANY,
    MODES,
    OPERATOR,
    ActionDoes,
    Company,
    Deed,
    Desk,
    FaultIs,
    FlowIs,
    HandoffIs,
    Head,
    Hears,
    LedgerHas,
    MemoryHas,
    OperatorDoes,
    Ran,
    Restart,
    Sees,
    Told,
    WhyIs,
    seconds_of,
)
from bot.qa.records import STATES
from bot.settings import Settings
from memory.errors import SettingsError

ENDINGS = (".yml", ".yaml")

NOBODY_SPEAKS = "nobody speaks"

_LOOKS: dict[str, type[BaseModel]] = {
    "desk": Desk,
    "handoff": HandoffIs,
    "memory": MemoryHas,
    "ledger": LedgerHas,
    "flow": FlowIs,
    "why": WhyIs,
    "ran": Ran,
    "company": Company,
    "operator": OperatorDoes,
}
_SHORT = {Deed: "text", Hears: "text", Sees: "text", Told: "text", Desk: "shows", HandoffIs: "state", FlowIs: "is", WhyIs: "contains"}
"""What a bare text stands for."""
_OWN = (
    *("assistant", "database_url", "telegram_token", "desk_token", "desk_chat", "api_base", "redis_url", "webhook_url"),
    *("erasures_file", "learned_folder"),
)
"""Settings that the runner makes itself."""
STEPS = (*("bot", "together", *_LOOKS), "fault", "wait", "restart", "brain", "records", "actions", "update", NOBODY_SPEAKS)


@dataclass(frozen=True, slots=True)
class Step:
    """One step. ``who`` is a person's name in the script; ``body`` is the kind's model, or for some kinds a plain value.

    Kinds: deed, together, hears, sees, told, nobody speaks, desk, handoff, memory, ledger, flow, why, ran, company, operator, fault, wait,
    restart, brain, records, actions, update.
    """

    kind: str
    line: int
    who: str | None = None
    body: Any = None
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class Script:
    """A dialogue to be played."""

    path: Path
    head: Head
    steps: tuple[Step, ...]

    @property
    def last_line(self) -> int:
        """Where the script ends."""
        return self.steps[-1].line


def find_files(paths: Sequence[Path], mistakes: list[Mistake]) -> list[Path]:
    """The scripts that ``paths`` name: files, and folders with all that is in them."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(file for file in path.rglob("*") if file.suffix in ENDINGS)
            if not inside:
                mistakes.append(Mistake(path, 1, f"there is no script in this folder; scripts end in {' or '.join(ENDINGS)}"))
            found += inside
        elif path.exists():
            found.append(path)
        else:
            mistakes.append(Mistake(path, 1, "there is no such file or folder"))
    return list(dict.fromkeys(found))


def read_script(path: Path, mistakes: list[Mistake]) -> Script | None:
    """The script, or None after adding every mistake in it."""
    before = len(mistakes)
    loaded = read_yaml(path, mistakes)
    head = None if loaded is None else read_as(Head, loaded, mistakes)
    if loaded is None or head is None:
        return None
    head = head.model_copy(update={"assistant": _assistant_of(path, head)})
    mistakes += _check_head(loaded, head)
    reader = _Reader(loaded, head, mistakes)
    steps = tuple(step for n, raw in enumerate(head.script) if (step := reader.step(raw, ("script", n))) is not None)
    return Script(path, head, steps) if len(mistakes) == before else None


def _assistant_of(path: Path, head: Head) -> str:
    """The script's assistant: the one that it names (a folder from where the script is), else the one in whose folder it is."""
    if "assistant" in head.model_fields_set:
        beside = path.parent / head.assistant
        return str(beside) if head.assistant not in BUILT_IN and not Path(head.assistant).is_dir() and beside.is_dir() else head.assistant
    around = next((folder for folder in path.absolute().parents if (folder / "assistant.yml").exists()), None)
    return head.assistant if around is None else str(around)


def _check_head(loaded: Loaded, head: Head) -> list[Mistake]:
    found: list[Mistake] = []
    if head.assistant not in BUILT_IN and not Path(head.assistant).is_dir():
        found.append(loaded.mistake(("assistant",), f"there is no assistant {head.assistant!r}; write {', '.join(BUILT_IN)} or a folder"))
    for name in head.settings:
        if name in _OWN:
            found.append(loaded.mistake(("settings", name), f"`{name}` is set by the runner itself; delete it"))
        elif name not in Settings.model_fields:
            found.append(loaded.mistake(("settings", name), f"`{name}` is not a setting{_hint(name, list(Settings.model_fields))}"))
    if not found:
        try:
            settings_of(head)
        except SettingsError as error:
            found += [loaded.mistake(("settings",), line) for line in str(error).splitlines()]
    return found


def settings_of(head: Head, **more: Any) -> Settings:
    """The script's settings, whatever the environment says. Raises :class:`SettingsError`."""
    defaults = {name: field.default for name, field in Settings.model_fields.items()}
    return Settings.load(None, **{**defaults, **head.settings, "assistant": head.assistant, **more})


def _hint(word: str, known: Sequence[str]) -> str:
    near = get_close_matches(word, known, n=1)
    return f"; did you mean `{near[0]}`?" if near else ""


@dataclass(slots=True)
class _Reader:
    """Reads the steps of one script; what is wrong is added to ``mistakes``."""

    loaded: Loaded
    head: Head
    mistakes: list[Mistake]
    people: set[str] = field(init=False)

    def __post_init__(self) -> None:
        self.people = {*self.head.customers, *self.head.agents, *self.head.strangers}

    def step(self, raw: Any, place: Place) -> Step | None:
        if raw == NOBODY_SPEAKS:
            return Step(NOBODY_SPEAKS, self.loaded.line_of(place))
        if not isinstance(raw, dict) or len(raw) != 1:
            self._wrong(place, f"a step is one key with its value, such as `bot: ...`, or the words `{NOBODY_SPEAKS}`")
            return None
        key, value = next(iter(raw.items()))
        key, at = str(key), (*place, str(key))
        who, _, rest = key.partition(" ")
        if key in self.people:
            return self._deeds(key, value, at)
        if who in self.head.customers and rest in ("hears", "sees"):
            return self._look(rest, Hears if rest == "hears" else Sees, value, at, who)
        if who in self.people and rest == "is told":
            return self._look("told", Told, value, at, who)
        if key == "bot":
            return self._assistant(value, at)
        if key in _LOOKS:
            return self._look(key, _LOOKS[key], value, at)
        return self._other(key, value, at)

    def _other(self, key: str, value: Any, at: Place) -> Step | None:
        line = self.loaded.line_of(at)
        if key == "together":
            return self._together(value, at)
        if key == "fault":
            return Step("fault", line) if value == "none" else self._look("fault", FaultIs, value, at)
        if key == "wait":
            try:
                return Step("wait", line, body=seconds_of(value))
            except ValueError as error:
                return self._wrong(at, f"`wait` {error}")
        if key == "actions":
            return self._actions(value, at)
        if key == "records":
            return Step("records", line, body=value) if value in STATES else self._wrong(at, f"`records` are {' or '.join(STATES)}")
        if key == "brain":
            return Step("brain", line, body=value) if value in MODES else self._wrong(at, f"`brain` is one of {', '.join(MODES)}")
        if key == "update":
            if not isinstance(value, dict) or len(value) != 1:
                return self._wrong(at, "`update` is a raw update: its type, such as message, and below it what Telegram sends")
            return Step("update", line, body=value)
        if key == "restart":
            return self._restart(value, at)
        names = sorted(self.people)
        known = [*names, *(f"{name} hears" for name in self.head.customers), *STEPS]
        return self._wrong(
            at, f"`{key}` is neither a person of this script ({', '.join(names)}) nor one of {', '.join(STEPS)}{_hint(key, known)}"
        )

    def _deeds(self, who: str, value: Any, at: Place) -> Step | None:
        if not isinstance(value, list):
            return self._look("deed", Deed, value, at, who)
        steps = [self._look("deed", Deed, one, (*at, n), who) for n, one in enumerate(value)]
        return Step("together", self.loaded.line_of(at), steps=tuple(step for step in steps if step is not None))

    def _together(self, value: Any, at: Place) -> Step | None:
        if not isinstance(value, list) or not value:
            return self._wrong(at, "`together` is a list of what people do at the same moment")
        steps: list[Step] = []
        for n, raw in enumerate(value):
            step = self.step(raw, (*at, n))
            if step is None:
                return None
            if step.kind not in ("deed", "together", "update"):
                return self._wrong((*at, n), "here stands only what people do")
            steps.append(step)
        return Step("together", self.loaded.line_of(at), steps=tuple(steps))

    def _restart(self, value: Any, at: Place) -> Step | None:
        step = self._look("restart", Restart, {"how": value} if isinstance(value, str) else value, at)
        if step is None or not step.body.meanwhile:
            return step
        inner = self._together(step.body.meanwhile, (*at, "meanwhile"))
        return None if inner is None else Step("restart", step.line, body=step.body, steps=inner.steps)

    def _actions(self, value: Any, at: Place) -> Step | None:
        if self.head.actions is None:
            return self._wrong(at, "`actions` changes what the script's own actions answer: give the head `actions`, which may be empty")
        if not isinstance(value, dict) or not value:
            return self._wrong(at, "`actions` is the name of each action with what it answers from now on")
        answers = {}
        for name, one in value.items():
            step = self._look("actions", ActionDoes, one, (*at, name))
            if step is None:
                return None
            answers[str(name)] = step.body
        return Step("actions", self.loaded.line_of(at), body=answers)

    def _assistant(self, value: Any, at: Place) -> Step | None:
        step = self._look("hears", Hears, value, at)
        if step is None:
            return None
        to = step.body.to
        if to is not None and to not in self.head.customers:
            return self._wrong((*at, "to"), f"there is no customer `{to}` in this script")
        if step.body.author is not None:
            return self._wrong((*at, "from"), "`bot` is the assistant; what an agent says is `<customer> hears`")
        return Step("hears", step.line, to, step.body.model_copy(update={"author": "assistant"}))

    def _look(self, kind: str, model: type[BaseModel], value: Any, at: Place, who: str | None = None) -> Step | None:
        if value is None:
            value = {}
        if model is Ran:
            value = {"actions": value}
        if isinstance(value, str | int | float) and not isinstance(value, bool) and model in _SHORT:
            value = {_SHORT[model]: value if isinstance(value, str) else str(value)}
        if not isinstance(value, dict):
            return self._wrong(at, f"`{at[-1]}` needs keys of its own: {', '.join(_keys(model))}")
        try:
            body: Any = model.model_validate(value)
        except ValidationError as error:
            for mistake in error.errors(include_url=False):
                place = (*at, *mistake["loc"])
                if mistake["type"] == "extra_forbidden":
                    word = str(mistake["loc"][-1])
                    top = len(mistake["loc"]) == 1
                    self._wrong(place, f"unknown key `{word}`" + (_hint(word, _keys(model)) if top else ""))
                elif mistake["type"] == "value_error":
                    subject = ".".join(str(part) for part in mistake["loc"]) or str(at[-1])
                    self._wrong(place, f"`{subject}` {mistake['ctx']['error']}")
                else:
                    subject = ".".join(str(part) for part in mistake["loc"])
                    self._wrong(place, f"`{subject}`: {mistake['msg'][0].lower()}{mistake['msg'][1:]}")
            return None
        for name in ("of", "to") if kind in ("handoff", "memory", "fault", "company", "flow", "why") else ():
            person = getattr(body, name, None)
            if person is not None and person not in self.head.customers:
                return self._wrong((*at, name), f"there is no customer `{person}` in this script")
        for person in _shown_to(body):
            if person not in self.head.customers:
                return self._wrong(at, f"there is no customer `{person}` in this script")
        return Step(kind, self.loaded.line_of(at), who, body)

    def _wrong(self, place: Place, text: str) -> Step | None:
        """Add a mistake; there is no step then."""
        self.mistakes.append(self.loaded.mistake(place, text))
        return None


def _keys(model: type[BaseModel]) -> list[str]:
    return [info.alias or name for name, info in model.model_fields.items()]


def _shown_to(body: Any) -> list[str]:
    """The customers whom the command line is about, or whose code or link somebody uses."""
    if isinstance(body, OperatorDoes):
        return body.customers
    shown = [body.code_of, body.link_of] if isinstance(body, Deed) else []
    return [one for one in shown if one not in (None, OPERATOR, COMPANY)]
