"""A flow as plain text: its steps in the file's order, each with what comes next. For terminals, and to be compared line by line."""

from __future__ import annotations

from bot.flows.draw.picture import Arrow, Picture


def outline(picture: Picture) -> str:
    """The picture as lines. A step that the one below it follows in any case has no arrow."""
    start, *boxes = picture.boxes
    shown = [box for box in boxes if box.kind != "end"]
    ways: dict[str, list[Arrow]] = {}
    for arrow in picture.arrows:
        ways.setdefault(arrow.start, []).append(arrow)
    lines = [f"{picture.name}: {picture.title}", f"  {picture.description}", *(f"  {line}" for line in start.lines), ""]
    width = max((len(box.id) for box in shown), default=0)
    ends = {box.id for box in boxes if box.kind == "end"}
    for index, box in enumerate(shown):
        below = shown[index + 1].id if index + 1 < len(shown) else None
        lines.append(f"  {box.id:<{width}}  {' '.join((box.title, *box.lines[:1])) if box.kind == 'say' else box.title}")
        lines += [f"  {'':<{width}}    {line}" for line in box.lines[box.kind == "say" :]]
        for arrow in ways.get(box.id, []):
            if arrow.end == below and not arrow.label:
                continue
            to = "end" if arrow.end in ends else arrow.end
            condition = arrow.label not in ("", "otherwise") and ": " not in arrow.label
            when = f"  {'if ' if condition else ''}{arrow.label}"
            lines.append(f"  {'':<{width}}    → {to}{when}")
    return "\n".join(line.rstrip() for line in lines) + "\n"
