"""Measuring a section: its sides take turns, and the medians count."""

import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from bench.load import Load
from bench.place import Pace, Place
from bench.rows import Row
from bench.sides import SIDES, WARM_UP_TIMES


class Ratio(NamedTuple):
    """A row with what it came to: the medians of both sides, and that of the ratios of each turn."""

    row: Row
    ours: Load
    other: Load
    ratio: float
    ratios: Sequence[float]

    @property
    def is_reached(self) -> bool:
        """Tell whether it is as good as its aim, if it has one."""
        return self.row.is_reached(self.ratio)

    @property
    def part_of_aim(self) -> float:
        """How much of its aim it reaches: 1 is all of it, and more is better, whatever is compared."""
        assert self.row.aim is not None
        return self.ratio / self.row.aim if self.row.figure == "rate" else self.row.aim / self.ratio


def section(rows: Sequence[Row], place: Place) -> list[Ratio]:
    """Measure rows together."""
    sides = list(dict.fromkeys(side for row in rows for side in (row.other, row.ours)))
    began_s = time.monotonic()
    found = in_turns({side: partial(SIDES[side], place) for side in sides}, place.pace, place.warm)
    ratios = [compare(row, found[row.ours], found[row.other]) for row in rows]
    told = ", ".join(f"{ratio.row.name} {ratio.ratio:.3g}" for ratio in ratios)
    print(f"{told} ({time.monotonic() - began_s:.0f} s)", file=sys.stderr, flush=True)
    return ratios


def in_turns(sides: Mapping[str, Callable[[int], Load]], pace: Pace, warm: set[str]) -> Mapping[str, list[Load]]:
    """Run each side once to warm it up, and then all of them in turn, A B C A B C, as often as the pace says.

    `warm` has those that are warm already, and then these too.
    """
    for side, load in sides.items():
        if side not in warm:
            load(pace.warm_up_s * WARM_UP_TIMES.get(side, 1))
            warm.add(side)
    found: dict[str, list[Load]] = {side: [] for side in sides}
    for _ in range(pace.repeats):
        for side, load in sides.items():
            found[side].append(load(pace.seconds))
    return found


def compare(row: Row, ours: Sequence[Load], other: Sequence[Load]) -> Ratio:
    """Return what a row came to, by the turns of its two sides."""
    ratios = [getattr(a, row.figure) / getattr(b, row.figure) for a, b in zip(ours, other, strict=True)]
    return Ratio(row, median(ours), median(other), statistics.median(ratios), ratios)


def median(loads: Sequence[Load]) -> Load:
    """Return the median of each figure."""
    return Load(*(statistics.median(each) for each in zip(*loads, strict=True)))
