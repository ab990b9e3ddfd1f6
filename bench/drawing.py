"""The bars of docs/benchmark.svg: how far each row comes on the way to its aim."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from bench.measure import Ratio

INK, QUIET, REACHED, SHORT = "#010101", "#020202", "#030303", "#040404"  # stand for colours of the reader's theme
STYLE = """<style>
svg { --ink: #1f2328; --quiet: #6e7781; --reached: #1a7f5a; --short: #bf7a1f }
@media (prefers-color-scheme: dark) {
  svg { --ink: #e6edf3; --quiet: #8b949e; --reached: #3fb68b; --short: #d99a3e }
}
</style>"""
THEMED = {INK: "var(--ink)", QUIET: "var(--quiet)", REACHED: "var(--reached)", SHORT: "var(--short)"}
WIDTH_IN, ROW_IN, MARGIN_IN = 8.6, 0.4, 0.7
PART_MAX = 1.6  # of the aim: a bar that would be longer ends here; the number beside it says how far it goes

FONTS: dict[Any, Any] = {
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 10,
    "svg.hashsalt": "ff-ledger",
}


def draw(ratios: Sequence[Ratio], path: Path) -> None:
    """Draw the rows that have an aim. The aims of all of them stand on one line."""
    shown = [ratio for ratio in ratios if ratio.row.aim is not None][::-1]
    with mpl.rc_context(FONTS):
        height_in = ROW_IN * len(shown) + MARGIN_IN
        figure = Figure(figsize=(WIDTH_IN, height_in))
        axes = figure.add_axes((0.44, 0.02, 0.54, 1 - 0.45 / height_in))
        for place, ratio in enumerate(shown):
            part = ratio.part_of_aim
            colour = REACHED if ratio.is_reached else SHORT
            axes.barh(place, min(part, PART_MAX), height=0.56, color=colour)
            axes.text(PART_MAX + 0.18, place, f"{ratio.ratio:.2f}", ha="right", va="center", color=INK, weight="bold")
            axes.text(-0.02, place + 0.17, ratio.row.what.replace("`", ""), ha="right", va="center", color=INK)
            beside = f"beside {ratio.row.beside}; {_aim(ratio)}"
            axes.text(-0.02, place - 0.2, beside, ha="right", va="center", color=QUIET, size=8)
        axes.axvline(1, color=INK, linewidth=1, linestyle=(0, (4, 3)))
        axes.text(1, len(shown) - 0.4, "aim", ha="center", va="bottom", color=INK)
        axes.set(xlim=(0, PART_MAX + 0.2), ylim=(-0.6, len(shown) - 0.4))
        axes.axis("off")
        figure.savefig(path, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    path.write_text(themed(path.read_text(encoding="utf-8")), encoding="utf-8")


def themed(svg: str) -> str:
    """Return a drawing whose colours follow the theme of whoever looks at it."""
    for stand_in, colour in THEMED.items():
        svg = svg.replace(stand_in, colour)
    head, opening, rest = svg.partition("<svg ")
    attributes, closing, body = rest.partition(">")
    return f"{head}{opening}{attributes}{closing}\n{STYLE}{body}"


def _aim(ratio: Ratio) -> str:
    words = "at least" if ratio.row.figure == "rate" else "at most"
    return f"{words} {ratio.row.aim:g}"
