"""An assistant's flows for tests, in the style in which Rasa's are published; every form that can be written stands here once."""

from __future__ import annotations

from pathlib import Path

from bot.content import Mistake
from bot.flows.model import Flows
from bot.flows.read import read_flows
from memory.declared import Declarations, Declared
from memory.values import Type

DOMAIN = """\
version: "3.1"
session_config:
  session_expiration_time: 60
  carry_over_slots_to_new_session: true
intents:
  - block_card
  - send_money:
      use_entities: []
entities:
  - card_kind
  - payee
slots:
  card_kind:
    type: categorical
    values: [debit, credit, 2]
    mappings:
      - type: from_entity
        entity: card_kind
  amount:
    type: float
    min_value: 0.01
    max_value: 5000
    mappings:
      - type: from_llm
  payee:
    type: text
    influence_conversation: false
    mappings:
      - type: from_entity
        entity: payee
      - type: from_text
  confirmed:
    type: bool
    initial_value: false
  blocked:
    type: bool
    mappings:
      - type: controlled
  limit:
    type: any
    mappings:
      - type: custom
  address: {}
actions:
  - action_block_card:
      proof: confirmed
  - action_send_money
responses:
  utter_card_blocked:
    - text: Your {card_kind} card is blocked.
"""

CARDS = """\
version: "3.1"
flows:
  block_card:
    name: your lost card
    description: Block a card that was lost or stolen.
    always_include_in_prompt: true
    nlu_trigger:
      - intent: block_card
    persisted_slots:
      - card_kind
    steps:
      - collect: card_kind
        description: so that the right card is blocked
        next:
          - if: slots.card_kind is "debit"
            then:
              - action: utter_debit
              - call: confirm_it
                next: block
          - if: slots.card_kind = "credit"
            then: block
          - else:
              - set_slots:
                  - card_kind: null
                next: END
      - id: block
        action: action_block_card
        next:
          - if: not slots.blocked
            then:
              - link: other_matters
          - else: say_so
      - id: say_so
        action: utter_card_blocked

  other_matters:
    description: Go on with something else.
    if: false
    steps:
      - noop: true
        next: END
"""

MONEY = """\
flows:
  send_money:
    description: Send money to somebody.
    if: "context.channel = 'telegram'"
    nlu_trigger:
      - intent:
          name: send_money
          confidence_threshold: 0.8
      - transfer
    steps:
      - id: again
        collect: amount
        rejections:
          - if: slots.amount <= 0
            utter: utter_not_positive
          - if: slots.amount > 1000 and customer.age < 18
            utter: utter_too_much
      - collect: payee
        utter: utter_ask_whom
        ask_before_filling: true
        reset_after_flow_ends: false
      - collect: address
      - call: confirm_it
        next:
          - if: slots.confirmed
            then: send
          - if: slots.action_failed is not null
            then: END
      - id: send
        action: action_send_money
      - set_slots:
          confirmed: false
          limit: [1, 2]

  confirm_it:
    description: Ask whether it is right.
    if: False
    steps:
      - collect: confirmed
        ask_before_filling: true
"""

NLU = """\
version: "3.1"
nlu:
  - intent: block_card
    examples: |
      - i lost my [debit](card_kind) card
      - my [visa]{"entity": "card_kind", "value": "credit"} was  stolen

      - block it please
  - intent: send_money
    examples:
      - send money to [Ann Lee](payee)
      - text: pay [Bob](payee)
        metadata: {sentiment: neutral}
  - synonym: credit
    examples: |
      - master card
      - american express
  - lookup: payee
    examples: |
      - The Gas Company
  - regex: payee
    examples: |
      - ^[A-Z]{2}\\d{4}$
"""

DECLARED = Declarations(
    {
        "address": Declared("address", Type.PLACE, ask="Where do you live?"),
        "age": Declared("age", Type.NUMBER),
        "plan": Declared("plan", choices=("basic", "gold")),
    }
)


def write(folder: Path, files: dict[str, str]) -> Path:
    """An assistant's folder with these files; those that are not named are the sample's."""
    sample = {"domain.yml": DOMAIN, "flows/cards.yml": CARDS, "flows/money.yml": MONEY, "nlu.yml": NLU}
    for name, text in (sample | files).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def read(folder: Path, files: dict[str, str] | None = None) -> tuple[Flows, list[str]]:
    """The flows of the sample with these files instead, and what is wrong with them."""
    mistakes: list[Mistake] = []
    flows = read_flows(write(folder, files or {}), DECLARED, mistakes)
    return flows, [f"{mistake.path.relative_to(folder)}:{mistake.line}: {mistake.text}" for mistake in sorted(mistakes)]


def changed(text: str, old: str, new: str) -> str:
    """``text`` with one thing changed."""
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in the sample"
    return text.replace(old, new)
