"""What these tests share: a data folder with two orgs, and what a worker works with."""

from pathlib import Path

import pytest

from ledger_core.orgs import Registry
from ledger_core.set_aside import SetAside
from tests.builders import NOW
from workers.books import Books
from workers.outages import Outages
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
def aside(data: Path) -> SetAside:
    """What is set aside in the data folder."""
    return SetAside(data)


@pytest.fixture
def outages(data: Path, aside: SetAside) -> Outages:
    """The orgs of the data folder that are set aside."""
    return Outages(data, aside)


@pytest.fixture
def books(data: Path, outages: Outages) -> Books:
    """The books of the data folder."""
    return Books(data, outages)


@pytest.fixture
def turns(books: Books, aside: SetAside) -> Turns:
    """What carries out commands on the data folder."""
    return Turns(books, aside)
