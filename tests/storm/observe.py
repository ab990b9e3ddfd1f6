"""What the ledger says after the storm, over HTTP and in its files, as plain data for the audit."""

import json
from pathlib import Path
from typing import Any, NamedTuple

import apsw
from click.testing import CliRunner

from ledger_core.store.book import book_path
from ledgerctl.cli import cli
from tests.storm.system import System
from tests.system.orgs import Org

Json = dict[str, Any]


class Event(NamedTuple):
    """A row of `hold_events`, read from the file."""

    hold_id: int
    kind: str
    captured: int
    released: int
    at: int
    entry_id: int | None


class Row(NamedTuple):
    """An entry, read from the file: its lines as (account, debit, credit)."""

    entry_id: int
    posted_at: int
    description: str | None
    lines: list[tuple[int, int, int]]


class Observed(NamedTuple):
    """An org: what is read over HTTP, what stands in its book, and what the proof finds."""

    org: str
    accounts: list[Json]
    balances: dict[int, Json]
    entries: list[Json]
    holds: list[Json]
    rows: list[Row]
    events: list[Event]
    findings: list[str]


def observe(system: System, slug: str, api_key: str) -> Observed:
    """Read everything of an org."""
    org = Org(system, slug, api_key)
    accounts = org.all("/v1/accounts")
    rows, events = of_file(book_path(system.data, slug))
    return Observed(
        org=slug,
        accounts=accounts,
        balances={account["id"]: org.balance(account["id"]) for account in accounts},
        entries=org.all("/v1/entries"),
        holds=org.all("/v1/holds"),
        rows=rows,
        events=events,
        findings=_findings(system, slug),
    )


def of_file(path: Path) -> tuple[list[Row], list[Event]]:
    """Read the entries and the hold events of a book, past all of the ledger's own code."""
    book = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        rows = {
            id_: Row(id_, posted_at, description, [])
            for id_, posted_at, description in book.execute("select id, posted_at, description from entries")
        }
        for entry_id, *line in book.execute("select entry_id, account_id, debit, credit from lines"):
            rows[entry_id].lines.append(tuple(line))  # type: ignore[arg-type]
        events = [
            Event(*row)
            for row in book.execute(
                "select hold_id, kind, captured, released, at, entry_id from hold_events order by id"
            )
        ]
    finally:
        book.close()
    return [rows[id_] for id_ in sorted(rows)], events


def _findings(system: System, slug: str) -> list[str]:
    told = CliRunner().invoke(cli, ["verify", slug, "--json", "--data", str(system.data)])
    report = json.loads(told.stdout)
    return [f"{each['subject']}: {each['problem']}" for each in report["findings"]]
