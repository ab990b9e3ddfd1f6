"""`ledgerctl org`: created once, listed, and refused in one line."""

import json
import stat
from pathlib import Path

import pytest

from ledger_core.orgs import Registry, Scope, digest, registry_path
from ledger_core.store.book import book_path
from tests.ledgerctl.conftest import Run


def test_a_created_org_has_a_book_and_a_key_that_is_not_kept(run: Run, data: Path) -> None:
    result = run("org", "create", "acme", "--name", "Acme Corp", "--currency", "EUR", "--json")

    facts = json.loads(result.stdout)
    api_key = facts.pop("api_key")
    assert facts == {"slug": "acme", "name": "Acme Corp", "currency": "EUR", "key_id": facts["key_id"]}
    assert Registry.open_reader(data).scope_of("acme", digest(api_key)) is Scope.FULL
    assert not any(api_key.encode() in path.read_bytes() for path in data.rglob("*") if path.is_file())
    assert book_path(data, "acme").exists()


def test_only_their_owner_may_read_the_files(run: Run, data: Path) -> None:
    run("org", "create", "acme")

    modes = {stat.S_IMODE(path.stat().st_mode) & 0o077 for path in [data, *data.rglob("*")]}

    assert modes == {0}


def test_for_people_the_key_is_shown_with_a_warning(run: Run) -> None:
    result = run("org", "create", "acme")

    assert result.exit_code == 0
    assert "API key  ffl_" in result.stdout
    assert "not shown again" in result.stdout


def test_orgs_are_listed_by_slug(run: Run) -> None:
    run("org", "create", "globex")
    run("org", "create", "acme", "--currency", "EUR")

    listed = json.loads(run("org", "list", "--json").stdout)

    assert [(item["slug"], item["name"], item["currency"]) for item in listed] == [
        ("acme", "acme", "EUR"),
        ("globex", "globex", "USD"),
    ]
    assert [line.split("\t")[0] for line in run("org", "list").stdout.splitlines()] == ["acme", "globex"]


def test_a_slug_that_is_taken_is_refused_and_stays_as_it_was(run: Run) -> None:
    run("org", "create", "acme", "--name", "First")

    result = run("org", "create", "acme", "--name", "Second")

    assert (result.exit_code, result.stdout) == (1, "")
    assert "there is an org acme already" in result.stderr
    assert json.loads(run("org", "list", "--json").stdout)[0]["name"] == "First"
    assert len(json.loads(run("key", "list", "acme", "--json").stdout)) == 1


@pytest.mark.parametrize("slug", ["", "Acme", "a-", "a.b", "../a", "a/b", "a" * 64, "acme\n", "ü"])
def test_a_slug_of_another_form_is_refused_and_makes_nothing(run: Run, data: Path, slug: str) -> None:
    result = run("org", "create", slug)

    assert result.exit_code == 1
    assert "is no slug" in result.stderr
    assert list(data.glob("books/*")) == []


@pytest.mark.parametrize("currency", ["usd", "US", "U" * 13, "US$", "USD "])
def test_a_currency_of_another_form_is_refused(run: Run, currency: str) -> None:
    result = run("org", "create", "acme", "--currency", currency)

    assert result.exit_code == 1
    assert "is no currency" in result.stderr
    assert json.loads(run("org", "list", "--json").stdout) == []


def test_a_folder_whose_registry_is_gone_is_told_in_one_line(run: Run, data: Path) -> None:
    run("org", "create", "acme")
    registry_path(data).unlink()

    result = run("org", "list")

    assert result.exit_code == 1
    assert result.stderr.startswith("Error: registry.db")
    assert len(result.stderr.splitlines()) == 1


def test_whoever_begins_a_ledger_is_told_where_and_only_then(run: Run, data: Path) -> None:
    first, second = run("org", "create", "acme", "--json"), run("org", "create", "globex")

    assert first.stderr == f"a new ledger begins in {data}; if you meant another one: --data or LEDGER_DATA\n"
    assert json.loads(first.stdout)["slug"] == "acme"
    assert second.stderr == ""


def test_a_wrong_command_line_has_an_exit_code_of_its_own(run: Run) -> None:
    assert run("org", "create").exit_code == 2
    assert run("org", "destroy").exit_code == 2
