"""What was found, as a table in Markdown and as JSON."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from bench.measure import Ratio


class Fact(NamedTuple):
    """A figure with nothing beside it. `limit`: what it is to stay under, None: it is reported."""

    name: str
    what: str
    figure: float
    unit: str
    limit: float | None = None

    @property
    def is_reached(self) -> bool:
        """Tell whether it is under its limit, if it has one."""
        return self.limit is None or self.figure < self.limit


def markdown(ratios: Sequence[Ratio], facts: Sequence[Fact]) -> str:
    """Return both tables, those that have rows."""
    tables = []
    if ratios:
        head = "| row | beside | ours | other | ratio | aim | reached | our p50 and p99 |"
        tables.append([head, "|---|---|---:|---:|---:|---:|---|---:|", *map(_ratio, ratios)])
    if facts:
        tables.append(["| row | figure | limit | reached |", "|---|---:|---:|---|", *map(_fact, facts)])
    return "\n\n".join("\n".join(table) for table in tables) + "\n"


def as_json(ratios: Sequence[Ratio], facts: Sequence[Fact], machine: Mapping[str, Any]) -> dict[str, Any]:
    """Return all of it, for programs."""
    return {
        "machine": dict(machine),
        "rows": [
            {
                **ratio.row._asdict(),
                "ratio": round(ratio.ratio, 4),
                "ratios": [round(each, 4) for each in ratio.ratios],
                "reached": ratio.is_reached,
                "ours": ratio.ours._asdict(),
                "other": ratio.other._asdict(),
            }
            for ratio in ratios
        ],
        "facts": [{**fact._asdict(), "reached": fact.is_reached} for fact in facts],
    }


def _ratio(ratio: Ratio) -> str:
    row = ratio.row
    unit = "/s" if row.figure == "rate" else " ms"
    ours, other = (_short(getattr(side, row.figure)) + unit for side in (ratio.ours, ratio.other))
    waits = f"{_short(ratio.ours.p50_ms)} and {_short(ratio.ours.p99_ms)} ms"
    aim = _aim(row.aim, "" if row.figure == "rate" else "at most ")
    cells = [row.what, row.beside, ours, other, f"{ratio.ratio:.2f}", aim, _reached(row.aim, ratio.is_reached), waits]
    return f"| {' | '.join(cells)} |"


def _fact(fact: Fact) -> str:
    limit = _aim(fact.limit, "under ")
    figure = f"{_short(fact.figure)} {fact.unit}".rstrip()
    return f"| {fact.what} | {figure} | {limit} | {_reached(fact.limit, fact.is_reached)} |"


def _aim(aim: float | None, words: str) -> str:
    return "" if aim is None else f"{words}{aim:g}"


def _reached(aim: float | None, is_reached: bool) -> str:
    return "" if aim is None else "yes" if is_reached else "no"


def _short(figure: float) -> str:
    return f"{figure:,.0f}" if figure >= 100 else f"{figure:,.1f}"
