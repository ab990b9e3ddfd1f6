"""`ledgerctl migrate`: every file is brought up to date, or what is wrong with it is said."""

import json
from pathlib import Path

import pytest

from ledger_core.inbox import Inbox
from ledger_core.orgs import registry_path
from ledger_core.store.book import book_path
from ledger_core.store.migrate import copy_path
from tests import newer_program
from tests.ledgerctl.conftest import Run


@pytest.fixture
def older(run: Run, data: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A command line of the newer program, on a folder of an older one with the orgs acme and globex."""
    for slug in ("acme", "globex"):
        run("org", "create", slug)
    Inbox.open(data).close()
    newer_program.install(monkeypatch)
    return run


def test_every_file_is_brought_up_to_date_with_a_copy(older: Run, data: Path) -> None:
    result = older("migrate")

    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        f"{name}: brought from schema {older} to {older + 1}; what it was is in {copy_path(path, older)}"
        for name, older, path in [
            ("registry", 1, registry_path(data)),
            ("inbox", 1, data / "inbox.db"),
            ("acme", 2, book_path(data, "acme")),
            ("globex", 2, book_path(data, "globex")),
        ]
    ]
    assert older("verify").exit_code == 0


def test_a_second_time_there_is_nothing_to_do(older: Run, data: Path) -> None:
    older("migrate")

    result = older("migrate", "--json")

    told = [json.loads(line) for line in result.stdout.splitlines()]
    assert [item["name"] for item in told] == ["registry", "inbox", "acme", "globex"]
    assert all(item["before"] == item["now"] and item["copy"] is item["problem"] is None for item in told)
    assert [item["now"] for item in told] == [2, 2, 3, 3]


def test_a_book_that_is_wrong_is_told_of_and_the_others_go_on(older: Run, data: Path) -> None:
    book_path(data, "acme").write_bytes(b"no book" * 1000)

    result = older("migrate")

    assert result.exit_code == 1
    assert "acme: NOT BROUGHT UP TO DATE; acme.db: NotADBError" in result.stdout
    assert "globex: brought from schema 2 to 3" in result.stdout


@pytest.mark.parametrize("command", [("verify", "acme"), ("org", "list"), ("key", "list", "acme")])
def test_what_only_reads_says_what_to_do(older: Run, command: tuple[str, ...]) -> None:
    result = older(*command)

    assert result.exit_code == 1
    assert result.stderr == "Error: registry.db: has schema 1, and this program reads 2: run ledgerctl migrate\n"
