"""`ledgerctl key`: created, listed, revoked."""

import json
from pathlib import Path

import pytest

from ledger_core.orgs import Registry, Scope, digest
from tests.ledgerctl.conftest import Run


@pytest.fixture
def acme(run: Run) -> Run:
    """A command line on a folder with the org acme."""
    run("org", "create", "acme")
    return run


@pytest.mark.parametrize(
    ("options", "scope"), [([], Scope.FULL), (["--read-only"], Scope.READ_ONLY)], ids=["full", "read-only"]
)
def test_a_new_key_may_do_what_it_was_made_for(acme: Run, data: Path, options: list[str], scope: Scope) -> None:
    created = json.loads(acme("key", "create", "acme", "--json", *options).stdout)

    assert created == {**created, "slug": "acme", "scope": scope.value}
    assert Registry.open_reader(data).scope_of("acme", digest(created["api_key"])) is scope


def test_keys_are_listed_without_themselves(acme: Run) -> None:
    created = json.loads(acme("key", "create", "acme", "--read-only", "--json").stdout)

    result = acme("key", "list", "acme", "--json")

    keys = json.loads(result.stdout)
    assert [(item["scope"], item["revoked_at"]) for item in keys] == [("full", None), ("read-only", None)]
    assert keys[1]["key_id"] == created["key_id"]
    assert created["api_key"] not in result.stdout + acme("key", "list", "acme").stdout


def test_a_revoked_key_fails_and_the_others_work(acme: Run, data: Path) -> None:
    first, second = (json.loads(acme("key", "create", "acme", "--json").stdout) for _ in range(2))

    result = acme("key", "revoke", "acme", first["key_id"])

    assert result.exit_code == 0
    registry = Registry.open_reader(data)
    assert registry.scope_of("acme", digest(first["api_key"])) is None
    assert registry.scope_of("acme", digest(second["api_key"])) is Scope.FULL
    revoked = {item["key_id"]: item["revoked_at"] for item in json.loads(acme("key", "list", "acme", "--json").stdout)}
    assert revoked[first["key_id"]] is not None
    assert revoked[second["key_id"]] is None


def test_a_key_is_revoked_once(acme: Run) -> None:
    key_id = json.loads(acme("key", "create", "acme", "--json").stdout)["key_id"]
    acme("key", "revoke", "acme", key_id)

    result = acme("key", "revoke", "acme", key_id)

    assert result.exit_code == 1
    assert f"there is no working key {key_id}" in result.stderr


def test_the_key_of_another_org_is_not_revoked(acme: Run) -> None:
    acme("org", "create", "globex")
    (key,) = json.loads(acme("key", "list", "globex", "--json").stdout)

    assert acme("key", "revoke", "acme", key["key_id"]).exit_code == 1
    assert json.loads(acme("key", "list", "globex", "--json").stdout) == [key]


@pytest.mark.parametrize("arguments", [["create", "nobody"], ["list", "nobody"], ["revoke", "nobody", "x"]])
def test_an_unknown_org_is_told_in_one_line(acme: Run, arguments: list[str]) -> None:
    result = acme("key", *arguments)

    assert (result.exit_code, result.stdout) == (1, "")
    assert "there is no org nobody" in result.stderr
