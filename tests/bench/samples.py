"""Builders of what a run comes to."""

from bench.load import Load
from bench.measure import Ratio, compare
from bench.rows import Row


def load(rate: float = 1_000.0, p50_ms: float = 2.0) -> Load:
    """Build what one run of one side came to."""
    return Load(answers=int(rate), rate=rate, p50_ms=p50_ms, p99_ms=9.0, cores=1.0)


def row(name: str = "post", aim: float | None = 0.5, figure: str = "rate") -> Row:
    """Build a row."""
    return Row(name, "sync post", "bare echo", "post", "echo-post", aim, figure)


def ratio(ours: float = 300.0, other: float = 1_000.0, **fields: object) -> Ratio:
    """Build what a row came to, by the rates of its sides."""
    return compare(row(**fields), [load(ours)], [load(other)])  # type: ignore[arg-type]
