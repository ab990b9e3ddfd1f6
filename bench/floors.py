"""The floors of `make bench-quick`: what each of its ratios must never fall under; see floors.json."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.measure import Ratio

FLOORS = Path(__file__).parent / "floors.json"


def read(path: Path = FLOORS) -> Mapping[str, float]:
    """Return the floors by the names of their rows; where less is better, it is a ceiling."""
    floors: dict[str, float] = json.loads(path.read_text(encoding="utf-8"))
    return floors


def broken(ratios: Sequence[Ratio], floors: Mapping[str, float]) -> list[str]:
    """Return a sentence for each row that fell under its floor."""
    return [
        f"{ratio.row.name}: {ratio.row.what} / {ratio.row.beside} is {ratio.ratio:.2f}, its floor is {floor}"
        for ratio in ratios
        if (floor := floors.get(ratio.row.name)) is not None
        and not ratio.row._replace(aim=floor).is_reached(ratio.ratio)
    ]
