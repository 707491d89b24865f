"""What is said to a question of a flow: its answer, something beside it, or something else. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from bot.flows.ask import wanted_of
from bot.flows.beginnings import CLEAR, beginnings, may_be_meant
from bot.flows.commands import Answer, Command, Correct, Fill, Missed, Named, Refuse, Repeat, YesNo
from bot.flows.corrections import corrections
from bot.flows.message import Message
from bot.flows.stack import collects
from bot.understand.choices import only_a_place
from bot.understand.knowledge import UNSURE as ARTICLE_UNSURE
from bot.understand.said import Reading, mentioned


def answers(message: Message, slot: str) -> Iterator[Command]:
    """The commands of what is said while ``slot`` is asked for; none where another rule answers it."""
    said, text, waits = message.said, message.situation.text, message.state.waits or {}
    reads_back = "value" in waits
    about = message.slot(slot)
    if said.yes is not None and (reads_back or waits.get("consent")) and about.type != "bool":
        yield YesNo(said.yes)
        return
    if reads_back and said.yes is None and about.type == "bool" and (read := message.read(slot, text)) is not None:
        yield YesNo(bool(read.value) == bool(waits.get("value")))
        return
    if said.yes is not None and about.type == "bool" and not reads_back:
        yield Answer(slot, said.yes)  # "no thanks" is an answer as a whole, and corrects nothing
        return
    begins = any(one.start == 0 and one.name in about.entities for one in message.entities)  # "no code" is an answer, and no "no"
    if said.correct and not begins and (fixed := corrections(message, slot)):
        yield from fixed
        return
    if said.refuse:
        yield Refuse()
        return
    reading = message.read(slot, text)
    if reads_back and reading is not None and not reading.exact and message.reads_as_yes_no() is not None:
        # "no, it is 14 Elm Road" has been taken as a correction; "yes, that is right" is no new value
        yield YesNo(bool(message.reads_as_yes_no()))
        return
    if reading is not None and reading.exact:
        yield Answer(slot, reading.value)
        yield from _others(message, slot)
        return
    if said.yes is not None and (reading is None or message.is_free(about)):
        yield YesNo(said.yes)
        return
    if message.is_talk():
        return
    if (other := _other_matter(message, reading)) is not None:
        yield from other
        return
    if reading is not None and not (message.is_free(about) and reads_back):
        yield Answer(slot, reading.value)
        yield from _others(message, slot)
        return
    told = list(_others(message, slot))
    if any(not isinstance(one, Named) for one in told):
        yield from told
        yield Repeat()
    elif message.facts or (said.asks and any(hit.score >= ARTICLE_UNSURE for hit in message.heard.hits)):
        return
    elif message.judged() and may_be_meant(message, None) and may_be_meant(message, None)[0][0].id == message.flow_id():
        yield Repeat()
    else:
        yield Missed()


def _other_matter(message: Message, reading: Reading | None) -> list[Command] | None:
    """What is said instead of an answer: commands, none where another rule answers it; None where it is the answer after all."""
    said = message.said
    if only_a_place(message.situation.text.lower()):
        return None  # it means something of what was asked, however surely an intent has such words as well: "number 1"
    asks = said.asks or (message.requests() and not (reading is not None and message.names_a_place() and not message.clearly()))
    if reading is not None and not asks and not message.unmistakable():
        return None
    if message.heard.sure and (said.asks or reading is None):
        begun = list(beginnings(message, but=message.flow_id()))
        return [Named(message.things()), *begun] if begun else []
    begun = list(beginnings(message, at_least=CLEAR if reading is not None else 0.0, but=message.flow_id()))
    if begun:
        return [Named(message.things()), *begun] if message.entities else begun
    if said.asks and reading is not None and any(hit.score >= ARTICLE_UNSURE for hit in message.heard.hits) and message.is_free_question():
        return []
    return None


def _others(message: Message, asked: str) -> Iterator[Command]:
    """What the message tells beside: other slots of the flow, or of those answered another value."""
    flow = message.flow()
    if flow is None:
        return
    taken = {*message.slot(asked).entities, asked}
    frame = message.state.stack[-1]
    for name in collects(flow):
        slot = message.slot(name)
        kinds = {*slot.entities, *([name] if slot.fact else [])}
        if name == asked or not slot.by_customer or kinds & taken:
            continue
        value = mentioned(wanted_of(slot, message.engine.declared), message.situation.text, message.entities)
        if value is None or value == message.state.slots.get(name):
            continue
        taken |= kinds
        yield Correct(name, value) if name in frame.answered else Fill(name, value)
    # a fact that is told beside an answer may be what a flow asks for that is yet to be called
    facts = {one.name: one.value for one in message.entities if one.name in message.engine.declared.facts and one.name not in taken}
    if facts:
        yield Named(facts)
