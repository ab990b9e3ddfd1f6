"""`ledgerctl verify`: prove the books."""

import json
from collections.abc import Sequence
from pathlib import Path

import click

from ledger_core.backup import MANIFEST, not_asked_for
from ledger_core.errors import OrgNotFound, StorageUnavailable
from ledger_core.orgs import Registry
from ledger_core.store.book import Book, book_path
from ledger_core.verify import Finding, Report
from ledger_core.verify import verify as prove
from ledgerctl.options import data_option, json_option, tells_errors
from wire.lanes import lock_path


@click.command()
@click.argument("slugs", metavar="[SLUG]...", nargs=-1)
@data_option
@json_option
@tells_errors
def verify(slugs: tuple[str, ...], data: Path, as_json: bool) -> None:
    """Prove the books, all or those named: work them out again from their lines.

    Balances, held funds, versions, the hash chain, numbers without gaps, references, and the file itself.
    Safe while the ledger runs. Exit code 1 when anything is found. Of a backup of some orgs only, the books are proved
    that it was to have, and how many it is without is said on standard error.
    """
    registry = Registry.open_reader(data)
    wrong = 0
    for slug in slugs or _all_here(data, [org.slug for org in registry.orgs()]):
        if registry.org(slug) is None:
            raise OrgNotFound(slug)
        report = _report(data, slug)
        wrong += bool(report.findings)
        click.echo(json.dumps(_facts(report)) if as_json else _sentence(report))
    if wrong:
        raise SystemExit(1)


def _all_here(data: Path, slugs: Sequence[str]) -> Sequence[str]:
    """Return the orgs whose books are to be in a folder: all, without those that a backup was not to copy.

    A folder on which workers ran since is a ledger, and no copy any more: no book may be missing in it.
    """
    has_run = lock_path(data, 0).parent.exists()
    absent = set() if has_run else set(not_asked_for(data))
    here = [slug for slug in slugs if slug not in absent or book_path(data, slug).exists()]
    if len(here) < len(slugs):
        left = len(slugs) - len(here)
        click.echo(f"this is a backup of some orgs only, without the books of {left} more: {data / MANIFEST}", err=True)
    return here


def _report(data: Path, slug: str) -> Report:
    try:
        book = Book.open_reader(data, slug)
        try:
            return prove(book)
        finally:
            book.close()
    except StorageUnavailable as error:
        return _unread(slug, str(error))
    except Exception as error:  # whatever the proof stumbles over, such as a table that is gone, must not stop it
        return _unread(slug, f"can't be read: {type(error).__name__}: {error}")


def _unread(slug: str, why: str) -> Report:
    return Report(slug, 0, 0, 0, 0, 0, "", "", [Finding("file", why)])


def _facts(report: Report) -> dict[str, object]:
    findings = [finding._asdict() for finding in report.findings]
    return {**report._asdict(), "ok": not findings, "findings": findings}


def _sentence(report: Report) -> str:
    counts = f"{report.entries} entries, {report.lines} lines, {report.accounts} accounts, {report.holds} holds"
    if not report.findings:
        return f"{report.org}: right; {counts}, up to {report.last_at}, head {report.head}"
    lines = [f"{report.org}: NOT RIGHT; {counts}"]
    lines += [f"  {finding.subject}: {finding.problem}" for finding in report.findings]
    return "\n".join(lines)
