"""`ledger_core.apply` beside the raw loop, each in a process of its own: `python -m bench.core KIND FOLDER SIZE`."""

import gc
import json
import pickle
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from bench import books
from bench.load import Load
from bench.processes import start
from bench.rivals import raw
from ledger_core import ledger
from ledger_core.commands import Command, Kind, parse_command
from ledger_core.store.book import Book
from ledger_core.verify import verify

ORG = "core"
ACCOUNTS = 1_000
BULK, APPLY = 500, 200  # entries in a commit
WARM_UP_PART = 10  # one of so many commits is not counted
BEGIN = 1_773_811_800_000_000  # 2026-03-18T05:30:00Z


def record(folder: Path, entries: int) -> None:
    """Have `ledger_core.apply` write so many entries, in batches and in bulks, and keep how it did that."""
    for kind in ("batches", "bulks"):
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            book = _book(Path(scratch))
            commits = [raw.recorded(book, partial(ledger.apply, book, each)) for each in _work(kind, entries)]
            book.close()
        (folder / kind).write_bytes(pickle.dumps(commits, protocol=pickle.HIGHEST_PROTOCOL))


def measure(kind: str, folder: Path, entries: int) -> Load:
    """Measure one of `apply`, `batches` and `bulks` in this process; the last two are the raw loop."""
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        book = _book(Path(scratch))
        if kind == "apply":
            each_s = _timed(_work("batches", entries), lambda batch: ledger.apply(book, batch))
        else:
            commits = pickle.loads((folder / kind).read_bytes())
            each_s = _timed(commits, lambda commit: raw.replay(book, commit))
        found = verify(book)
        book.close()
    assert (found.findings, found.entries) == ([], entries), found
    counted = len(each_s) * (BULK if kind == "bulks" else APPLY)
    each_s.sort()
    p50_s, p99_s = (each_s[len(each_s) * part // 100] for part in (50, 99))
    return Load(counted, counted / sum(each_s), p50_s * 1e3, p99_s * 1e3)


def measured(kind: str, folder: Path, entries: int) -> Load:
    """Measure in a process that does nothing else."""
    command = [sys.executable, "-m", "bench.core", kind, str(folder), str(entries)]
    process = start(command, stdout=subprocess.PIPE)
    output = process.communicate()[0]
    assert process.returncode == 0, f"{kind} failed"
    return Load(**json.loads(output)) if output else Load(0, 0, 0, 0)


def _book(folder: Path) -> Book:
    """Make a book as it was before what was recorded was written: its clock would not go back."""
    Book.create(folder, ORG, "USD", BEGIN)
    book = Book.open_writer(folder, ORG)
    books.write(book, books.openings(ACCOUNTS), lambda: BEGIN)
    return book


def _work(kind: str, entries: int) -> list[list[Any]]:
    """Return what to apply, commit by commit."""
    size = BULK if kind == "bulks" else APPLY
    fields = [
        books.entry_fields(pair, 50_000, f"order-{number:010}-{number * 7919 % 1_000_003:010}")
        for number, pair in enumerate(books.pairs(ACCOUNTS, entries))
    ]
    chunks = [fields[first : first + size] for first in range(0, entries, size)]
    return [books.submitted(ORG, _commands(kind, chunk)) for chunk in chunks]


def _commands(kind: str, chunk: Sequence[dict[str, Any]]) -> list[Command]:
    if kind == "bulks":
        return [parse_command(Kind.BULK, {"entries": chunk})]
    return [parse_command(Kind.ENTRY, each) for each in chunk]


def _timed(work: Iterable[Any], do: Callable[[Any], object]) -> list[float]:
    """Return how long each piece of work took, in seconds, but for the first ones, which warm up."""
    ready = list(work)
    gc.collect()
    gc.freeze()  # what is ready beforehand costs the collector nothing
    took = []
    for each in ready:
        began = time.perf_counter()
        do(each)
        took.append(time.perf_counter() - began)
    return took[len(ready) // WARM_UP_PART :]


if __name__ == "__main__":
    if sys.argv[1] == "record":
        record(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        print(json.dumps(measure(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))._asdict()))
