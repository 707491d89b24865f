"""Expectations: what a script says that is, against what is. Each check raises :class:`Difference` at the first thing that differs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from bot.flows.stack import root_of
from bot.flows.state import State, read_state
from bot.qa.deeds import find_topic
from bot.qa.format import Desk, FlowIs, HandoffIs, Hears, LedgerHas, MemoryHas, Ran, Sees, Told, WhyIs, Words
from bot.qa.ledger import Said, count_rows, customer_table, read_customers, read_exchanges
from bot.qa.stage import Stage
from bot.simulator import Answer, SeenMessage
from bot.turn.experience import careful
from bot.turn.why import explain
from memory.context import Context, recall
from memory.customers import person_of
from memory.database import Record, Tx
from memory.dialogue import dialogue_table
from memory.handoffs import handoff_table
from memory.promises import promise_history
from memory.turns import turn_table

SHOWN = 300
"""How much of a text a difference repeats."""


class Difference(Exception):
    """What was expected and what was got instead."""

    def __init__(self, expected: str, got: str) -> None:
        super().__init__(f"expected {expected}, got {got}")
        self.expected = expected
        self.got = got


def quote(text: str) -> str:
    """A text as a difference shows it: on one line, shortened."""
    line = " ".join(text.split())
    return f"“{line[:SHOWN]}…”" if len(line) > SHOWN else f"“{line}”"


def _plain(text: str) -> str:
    return " ".join(text.split())


def has_words(words: Words, text: str, parts: Sequence[str] | None = None) -> bool:
    """Whether a text is as ``words`` say; ``parts`` come instead of its ``text``. White space counts as one space."""
    text = _plain(text)
    if any(_plain(part) not in text for part in (words.text if parts is None else parts)):
        return False
    if words.pattern is not None and not re.search(words.pattern, text):
        return False
    return words.without is None or not re.search(words.without, text)


def check_words(words: Words, text: str, what: str) -> None:
    """Compare one text."""
    plain = _plain(text)
    for part in words.text:
        if _plain(part) not in plain:
            raise Difference(f"{what} with {quote(part)}", quote(text))
    if words.pattern is not None and not re.search(words.pattern, plain):
        raise Difference(f"{what} that fits the pattern {words.pattern!r}", quote(text))
    if words.without is not None and re.search(words.without, plain):
        raise Difference(f"{what} without the pattern {words.without!r}", quote(text))


def titles(message: SeenMessage) -> list[str]:
    """A message's buttons."""
    return [button.text for row in message.buttons for button in row]


def check_hears(wanted: Hears, message: SeenMessage, said: Said | None) -> None:
    """Compare the next message that a customer got."""
    author = said.author if said is not None else "nobody that the log knows"
    if wanted.author is not None and author != wanted.author:
        raise Difference(f"a message from the {wanted.author}", f"one from the {author}: {quote(message.text)}")
    if wanted.reply is not None and (said is None or wanted.reply not in (said.reply or "").split("+")):
        name = (said.reply if said else None) or "no reply with a name"
        raise Difference(f"the reply {wanted.reply}", f"{name}: {quote(message.text)}")
    check_words(wanted, message.text, "a message")
    if wanted.buttons is not None and titles(message) != wanted.buttons:
        raise Difference(f"the buttons {', '.join(wanted.buttons) or 'none'}", ", ".join(titles(message)) or "none")
    file = message.media.kind if message.media else "none"
    if wanted.file is not None and file != wanted.file:
        raise Difference(f"a message with {wanted.file}", f"one with {file}: {quote(message.text)}")


def check_sees(wanted: Sees, messages: Sequence[SeenMessage]) -> None:
    """Compare what a customer's chat shows."""
    found = [one for one in messages if has_words(wanted, one.text)]
    if wanted.edited is not None:
        found = [one for one in found if (one.edited_at is not None) is wanted.edited]
    _count("in the chat", wanted.count, found, _described(wanted, wanted.text), messages)


def check_told(wanted: Told, answer: Answer | None) -> None:
    """Compare the answer to the last press."""
    if answer is None or not answer.is_answered:
        raise Difference("an answer to the press", "none")
    check_words(wanted, answer.text or "", "an answer to the press")
    if wanted.alert is not None and answer.show_alert != wanted.alert:
        raise Difference("an answer shown as a box" if wanted.alert else "an answer that is no box", quote(answer.text or ""))


def check_desk(wanted: Desk, stage: Stage) -> None:
    """Compare what agents see."""
    live = [topic for topic in stage.group.topics() if not topic.is_deleted and topic.thread_id != 1]
    if wanted.topics is not None and len(live) != wanted.topics:
        raise Difference(f"{wanted.topics} topics", f"{len(live)}: {', '.join(quote(one.name) for one in live)}")
    if wanted.topics == 0:
        return
    topic = find_topic(stage, wanted.place)
    if wanted.topic is not None and wanted.topic not in topic.name:
        raise Difference(f"a topic named {quote(wanted.topic)}", quote(topic.name))
    if wanted.closed is not None and topic.is_closed != wanted.closed:
        raise Difference("a closed topic" if wanted.closed else "an open topic", quote(topic.name))
    messages = [one for one in stage.group.messages(thread_id=topic.thread_id) if one.from_bot]
    found = [one for one in messages if has_words(wanted.model_copy(update={"without": None}), one.text, [*wanted.shows, *wanted.text])]
    if wanted.file is not None:
        found = [one for one in found if one.media is not None and one.media.kind == wanted.file]
    if wanted.shows or wanted.text or wanted.pattern or wanted.file or wanted.count is not None:
        words = _described(wanted, [*wanted.shows, *wanted.text]) + (f" with a {wanted.file}" if wanted.file else "")
        _count(f"in the topic {quote(topic.name)}", wanted.count, found, words, messages)
    if wanted.without is not None:
        for one in messages:
            if re.search(wanted.without, _plain(one.text)):
                raise Difference(f"nothing with the pattern {wanted.without!r} in the topic", quote(one.text))
    if wanted.buttons is not None:
        shown = [title for one in (found or messages) for title in titles(one)]
        if shown != wanted.buttons:
            raise Difference(f"the buttons {', '.join(wanted.buttons) or 'none'}", ", ".join(shown) or "none")


def _described(words: Words, parts: Sequence[str]) -> str:
    said = [quote(part) for part in parts]
    if words.pattern:
        said.append(f"the pattern {words.pattern!r}")
    return "a message" + (f" with {' and '.join(said)}" if said else "")


def _count(where: str, wanted: int | None, found: Sequence[SeenMessage], words: str, messages: Sequence[SeenMessage]) -> None:
    if (found and wanted is None) or len(found) == wanted:
        return
    last = "; ".join(quote(one.text) for one in messages[-4:] if one.text)
    times = "" if wanted is None else f"{wanted} times "
    raise Difference(f"{times}{words} {where}", f"{len(found)} of them; the last messages are {last or 'none'}")


async def check_handoff(wanted: HandoffIs, stage: Stage, who: str) -> None:
    """Compare a customer's latest handoff."""
    address = str(stage.customers[wanted.of or who].id)

    def read(tx: Tx) -> list[Record]:
        known = read_customers(tx).get(address)
        query = sa.select(handoff_table).where(handoff_table.c.customer_id.in_(person_of(tx, known.customer_id) if known else []))
        return list(tx.execute(query.order_by(handoff_table.c.id)))

    episodes = await stage.store.read(read)
    _same("handoffs", wanted.count, len(episodes))
    last = episodes[-1] if episodes else None
    if wanted.state == "none":
        if last is not None and last.ended_at is None:
            raise Difference("no open handoff", f"one that is {last.state} because {last.reason}")
        return
    if last is None:
        if wanted.count != 0:
            raise Difference("a handoff", "none")
        return
    _same("a handoff in the state", wanted.state, last.state)
    _same("a handoff because", wanted.reason, last.reason)
    _same("a handoff that ended as", wanted.ending, last.ending)
    _has("a handoff owned by", wanted.owner, last.owner_name or "nobody")
    _has("a packet that wants", wanted.want, str(last.packet.get("want", "")))
    _has("a return packet with the note", wanted.note, str((last.return_packet or {}).get("note", "")))


async def check_memory(wanted: MemoryHas, stage: Stage, who: str) -> None:
    """Compare what is remembered of a customer."""
    address = str(stage.customers[wanted.of or who].id)

    def read(tx: Tx) -> tuple[int, Record | None, list[Record], dict[str, Any], dict[str, Any]]:
        customers = int(tx.execute(sa.select(sa.func.count()).select_from(customer_table)).scalar_one())
        known = read_customers(tx).get(address)
        if known is None:
            return customers, None, [], {}, {}
        facts = {name: fact.value for name, fact in recall(tx, [known.id])[known.id].facts.items()}
        state = tx.execute(sa.select(dialogue_table.c.state).where(dialogue_table.c.identity_id == known.id)).scalar()
        return customers, known, read_exchanges(tx, known.customer_id), facts, state or {}

    customers, known, exchanges, facts, state = await stage.store.read(read)
    _same("customers", wanted.customers, customers)
    _same("exchanges", wanted.exchanges, len(exchanges))
    for name, value in wanted.fact.items():
        _same_value(f"the fact {name}", value, facts.get(name))
    for name, value in wanted.dialogue.items():
        _same_value(f"the dialogue state {name}", value, state.get(name))
    for kind, count in wanted.kinds.items():
        _same(f"exchanges of kind {kind}", count, sum(one.kind == kind for one in exchanges))
    if wanted.reachable is not None and known is not None:
        _same("a customer who can be reached", wanted.reachable, known.unreachable_since is None)
    if wanted.name is not None:
        _has("a customer called", wanted.name, (known.name if known else None) or "")
    await _check_known(wanted, stage, known.id if known is not None else 0)
    if wanted.intents:
        taken = [one.intent for one in exchanges if one.direction == "in"][-len(wanted.intents) :]
        _same_value("what the last messages were taken for", wanted.intents, taken)
    last = exchanges[-len(wanted.log) :] if wanted.log else []
    lines = [f"{one.author}: {one.text}" for one in last]
    for n, expected in enumerate(wanted.log):
        author, part = next(iter(expected.items()))
        got = lines[n] if n < len(lines) else "nothing"
        if n >= len(lines) or last[n].author != author or _plain(part) not in _plain(last[n].text):
            raise Difference(f"{author}: {quote(part)} as exchange {n + 1} of the last {len(wanted.log)}", quote(got))


async def _check_known(wanted: MemoryHas, stage: Stage, identity_id: int) -> None:
    """Compare what is known beside facts, over all customers who are this person."""
    if not (wanted.likely or wanted.consents or wanted.journeys) and (wanted.experiences, wanted.promises, wanted.careful) == (None,) * 3:
        return

    def read(tx: Tx) -> tuple[Context | None, Counter[str]]:
        context = recall(tx, [identity_id]).get(identity_id)
        return context, Counter(row.state for row in promise_history(tx, context.person)) if context is not None else Counter()

    context, promises = await stage.store.read(read)
    if context is None:
        raise Difference("a customer whom the memory has met", "nobody")
    likely = {one.name: one.value for one in context.proposed}
    for name, value in wanted.likely.items():
        _same_value(f"the likely fact {name}", value, likely.get(name))
    for purpose, granted in wanted.consents.items():
        answer = context.consents.get(purpose)
        _same_value(f"the consent to {purpose}", granted, answer.granted if answer is not None else None)
    stages = {one.product: one.stage for one in context.journeys}
    for product, at in wanted.journeys.items():
        _same_value(f"the stage of {product}", at, stages.get(product))
    moments = Counter(f"{'good' if one.good else 'bad'} {one.kind}" for one in context.experiences)
    if wanted.experiences is not None:
        _same_value("experiences", wanted.experiences, dict(moments))
    if wanted.promises is not None:
        _same_value("promises", wanted.promises, dict(promises))
    _same("a customer near the limit", wanted.careful, bool(careful(context, stage.clock.now())))


async def check_ledger(wanted: LedgerHas, stage: Stage) -> None:
    """Compare the ledger's counts."""
    counts = await stage.store.read(count_rows)
    asked = wanted.model_dump(exclude_none=True)
    different = {name: count for name, count in asked.items() if counts[name] != count}
    if different:
        raise Difference(
            ", ".join(f"{name} {count}" for name, count in different.items()), ", ".join(f"{name} {counts[name]}" for name in different)
        )


async def check_flow(wanted: FlowIs, stage: Stage, who: str) -> None:
    """Compare where a customer's flows stand."""

    def read(tx: Tx) -> State:
        row = read_customers(tx).get(str(stage.person(wanted.of or who).id))
        kept = None if row is None else tx.execute(sa.select(dialogue_table.c.state).where(dialogue_table.c.identity_id == row.id)).scalar()
        return read_state(kept or {})

    state = await stage.store.read(read)
    top = root_of(state)
    at = state.active.step if state.active is not None else "nowhere"
    if wanted.name == "none":
        if top is not None:
            raise Difference("no flow", f"{top.flow} at {at}")
    elif wanted.name is not None:
        _same("the flow", wanted.name, top.flow if top is not None else "none")
    _same("the step", wanted.at, at)
    if wanted.under is not None:
        _same("flows below", wanted.under, [one.flow for one in state.stack if not one.called and one is not top])
    waits = " ".join(str((state.waits or {}).get(key, "")) for key in ("for", "slot", "level", "offer")).split()
    if wanted.waits is not None and wanted.waits.split() != waits[: len(wanted.waits.split())]:
        raise Difference(f"what is waited for: {wanted.waits}", " ".join(waits) or "nothing")
    for name, value in wanted.slots.items():
        _same_value(f"the slot {name}", value, state.slots.get(name))


async def check_why(wanted: WhyIs, stage: Stage, who: str) -> None:
    """Compare what is said of why the customer's last turn did what it did."""

    def read(tx: Tx) -> Record | None:
        row = read_customers(tx).get(str(stage.person(wanted.of or who).id))
        if row is None:
            return None
        last = sa.select(turn_table).where(turn_table.c.customer_id == row.home_id).order_by(turn_table.c.id.desc()).limit(1)
        return tx.execute(last).first()

    turn = await stage.store.read(read)
    if turn is None:
        raise Difference("a turn", "none")
    told = "\n".join(explain(turn.decision, turn.trace))
    for part in wanted.contains:
        _has("why", part, told)
    if wanted.without is not None and re.search(wanted.without, told):
        raise Difference(f"why without the pattern {wanted.without!r}", quote(told))


def check_ran(wanted: Ran, stage: Stage) -> None:
    """Compare how often the script's actions were run."""
    ran = stage.actions.ran if stage.actions is not None else Counter[str]()
    for name, times in wanted.actions.items():
        _same_value(f"{name} to have been run", times, ran[name])


def _same(what: str, wanted: object, got: object) -> None:
    if wanted is not None and wanted != got:
        raise Difference(f"{what}: {wanted}", str(got))


def _same_value(what: str, wanted: object, got: object) -> None:
    if wanted != got:
        raise Difference(f"{what}: {wanted}", str(got))


def _has(what: str, wanted: str | None, got: str) -> None:
    if wanted is not None and _plain(wanted) not in _plain(got):
        raise Difference(f"{what} {quote(wanted)}", quote(got))
