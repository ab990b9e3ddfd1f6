"""Books of many entries; and `make big-book`: what reads and a post cost in one of 1,000 and in one of 1,000,000."""

import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from ledger_core import ledger, reads, reports
from ledger_core.commands import Command, Kind, parse_command
from ledger_core.model import Submission
from ledger_core.operations import new_submission, operation_id_of
from ledger_core.reads import EntryFilter, Span
from ledger_core.store.book import Book, book_path

ORG = "big"
SIZES = (1_000, 1_000_000)
ACCOUNTS = 10
BATCH = 500  # entries in one transaction, and so at one instant, while a book is built
BEGIN = 1_773_811_800_000_000  # 2026-03-18T05:30:00Z
BATCH_US = 1_000_000  # between two instants
PAGE = 50
ROUNDS = 400

Call = Callable[[], object]


class BigBook:
    """A book with that many entries, spread evenly over its accounts and over time."""

    def __init__(self, folder: Path, size: int, org: str = ORG) -> None:
        self.size = size
        self.org = org
        self.end = BEGIN + size // BATCH * BATCH_US
        Book.create(folder, org, "USD", BEGIN)
        self.book, self.path = Book.open_writer(folder, org), book_path(folder, org)
        names = [f"Account {number}" for number in range(ACCOUNTS)]
        self._apply([parse_command(Kind.ACCOUNT, {"name": name, "type": "asset"}) for name in names], BEGIN)
        for first in range(0, size, BATCH):
            self._apply([_entry(number) for number in range(first, first + BATCH)], self._at(first))
        self.reader = Book.open_reader(folder, org)

    def close(self) -> None:
        self.reader.close()
        self.book.close()

    def calls(self) -> Iterator[tuple[str, Call]]:
        """Yield what is measured. Each call asks for another account, entry or place, so that no answer is kept."""
        book, size, end, middle = self.reader, self.size, self.end, self._at(self.size // 2)
        pick = random.Random(1).randrange
        yield "balance", lambda: reads.balance(book, 1 + pick(ACCOUNTS), end)
        yield "balance at an instant in the middle", lambda: reads.balance(book, 1 + pick(ACCOUNTS), end, middle)
        yield "one entry", lambda: reads.entry(book, 1 + pick(size))
        yield "first page of entries", lambda: reads.entries(book, EntryFilter(), Span(PAGE))
        yield "page in the middle", lambda: reads.entries(book, EntryFilter(), Span(PAGE, size // 2 + pick(100)))
        yield "page near the end", lambda: reads.entries(book, EntryFilter(), Span(PAGE, size - PAGE - pick(100)))
        yield (
            "page of one account, in the middle",
            lambda: reads.entries(book, EntryFilter(account_id=1 + pick(ACCOUNTS)), Span(PAGE, size // 2)),
        )
        yield (
            "page of one account's statement, from the middle",
            lambda: reports.statement(
                book, 1 + pick(ACCOUNTS), end, from_at=middle, to_at=None, after=0, limit=PAGE
            ),
        )  # fmt: skip
        yield "trial balance", lambda: reports.trial_balance(book, end)
        yield "post of one entry, on disk", lambda: self._apply([_entry(pick(size), key=None)], end)

    def _apply(self, commands: list[Command], at: int) -> None:
        submissions = [Submission(operation_id_of(self.org, each), new_submission(), each, "", at) for each in commands]
        outcomes = ledger.apply(self.book, submissions, lambda: at)
        assert all(outcome.refusal is None for outcome in outcomes)

    def _at(self, number: int) -> int:
        return BEGIN + number // BATCH * BATCH_US


def _entry(number: int, key: str | None = "e") -> Command:
    """Build an entry between two accounts that are never the same one."""
    sides = ((number % ACCOUNTS, "debit"), ((number * 7 + 3) % ACCOUNTS, "credit"))
    lines = [{"account_id": 1 + index, "amount": 1 + number % 997, "direction": side} for index, side in sides]
    fields = {"lines": lines, "description": f"Entry {number}", "idempotency_key": key and f"{key}-{number}"}
    return parse_command(Kind.ENTRY, fields)


def _median_us(call: Call) -> float:
    took = []
    for _ in range(ROUNDS):  # first without looking: caches fill, and the files of a small book grow to their size
        call()
    for _ in range(ROUNDS):
        begun = time.perf_counter_ns()
        call()
        took.append((time.perf_counter_ns() - begun) / 1_000)
    return statistics.median(took)


def _measured(folder: Path, size: int) -> list[tuple[str, float]]:
    begun_s = time.monotonic()
    big = BigBook(folder, size)
    took_s, mebibytes = time.monotonic() - begun_s, big.path.stat().st_size / 2**20
    print(f"{size:,} entries: {mebibytes:,.1f} MiB, built in {took_s:.0f} s", file=sys.stderr)
    rows = [(what, _median_us(call)) for what, call in big.calls()]
    big.close()
    return rows


def main() -> None:
    """Build the books, measure both, and print the medians as a table in Markdown."""
    with tempfile.TemporaryDirectory() as folder:
        small, large = (_measured(Path(folder) / str(size), size) for size in SIZES)
    print("| what | 1,000 entries | 1,000,000 entries | ratio |\n|---|---:|---:|---:|")
    for (what, before), (_, after) in zip(small, large, strict=True):
        print(f"| {what} | {before:,.0f} µs | {after:,.0f} µs | {after / before:.2f} |")


if __name__ == "__main__":
    main()
