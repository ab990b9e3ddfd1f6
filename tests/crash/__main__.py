"""`make crash`: more states than the tests try, of books with another seed each, and of the rest once."""

import argparse
import logging
import sys
from collections.abc import Iterator

from tests.crash import books, explore, surveys
from tests.crash.explore import Survey

SHARE = 2_000  # states of one recording; more of them would differ less and less


def main() -> int:
    """Try states until there are as many as asked for. Exit code 1: one of them was wrong."""
    parser = argparse.ArgumentParser(prog="make crash", description=__doc__)
    parser.add_argument("--states", type=int, default=20_000, help="how many distinct states, about")
    parser.add_argument("--seed", type=int, default=1, help="of the first book; the others follow")
    parser.add_argument("--turns", type=int, default=60, help="of each book")
    asked = parser.parse_args()
    logging.disable(logging.WARNING)  # each file that is migrated says so
    tried = boundaries = wrong = 0
    for what, found in _surveys(asked.states, asked.seed, asked.turns):
        tried, boundaries, wrong = tried + found.states, boundaries + found.boundaries, wrong + len(found.wrong)
        print(
            f"{what}: {found.states} states, {found.boundaries} syncs, {len(found.wrong)} wrong, {found.took_s:.1f} s"
        )
        for state, problem in list(found.wrong.items())[:5]:
            print(f"  {state}: {problem}")
    print(f"in all: {tried} states, {boundaries} syncs, {wrong} wrong")
    return 1 if wrong else 0


def _surveys(states: int, seed: int, turns: int) -> Iterator[tuple[str, Survey]]:
    tried = 0
    for what, attempt in (
        ("registry", surveys.registry),
        ("inbox", surveys.inbox),
        ("recovery", surveys.recovery),
        ("upgrade", surveys.upgrade),
    ):
        with explore.scratch() as scratch:
            found = attempt(scratch, min(SHARE, states // 8), seed)
        tried += found.states
        yield what, found
    while tried < states:
        with explore.scratch() as scratch:
            prepare = books.as_it_is if seed % 4 == 0 else books.busy
            found = surveys.book(scratch, min(SHARE, states - tried), seed, turns=turns, prepare=prepare)
        tried += found.states
        yield f"book {seed}", found
        seed += 1


if __name__ == "__main__":
    sys.exit(main())
