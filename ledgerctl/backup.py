"""`ledgerctl backup`: a copy of the ledger while it runs."""

import json
from pathlib import Path

import click

from ledger_core.backup import MANIFEST, Copied, TargetUnusable
from ledger_core.backup import backup as copy
from ledgerctl.options import Failed, data_option, json_option, tells_errors


@click.command()
@click.argument("target", metavar="DEST", type=click.Path(path_type=Path, file_okay=False))
@click.option("--org", "slugs", metavar="SLUG", multiple=True, help="Copy the book of this org only; may be repeated.")
@data_option
@json_option
@tells_errors
def backup(target: Path, slugs: tuple[str, ...], data: Path, as_json: bool) -> None:
    """Copy the ledger into the new or empty folder DEST, and prove each copy.

    Safe while the ledger runs: whatever was answered before this began is in it. DEST can be used as a data folder as
    it is; what is in it, up to which hash, is in its backup.json. Exit code 1 when anything was left out.
    """
    wrong = 0
    try:
        for copied in copy(data, target, dict.fromkeys(slugs)):
            wrong += copied.problem is not None
            click.echo(json.dumps(_facts(copied)) if as_json else _sentence(copied))
    except TargetUnusable as error:
        raise Failed(f"{target} can't become a backup: {error}; it needs a folder of its own, new or empty") from error
    if wrong:
        raise Failed(f"{target} is not a whole backup; what was left out is in {target / MANIFEST} too")


def _facts(copied: Copied) -> dict[str, object]:
    report = {} if copied.report is None else copied.report._asdict()
    report.pop("findings", None)
    return {**copied._asdict(), "report": report or None}


def _sentence(copied: Copied) -> str:
    if copied.problem is not None:
        return f"{copied.name}: LEFT OUT; {copied.problem}"
    if copied.report is None:
        return f"{copied.name}: copied"
    report = copied.report
    return f"{copied.name}: copied, and right; {report.entries} entries, up to {report.last_at}, head {report.head}"
