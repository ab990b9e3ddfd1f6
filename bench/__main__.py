"""`make bench`: measure the rows beside their ceilings and rivals, in one run, and print one table."""

import argparse
import contextlib
import json
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench import floors, machine, measure, publish, table
from bench.failures import Failure
from bench.measure import Ratio
from bench.place import Pace, Place
from bench.reports import REPORTS
from bench.rows import QUICK, ROWS, SECTIONS
from bench.table import Fact
from wire.privacy import keep_private

RESULTS = Path(__file__).parent / "results.json"
QUICK_PACE = Pace(seconds=1, warm_up_s=1, repeats=2, core_entries=5_000)


def main() -> int:
    """Measure, and print. Exit code 1: an answer or a book was not right, or a row fell under its floor."""
    names = [*(row.name for row in ROWS), *REPORTS]
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"which ones (all), of {', '.join(names)}")
    parser.add_argument("--quick", action="store_true", help="the main rows, briefly, against their floors")
    chosen = parser.parse_args()
    if unknown := set(chosen.rows) - set(names):
        parser.error(f"no such row: {', '.join(sorted(unknown))}")
    wanted = chosen.rows or (QUICK if chosen.quick else names)
    keep_private()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that what was started ends in order
    try:
        ratios, facts = _measured(wanted, QUICK_PACE if chosen.quick else Pace())
    except Failure as failure:
        print(f"bench: {failure}", file=sys.stderr)
        return 1
    print(table.markdown(ratios, facts))
    if chosen.quick:
        fallen = floors.broken(ratios, floors.read())
        print("\n".join(fallen), file=sys.stderr)
        return 1 if fallen else 0
    RESULTS.write_text(json.dumps(table.as_json(ratios, facts, machine.facts()), indent=2) + "\n", encoding="utf-8")
    if not chosen.rows:  # only what is whole is shown
        publish.publish(ratios, facts, machine.sentence())
    return 0


def _measured(wanted: Sequence[str], pace: Pace) -> tuple[list[Ratio], list[Fact]]:
    """Measure the rows, section by section, then what has nothing beside it, and prove every book that was touched."""
    ratios: list[Ratio] = []
    facts: list[Fact] = []
    with tempfile.TemporaryDirectory(prefix="ff-ledger-bench-") as folder, contextlib.ExitStack() as stack:
        place = Place(Path(folder), pace, stack)
        for section in SECTIONS:
            if rows := [row for row in section if row.name in wanted]:
                ratios += measure.section(rows, place)
        for name, report in REPORTS.items():
            if name in wanted:
                facts += report(place)
        print(f"{place.verify():,} books are right", file=sys.stderr)
    return ratios, facts


if __name__ == "__main__":
    sys.exit(main())
