"""Books that intake lends to readers."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from intake.readers import Readers
from ledger_core import reads
from ledger_core.errors import StorageUnavailable
from ledger_core.store import files
from ledger_core.store.migrate import copy_path
from tests import newer_program
from tests.ledger_core.builders import ORG, Ledger


@pytest.fixture
def chart(tmp_path: Path) -> Iterator[Ledger]:
    """A book with one account."""
    driver = Ledger(tmp_path)
    driver.account(name="Cash")
    yield driver
    driver.close()


def test_the_first_read_after_an_upgrade_brings_the_book_up_to_date(
    chart: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    chart.close()
    newer_program.install(monkeypatch)
    readers = Readers(chart.folder)

    with readers.book(ORG) as book:
        assert reads.account(book, 1).name == "Cash"

    assert copy_path(chart.path, 2).exists()
    readers.close()


def test_a_reader_from_before_the_upgrade_is_not_lent_twice(chart: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    readers = Readers(chart.folder)
    with readers.book(ORG) as old:
        reads.account(old, 1)
    newer_program.install(monkeypatch)
    chart.reopen()  # by the newer program

    with pytest.raises(StorageUnavailable), readers.book(ORG) as book:
        reads.account(book, 1)
    with readers.book(ORG) as book:
        assert reads.account(book, 1).name == "Cash"

    assert book is not old
    readers.close()


def test_a_book_that_can_not_be_brought_up_to_date_is_unavailable_to_readers(
    chart: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    chart.close()
    newer_program.install(monkeypatch)
    monkeypatch.setattr(files, "free_bytes", lambda folder: 0)
    readers = Readers(chart.folder)

    with pytest.raises(StorageUnavailable, match="no room"), readers.book(ORG):
        pass
