"""Where things stand: nothing is over anything else, and arrows begin and end at their boxes, whatever the graph."""

from __future__ import annotations

import itertools
import time

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.flows.draw.layout import GAP, Join, Placed, Point, Size, place

sizes = st.tuples(st.integers(10, 200), st.integers(10, 80)).map(lambda size: (float(size[0]), float(size[1])))


@st.composite
def graphs(draw: st.DrawFn) -> tuple[dict[str, Size], list[Join]]:
    count = draw(st.integers(1, 9))
    boxes = {str(number): draw(sizes) for number in range(count)}
    ends = st.sampled_from(list(boxes))
    pairs = draw(st.lists(st.tuples(ends, ends), max_size=14, unique=True))
    return boxes, [Join(start, end, draw(st.just((0.0, 0.0)) | sizes)) for start, end in pairs]


def overlap(a: Point, b: Point, first: Size, second: Size) -> bool:
    return all(abs(a[axis] - b[axis]) < (first[axis] + second[axis]) / 2 - 0.01 for axis in (0, 1))


def crossings(placed: Placed) -> int:
    lines = [(path[0], path[-1]) for path in placed.paths]
    return sum((a[0] - c[0]) * (b[0] - d[0]) < 0 for (a, b), (c, d) in itertools.combinations(lines, 2))


@settings(deadline=None)
@given(graphs())
def test_nothing_is_over_anything_else(graph: tuple[dict[str, Size], list[Join]]) -> None:
    boxes, joins = graph
    placed = place(boxes, joins)

    assert placed.boxes.keys() == boxes.keys()
    things = [(placed.boxes[name], size) for name, size in boxes.items()]
    things += [
        (at, join.label) for at, join in zip(placed.labels, joins, strict=True) if join.label != (0.0, 0.0) and join.start != join.end
    ]
    for (a, first), (b, second) in itertools.combinations(things, 2):
        assert not overlap(a, b, first, second)
    for at, size in things:
        assert all(size[axis] / 2 - 0.01 <= at[axis] <= placed.size[axis] - size[axis] / 2 + 0.01 for axis in (0, 1))


@settings(deadline=None)
@given(graphs())
def test_arrows_join_their_boxes(graph: tuple[dict[str, Size], list[Join]]) -> None:
    boxes, joins = graph
    placed = place(boxes, joins)

    assert len(placed.paths) == len(placed.labels) == len(placed.back) == len(joins)
    for join, path, back in zip(joins, placed.paths, placed.back, strict=True):
        if join.start == join.end:
            assert back
            continue
        first, last = placed.boxes[join.start], placed.boxes[join.end]
        assert (first[1] > last[1]) == back
        assert path[0][0] == first[0]
        assert path[-1][0] == last[0]
        half = boxes[join.start][1] / 2
        assert abs(path[0][1] - (first[1] - half if back else first[1] + half)) < 0.01
        for (ax, ay), (bx, by) in itertools.pairwise(path):
            if ax != bx:  # between the layers
                assert not any(
                    min(ay, by) < at[1] + size[1] / 2 - 0.01 and max(ay, by) > at[1] - size[1] / 2 + 0.01
                    for at, size in ((placed.boxes[name], boxes[name]) for name in boxes)
                )
        heights = [y for _, y in path]
        assert heights == sorted(heights, reverse=back)


@settings(deadline=None, max_examples=25)
@given(graphs())
def test_the_same_picture_is_the_same_every_time(graph: tuple[dict[str, Size], list[Join]]) -> None:
    assert place(*graph) == place(*graph)


def test_a_straight_flow_is_straight() -> None:
    placed = place(dict.fromkeys("abc", (100.0, 20.0)), [Join("a", "b"), Join("b", "c", (40.0, 10.0))])

    assert {x for x, _ in placed.boxes.values()} == {50.0}
    assert placed.labels[1][0] == 50.0
    assert placed.size[0] == 100.0


def test_branches_stand_beside_each_other_in_their_order() -> None:
    boxes = dict.fromkeys("abcde", (80.0, 20.0))
    placed = place(boxes, [Join("a", "b"), Join("a", "c"), Join("a", "d"), Join("b", "e"), Join("c", "e"), Join("d", "e")])

    assert placed.boxes["b"][0] + 80 + GAP <= placed.boxes["c"][0] + 0.01
    assert placed.boxes["c"][0] + 80 + GAP <= placed.boxes["d"][0] + 0.01
    assert abs(placed.boxes["a"][0] - placed.boxes["c"][0]) < 1
    assert abs(placed.boxes["e"][0] - placed.boxes["c"][0]) < 1


def test_crossings_that_need_not_be_are_taken_away() -> None:
    boxes = dict.fromkeys("rabcxyz", (40.0, 20.0))
    joins = [Join("r", "a"), Join("r", "b"), Join("r", "c"), Join("a", "z"), Join("b", "y"), Join("c", "x")]

    assert crossings(place(boxes, joins)) == 0


def test_an_arrow_back_leads_up() -> None:
    joins = [Join("a", "b"), Join("b", "c"), Join("c", "a", (60.0, 10.0))]
    placed = place(dict.fromkeys("abc", (80.0, 20.0)), joins)

    assert list(placed.back) == [False, False, True]
    assert placed.boxes["b"][1] < placed.labels[2][1] < placed.boxes["c"][1]  # near where it begins


def test_a_long_flow_is_placed_in_time() -> None:
    names = [str(number) for number in range(150)]
    joins = [Join(a, b, (60.0, 14.0)) for a, b in itertools.pairwise(names)]
    joins += [Join(names[n], names[n + 5], (60.0, 14.0)) for n in range(0, 140, 7)]
    begun = time.process_time()
    place(dict.fromkeys(names, (120.0, 40.0)), joins)

    assert time.process_time() - begun < 10
