"""From a decision to the rows that one transaction stores: exchanges, facts, handoff, dialogue state, outbox."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from html import escape
from typing import Any

from bot.messages import Event, Incoming, Outgoing, rows_of
from bot.turn.decision import Arrived, Decision, Reason, Say
from bot.turn.manner import manner_of
from bot.turn.mirror import mirror
from bot.turn.packet import PacketLine, PacketRelated, build_packet, stored
from bot.turn.relevance import sift
from bot.turn.reply import PLAIN, Manner, Replies, Said
from bot.turn.split import split_html
from memory.context import Context
from memory.database import Row
from memory.declared import Declarations
from memory.exchanges import exchange_id, exchange_row
from memory.outbox import outbox_row

HANDOFF = "handoff"
"""The lane of everything that a desk shows about a handoff; its addresses are handoff ids, and GENERAL."""

GENERAL = "general"

UNJUDGED = ("relay", "noted", "edit noted", "membership")
"""Rules that take a message for nothing in particular."""

MISSING = "…"
"""Stands for a variable that is not known, in a reply that has no variant without it."""

ONLY_ASKING_WORDS = 10
"""A message of at most so many words that asks for a person says nothing of the matter; the messages before it do."""


@dataclass(slots=True)
class Rows:
    """What a turn leaves behind, in the order in which it is stored."""

    exchanges: list[Row] = field(default_factory=list)
    outgoings: list[Row] = field(default_factory=list)
    packet: dict[str, Any] | None = None
    dialogue: dict[str, Any] | None = None


class Writer:
    """Turns decisions into rows, in one assistant's words. Pure: the same turn gives the same rows, save for the time."""

    def __init__(
        self, replies: Replies, *, company: str, expectation: str, declared: Declarations | None = None, language: str | None = None
    ) -> None:
        self._replies = replies
        self._company = company
        self._expectation = expectation
        self._declared = declared or Declarations()
        self._language = language
        self._languages = replies.languages

    def sift(self, decision: Decision, context: Context, now: datetime) -> tuple[Decision, dict[str, str]]:
        """The decision without what does not concern this customer now, and why not, by reply (:mod:`bot.turn.relevance`)."""
        return sift(decision, self._replies.relevance, context, self._declared, now)

    def write(
        self,
        turn_id: int,
        arrived: Arrived,
        context: Context,
        decision: Decision,
        *,
        about_id: int | None,
        now: datetime,
        related: Sequence[PacketRelated] = (),
    ) -> Rows:
        """The rows of a turn. ``about_id``: the logged exchange that an edit, a reaction or a press speaks of.

        ``related``: what the past has about :meth:`want`, for the packet of a handoff.
        """
        rows = Rows(dialogue=decision.dialogue)
        for part in arrived.parts:
            rows.exchanges.append(self._logged(turn_id, len(rows.exchanges), part, context, about_id, decision))
        first = arrived.first
        if first.event is Event.PRESS and first.data.get("callback"):
            self._put(rows, turn_id, first.channel, context, Outgoing(kind="answer", about=str(first.data["callback"])), now=now)
        manner = manner_of(context, self._languages) if decision.says else PLAIN
        said = self._joined(turn_id, decision.says, context, manner)
        if said is not None:
            self._say(rows, turn_id, said, arrived, context, decision, now, manner)
        if decision.relay and context.handoff is not None:
            self._relay(rows, turn_id, arrived, context, about_id, now)
            if said is not None:
                post = Outgoing(text=mirror("assistant", None, said.text), html=True)
                self._put(rows, turn_id, HANDOFF, context, post, address=str(context.handoff.id), now=now)
            if decision.deeds:  # what is learned changes the packet, and with it the card
                self._put(rows, turn_id, HANDOFF, context, Outgoing(kind="card"), address=str(context.handoff.id), now=now)
        if decision.handoff is not None:
            self._hand_over(rows, turn_id, arrived, context, decision, said, now, related)
        return rows

    @staticmethod
    def _logged(turn_id: int, n: int, part: Incoming, context: Context, about_id: int | None, decision: Decision) -> Row:
        kind = part.kind if part.event is Event.MESSAGE else str(part.event)
        return exchange_row(
            id=exchange_id(turn_id, n),
            customer_id=context.home_id,
            identity_id=context.identity_id,
            turn_id=turn_id,
            direction="in",
            author="customer",
            author_name=context.name,
            kind=kind,
            text=_without(part.text, decision.secrets) or str(part.data.get("emoji") or part.data.get("title") or ""),
            attachments=part.attachments,
            data=part.data or None,
            origin=f"{part.channel}:{part.message_id}" if part.event is Event.MESSAGE and part.message_id else None,
            about_id=about_id,
            language=(decision.language if part.text else None) or context.language,
            mood=decision.mood if part.text else None,
            intent=None if decision.rule in UNJUDGED else decision.article or decision.rule,
            at=part.at,
        )

    def _joined(self, turn_id: int, says: Collection[Say], context: Context, manner: Manner) -> Said | None:
        """One answer from all that is to be said: a customer gets one message a turn, not a burst."""
        if not says:
            return None
        parts = [self._render(turn_id, say, context, manner) for say in says]
        if len(parts) == 1:
            return parts[0]
        return Said(
            name="+".join(part.name for part in parts),
            html="\n\n".join(part.html for part in parts),
            text="\n\n".join(part.text for part in parts),
            buttons=tuple(row for part in parts for row in part.buttons),
        )

    def _render(self, turn_id: int, say: Say, context: Context, manner: Manner) -> Said:
        variables: dict[str, Any] = {
            "name": context.name.split()[0] if context.name and context.name.split() else None,
            "company": self._company,
            "expectation": self._expectation,
            **say.variables,
        }
        if not say.name:
            return Said("text", escape(say.text, quote=False), say.text, rows_of(say.buttons or say.spare))
        blank = MISSING if say.lenient else None
        said = self._replies.say(say.name, seed=turn_id, manner=manner, blank=blank, slots=say.slots, **variables)
        return Said(said.name, said.html, said.text, (said.buttons or rows_of(say.spare)) + rows_of(say.buttons))

    def _say(
        self, rows: Rows, turn_id: int, said: Said, arrived: Arrived, context: Context, decision: Decision, now: datetime, manner: Manner
    ) -> None:
        """Log the answer and put it out. What acknowledges a handoff is sent whoever speaks by then; an answer is not."""
        id_ = exchange_id(turn_id, len(rows.exchanges))
        rows.exchanges.append(
            exchange_row(
                id=id_,
                customer_id=context.home_id,
                identity_id=context.identity_id,
                turn_id=turn_id,
                direction="out",
                author="assistant",
                kind="text",
                text=_kept_text(said.text, decision.says),
                reply=said.name,
                language=manner.language or self._language,
                at=now,
            )
        )
        parts = split_html(said.html)
        fence = context.ownership if decision.handoff is None else None
        for n, part in enumerate(parts):
            outgoing = Outgoing(text=part, html=True, buttons=said.buttons if n == len(parts) - 1 else ())
            self._put(rows, turn_id, arrived.first.channel, context, outgoing, exchange=id_, ownership=fence, now=now)

    def _relay(self, rows: Rows, turn_id: int, arrived: Arrived, context: Context, about_id: int | None, now: datetime) -> None:
        """Show the desk what the customer did, in the order in which it happened."""
        assert context.handoff is not None
        for n, part in enumerate(arrived.parts):
            shown, name = self.shown_text(part), context.name
            if part.event is Event.EDIT and about_id is not None:
                outgoing = Outgoing(kind="edit", text=mirror("customer", name, f"{part.text} (edited)"), html=True, about_exchange=about_id)
            elif part.attachments and not any(attachment.too_large for attachment in part.attachments):
                outgoing = Outgoing(kind="file", text=mirror("customer", name, part.text), html=True, attachments=part.attachments)
            else:
                outgoing = Outgoing(text=mirror("customer", name, shown), html=True)
            exchange = exchange_id(turn_id, n) if part.event is Event.MESSAGE else None
            for piece in _pieces(outgoing):
                self._put(rows, turn_id, HANDOFF, context, piece, address=str(context.handoff.id), exchange=exchange, now=now)

    @staticmethod
    def shown_text(part: Incoming) -> str:
        """What an agent reads where there is no file to show."""
        if part.event is Event.EDIT:
            return f"(edited) {part.text}"
        if part.event is Event.PRESS:
            return f"(pressed “{part.data.get('title') or part.data.get('payload', '')}”)"
        if part.event is Event.REACTION:
            return f"(reacted {part.data.get('emoji') or 'by taking a reaction back'})"
        if part.event is Event.MEMBERSHIP:
            return "(blocked the bot)" if part.data.get("status") == "kicked" else "(unblocked the bot)"
        if any(attachment.too_large for attachment in part.attachments):
            return f"({part.kind} over the size that can be fetched: {part.attachments[0].name or 'no name'}) {part.text}".strip()
        if part.kind == "location":
            return f"(location {part.data.get('latitude')}, {part.data.get('longitude')})"
        if part.kind == "contact":
            return f"(contact {part.data.get('name') or ''} {part.data.get('phone') or ''})".replace("  ", " ")
        return part.text or f"({part.kind})"

    def _hand_over(
        self,
        rows: Rows,
        turn_id: int,
        arrived: Arrived,
        context: Context,
        decision: Decision,
        said: Said | None,
        now: datetime,
        related: Sequence[PacketRelated],
    ) -> None:
        secrets = decision.secrets
        lines = [PacketLine("customer", context.name, p.kind, _without(p.text, secrets) or self.shown_text(p), p.at) for p in arrived.parts]
        if said is not None:
            lines.append(PacketLine("assistant", None, "text", said.text, now))
        packet = build_packet(
            context,
            self._declared,
            reason=str(decision.handoff),
            want=self.want(arrived, context, decision),
            tried=[*context.dialogue.get("tried", []), *decision.tried],
            now_lines=lines,
            now=now,
            deeds=decision.deeds,
            told_in=rows.exchanges[0]["id"],
            related=related,
        )
        rows.packet = stored(packet)
        self._put(rows, turn_id, HANDOFF, context, Outgoing(kind="card"), address=str(turn_id), now=now)
        for part in arrived.parts:
            if part.attachments and not any(attachment.too_large for attachment in part.attachments):
                shown = Outgoing(kind="file", text=mirror("customer", context.name, part.text), html=True, attachments=part.attachments)
                self._put(rows, turn_id, HANDOFF, context, shown, address=str(turn_id), now=now)

    @staticmethod
    def want(arrived: Arrived, context: Context, decision: Decision) -> str:
        """What the customer wants, in their own words: what they wrote now, unless that only asks for a person."""
        if decision.want:
            return decision.want
        theirs = [past.text for past in context.exchanges if past.author == "customer" and past.kind != "press"]
        own = [text for text in theirs if text and not text.startswith("/")][-3:]
        now = _without(arrived.text, decision.secrets)
        if decision.handoff is Reason.ASKED and own and len(now.split()) <= ONLY_ASKING_WORDS:
            return " / ".join([*own[-2:], now] if now and arrived.first.event is Event.MESSAGE else own[-2:])
        return " / ".join([*own[-1:], now]) if decision.handoff is Reason.UNSURE and own else now or (own[-1] if own else "")

    @staticmethod
    def _put(
        rows: Rows,
        turn_id: int,
        lane: str,
        context: Context,
        outgoing: Outgoing,
        *,
        now: datetime,
        address: str | None = None,
        exchange: int | None = None,
        ownership: int | None = None,
    ) -> None:
        rows.outgoings.append(
            outbox_row(
                key=f"{turn_id}.{len(rows.outgoings)}",
                lane=lane,
                address=address if address is not None else context.address,
                outgoing=outgoing,
                at=now,
                customer_id=context.customer_id,
                identity_id=context.identity_id if lane != HANDOFF else None,
                exchange_id=exchange,
                ownership=ownership,
            )
        )


def _kept_text(text: str, says: Collection[Say]) -> str:
    """What of an answer the log keeps: no code with which somebody else could pass for the customer."""
    return _without(text, [secret for say in says for secret in say.secrets])


def _without(text: str, secrets: Iterable[str]) -> str:
    """The text with a mark in place of each secret."""
    for secret in secrets:
        text = text.replace(secret, "•••")
    return text


def _pieces(outgoing: Outgoing) -> Iterable[Outgoing]:
    """A long post as several; files and edits stay one."""
    if outgoing.kind != "text":
        return (outgoing,)
    return (Outgoing(text=part, html=True) for part in split_html(outgoing.text))
