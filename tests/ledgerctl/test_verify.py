"""`ledgerctl verify`: what it says of books that are right, and of those that are not."""

import json
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from ledger_core.store.book import book_path
from tests.ledgerctl.conftest import Run


def _damage(data: Path) -> None:
    connection = apsw.Connection(str(book_path(data, "acme")))
    connection.execute("drop trigger entries_never_go")
    connection.close()


def test_books_that_are_right_are_said_to_be_so(acme: Run) -> None:
    result = acme("verify")

    assert result.exit_code == 0
    first, second = result.stdout.splitlines()
    assert first.startswith("acme: right; 1 entries, 2 lines, 2 accounts, 0 holds")
    assert second.startswith("globex: right; 0 entries")


def test_for_programs_each_book_is_a_line_of_json(acme: Run) -> None:
    lines = [json.loads(line) for line in acme("verify", "--json").stdout.splitlines()]

    assert [(line["org"], line["ok"], line["entries"], line["operations"]) for line in lines] == [
        ("acme", True, 1, 3),
        ("globex", True, 0, 0),
    ]
    assert all(line["findings"] == [] for line in lines)


def test_a_book_that_is_not_right_is_named_and_ends_with_one(acme: Run, data: Path) -> None:
    _damage(data)

    result = acme("verify")

    assert result.exit_code == 1
    assert "acme: NOT RIGHT" in result.stdout
    assert "globex: right" in result.stdout


def test_for_programs_the_findings_are_told(acme: Run, data: Path) -> None:
    _damage(data)

    result = acme("verify", "acme", "--json")

    report = json.loads(result.stdout)
    assert (result.exit_code, report["ok"]) == (1, False)
    assert all(finding.keys() == {"subject", "problem"} for finding in report["findings"])
    assert any("entries_never_go" in json.dumps(finding) for finding in report["findings"])


def test_only_the_books_that_are_named_are_looked_at(acme: Run, data: Path) -> None:
    _damage(data)

    assert acme("verify", "globex").exit_code == 0


@pytest.mark.parametrize("damage", ["gone", "foreign", "without its table"])
def test_a_file_that_cannot_be_read_is_a_finding_and_stops_nothing(acme: Run, data: Path, damage: str) -> None:
    path = book_path(data, "acme")
    if damage == "without its table":
        with closing(apsw.Connection(str(path))) as connection:
            connection.execute("drop table book")
    else:
        path.unlink()
    if damage == "foreign":
        path.write_bytes(b"not a database " * 1_000)

    result = acme("verify", "--json")

    reports = {report["org"]: report for report in map(json.loads, result.stdout.splitlines())}
    assert result.exit_code == 1
    assert [finding["subject"] for finding in reports["acme"]["findings"]] == ["file"]
    assert reports["globex"]["ok"]


def test_an_unknown_org_is_told_in_one_line(acme: Run) -> None:
    result = acme("verify", "nobody")

    assert result.exit_code == 1
    assert "there is no org nobody" in result.stderr
