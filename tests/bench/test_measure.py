"""Sides take turns, and medians count."""

from bench.load import Load
from bench.measure import compare, in_turns, median
from bench.place import Pace
from tests.bench.samples import load, ratio, row

PACE = Pace(seconds=4, warm_up_s=2, repeats=3)


def test_sides_take_turns_each_after_a_warm_up_that_is_not_counted() -> None:
    calls: list[tuple[str, int]] = []

    def side(name: str) -> Load:
        return load(rate=len(calls))

    found = in_turns(
        {name: lambda seconds, name=name: calls.append((name, seconds)) or side(name) for name in ("a", "b")},  # type: ignore[misc,func-returns-value]
        PACE,
        set(),
    )

    assert calls == [("a", 2), ("b", 2), *[("a", 4), ("b", 4)] * 3]
    assert [each.rate for each in found["a"]] == [3, 5, 7]


def test_a_side_is_warmed_up_once_in_a_run() -> None:
    calls: list[int] = []
    warm: set[str] = set()

    for _ in range(2):
        in_turns({"a": lambda seconds: calls.append(seconds) or load()}, PACE, warm)  # type: ignore[func-returns-value]

    assert calls == [2, 4, 4, 4, 4, 4, 4]


def test_the_median_of_each_figure_counts() -> None:
    found = median([load(1, p50_ms=30), load(3, p50_ms=10), load(200, p50_ms=20)])

    assert (found.rate, found.p50_ms) == (3, 20)


def test_the_ratio_is_the_median_of_those_of_each_turn() -> None:
    found = compare(row(), [load(10), load(50), load(90)], [load(100), load(100), load(100)])

    assert (found.ratio, found.ratios) == (0.5, [0.1, 0.5, 0.9])


def test_waits_are_compared_where_less_is_better() -> None:
    found = compare(row(figure="p50_ms", aim=1.3), [load(p50_ms=2.6)], [load(p50_ms=2.0)])

    assert found.ratio == 1.3
    assert found.is_reached
    assert not found._replace(ratio=1.31).is_reached


def test_an_aim_is_reached_at_it_and_above() -> None:
    assert ratio(500).is_reached
    assert not ratio(499).is_reached
    assert ratio(1, aim=None).is_reached


def test_the_part_of_an_aim_is_more_the_better() -> None:
    assert ratio(250).part_of_aim == 0.5
    assert compare(row(figure="p50_ms", aim=1), [load(p50_ms=4)], [load(p50_ms=2)]).part_of_aim == 0.5
