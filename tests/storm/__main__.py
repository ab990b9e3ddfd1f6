"""`python -m tests.storm`: one storm, or several with one seed after the other, and their figures."""

import argparse
import secrets
import sys
import tempfile
from pathlib import Path

from tests.storm.disk import Limited, disk_of
from tests.storm.plan import FAULTS
from tests.storm.storm import storm


def main() -> int:
    """Rage, print the figures, and return 1 when a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.storm", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="how long it rages (60)")
    parser.add_argument("--seed", type=int, default=None, help="replays the plan of that seed (a new one)")
    parser.add_argument("--storms", type=int, default=1, help="how many, each with the next seed (1)")
    parser.add_argument("--faults", default=",".join(FAULTS), help=f"which ones, of {','.join(FAULTS)} (all)")
    parser.add_argument("--keep", type=Path, default=None, help="a folder for journals and logs (a temporary one)")
    parser.add_argument("--limit-files", action="store_true", help="fill the disk by RLIMIT_FSIZE, even as root")
    chosen = parser.parse_args()
    first = secrets.randbelow(1_000_000) if chosen.seed is None else chosen.seed
    faults = [fault for fault in chosen.faults.split(",") if fault]
    if unknown := set(faults) - set(FAULTS):
        parser.error(f"no such fault: {', '.join(sorted(unknown))}")
    disk = Limited.of if chosen.limit_files else disk_of
    broken = 0
    for seed in range(first, first + chosen.storms):
        with tempfile.TemporaryDirectory(prefix="storm-") as folder:
            place = Path(folder) if chosen.keep is None else chosen.keep / f"seed-{seed}"
            place.mkdir(parents=True, exist_ok=True)
            figures = storm(place, seed=seed, seconds=chosen.seconds, faults=faults, disk_of=disk)
            broken += len(figures.violations)
            print("\n".join(figures.lines()), flush=True)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
