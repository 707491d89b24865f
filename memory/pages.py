"""The readable half of an export: HTML of its own, without anything to be fetched. Pure, save for what it is given to read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from html import escape
from typing import Any

import sqlalchemy as sa

from memory.consents import consent_table
from memory.customers import Identity
from memory.database import Record, Tx, table
from memory.declared import Declarations
from memory.experiences import experience_table
from memory.handoffs import handoff_table
from memory.journeys import journey_table
from memory.promises import promise_table
from memory.summaries import summary_table
from memory.whose import Subject

_STYLE = """\
body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem;color:#1c1c1c;background:#fff}
h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2.2rem;border-bottom:1px solid #ccc}table{border-collapse:collapse;width:100%}
td,th{text-align:left;vertical-align:top;padding:.25rem .6rem .25rem 0;border-bottom:1px solid #eee}
p.x{margin:.5rem 0;padding:.4rem .7rem;border-radius:.5rem;background:#f2f2f2;white-space:pre-wrap;overflow-wrap:anywhere}
p.in{background:#e4effb}p.agent{background:#e9f5e6}small{color:#555}"""

_WHO = {"customer": "Customer", "assistant": "Assistant", "agent": "Agent"}


def begin_page(customers: Sequence[int], now: datetime) -> str:
    """The head, up to where the sections begin."""
    numbers = ", ".join(str(one) for one in customers)
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>Everything that is kept about customer {numbers}</title><style>{_STYLE}</style>"
        f"<h1>Everything that is kept about customer {numbers}</h1><p>As of {_when(now)}. Times are in UTC. The same for machines is in "
        "customer.json; files are in the folder files.</p>"
    )


def known_lines(tx: Tx, subject: Subject, facts: Sequence[Record], declared: Declarations) -> Iterator[str]:
    """The sections before the conversation: who, facts with their sources, consents, promises and what else is noted."""
    identity = table(Identity)
    yield _section(
        "How you have written to us",
        ("Channel", "Address", "Name", "Proof", "Since"),
        (
            (row.channel, row.address, row.name or row.username, row.proof, _when(row.created_at))
            for row in tx.execute(sa.select(identity).where(identity.c.id.in_(subject.identities)).order_by(identity.c.id))
        ),
    )
    yield _section(
        "Facts",
        ("What", "Value", "Stands as", "Source", "From", "Until", "For"),
        (
            (
                declared.fact(row.name).title or row.name,
                declared.fact(row.name).shown(row.value),
                row.standing,
                f"{row.source} {row.by or ''}".strip() + (f", exchange {row.exchange_id}" if row.exchange_id else ""),
                _when(row.since),
                _when(row.until),
                row.purpose,
            )
            for row in facts
        ),
    )
    yield _section(
        "Consents",
        ("For", "You said", "To the text", "On", "When"),
        (
            (row.purpose, "yes" if row.granted else "no", f"{row.text} (version {row.version})", row.channel, _when(row.at))
            for row in _of(tx, consent_table, subject)
        ),
    )
    yield _section(
        "Promises to you",
        ("What", "By", "State", "Due", "Made"),
        ((row.text, row.by, row.state, _when(row.due_at), _when(row.made_at)) for row in _of(tx, promise_table, subject)),
    )
    yield _section(
        "Where you stand",
        ("Product", "Matter", "Stage", "Since", "Ended"),
        ((row.product, row.matter, row.stage, _when(row.moved_at), _when(row.closed_at)) for row in _of(tx, journey_table, subject)),
    )
    yield _section(
        "Good and bad moments",
        ("Moment", "Kind", "Weight", "When"),
        (("good" if row.good else "bad", row.kind, f"{row.weight:g}", _when(row.at)) for row in _of(tx, experience_table, subject)),
    )
    handoffs = tx.execute(sa.select(handoff_table).where(handoff_table.c.id.in_(subject.handoffs)).order_by(handoff_table.c.id))
    yield _section(
        "With a person",
        ("Why", "Who", "From", "Until", "How it ended"),
        ((row.reason, row.owner_name, _when(row.opened_at), _when(row.ended_at), row.ending) for row in handoffs),
    )
    yield _section(
        "Conversations in short",
        ("From", "Until", "Wanted", "Done", "Ended", "Promised"),
        (
            (_when(row.began_at), _when(row.ended_at), row.wanted, row.done, row.ending, row.promised)
            for row in _of(tx, summary_table, subject)
        ),
    )


def day_line(day: date | None, row: Record) -> tuple[date, str]:
    """One exchange, under its day; the day that it is under now."""
    today = row.at.date()
    head = "" if today == day else f"<h2>{today:%A}, {today.day} {today:%B %Y}</h2>"
    who = row.author_name or _WHO.get(row.author, row.author)
    kind = "" if row.kind == "text" else f" ({escape(row.kind)})"
    about = f", about exchange {row.about_id}" if row.about_id else ""
    files = "".join(f"\n[{_file(one)}]" for one in row.attachments or ())
    style = "in" if row.direction == "in" else row.author
    said = f'<p class="x {escape(style)}"><small>{row.at:%H:%M} {escape(who)}{kind}{about} · exchange {row.id}</small>\n'
    return today, f"{head}{said}{escape(row.text)}{files}</p>"


def end_page(day: date | None) -> str:
    """What closes the page."""
    return "</html>\n" if day is not None else "<h2>Nothing was said</h2></html>\n"


def _file(attachment: dict[str, Any]) -> str:
    return escape(" ".join(str(part) for part in (attachment.get("kind"), attachment.get("name")) if part))


def _of(tx: Tx, of: sa.Table, subject: Subject) -> list[Record]:
    return list(tx.execute(sa.select(of).where(of.c.customer_id.in_(subject.customers)).order_by(of.c.id)))


def _section(title: str, heads: Sequence[str], rows: Iterator[Sequence[object]] | Any) -> str:
    lines = ["<tr>" + "".join(f"<td>{escape(str(one)) if one not in (None, '') else '–'}</td>" for one in row) + "</tr>" for row in rows]
    if not lines:
        return ""
    return f"<h2>{title}</h2><table><tr>" + "".join(f"<th>{head}</th>" for head in heads) + "</tr>" + "".join(lines) + "</table>"


def _when(at: datetime | None) -> str:
    return "" if at is None else f"{at.day} {at:%b %Y %H:%M}"
