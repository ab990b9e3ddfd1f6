"""The rows of the inbox."""

from array import array
from collections.abc import Collection, Sequence
from typing import NamedTuple

import apsw

from ledger_core.store.inserting import Insert


class AcceptedRow(NamedTuple):
    """A write that was accepted and has no outcome yet. `command` is JSON."""

    operation_id: bytes
    org: str
    kind: str
    command: str
    fingerprint: bytes
    submission: int
    request_id: str
    submitted_at: int


_ACCEPTED = Insert(
    "accepted",
    "operation_id, org, kind, command, fingerprint, submission, request_id, submitted_at",
    "on conflict do nothing",
)
_DROP = """delete from accepted where id in (
    select id from carray(?) as operations cross join accepted on operation_id = operations.value
    where submission in (select value from carray(?)))"""
_FIND = """select operation_id, org, kind, command, fingerprint, submission, request_id, submitted_at
    from accepted where operation_id = ? order by id limit 1"""
_FINGERPRINTS = """select operation_id, fingerprint from carray(?) cross join accepted on operation_id = value
    order by accepted.id desc"""
_WAITING = """select id, operation_id, org, kind, command, fingerprint, submission, request_id, submitted_at
    from accepted where id > ? order by id limit ?"""


def accept(connection: apsw.Connection, rows: Sequence[AcceptedRow]) -> None:
    """Save accepted writes; one that is there already stays as it is."""
    _ACCEPTED.all(connection, rows)


def find(connection: apsw.Connection, operation_id: bytes) -> AcceptedRow | None:
    """Load the write that first took an operation's id, while it waits."""
    row = connection.execute(_FIND, (operation_id,)).fetchone()
    return None if row is None else AcceptedRow._make(row)


def fingerprints(connection: apsw.Connection, operation_ids: Collection[bytes]) -> dict[bytes, bytes]:
    """Load the fingerprint of the write that first took each of those operations' ids, while it waits."""
    return dict(connection.execute(_FINGERPRINTS, (apsw.carray(tuple(operation_ids)),)))  # the first one comes last


def waiting(connection: apsw.Connection, after: int, limit: int) -> list[tuple[int, AcceptedRow]]:
    """Load a page of accepted writes, the oldest first, each with the number that the next page starts after."""
    return [(row[0], AcceptedRow._make(row[1:])) for row in connection.execute(_WAITING, (after, limit))]


def drop(connection: apsw.Connection, pairs: Sequence[tuple[bytes, int]]) -> None:
    """Delete accepted writes that have an outcome, each named by operation and submission, which no two share."""
    if pairs:
        operations, submissions = zip(*pairs, strict=True)
        connection.execute(_DROP, (apsw.carray(operations), apsw.carray(array("q", submissions))))


def drop_operation(connection: apsw.Connection, operation_id: bytes) -> None:
    """Delete all that was accepted under an operation's id."""
    connection.execute("delete from accepted where operation_id = ?", (operation_id,))
