"""A flow as an SVG picture: one file that every browser shows, in light and in dark, and that needs nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from itertools import pairwise

from bot.flows.draw.layout import Join, Placed, Point, Size, place
from bot.flows.draw.picture import Box, Kind, Picture

TITLE_PX, LINE_PX, LABEL_PX = 13.0, 12.0, 11.5
LEADING = 1.35
PADDING_X, PADDING_Y = 14.0, 9.0
MARGIN = 24.0
WRAP, LABEL_WRAP = 36, 30
"""Characters of a line."""

MIN_WIDTH = 90.0
HEAD = 46.0
"""Height of what stands above the flow."""

_END = 14.0

_NARROW, _WIDE = frozenset("iljtfrI.,:;'|!()[]/ "), frozenset("mwMWGOQ@%—")

_STYLE = """
svg{font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;color-scheme:light dark}
.page{fill:#fff}.t{font-size:13px;font-weight:600;fill:#1a1f29}.l{font-size:12px;fill:#454d5c}.c{font-size:11.5px;fill:#454d5c}
.h{font-size:17px;font-weight:650;fill:#1a1f29}.d{font-size:12.5px;fill:#5b6372}
.box{stroke-width:1.25;stroke:#8a93a3;fill:#f4f6f9}.start{fill:#e6f4ea;stroke:#5f9b74}.ask{fill:#e8f0fe;stroke:#6c8fd6}
.act{fill:#fdf0e1;stroke:#c9924e}.say{fill:#fff;stroke:#8a93a3}.set{fill:#f4f6f9;stroke:#a5acb8}.go{fill:#f1eafb;stroke:#9678c9}
.choose{fill:#f4f6f9;stroke:#8a93a3}.end{fill:#5b6372;stroke:#5b6372}
.way{fill:none;stroke:#7b8494;stroke-width:1.3}.back{stroke-dasharray:5 4}.tip{fill:#7b8494}.under{fill:#fff}
@media (prefers-color-scheme:dark){
.page{fill:#14171c}.t,.h{fill:#eceff4}.l,.c{fill:#b9c1cd}.d{fill:#98a1af}.box{fill:#1e232b;stroke:#5c6675}
.start{fill:#17301f;stroke:#4b8a60}.ask{fill:#182642;stroke:#5577bd}.act{fill:#36270f;stroke:#a8773a}.say{fill:#14171c;stroke:#5c6675}
.set{fill:#1e232b}.go{fill:#271c3c;stroke:#7d61b0}.choose{fill:#1e232b}.end{fill:#98a1af;stroke:#98a1af}
.way{stroke:#828c9b}.tip{fill:#828c9b}.under{fill:#14171c}}
"""


def svg(picture: Picture) -> str:
    """The picture as one SVG document."""
    words = {box.id: (_wrapped(box.title, WRAP), [part for line in box.lines for part in _wrapped(line, WRAP)]) for box in picture.boxes}
    sizes = {box.id: _size(box.kind, *words[box.id]) for box in picture.boxes}
    labels = [_wrapped(arrow.label, LABEL_WRAP) if arrow.label else [] for arrow in picture.arrows]
    joins = [Join(arrow.start, arrow.end, _label_size(label)) for arrow, label in zip(picture.arrows, labels, strict=True)]
    placed = place(sizes, joins)
    heading = _wrapped(picture.description, max(40, int(placed.size[0] / 6.5)))
    head = HEAD + (len(heading) - 1) * TITLE_PX * LEADING if heading else HEAD - 18
    title_width = max(_width(picture.title, 17.0), *(_width(line, 12.5) for line in heading), 0.0)
    width = max(placed.size[0], title_width) + 2 * MARGIN
    shift = (width - placed.size[0]) / 2
    height = placed.size[1] + head + 2 * MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{width:.0f}" height="{height:.0f}"'
        f' viewBox="0 0 {width:.0f} {height:.0f}">',
        f"<title>{escape(picture.title)}</title><desc>{escape(picture.description)}</desc>",
        f"<style>{_STYLE}</style>",
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto-start-reverse">'
        '<path class="tip" d="M0 0.5 8 4 0 7.5Z"/></marker></defs>',
        f'<rect class="page" width="{width:.0f}" height="{height:.0f}"/>',
        f'<text class="h" x="{MARGIN}" y="{MARGIN + 14}">{escape(picture.title)}</text>',
        *(
            f'<text class="d" x="{MARGIN}" y="{MARGIN + 34 + number * TITLE_PX * LEADING:.1f}">{escape(line)}</text>'
            for number, line in enumerate(heading)
        ),
        f'<g transform="translate({shift:.1f} {MARGIN + head:.1f})">',
        *_ways(placed),
        *(part for box in picture.boxes for part in _box(box, placed.boxes[box.id], sizes[box.id], *words[box.id])),
        *(part for label, at in zip(labels, placed.labels, strict=True) if label for part in _label(label, at)),
        "</g></svg>",
    ]
    return "\n".join(parts) + "\n"


def _size(kind: Kind, titles: Sequence[str], lines: Sequence[str]) -> Size:
    if kind == "end":
        return _END, _END
    width = max([MIN_WIDTH, *(_width(line, TITLE_PX) * 1.06 for line in titles), *(_width(line, LINE_PX) for line in lines)])
    height = (len(titles) * TITLE_PX + len(lines) * LINE_PX) * LEADING
    return width + 2 * PADDING_X, height + 2 * PADDING_Y


def _label_size(lines: Sequence[str]) -> Size:
    if not lines:
        return 0.0, 0.0
    return max(_width(line, LABEL_PX) for line in lines) + 10, len(lines) * LABEL_PX * LEADING + 4


def _width(text: str, px: float) -> float:
    """About how wide a text is; fonts differ, so it is rather too much."""
    return sum(0.33 if character in _NARROW else 0.92 if character in _WIDE or ord(character) > 0x2E7F else 0.6 for character in text) * px


def _wrapped(text: str, most: int) -> list[str]:
    """The text in lines. A word that is too long is cut after an underscore or wherever it must be."""
    lines: list[str] = []
    for word in text.split():
        while len(word) > most:
            cut = word.rfind("_", 1, most) + 1 or most
            lines.append(word[:cut])
            word = word[cut:]
        if lines and len(lines[-1]) + 1 + len(word) <= most:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def _box(box: Box, at: Point, size: Size, titles: Sequence[str], lines: Sequence[str]) -> list[str]:
    (x, y), (width, height) = at, size
    if box.kind == "end":
        return [f'<circle class="box end" cx="{x:.1f}" cy="{y:.1f}" r="{_END / 2}"><title>end</title></circle>']
    shape = _shape(box.kind, x - width / 2, y - height / 2, width, height)
    where = f"<title>{escape(box.id)}, line {box.line}</title>" if box.line else ""
    parts = [f"<g>{where}{shape}"]
    line_y = y - height / 2 + PADDING_Y
    for text, style, px in [*((one, "t", TITLE_PX) for one in titles), *((one, "l", LINE_PX) for one in lines)]:
        line_y += px * LEADING
        parts.append(f'<text class="{style}" text-anchor="middle" x="{x:.1f}" y="{line_y - px * 0.35:.1f}">{escape(text)}</text>')
    return [*parts, "</g>"]


def _shape(kind: Kind, x: float, y: float, width: float, height: float) -> str:
    radius: Mapping[Kind, float] = {"start": min(height / 2, 22), "ask": 4, "say": 10, "choose": 4}
    if kind == "go":
        notch = 9
        points = [(x, y), (x + width - notch, y), (x + width, y + height / 2), (x + width - notch, y + height), (x, y + height)]
        return f'<polygon class="box go" points="{" ".join(f"{a:.1f},{b:.1f}" for a, b in points)}"/>'
    bar = f'<path class="box {kind}" d="M{x + 5:.1f} {y:.1f}V{y + height:.1f}M{x + width - 5:.1f} {y:.1f}V{y + height:.1f}"/>'
    corner = radius.get(kind, 2)
    rect = f'<rect class="box {kind}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="{corner:.0f}"/>'
    return rect + (bar if kind == "act" else "")


def _label(lines: Sequence[str], at: Point) -> list[str]:
    x, y = at
    width, height = _label_size(lines)
    parts = [f'<rect class="under" x="{x - width / 2:.1f}" y="{y - height / 2:.1f}" width="{width:.1f}" height="{height:.1f}"/>']
    for number, line in enumerate(lines, start=1):
        line_y = y - height / 2 + 2 + number * LABEL_PX * LEADING - LABEL_PX * 0.35
        parts.append(f'<text class="c" text-anchor="middle" x="{x:.1f}" y="{line_y:.1f}">{escape(line)}</text>')
    return parts


def _ways(placed: Placed) -> list[str]:
    return [
        f'<path class="way{" back" if back else ""}" marker-end="url(#tip)" d="{_curve(path)}"/>'
        for path, back in zip(placed.paths, placed.back, strict=True)
    ]


def _curve(points: Sequence[Point]) -> str:
    """A smooth line through the points that leaves and arrives upright."""
    parts = [f"M{points[0][0]:.1f} {points[0][1]:.1f}"]
    for (ax, ay), (bx, by) in pairwise(points):
        if abs(ax - bx) < 1:
            parts.append(f"L{bx:.1f} {by:.1f}")
        else:
            middle = (ay + by) / 2
            parts.append(f"C{ax:.1f} {middle:.1f} {bx:.1f} {middle:.1f} {bx:.1f} {by:.1f}")
    return "".join(parts)
