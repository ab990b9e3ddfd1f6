"""What these tests share: the command line, run in this process on a data folder."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ledger_core import ledger
from ledger_core.store.book import Book
from ledgerctl import keys, orgs, up, verify  # noqa: F401  # each adds its commands to the table
from ledgerctl.cli import cli
from tests.builders import opening, posting, submission

Run = Callable[..., Result]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder that is not there yet."""
    return tmp_path / "data"


@pytest.fixture
def run(data: Path) -> Run:
    """Run a command on the data folder; an exception that is not told as one line is a bug."""

    def run(*arguments: str) -> Result:
        result = CliRunner().invoke(cli, [*arguments, "--data", str(data)])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return run


@pytest.fixture
def acme(run: Run, data: Path) -> Run:
    """A command line on a folder with the org acme, which has an entry, and the empty org globex."""
    for slug in ("acme", "globex"):
        run("org", "create", slug)
    book = Book.open_writer(data, "acme")
    ledger.apply(book, [submission(command) for command in (opening(), opening(), posting())])
    book.close()
    return run
