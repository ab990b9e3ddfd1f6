"""A WAL that is longer than what was committed: it grows seldom, and nothing that was committed is touched by it."""

import os
import shutil
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from ledger_core.store.book import Book, book_path
from ledger_core.store.connection import BOOK_PAGE_BYTES
from ledger_core.store.lengthening import PAGES_AHEAD, PAGES_FIRST, PAGES_MAX
from ledger_core.verify import verify
from tests.ledger_core.builders import CASH, CUSTOMERS, ORG, Ledger

FRAME_BYTES = BOOK_PAGE_BYTES + 24
AHEAD_BYTES = PAGES_AHEAD * FRAME_BYTES


def _wal(ledger: Ledger) -> Path:
    return Path(f"{ledger.path}-wal")


def _wal_bytes(ledger: Ledger) -> int:
    return _wal(ledger).stat().st_size


def _post(ledger: Ledger, count: int = 1) -> None:
    for _ in range(count):
        ledger.post((CASH, 1, "debit"), (CUSTOMERS, 1, "credit"))


@pytest.fixture
def written(chart: Ledger) -> Ledger:
    """A book whose WAL was just made longer."""
    before = _wal_bytes(chart)
    while _wal_bytes(chart) - before < AHEAD_BYTES:
        _post(chart)
    return chart


def test_commits_write_over_what_the_wal_has_already(written: Ledger) -> None:
    sizes = set()
    for _ in range(3):
        _post(written)
        sizes.add(_wal_bytes(written))

    assert len(sizes) == 1


def test_it_is_made_longer_again_before_its_end_is_reached(written: Ledger) -> None:
    sizes = []
    while _wal_bytes(written) < 5 * AHEAD_BYTES:
        _post(written)
        sizes.append(_wal_bytes(written))

    assert {after - before for before, after in pairwise(sizes)} == {0, AHEAD_BYTES}


def test_it_is_made_no_longer_than_it_grows_before_it_is_begun_anew(written: Ledger) -> None:
    _post(written, 400)

    assert _wal_bytes(written) < (PAGES_MAX + PAGES_AHEAD) * FRAME_BYTES


def test_a_connection_that_writes_a_little_leaves_it_as_it_is(chart: Ledger) -> None:
    chart.reopen()
    _post(chart)

    assert 0 < _wal_bytes(chart) <= (PAGES_FIRST + 1) * FRAME_BYTES


@pytest.mark.parametrize("cut_bytes", [0, 1, FRAME_BYTES - 1, FRAME_BYTES, 3 * FRAME_BYTES + 7, AHEAD_BYTES // 2])
def test_after_a_crash_all_that_was_committed_is_there_whatever_became_of_the_zeros(
    written: Ledger, tmp_path: Path, cut_bytes: int
) -> None:
    before = _wal_bytes(written)
    _post(written, 2)
    assert _wal_bytes(written) == before, "they lie within it"
    left = tmp_path / "left"
    shutil.copytree(written.folder / "books", left / "books", ignore=shutil.ignore_patterns("*-shm"))
    os.truncate(f"{book_path(left, ORG)}-wal", before - cut_bytes)

    book = Book.open_writer(left, ORG)
    rows = [
        each.connection.execute("select id, hash from entries order by id").fetchall() for each in (book, written.book)
    ]
    findings = verify(book).findings
    book.close()

    assert rows[0] == rows[1] != []
    assert findings == []


@pytest.fixture
def neighbour(written: Ledger) -> Iterator[Ledger]:
    """Another connection that writes to the same book."""
    other = Ledger(written.folder)
    yield other
    other.close()


def test_two_that_write_in_turns_leave_each_others_commits_alone(written: Ledger, neighbour: Ledger) -> None:
    size = _wal_bytes(written)
    entries = 0
    while _wal_bytes(written) < size + 3 * AHEAD_BYTES:
        _post(written)
        neighbour.now = written.now
        neighbour._submissions = written._submissions
        _post(neighbour)
        entries += 2

    posted = written.book.connection.execute("select count(*), max(id) from entries").fetchone()
    assert posted is not None
    assert posted[0] == posted[1] >= entries
    assert written.findings() == []


def test_on_a_full_disk_the_last_of_it_is_for_what_is_committed(chart: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.pwrite

    def full(descriptor: int, data: bytes, offset: int) -> int:
        return real(descriptor, data[:4096], offset)  # so a disk does whose last pages these are

    monkeypatch.setattr(os, "pwrite", full)
    _post(chart, 5)

    written = chart.book.connection.execute("select count(*) from entries").fetchone()
    assert written == (5,)
    grown = _wal_bytes(chart)
    _post(chart)
    assert 0 < _wal_bytes(chart) - grown < AHEAD_BYTES, "it grows with each commit"


def test_a_system_that_does_not_let_it_is_no_error(chart: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> int:
        raise OSError("no")

    monkeypatch.setattr(os, "open", refuse)

    _post(chart, 20)

    assert chart.balance(CASH).total == 20
