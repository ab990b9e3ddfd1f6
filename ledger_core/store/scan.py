"""Walking through all rows of a book, for its proof. Rows come as they are written, unchecked."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import apsw

from ledger_core.model import Line, Metadata
from ledger_core.store import load
from ledger_core.store.versions import STEPS, FileKind

UNREADABLE: Metadata = {"": ""}  # stands for metadata that is no JSON; no pair has an empty key


class EntryRow(NamedTuple):
    """An entry without its lines."""

    id: int
    posted_at: int
    description: str | None
    idempotency_key: str | None
    metadata: Metadata
    reverses: int | None
    hold_id: int | None
    hash: bytes


class LineRow(NamedTuple):
    """A line, and where it stands."""

    entry_id: int
    position: int
    line: Line


class HoldRow(NamedTuple):
    """A hold's running figures, in minor units."""

    id: int
    account_id: int
    amount: int
    captured: int
    released: int
    status: str
    version: int


class HoldEventRow(NamedTuple):
    """One thing that happened to a hold."""

    hold_id: int
    version: int
    account_id: int
    kind: str
    captured: int
    released: int
    held: int
    at: int
    entry_id: int | None


class OperationRow(NamedTuple):
    """Where a decided write points, and when it was decided."""

    id: bytes
    kind: str
    subject_id: int | None
    finished_at: int


_ACCOUNTS = """select id, name, code, type, currency, overdraft_limit, metadata, created_at, closed_at,
    debits, credits, held, version from accounts order by id"""
_ENTRIES = """select id, posted_at, description, idempotency_key, metadata, reverses, hold_id, hash
    from entries order by id"""
_LINES = """select entry_id, position, account_id, debit, credit, version, debits, credits
    from lines order by entry_id, position"""
_HOLDS = "select id, account_id, amount, captured, released, status, version from holds order by id"
_HOLD_EVENTS = """select hold_id, version, account_id, kind, captured, released, held, at, entry_id
    from hold_events order by id"""
_OPERATIONS = "select id, kind, subject_id, finished_at from operations"


def accounts(connection: apsw.Connection) -> Iterator[Any]:
    """Yield every account, by rising ids."""
    for *head, metadata, created_at, closed_at, debits, credits, held, version in connection.execute(_ACCOUNTS):
        account = load.account_record((*head, None, created_at, closed_at, debits, credits, held, version))
        yield account._replace(metadata=_metadata(metadata))


def entries(connection: apsw.Connection) -> Iterator[EntryRow]:
    """Yield every entry, by rising ids."""
    for row in connection.execute(_ENTRIES):
        yield EntryRow._make((*row[:4], _metadata(row[4]), *row[5:]))


def lines(connection: apsw.Connection) -> Iterator[LineRow]:
    """Yield every line, by rising entries and positions."""
    for entry_id, position, *line in connection.execute(_LINES):
        yield LineRow(entry_id, position, load.line_record(tuple(line)))


def holds(connection: apsw.Connection) -> Iterator[HoldRow]:
    """Yield every hold, by rising ids."""
    return (HoldRow._make(row) for row in connection.execute(_HOLDS))


def hold_events(connection: apsw.Connection) -> Iterator[HoldEventRow]:
    """Yield every hold event, in the order in which they were written."""
    return (HoldEventRow._make(row) for row in connection.execute(_HOLD_EVENTS))


def operations(connection: apsw.Connection) -> Iterator[OperationRow]:
    """Yield every decided write."""
    return (OperationRow._make(row) for row in connection.execute(_OPERATIONS))


def file_faults(connection: apsw.Connection) -> list[str]:
    """Return what SQLite itself finds wrong with the file, its indexes and its references."""
    faults = [str(text) for (text,) in connection.execute("pragma integrity_check") if text != "ok"]
    for table, rowid, parent, _ in connection.execute("pragma foreign_key_check"):
        faults.append(f"row {rowid} of {table} refers to a missing row of {parent}")
    return faults


def guards(connection: apsw.Connection) -> dict[str, str]:
    """Return the triggers by which the tables defend themselves: the SQL of each by its name."""
    return dict(connection.execute("select name, sql from sqlite_schema where type = 'trigger' order by name"))


def guards_of_new() -> dict[str, str]:
    """Return the triggers of a book as this program makes it."""
    connection = apsw.Connection(":memory:")
    for step in STEPS[FileKind.BOOK]:
        connection.execute(step)
    return guards(connection)


def _metadata(text: str | None) -> Metadata:
    try:
        return load.metadata_record(text)
    except ValueError:
        return UNREADABLE
