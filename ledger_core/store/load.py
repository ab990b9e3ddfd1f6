"""Loading records of a book by their ids: whole statements, one for each question."""

import json
from array import array
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

import apsw
from pydantic_core import from_json

from ledger_core.commands import Kind
from ledger_core.errors import RefusalKind, RefusalRecord
from ledger_core.model import (
    Account,
    Capture,
    Entry,
    Hold,
    HoldEvent,
    HoldEventKind,
    HoldStatus,
    Line,
    ListedEntry,
    Metadata,
)
from ledger_core.money import CREDIT, DEBIT, AccountType
from ledger_core.store.connection import Runner

# Each record comes whole, as one JSON array of one row: every row more is one more time that a reader lets go of the
# interpreter, which under load costs more than the row. The columns are in the order of the record's fields.
ACCOUNT_COLUMNS = """id, name, code, type, currency, overdraft_limit, metadata, created_at, closed_at,
    debits, credits, held, version"""
ENTRY_COLUMNS = """id, posted_at, description, idempotency_key, metadata, reverses, hold_id,
    (select json_group_array(json_array(account_id, debit, credit, version, debits, credits)) from (
        select account_id, debit, credit, version, debits, credits from lines where entry_id = entries.id
        order by position)),
    hex(hash), (select id from entries as later where later.reverses = entries.id)"""
LISTED_ENTRY_COLUMNS = """id, posted_at, description, idempotency_key, metadata, reverses, hold_id,
    (select json_group_array(json_array(account_id, debit, credit)) from (
        select account_id, debit, credit from lines where entry_id = entries.id order by position)),
    (select id from entries as later where later.reverses = entries.id)"""
_METADATA, _LINES = 4, 7  # of these columns
HOLD_COLUMNS = """id, account_id, counter_account_id, amount,
    (select currency from accounts where accounts.id = account_id), description, metadata, idempotency_key,
    expires_at, created_at, captured, released, status, version,
    (select json_group_array(json_array(entry_id, captured, at)) from (
        select entry_id, captured, at from hold_events where hold_id = holds.id and kind = 'captured'
        order by version))"""

_ACCOUNT_TYPES = {type.value: type for type in AccountType}  # to call the class costs four times as much


def _latest(posted_at: str) -> str:
    """Return the latest instant that a book has written: that of its last entry, unless something else came since.

    The entry says it of itself: to write it to the book as well would be one more page for each commit.
    """
    return f"max(last_at, coalesce({posted_at}, 0))"


LAST_AT = _latest("(select posted_at from entries where id = (select max(id) from entries))")

_BOOK = f"select currency, created_at, {LAST_AT} from book"  # noqa: S608  # of constants, like those below
# What a writer wants to know first is one statement, with the kind of each row before its columns: to run another one
# costs about as much as what it says.
_ACCOUNT_ROW, _DECIDED_ROW = 1, 2
_START = f"""select 0, currency, {_latest("posted_at")}, entries.id, hash, exists (
        select 1 from holds indexed by holds_due
        where status = 'active' and expires_at is not null and expires_at <= max(?1, {_latest("posted_at")})),
        null, null, null, null, null, null, null, null
    from book left join entries on entries.id = (select max(id) from entries)
    union all select 1, {ACCOUNT_COLUMNS} from carray(?2) cross join accounts on accounts.id = value
    union all select 2, operations.id, null, null, null, null, null, null, null, null, null, null, null, null
        from carray(?3) cross join operations on operations.id = value"""  # noqa: S608
_ACCOUNTS = f"select {ACCOUNT_COLUMNS} from carray(?) cross join accounts on accounts.id = value"  # noqa: S608
_ACCOUNT = f"select {ACCOUNT_COLUMNS} from accounts where id = ?"  # noqa: S608
_ENTRY = f"select {ENTRY_COLUMNS} from entries where id = ?"  # noqa: S608
_HOLD = f"select {HOLD_COLUMNS} from holds where id = ?"  # noqa: S608
_HOLDS = f"select {HOLD_COLUMNS} from carray(?) cross join holds on holds.id = value"  # noqa: S608
_HOLD_EVENTS = """select hold_id, version, account_id, kind, captured, released, held, at, entry_id
    from hold_events where hold_id = ? order by version"""
_DUE = """select id from holds where status = 'active' and expires_at is not null and expires_at <= ?
    order by expires_at, id"""
_OPERATION = """select kind, fingerprint, submission, submitted_at, finished_at, subject_id, subject_version, refusal
    from operations where id = ?"""
_DECIDED = "select id from carray(?) cross join operations on operations.id = value"
_BULK_ENTRIES = "select operation_id, entry_id from bulk_entries where bulk = ? order by position"


class BookRow(NamedTuple):
    """The book's own facts. `last_at` is the latest instant written to it."""

    currency: str
    created_at: int
    last_at: int


class Start(NamedTuple):
    """Where a book's writer goes on: its clock, the last entry if there is one, and whether a hold has expired.

    With it comes what was asked for: those of the accounts that exist, and those of the writes that were decided.
    """

    currency: str
    last_at: int
    entry_id: int | None
    entry_hash: bytes | None
    has_due_holds: int
    accounts: list[Account]
    decided: list[bytes]


class OperationRow(NamedTuple):
    """A decided write as it is kept: its fingerprint, who started it, and where its outcome is."""

    kind: Kind
    fingerprint: bytes
    submission: int
    submitted_at: int
    finished_at: int
    subject_id: int | None
    subject_version: int | None
    refusal: RefusalRecord | None


def book(connection: Runner) -> BookRow:
    """Load the book's own facts."""
    return BookRow._make(_row(connection, _BOOK, ()) or ())


def start(connection: Runner, now: int, account_ids: Collection[int], operation_ids: Collection[bytes]) -> Start:
    """Load where a book's writer goes on, with some accounts, and which of some writes were decided."""
    facts: Sequence[Any] = ()
    accounts, decided = [], []
    for kind, *row in connection.execute(_START, (now, _integers(account_ids), _blobs(operation_ids))):
        if kind == _ACCOUNT_ROW:
            accounts.append(account_record(row))
        elif kind == _DECIDED_ROW:
            decided.append(row[0])
        else:
            facts = row[:5]
    return Start._make((*facts, accounts, decided))


def accounts(connection: Runner, account_ids: Collection[int]) -> list[Account]:
    """Load those of the accounts that exist, as they are written."""
    rows = connection.execute(_ACCOUNTS, (_integers(account_ids),))
    return [account_record(row) for row in rows]


def account(connection: Runner, account_id: int) -> Account | None:
    """Load an account as it is written; holds that expired since then are still in `held`."""
    row = _row(connection, _ACCOUNT, (account_id,))
    return None if row is None else account_record(row)


def entry(connection: Runner, entry_id: int) -> Entry | None:
    """Load an entry with its lines."""
    row = _row(connection, _ENTRY, (entry_id,))
    return None if row is None else entry_record(row)


def hold(connection: Runner, hold_id: int) -> Hold | None:
    """Load a hold as it is written; one that expired since then is still active."""
    row = _row(connection, _HOLD, (hold_id,))
    return None if row is None else hold_record(row)


def holds(connection: Runner, hold_ids: Collection[int]) -> list[Hold]:
    """Load those of the holds that exist, as they are written."""
    return [hold_record(row) for row in connection.execute(_HOLDS, (_integers(hold_ids),))]


def hold_events(connection: Runner, hold_id: int) -> list[HoldEvent]:
    """Load what happened to a hold, in its order."""
    rows = connection.execute(_HOLD_EVENTS, (hold_id,))
    return [HoldEvent._make((*row[:3], HoldEventKind(row[3]), *row[4:])) for row in rows]


def due_holds(connection: Runner, now: int) -> list[int]:
    """Load the ids of active holds that have expired, in the order in which they did."""
    return [hold_id for (hold_id,) in connection.execute(_DUE, (now,))]


def operation(connection: Runner, operation_id: bytes) -> OperationRow | None:
    """Load what was decided about a write."""
    row = _row(connection, _OPERATION, (operation_id,))
    if row is None:
        return None
    return OperationRow._make((Kind(row[0]), *row[1:7], refusal_record(row[7])))


def decided(connection: Runner, operation_ids: Collection[bytes]) -> list[bytes]:
    """Load which of the writes were decided."""
    rows = connection.execute(_DECIDED, (_blobs(operation_ids),))
    return [operation_id for (operation_id,) in rows]


def bulk_entries(connection: Runner, operation_id: bytes) -> list[tuple[bytes, int]]:
    """Load the operation and the id of each entry of a bulk, in its order."""
    return [(row[0], row[1]) for row in connection.execute(_BULK_ENTRIES, (operation_id,))]


def code_owner(connection: Runner, code: str) -> int | None:
    """Load the id of the account that has a code."""
    return _number(connection, "select id from accounts where code = ?", (code,))


def last_account_id(connection: Runner) -> int:
    """Load the highest id of an account; 0 when there is none."""
    return _number(connection, "select max(id) from accounts", ()) or 0


def last_hold_id(connection: Runner) -> int:
    """Load the highest id of a hold; 0 when there is none."""
    return _number(connection, "select max(id) from holds", ()) or 0


def account_record(row: Sequence[Any]) -> Account:
    """Make an account of a row of its columns."""
    id_, name, code, type_, currency, limit, metadata, *rest = row
    known = _ACCOUNT_TYPES.get(type_) or AccountType(type_)
    return Account._make((id_, name, code, known, currency, limit, metadata_record(metadata), *rest))


def entry_record(row: Sequence[Any]) -> Entry:
    """Make an entry of a row of its columns."""
    id_, posted_at, description, key, metadata, reverses, hold_id, lines, digest, reversed_by = row
    return Entry(
        id_,
        posted_at,
        description,
        key,
        metadata_record(metadata),
        reverses,
        hold_id,
        tuple([line_record(line) for line in _nested(lines)]),
        bytes.fromhex(digest),
        reversed_by,
    )


def listed_entries(rows: Sequence[list[Any]]) -> list[ListedEntry]:
    """Make what a list shows of entries of rows of their columns, which are in the order of its fields.

    The lines of all are read as one text: each text more costs as much as those of an entry.
    """
    entries = []
    for row, lines in zip(rows, from_json(f"[{','.join([row[_LINES] for row in rows])}]"), strict=True):
        row[_METADATA] = metadata_record(row[_METADATA])
        row[_LINES] = lines
        entries.append(ListedEntry._make(row))
    return entries


def line_record(row: Sequence[int]) -> Line:
    """Make a line of its account, debit, credit, and what its account stands at after it."""
    account_id, debit, credit, version, debits, credits = row
    return Line(account_id, DEBIT if debit else CREDIT, debit or credit, version, debits, credits)


def hold_record(row: Sequence[Any]) -> Hold:
    """Make a hold of a row of its columns."""
    *head, metadata, key, expires_at, created_at, captured, released, status, version, captures = row
    made = tuple([Capture._make(capture) for capture in _nested(captures)])
    tail = (key, expires_at, created_at, captured, released, HoldStatus(status), version, made)
    return Hold._make((*head, metadata_record(metadata), *tail))


def refusal_record(text: str | None) -> RefusalRecord | None:
    """Make a refusal of the JSON that `save` wrote."""
    if text is None:
        return None
    code, kind, *rest = json.loads(text)
    return RefusalRecord(code, RefusalKind(kind), *rest)


def metadata_record(text: str | None) -> Metadata:
    """Make metadata of its JSON; null is none."""
    return {} if text is None else json.loads(text)


def _nested(value: str | list[Any]) -> list[Any]:
    """Read an array in a row: SQLite hands it over as text, or as a part of a larger one."""
    return value if isinstance(value, list) else from_json(value)


def _integers(values: Collection[int]) -> Any:
    return apsw.carray(array("q", values)) if values else None  # null is an array of nothing, which can't be bound


def _blobs(values: Collection[bytes]) -> Any:
    return apsw.carray(tuple(values)) if values else None


def _row(connection: Runner, sql: str, bindings: tuple[Any, ...]) -> tuple[Any, ...] | None:
    return connection.execute(sql, bindings).fetchone()


def _number(connection: Runner, sql: str, bindings: tuple[Any, ...]) -> int | None:
    row = _row(connection, sql, bindings)
    return None if row is None else row[0]
