"""``legato flows``: which flows an assistant has, and what one looks like."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from bot.commands.common import err, out

if TYPE_CHECKING:
    from bot.assistants import Assistant
    from bot.flows.draw.picture import Picture
    from bot.flows.model import Flow

flows = typer.Typer(help="What the assistant does step by step.", no_args_is_help=True)

AssistantIs = Annotated[str, typer.Option(help="a built-in name or a folder")]


class Format(StrEnum):
    """How a flow is drawn."""

    TEXT = "text"
    MERMAID = "mermaid"
    SVG = "svg"


@flows.command("list")
def list_(assistant: AssistantIs = "banking") -> None:
    """List the flows with what starts them."""
    found = _load(assistant).flows
    if not found:
        out.print("This assistant has no flows.")
        return
    table = Table(box=None)
    for title in ("flow", "steps", "starts with", "customers call it"):
        table.add_column(title, no_wrap=title in ("flow", "steps"), justify="right" if title == "steps" else "left")
    for flow in found.flows.values():
        starts = ", ".join(one.intent for one in flow.triggers) or "other flows"
        table.add_row(flow.id, str(len(flow.steps)), starts, escape(flow.name))
    out.print(table)


@flows.command()
def show(
    flow: Annotated[str, typer.Argument(help="its id, as `legato flows list` shows it")],
    assistant: AssistantIs = "banking",
    format_: Annotated[Format | None, typer.Option("--format", help="text; svg where --out ends in it")] = None,
    file: Annotated[Path | None, typer.Option("--out", help="write it here")] = None,
) -> None:
    """Draw a flow."""
    from bot.flows.draw.mermaid import mermaid
    from bot.flows.draw.outline import outline
    from bot.flows.draw.svg import svg

    loaded = _load(assistant)
    found = loaded.flows.flows.get(flow)
    if found is None:
        known = ", ".join(loaded.flows.flows) or "none"
        err.print(f"There is no flow {escape(flow)}; there are: {escape(known)}", soft_wrap=True)
        raise typer.Exit(1)
    suffixes = {".svg": Format.SVG, ".mmd": Format.MERMAID, ".mermaid": Format.MERMAID}
    chosen = format_ or (suffixes.get(file.suffix, Format.TEXT) if file is not None else Format.TEXT)
    drawn = {Format.TEXT: outline, Format.MERMAID: mermaid, Format.SVG: svg}[chosen](_picture(loaded, found))
    if file is None:
        out.file.write(drawn)
    else:
        file.write_text(drawn, "utf-8")
        err.print(f"Written to {escape(str(file))}.", soft_wrap=True)


def _load(where: str) -> Assistant:
    from bot.assistants import load_assistant

    return load_assistant(where)


def _picture(assistant: Assistant, flow: Flow) -> Picture:
    from bot.flows.draw.picture import picture_of

    texts = {name: ways[0].text for name, ways in assistant.replies.variants.items() if ways}
    asks = {f"utter_ask_{name}": fact.ask for name, fact in assistant.declared.facts.items() if fact.ask}
    proofs = {name: action.proof for name, action in assistant.flows.domain.actions.items()}
    return picture_of(flow, texts={**asks, **texts}, proofs=proofs)
