"""Where the boxes and arrows of a picture stand: in layers from top to bottom, with few crossings (Sugiyama, Tagawa and Toda 1981). Pure.

Arrows that lead back are turned for as long as places are looked for. Every arrow goes from one layer to the next: longer ones through
points in the layers between, and each label has a layer of its own, so that nothing is drawn over anything else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TypeAlias

GAP = 28.0
"""Between two things beside each other."""

ROW_GAP, LABEL_GAP = 36.0, 17.0
"""Between two layers of boxes, and between boxes and the labels of arrows."""

SWEEPS = 24
"""How often the order of the layers is improved, at most."""

SETTLES = 120
"""How often everything is moved towards what it is joined to."""

Size: TypeAlias = tuple[float, float]
Point: TypeAlias = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Join:
    """An arrow from ``start`` to ``end``; ``label`` is the size of its label, (0, 0) for none."""

    start: str
    end: str
    label: Size = (0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Placed:
    """Where things stand. ``boxes`` and ``labels`` are centres, ``paths`` points from the start to the end of each arrow; ``labels`` and
    ``paths`` in the order of the arrows. ``back``: the arrow leads upwards."""

    size: Size
    boxes: Mapping[str, Point]
    labels: Sequence[Point]
    paths: Sequence[Sequence[Point]]
    back: Sequence[bool]


@dataclass(slots=True)
class _Cell:
    """A box, a label, or a point of an arrow, in its layer, which is ``row`` high."""

    width: float
    height: float
    layer: int
    up: list[int] = field(default_factory=list)
    down: list[int] = field(default_factory=list)
    x: float = 0.0
    y: float = 0.0
    row: float = 0.0


def place(sizes: Mapping[str, Size], joins: Sequence[Join]) -> Placed:
    """Place boxes of these sizes, the first of which is where it begins."""
    ids = list(sizes)
    back = _back(ids, joins)
    layers_of = _layers(ids, joins, back)
    cells = [_Cell(*sizes[name], layers_of[name]) for name in ids]
    number = {name: index for index, name in enumerate(ids)}
    chains: list[list[int]] = []
    for join, turned in zip(joins, back, strict=True):
        first, last = (join.end, join.start) if turned else (join.start, join.end)
        chains.append(_chain(cells, number[first], number[last], join.label, turned) if first != last else [number[first]])
    rows: list[list[int]] = [[] for _ in range(max((cell.layer for cell in cells), default=0) + 1)]
    for index in _by_depth(cells):
        rows[cells[index].layer].append(index)
    rows = _ordered(cells, rows)
    _settle(cells, rows)
    _stack(cells, rows)
    left = min((cell.x - cell.width / 2 for cell in cells), default=0.0)
    for cell in cells:
        cell.x -= left
    paths, labels = [], []
    for turned, chain in zip(back, chains, strict=True):
        paths.append(_path(cells, chain, turned))
        middle = cells[chain[0 if len(chain) == 1 else -2 if turned else 1]]
        labels.append((middle.x, middle.y))
    width = max((cell.x + cell.width / 2 for cell in cells), default=0.0)
    height = max((cell.y + cell.height / 2 for cell in cells), default=0.0)
    return Placed((width, height), {name: (cells[n].x, cells[n].y) for name, n in number.items()}, labels, paths, back)


def _back(ids: Sequence[str], joins: Sequence[Join]) -> list[bool]:
    """Which arrows lead back to something that is still under way when everything is gone through from the beginning."""
    out: dict[str, list[int]] = {name: [] for name in ids}
    for index, join in enumerate(joins):
        out[join.start].append(index)
    back = [join.start == join.end for join in joins]
    seen: set[str] = set()
    for start in ids:
        under_way: dict[str, int] = {}
        todo = [(start, iter(out[start]))] if start not in seen else []
        seen.add(start)
        under_way[start] = 1
        while todo:
            name, rest = todo[-1]
            way = next(rest, None)
            if way is None:
                todo.pop()
                under_way.pop(name)
                continue
            end = joins[way].end
            if end in under_way:
                back[way] = True
            elif end not in seen:
                seen.add(end)
                under_way[end] = 1
                todo.append((end, iter(out[end])))
    return back


def _layers(ids: Sequence[str], joins: Sequence[Join], back: Sequence[bool]) -> dict[str, int]:
    """The layer of each box: as near to the top as what leads to it allows, and even, so that labels stand between."""
    follows: dict[str, list[str]] = {name: [] for name in ids}
    waits = dict.fromkeys(ids, 0)
    for join, turned in zip(joins, back, strict=True):
        if join.start != join.end:
            first, last = (join.end, join.start) if turned else (join.start, join.end)
            follows[first].append(last)
            waits[last] += 1
    layer = dict.fromkeys(ids, 0)
    todo = [name for name in ids if not waits[name]]
    while todo:
        name = todo.pop()
        for other in follows[name]:
            layer[other] = max(layer[other], layer[name] + 2)
            waits[other] -= 1
            if not waits[other]:
                todo.append(other)
    return layer


def _chain(cells: list[_Cell], first: int, last: int, label: Size, turned: bool) -> list[int]:
    """Join two cells through the layers between them, with the label in the one that is next to where the arrow begins."""
    labelled = cells[last].layer - 1 if turned else cells[first].layer + 1
    chain = [first]
    for layer in range(cells[first].layer + 1, cells[last].layer):
        width, height = label if layer == labelled else (0.0, 0.0)
        cells.append(_Cell(width, height, layer))
        chain.append(len(cells) - 1)
    chain.append(last)
    for upper, lower in pairwise(chain):
        cells[upper].down.append(lower)
        cells[lower].up.append(upper)
    return chain


def _by_depth(cells: Sequence[_Cell]) -> list[int]:
    """The cells as they are come to from the top, branch after branch: an order to begin with that has few crossings already."""
    found: list[int] = []
    seen: set[int] = set()
    for start in sorted(range(len(cells)), key=lambda index: (cells[index].layer, index)):
        todo = [start]
        while todo:
            index = todo.pop()
            if index not in seen:
                seen.add(index)
                found.append(index)
                todo += reversed(cells[index].down)
    return found


def _ordered(cells: Sequence[_Cell], rows: list[list[int]]) -> list[list[int]]:
    """The rows in an order with few crossings: each cell goes where the middle of its neighbours is, down and up in turn."""
    best, fewest = [list(row) for row in rows], _crossings(cells, rows)
    for sweep in range(SWEEPS):
        if not fewest:
            break
        downwards = sweep % 2 == 0
        for row in rows[1:] if downwards else rows[-2::-1]:
            at = {index: place for line in rows for place, index in enumerate(line)}
            near = {index: [at[other] for other in (cells[index].up if downwards else cells[index].down)] for index in row}
            row.sort(key=lambda index: sum(near[index]) / len(near[index]) if near[index] else at[index])
        _swap(cells, rows)
        count = _crossings(cells, rows)
        if count < fewest:
            best, fewest = [list(row) for row in rows], count
    return best


def _swap(cells: Sequence[_Cell], rows: Sequence[list[int]]) -> None:
    """Exchange neighbours where that takes crossings away."""
    for number, row in enumerate(rows):
        above = {index: place for place, index in enumerate(rows[number - 1])} if number else {}
        below = {index: place for place, index in enumerate(rows[number + 1])} if number + 1 < len(rows) else {}
        for place in range(len(row) - 1):
            a, b = row[place], row[place + 1]
            now = _pair(cells[a].up, cells[b].up, above) + _pair(cells[a].down, cells[b].down, below)
            then = _pair(cells[b].up, cells[a].up, above) + _pair(cells[b].down, cells[a].down, below)
            if then < now:
                row[place], row[place + 1] = b, a


def _pair(left: Sequence[int], right: Sequence[int], at: Mapping[int, int]) -> int:
    return sum(at[a] > at[b] for a in left for b in right)


def _crossings(cells: Sequence[_Cell], rows: Sequence[Sequence[int]]) -> int:
    count = 0
    for upper, lower in pairwise(rows):
        at = {index: place for place, index in enumerate(lower)}
        ends = [at[other] for index in upper for other in sorted(cells[index].down, key=at.__getitem__)]
        count += sum(ends[a] > ends[b] for a in range(len(ends)) for b in range(a + 1, len(ends)))
    return count


def _settle(cells: Sequence[_Cell], rows: Sequence[Sequence[int]]) -> None:
    """Move everything towards the middle of what it is joined to, as far as what stands beside it allows."""
    for row in rows:
        x = 0.0
        for index in row:
            cells[index].x = x + cells[index].width / 2
            x += cells[index].width + GAP
    for turn in range(SETTLES):
        downwards = turn % 2 == 0
        for row in rows if downwards else reversed(rows):
            wanted, weights = [], []
            for index in row:
                cell = cells[index]
                others = [*cell.up, *cell.down] if turn >= SETTLES // 2 else cell.up if downwards else cell.down
                pulls = [_pull(cell, cells[other]) for other in others]
                weights.append(sum(pulls) or 0.1)
                wanted.append(
                    sum(pull * cells[other].x for pull, other in zip(pulls, others, strict=True)) / sum(pulls) if pulls else cell.x
                )
            for index, x in zip(row, _apart(wanted, weights, [cells[index].width for index in row]), strict=True):
                cells[index].x = x


def _pull(a: _Cell, b: _Cell) -> float:
    """How much two cells want to stand below each other: the inner parts of a long arrow most of all (Gansner and others 1993)."""
    upper, lower = (a, b) if a.layer < b.layer else (b, a)
    if len(upper.down) == len(lower.up) == 1:
        return 8.0  # there is nothing else to go by
    return (1.0, 2.0, 8.0)[(not a.height) + (not b.height)]


def _apart(wanted: Sequence[float], weights: Sequence[float], widths: Sequence[float]) -> list[float]:
    """Places in this order, with room between them, whose squared distances from those that are wanted are least.

    By pooling those that are in each other's way (pool adjacent violators).
    """
    offsets, at = [], 0.0
    for index, width in enumerate(widths):
        if index:
            at += widths[index - 1] / 2 + GAP + width / 2
        offsets.append(at)
    blocks: list[tuple[float, float, int]] = []  # the mean of a block, its weight, and how many are in it
    for want, weight, offset in zip(wanted, weights, offsets, strict=True):
        mean, heavy, count = want - offset, weight, 1
        while blocks and blocks[-1][0] > mean:
            other, more, size = blocks.pop()
            mean, heavy, count = (mean * heavy + other * more) / (heavy + more), heavy + more, count + size
        blocks.append((mean, heavy, count))
    means = [mean for mean, _, count in blocks for _ in range(count)]
    return [mean + offset for mean, offset in zip(means, offsets, strict=True)]


def _stack(cells: Sequence[_Cell], rows: Sequence[Sequence[int]]) -> None:
    """Give each layer its place from the top."""
    y = 0.0
    for number, row in enumerate(rows):
        height = max((cells[index].height for index in row), default=0.0)
        for index in row:
            cells[index].y, cells[index].row = y + height / 2, height
        labelled = number + 1 < len(rows) and any(cells[index].height for index in rows[number + 1])
        y += height + (LABEL_GAP if number % 2 or labelled else ROW_GAP / 2) if height else ROW_GAP / 2


def _path(cells: Sequence[_Cell], chain: Sequence[int], turned: bool) -> list[Point]:
    """From the bottom of the upper box to the top of the lower one. Within a layer it goes upright, so that it is over no other box."""
    if len(chain) == 1:
        return _around(cells[chain[0]])
    first, last = cells[chain[0]], cells[chain[-1]]
    points = [(first.x, first.y + first.height / 2), (first.x, first.y + first.row / 2)]
    for index in chain[1:-1]:
        cell = cells[index]
        points += [(cell.x, cell.y - cell.row / 2), (cell.x, cell.y + cell.row / 2)]
    points += [(last.x, last.y - last.row / 2), (last.x, last.y - last.height / 2)]
    points = [point for number, point in enumerate(points) if not number or point != points[number - 1]]
    return points[::-1] if turned else points


def _around(cell: _Cell) -> list[Point]:
    """From a box to itself, along its right side."""
    right, quarter = cell.x + cell.width / 2, cell.height / 4
    return [(right, cell.y + quarter), (right + GAP / 2, cell.y), (right, cell.y - quarter)]
