"""What these tests share: a data folder with two orgs, and what a worker works with."""

from pathlib import Path

import pytest

from ledger_core.inbox import Inbox
from ledger_core.orgs import Registry
from tests.builders import NOW
from workers.books import Books
from workers.turns import Turns

ORGS = ("acme", "globex", "initech")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder with the orgs."""
    registry = Registry.open_writer(tmp_path)
    for slug in ORGS:
        registry.create_org(slug, name=None, currency=None, now=NOW)
    registry.close()
    return tmp_path


@pytest.fixture
def books(data: Path) -> Books:
    """The books of the data folder."""
    return Books(data)


@pytest.fixture
def inbox(data: Path) -> Inbox:
    """The inbox of the data folder."""
    return Inbox.open(data)


@pytest.fixture
def turns(books: Books, inbox: Inbox) -> Turns:
    """What carries out commands on the data folder."""
    return Turns(books, inbox)
