"""Reads: the only way to read a book. A hold that has expired is expired here, settled by a writer or not.

`now` is the caller's one reading of the clock; no read is older than what the book has already written.
"""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from ledger_core.commands import Kind
from ledger_core.errors import AccountNotFound, EntryNotFound, HoldNotFound, IdempotencyKeyReused
from ledger_core.limits import ID_MAX
from ledger_core.model import (
    Account,
    AccountStatus,
    Balance,
    Bulk,
    BulkItem,
    Entry,
    Hold,
    HoldStatus,
    ListedEntry,
    Outcome,
    Resource,
    Submission,
)
from ledger_core.money import NORMAL_SIDE, AccountType
from ledger_core.rules.holds import follow
from ledger_core.store import lists, load
from ledger_core.store.book import Book


class AccountFilter(NamedTuple):
    """Which accounts to list."""

    type: AccountType | None = None
    code: str | None = None
    code_prefix: str | None = None
    status: AccountStatus | None = None


class EntryFilter(NamedTuple):
    """Which entries to list. `posted_from` is inclusive, `posted_before` exclusive."""

    account_id: int | None = None
    hold_id: int | None = None
    idempotency_key: str | None = None
    posted_from: int | None = None
    posted_before: int | None = None


class HoldFilter(NamedTuple):
    """Which holds to list."""

    account_id: int | None = None
    status: HoldStatus | None = None


class Span(NamedTuple):
    """Which part of a list: at most `limit` things beyond the id `after`, by rising ids or by falling ones."""

    limit: int
    after: int | None = None
    descending: bool = False


def account(book: Book, account_id: int) -> Account:
    """Read an account.

    Raises:
        AccountNotFound: there is none.
    """
    with book.errors():
        found = load.account(book.connection, account_id)
    if found is None:
        raise AccountNotFound(account_id)
    return found


def entry(book: Book, entry_id: int) -> Entry:
    """Read an entry.

    Raises:
        EntryNotFound: there is none.
    """
    with book.errors():
        found = load.entry(book.connection, entry_id)
    if found is None:
        raise EntryNotFound(entry_id)
    return found


def hold(book: Book, hold_id: int, now: int) -> Hold:
    """Read a hold as it is now.

    Raises:
        HoldNotFound: there is none.
    """
    with book.errors():
        found = lists.hold_now(book.connection, hold_id, now)
    if found is None:
        raise HoldNotFound(hold_id)
    return _settled(*found)


def balance(book: Book, account_id: int, now: int, at: int | None = None) -> Balance:
    """Read what an account stands at, or stood at at an instant; one in the future is answered as of now.

    Raises:
        AccountNotFound: there is none.
    """
    with book.errors():
        current = lists.standing_now(book.connection, account_id, now)
    if current is None:
        raise AccountNotFound(account_id)
    debits, credits, version, as_of, held, currency, type_ = current
    if at is not None and at < as_of:
        as_of = at
        with book.snapshot():
            debits, credits, version = lists.standing(book.connection, account_id, at)
            held = lists.held(book.connection, account_id, at)
    normal_side = NORMAL_SIDE[AccountType(type_)]
    return Balance(account_id, currency, normal_side, debits, credits, held, version, as_of)


def accounts(book: Book, wanted: AccountFilter, span: Span) -> Sequence[Account]:
    """Read a page of accounts."""
    with book.errors() if wanted.code_prefix is None else book.snapshot():
        return lists.accounts(
            book.connection,
            _range(span),
            type=wanted.type,
            code=wanted.code,
            code_prefix=wanted.code_prefix,
            closed=None if wanted.status is None else wanted.status is AccountStatus.CLOSED,
        )


def entries(book: Book, wanted: EntryFilter, span: Span) -> Sequence[ListedEntry]:
    """Read a page of entries."""
    in_time = wanted.posted_from is not None or wanted.posted_before is not None
    with book.snapshot() if in_time else book.errors():
        low, high = lists.entries_between(book.connection, wanted.posted_from, wanted.posted_before)
        return lists.entries(
            book.connection,
            _range(span, low, high),
            account=wanted.account_id,
            hold=wanted.hold_id,
            key=wanted.idempotency_key,
        )


def holds(book: Book, wanted: HoldFilter, span: Span, now: int) -> Sequence[Hold]:
    """Read a page of holds as they are now."""
    with book.errors():
        found = lists.holds(book.connection, _range(span), account=wanted.account_id, status=wanted.status, now=now)
    return [_settled(item, as_of) for item, as_of in found]


def operation(book: Book, operation_id: bytes) -> Outcome | None:
    """Read what was decided about a write; None when nothing was, yet."""
    with book.snapshot():
        row = load.operation(book.connection, operation_id)
        return None if row is None else _outcome(book, operation_id, row, replayed=False)


def which_decided(book: Book, operation_ids: Collection[bytes]) -> set[bytes]:
    """Read which of several writes were decided. Called inside a snapshot."""
    return set(load.decided(book.connection, operation_ids))


def decided(book: Book, submission: Submission, fingerprint: bytes) -> Outcome | None:
    """Read what a write comes to that was decided before: its outcome again, byte for byte, or that its key is taken.

    Called inside a transaction or a snapshot. None when nothing was decided, yet.
    """
    row = load.operation(book.connection, submission.operation_id)
    if row is None:
        return None
    if row.fingerprint != fingerprint:
        refusal = IdempotencyKeyReused().record(submission.request_id, submission.command.address)
        return Outcome(
            submission.operation_id,
            submission.command.kind,
            row.submitted_at,
            row.finished_at,
            False,
            None,
            refusal,
        )
    replayed = row.submission != submission.submission
    return _outcome(book, submission.operation_id, row, replayed=replayed)


def _outcome(book: Book, operation_id: bytes, row: load.OperationRow, *, replayed: bool) -> Outcome:
    if row.subject_id is None:
        resource: Resource | None = None
    elif row.kind is Kind.BULK:
        resource = _bulk(book, operation_id)
    else:
        resource = _resource(book, row.kind, row.subject_id, row.subject_version)
    return Outcome(operation_id, row.kind, row.submitted_at, row.finished_at, replayed, resource, row.refusal)


def _resource(book: Book, kind: Kind, subject_id: int, version: int | None) -> Resource:
    """Return what a write answered with, as it was then: the journal has every step, so nothing is kept twice."""
    if kind in (Kind.ENTRY, Kind.REVERSAL):
        return entry_as_posted(book, subject_id)
    if kind in (Kind.ACCOUNT, Kind.CLOSURE):
        found = load.account(book.connection, subject_id)
        assert found is not None, "accounts are never deleted"
        return found._replace(closed_at=None) if kind is Kind.ACCOUNT else found
    assert version is not None, "a hold's write has a version"
    return hold_at_version(book, subject_id, version)


def _bulk(book: Book, operation_id: bytes) -> Bulk:
    items = load.bulk_entries(book.connection, operation_id)
    return Bulk(tuple(BulkItem(item, entry_as_posted(book, entry_id)) for item, entry_id in items))


def entry_as_posted(book: Book, entry_id: int) -> Entry:
    """Return an entry as it was when it was posted, before anything reversed it."""
    found = load.entry(book.connection, entry_id)
    assert found is not None, "entries are never deleted"
    return found._replace(reversed_by=None)


def hold_at_version(book: Book, hold_id: int, version: int) -> Hold:
    """Return a hold as it stood after that many events."""
    found = load.hold(book.connection, hold_id)
    assert found is not None, "holds are never deleted"
    placed = found._replace(captured=0, released=0, status=HoldStatus.ACTIVE, version=1, captures=())
    for event in load.hold_events(book.connection, hold_id)[1:version]:
        placed = follow(placed, event)
    return placed


def _settled(found: Hold, as_of: int) -> Hold:
    if found.status is not HoldStatus.ACTIVE or found.expires_at is None or found.expires_at > as_of:
        return found
    return found._replace(released=found.released + found.remaining, status=HoldStatus.EXPIRED)


def present(book: Book, now: int) -> int:
    """Return the instant of a read made now: a machine's clock may go back, what a book has written does not."""
    return max(now, load.book(book.connection).last_at)


def _range(span: Span, low: int = 0, high: int = ID_MAX) -> lists.Range:
    if span.after is not None:
        low, high = (low, min(high, span.after)) if span.descending else (max(low, span.after), high)
    return lists.Range(low, high, span.limit, span.descending)
