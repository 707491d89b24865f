"""Whatever stands in a file, reading it ends with mistakes in words and never with an error; what has none can be drawn and checked."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.content import Mistake
from bot.flows.check import ReplyNames, check_flows
from bot.flows.draw.mermaid import mermaid
from bot.flows.draw.outline import outline
from bot.flows.draw.picture import picture_of
from bot.flows.draw.svg import svg
from bot.flows.model import END
from bot.flows.read import read_flows
from tests.bot.flows.files.sample import CARDS, DECLARED, DOMAIN, MONEY, NLU, write

FILES = {"domain.yml": DOMAIN, "flows/cards.yml": CARDS, "flows/money.yml": MONEY, "nlu.yml": NLU}

KEYS = ["collect", "action", "next", "if", "then", "else", "link", "call", "noop", "set_slots", "id", "steps", "examples", "intent", "type"]
TEXTS = ["slots.amount > 5", "END", "block", "utter_x", "confirm_it", "amount", "from_entity", "float", "again", "- [a](b)", ""]

words = st.sampled_from([*KEYS, *TEXTS])
values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats(allow_nan=False) | words | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words | st.integers(0, 3) | st.booleans(), inner, max_size=3),
    max_leaves=6,
)


@st.composite
def changed_files(draw: st.DrawFn) -> dict[str, str]:
    """The sample with some places of it replaced, removed, or moved to others."""
    files = {name: yaml.safe_load(text) for name, text in FILES.items()}
    for _ in range(draw(st.integers(1, 4))):
        data = files[draw(st.sampled_from(sorted(files)))]
        while isinstance(data, dict | list) and data:
            keys = list(data) if isinstance(data, dict) else list(range(len(data)))
            key = draw(st.sampled_from(keys))
            if not isinstance(data[key], dict | list) or not data[key] or draw(st.integers(0, 3)) == 0:
                how = draw(st.sampled_from(["replace", "remove", "repeat"]))
                if how == "replace":
                    data[key] = draw(values)
                elif how == "remove":
                    del data[key]
                elif isinstance(data, list):
                    data.append(copy.deepcopy(data[key]))
                else:
                    data[draw(words)] = copy.deepcopy(data[key])
                break
            data = data[key]
    return {name: yaml.safe_dump(data, sort_keys=False, allow_unicode=True) for name, data in files.items()}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("any")


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(changed_files())
def test_any_files_are_read_or_refused_in_words(folder: Path, files: dict[str, str]) -> None:
    mistakes: list[Mistake] = []
    flows = read_flows(write(folder, files), DECLARED, mistakes)

    for mistake in mistakes:
        assert mistake.text
        assert 1 <= mistake.line <= len(mistake.path.read_text().splitlines()) + 1
    if mistakes:
        return
    for flow in flows.flows.values():
        assert flow.first in flow.steps
        for step in flow.steps.values():
            assert all(branch.to in flow.steps or branch.to == END for branch in step.next)
            assert not step.next or step.next[-1].when is None
        picture = picture_of(flow)
        assert len(picture.boxes) > len(flow.steps)
        assert svg(picture)
        assert mermaid(picture)
        assert outline(picture)
    check_flows(flows, DECLARED, ReplyNames({}, {}), played=())


@settings(deadline=None, max_examples=40)
@given(values, st.sampled_from(sorted(FILES)))
def test_any_data_is_read_or_refused_in_words(folder: Path, data: Any, name: str) -> None:
    mistakes: list[Mistake] = []
    read_flows(write(folder, {name: yaml.safe_dump(data)}), DECLARED, mistakes)

    assert all(mistake.text for mistake in mistakes)
