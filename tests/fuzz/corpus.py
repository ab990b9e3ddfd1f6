"""The corpus: for each target the inputs that reach something no smaller one reaches, in one file of JSON strings.

A string's characters are the input's bytes (Latin-1), so what can be read in a review is.
"""

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from types import FrameType
from typing import Any

from tests.fuzz.seeds import seeds

FOLDER = Path(__file__).parent / "corpus"
HOUSE = str(Path(__file__).parents[2])
PACKAGES = tuple(f"{HOUSE}/{package}/" for package in ("ledger_core", "wire", "intake", "workers", "tests/fuzz"))
INPUTS_MAX = 300
INPUT_BYTES_MAX = 2_000

Arc = tuple[str, int, int, int]  # a file, a line of it and the line before it, and how often, in powers of two


def load(target: str) -> list[bytes]:
    """Return the inputs that are kept for a target, without its seeds."""
    path = FOLDER / f"{target}.json"
    if not path.exists():
        return []
    return [text.encode("latin-1") for text in json.loads(path.read_text(encoding="utf-8"))]


def keep(target: str, inputs: Iterable[bytes]) -> None:
    """Keep inputs for a target, in place of those that are kept."""
    texts = [data.decode("latin-1") for data in inputs]
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / f"{target}.json").write_text(json.dumps(texts, indent=0) + "\n", encoding="utf-8")


def minimal(name: str, run: Callable[[bytes], None], found: Iterable[bytes]) -> list[bytes]:
    """Return those of some inputs that reach something that neither seeds nor smaller ones reach.

    Raises:
        Exception: what the target raises of an input that it does not hold for.
    """
    reached: set[Arc] = set()
    for data in seeds(name):
        reached |= arcs(run, data)
    chosen = []
    for data in sorted({data for data in found if len(data) <= INPUT_BYTES_MAX}, key=lambda data: (len(data), data)):
        more = arcs(run, data) - reached
        if more and len(chosen) < INPUTS_MAX:
            chosen.append(data)
            reached |= more
    return chosen


def arcs(run: Callable[[bytes], None], data: bytes) -> set[Arc]:
    """Run a target, and return which lines of the house it went through, each with the line before it and how often."""
    reached: Counter[tuple[str, int, int]] = Counter()

    def enter(frame: FrameType, event: str, argument: Any) -> Any:
        path = frame.f_code.co_filename
        if not path.startswith(PACKAGES):
            return None
        last = 0

        def step(frame: FrameType, event: str, argument: Any) -> Any:
            nonlocal last
            if event == "line":
                reached[path, last, frame.f_lineno] += 1
                last = frame.f_lineno
            return step

        return step

    sys.settrace(enter)
    try:
        run(data)
    finally:
        sys.settrace(None)
    return {(*arc, times.bit_length()) for arc, times in reached.items()}
