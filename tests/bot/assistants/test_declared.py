"""memory.yml: what is declared is loaded as declared, and every mistake is named with its file, its line and a remedy."""

from __future__ import annotations

import re
from pathlib import Path

import phonenumbers
import pytest

import bot.assistants
from bot.assistants import BUILT_IN, Assistant, load_assistant, read_assistant
from bot.assistants.declared import REGIONS, _FactText
from memory.declared import LANGUAGES, PREFERENCES, RETAINED, Declarations, Move, Retention, Stage
from memory.errors import ContentError
from memory.values import Type
from tests.bot.assistants.plain import plain_copy

HERE = Path(bot.assistants.__file__).parent

OWN = """\
purposes:
  research:
    title: Research
    text: We may ask what you think of us.
    version: "2"
    consent: required
facts:
  order_number:
    title: order number
    sensitivity: sensitive
    fresh: 2w
    proof: verified
    purpose: research
    identifies: true
    ask: What is your order number?
    benefit: So that we find it.
    code: true
    form: N\\d{4}
    example: N1234
    patterns:
      - match: N ?\\d{4}
        confidence: 0.9
        near: [Order  Number]
  size:
    title: size
    choices: [small, large]
products:
  order:
    title: Order
    stages:
      placed:
        title: Placed
        next: It is sent tomorrow.
        open: true
      sent:
        title: Sent
    moves:
      - when: article fees
        to: sent
      - when: handoff closed
        to: placed
        from: [sent]
retention:
  turns: {after: 12.5d, do: remove}
region: DE
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of an assistant with declarations of its own."""
    copy = plain_copy(tmp_path / "mine")
    (copy / "memory.yml").write_text(OWN)
    return copy


def mistakes_in(folder: Path) -> list[str]:
    with pytest.raises(ContentError) as caught:
        load_assistant(folder)
    return [str(mistake).removeprefix(f"{folder}/") for mistake in caught.value.mistakes]


def change(folder: Path, old: str, new: str) -> None:
    assert OWN.count(old) == 1
    (folder / "memory.yml").write_text(OWN.replace(old, new))


def test_everything_is_loaded_as_it_is_declared(folder: Path) -> None:
    declared = load_assistant(folder).declared

    fact = declared.facts["order_number"]
    assert (fact.name, fact.title, fact.type, fact.sensitivity) == ("order_number", "order number", Type.TEXT, "sensitive")
    assert (fact.fresh_days, fact.proof, fact.purpose, fact.identifies) == (14, "verified", "research", True)
    assert (fact.ask, fact.benefit) == ("What is your order number?", "So that we find it.")
    assert fact.check("n 1234") == "N1234"
    [pattern] = fact.patterns
    assert (pattern.confidence, pattern.near, pattern.digits) == (0.9, ("order number",), True)
    assert pattern.match.search("my n 1234")
    assert declared.facts["size"].choices == ("small", "large")
    assert declared.purposes["research"].needs_consent
    assert declared.purposes["research"].version == "2"
    assert declared.needs_consent("order_number")
    order = declared.products["order"]
    assert order.stages == (Stage("placed", "Placed", "It is sent tomorrow.", open=True), Stage("sent", "Sent"))
    assert order.moves == (Move("article fees", "sent"), Move("handoff closed", "placed", ("sent",)))
    assert Retention("turns", 12.5, "remove") in declared.retention
    assert declared.region == "DE"


def test_what_is_shared_is_there_and_can_be_replaced(folder: Path) -> None:
    shared = load_assistant("telecoms").declared
    change(folder, "  size:\n    title: size\n", "  phone:\n    title: daytime telephone\n    type: phone\n  size:\n    title: size\n")
    declared = load_assistant(folder).declared

    assert declared.facts["email"] == shared.facts["email"]
    assert shared.facts["phone"].proof == "confirmed"
    assert (declared.facts["phone"].title, declared.facts["phone"].proof) == ("daytime telephone", "seen")
    assert {rule.what for rule in declared.retention} == {rule.what for rule in shared.retention}


def test_preferences_keep_what_they_may_be(folder: Path) -> None:
    change(folder, "  size:\n", "  tone:\n    title: manner\n    purpose: research\n    benefit: We are nicer.\n  size:\n")
    tone = load_assistant(folder).declared.facts["tone"]

    assert (tone.title, tone.purpose, tone.choices) == ("manner", "research", PREFERENCES["tone"].choices)


def test_an_assistant_may_do_with_what_is_shared(folder: Path) -> None:
    (folder / "memory.yml").unlink()
    declared = load_assistant(folder).declared

    assert declared.facts.keys() > PREFERENCES.keys()
    assert not declared.products


def test_an_empty_file_declares_nothing(folder: Path) -> None:
    (folder / "memory.yml").write_text("# nothing yet\n")

    assert not load_assistant(folder).declared.products


def test_the_shared_file_is_needed(folder: Path, tmp_path: Path) -> None:
    assistant, mistakes = read_assistant(folder, memory=tmp_path / "gone.yml")

    assert assistant is None
    assert [(mistake.path.name, mistake.text) for mistake in mistakes] == [("gone.yml", "there is no such file")]


@pytest.mark.parametrize("name", BUILT_IN)
def test_the_built_in_assistants_declare_what_the_rules_find(name: str) -> None:
    declared = load_assistant(name).declared

    assert declared.facts.keys() >= {"name", "phone", "email", "address", "location", *PREFERENCES}
    assert declared.facts["phone"].identifies
    assert declared.facts["email"].identifies
    assert declared.purposes["offers"].needs_consent
    assert declared.products
    assert {rule.what for rule in declared.retention} == RETAINED.keys()
    assert declared.region in REGIONS


@pytest.mark.parametrize("name", BUILT_IN)
def test_whoever_is_asked_is_told_what_for(name: str) -> None:
    declared = load_assistant(name).declared

    assert [fact.name for fact in declared.facts.values() if fact.ask and not fact.benefit and fact.sensitivity != "open"] == []


def test_the_regions_are_those_of_the_library() -> None:
    assert REGIONS == phonenumbers.SUPPORTED_REGIONS


def test_assistants_compare_what_they_declare() -> None:
    first, second = load_assistant("banking"), load_assistant("insurance")

    assert isinstance(first, Assistant)
    assert first.declared != second.declared
    assert isinstance(first.declared, Declarations)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("    title: size\n", "    title: size\n    type: colour\n", ["26: `facts.size.type`: input should be 'text', 'number', 'date'"]),
        (
            "    sensitivity: sensitive\n",
            "    sensitivity: secret\n",
            ["10: `facts.order_number.sensitivity`: input should be 'open', 'personal'"],
        ),
        ("    proof: verified\n", "    proof: sure\n", ["12: `facts.order_number.proof`: input should be 'claimed', 'seen', 'confirmed'"]),
        ("    proof: verified\n", "    proof: claimed\n", ["12: what is sensitive is not told to somebody who only claims"]),
        ("fresh: 2w", "fresh: 14", ["11: `facts.order_number.fresh` is empty or not a text; write it in quotation marks"]),
        ("fresh: 2w", "fresh: 1 month", ["11: `facts.order_number.fresh` must be a time such as 365d, 12h or 2w"]),
        ("fresh: 2w", "fresh: 0d", ["11: `facts.order_number.fresh` must be a time such as 365d"]),
        ("purpose: research", "purpose: reserch", ["13: there is no purpose `reserch`; did you mean `research`?"]),
        ("    benefit: So that we find it.\n", "", ["13: `research` needs the customer's consent: say in `benefit` what they get for it"]),
        ("identifies: true", "identifies: sometimes", ["14: `facts.order_number.identifies`: input should be a valid boolean"]),
        (
            "    title: size\n",
            "    title: size\n    type: date\n    identifies: true\n",
            ["28: `choices` is for", "27: many people share a date"],
        ),
        (
            "ask: What is your order number?",
            "ask: Order number",
            ["15: `facts.order_number.ask` must be a full sentence with its full stop or question mark"],
        ),
        ("    title: size\n", "    titel: size\n", ["24: `facts.size.title` is missing", "25: unknown key `facts.size.titel`"]),
        ("    title: size\n", "    title: order number\n", ["25: `order_number` has the same title"]),
        ("  size:\n", "  Shoe-Size:\n", ["24: `Shoe-Size` must be lower case, with underscores between the words"]),
        ("choices: [small, large]", "choices: [small, Small]", ["26: a choice stands here twice"]),
        (
            "choices: [small, large]",
            "choices: [small, large]\n    form: a\n    example: a",
            ["27: `choices` say all that it may be; leave `form` out"],
        ),
        ("    example: N1234\n", "", ["18: a form needs an `example`"]),
        ("    example: N1234\n", "    example: 1234N\n", ["19: the example is not a value of this fact: expected the form 1234N"]),
        ("form: N\\d{4}", "form: (N+)+", ["18: this form cannot be used: + may go on without end"]),
        ("choices: [small, large]", "type: number\n    code: true", ["27: `code` is for the type text; this is a number"]),
        ("match: N ?\\d{4}", "match: (N+)+\\d{4}", ["21: this pattern cannot be used: + may go on without end; say how often at most"]),
        ("match: N ?\\d{4}", "match: N?", ["21: this pattern cannot be used: it matches the empty text"]),
        ("match: N ?\\d{4}", "match: (N\\d{4}", ["21: this pattern cannot be used: a ( is not closed"]),
        ("match: N ?\\d{4}", 'match: "[9-0]"', ["21: this pattern cannot be used: it cannot be read: bad character range 9-0"]),
        ("confidence: 0.9", "confidence: 0.3", ["22: `confidence` must be between 0.5, below which nothing is kept, and 1"]),
        ("confidence: 0.9", "confidence: high", ["22: `facts.order_number.patterns.0.confidence`: input should be a valid number"]),
        (
            "  size:\n",
            "  tone:\n    title: manner\n    choices: [rude]\n  size:\n",
            ["26: `tone` is built in: what it may be is fixed, so leave `choices` out"],
        ),
        ('version: "2"', "version: 2", ["5: `purposes.research.version` is empty or not a text; write it in quotation marks"]),
        ("consent: required", "consent: maybe", ["6: `purposes.research.consent`: input should be 'required' or 'not needed'"]),
        (
            "  research:\n    title: R",
            "  service:\n    title: R",
            ["6: `service` is what the customer writes for", "13: there is no purpose `research`"],
        ),
        ("when: article fees", "when: article feess", ["38: there is no article `feess`; did you mean `fees`?"]),
        ("when: article fees", "when: full moon", ["38: `full moon` never happens; write one of article NAME, handoff opened"]),
        ("when: article fees", "on: article fees", ["38: `products.order.moves.0` must say `when`: YAML reads `on`"]),
        (
            "to: sent",
            "to: sendt",
            [
                "39: there is no stage `sendt`; did you mean `sent`?",
                "35: no move leads to the stage `sent`; write one, with `when: by hand`",
            ],
        ),
        ("from: [sent]", "from: [sendt]", ["42: there is no stage `sendt`; did you mean `sent`?"]),
        ("        from: [sent]\n", "", ["40: `handoff closed` needs `from`: otherwise each one would move every customer"]),
        ("handoff closed", "article fees", ["40: `article fees` leads from `sent` to another stage already"]),
        (
            "      sent:\n",
            "      Sent:\n",
            ["35: `Sent` must be lower case", "35: no move leads to the stage `Sent`", "39: there is no stage `sent`"],
        ),
        (
            "    stages:\n",
            "    stages: {}\n    places:\n",
            ["30: `products.order.stages` needs at least 1", "31: unknown key `products.order.places`"],
        ),
        ("next: It is sent tomorrow.", "next: sending", ["33: `products.order.stages.placed.next` must be a full sentence"]),
        ("turns: {after", "tunrs: {after", ["44: `tunrs` is nothing that is kept; write one of text, files"]),
        ("do: remove", "do: mask", ["44: `turns` cannot be masked; write remove"]),
        ("after: 12.5d", "after: 2h", ["44: `after` must be at least a day"]),
        (
            "region: DE",
            "region: UK",
            ["45: `region` must be a country by its two letters (ISO 3166), such as GB or DE; the United Kingdom is GB"],
        ),
        ("region: DE", "region: no", ["45: `region` is empty or not a text; write it in quotation marks"]),
        ("products:\n", "produkts:\n", ["27: unknown key `produkts`"]),
        ("facts:\n", "facts:\n  phone: yes\n", ["8: `facts.phone` must have keys of its own"]),
    ],
)
def test_each_mistake_is_named_with_line_and_remedy(folder: Path, old: str, new: str, expected: list[str]) -> None:
    change(folder, old, new)

    found = mistakes_in(folder)

    assert len(found) >= len(expected)
    assert all(mistake.startswith("memory.yml:") for mistake in found), found
    assert all(any(mistake.startswith(f"memory.yml:{start}") for mistake in found) for start in expected), found


def test_mistakes_of_both_files_are_named_at_once(folder: Path, tmp_path: Path) -> None:
    shared = tmp_path / "shared.yml"
    shared.write_text((HERE / "memory.yml").read_text().replace("type: phone", "type: fone"))
    change(folder, "fresh: 2w", "fresh: 2y")

    assistant, mistakes = read_assistant(folder, memory=shared)

    assert assistant is None
    assert [mistake.path.name for mistake in mistakes] == ["memory.yml", "shared.yml"]


def test_a_fact_is_checked_against_the_purposes_of_both_files(folder: Path) -> None:
    change(
        folder,
        "    consent: required\n",
        "    consent: required\n  offers:\n    title: O\n    text: We tell.\n    version: v\n    consent: not needed\n",
    )

    declared = load_assistant(folder).declared

    assert not declared.needs_consent("interests")
    assert set(LANGUAGES) == set(declared.facts["language"].choices)


def test_the_examples_of_the_readme_can_be_used(folder: Path) -> None:
    section = (HERE / "README.md").read_text().split("## memory.yml\n")[1].split("\n## ")[0]
    examples = re.findall(r"^```yaml\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    (folder / "memory.yml").write_text("".join(examples))

    declared = load_assistant(folder).declared

    assert len(examples) == 4
    assert declared.facts["policy_number"].check("hp 123-456") == "HP123456"
    assert [stage.name for stage in declared.products["card"].stages] == ["active", "lost"]


def test_the_readme_lists_the_keys_and_what_can_be_kept() -> None:
    section = (HERE / "README.md").read_text().split("## memory.yml\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (`.*?) \| .* \| (.*) \|$", section, re.MULTILINE)
    listed = {key: last for names, last in rows for key in re.findall(r"`(\w+)`", names)}
    done = {"mask": "masked", "remove": "removed"}

    assert listed.keys() == _FactText.model_fields.keys() | RETAINED.keys()
    assert {name: listed[name] for name in RETAINED} == {name: " or ".join(done[one] for one in can) for name, can in RETAINED.items()}
