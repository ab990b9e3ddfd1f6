"""Showing what was found: the table in docs/performance.md, between its marks, and docs/benchmark.svg."""

from collections.abc import Sequence
from pathlib import Path

from bench import table
from bench.measure import Ratio
from bench.table import Fact

DOCS = Path(__file__).parent.parent / "docs"
PAGE, PICTURE = DOCS / "performance.md", DOCS / "benchmark.svg"
BEGIN, END = "<!-- benchmark, written by make bench -->\n", "<!-- /benchmark -->\n"


def publish(ratios: Sequence[Ratio], facts: Sequence[Fact], machine: str) -> None:
    """Write both."""
    from bench import drawing  # only this needs a library that draws

    drawing.draw(ratios, PICTURE)
    shown = f"![How much of its aim each row reaches]({PICTURE.name})\n\n{machine}\n\n{table.markdown(ratios, facts)}"
    PAGE.write_text(between_marks(PAGE.read_text(encoding="utf-8"), shown), encoding="utf-8")


def between_marks(page: str, text: str) -> str:
    """Return a page with another text between the marks."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    assert begin, "the page has its marks"
    assert end, "the page has its marks"
    return before + begin + text + end + after
