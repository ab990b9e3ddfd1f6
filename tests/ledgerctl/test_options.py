"""What all commands share: where there is no ledger none is made in passing, and a number that can't be is said."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from ledgerctl.cli import cli
from tests.ledgerctl.conftest import Run

COMMANDS = [
    "org list", "key create acme", "key list acme", "key revoke acme 1", "verify", "verify acme", "backup copy",
    "migrate", "restart", "set-aside", "set-aside list", "set-aside show 1", "set-aside retry 1", "set-aside drop 1",
]  # fmt: skip


@pytest.mark.parametrize("is_there", [True, False], ids=["an-empty-folder", "no-folder"])
@pytest.mark.parametrize("command", COMMANDS)
def test_a_folder_without_a_ledger_is_said_to_be_one_and_stays_so(
    run: Run, data: Path, command: str, is_there: bool
) -> None:
    if is_there:
        data.mkdir()

    result = run(*command.split())

    assert result.exit_code == 1
    assert result.stderr == f"Error: there is no ledger in {data}; name its folder with --data or LEDGER_DATA\n"
    assert result.stdout == ""
    assert data.exists() == is_there
    assert not list(data.rglob("*"))


@pytest.mark.parametrize(
    ("option", "value", "bounds"),
    [("--port", "abc", "0 to 65535"), ("--port", "65536", "0 to 65535"), ("--workers", "0", "1 to 64")],
)
def test_a_number_that_cannot_be_is_told_with_its_bounds(data: Path, option: str, value: str, bounds: str) -> None:
    told = CliRunner().invoke(cli, ["up", "--data", str(data), option, value])

    assert told.exit_code == 2
    assert f"Invalid value for '{option}': it must be a whole number from {bounds}, not '{value}'" in told.stderr
    assert not data.exists()
