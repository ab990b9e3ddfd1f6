"""`ledgerctl migrate`: bring every file up to date after an upgrade."""

import json
from pathlib import Path

import click

from ledger_core.upgrade import Upgraded, upgrade
from ledgerctl.options import data_option, json_option, tells_errors


@click.command()
@data_option
@json_option
@tells_errors
def migrate(data: Path, as_json: bool) -> None:
    """Bring the registry, the inbox and all books up to this program's schema, each with a copy kept beside it.

    Each would be at its first use, too; this does it before anybody waits for it. Safe while the ledger runs.
    Exit code 1 when a file can't be brought up to date; it stays as it was, and its org gets 503.
    """
    failed = False
    for done in upgrade(data):
        failed = failed or done.problem is not None
        click.echo(json.dumps(_facts(done)) if as_json else _sentence(done))
    if failed:
        raise SystemExit(1)


def _facts(done: Upgraded) -> dict[str, object]:
    return {**done._asdict(), "copy": None if done.copy is None else str(done.copy)}


def _sentence(done: Upgraded) -> str:
    if done.problem is not None:
        return f"{done.name}: NOT BROUGHT UP TO DATE; {done.problem}"
    if done.copy is None:
        return f"{done.name}: schema {done.now}, up to date"
    return f"{done.name}: brought from schema {done.before} to {done.now}; what it was is in {done.copy}"
