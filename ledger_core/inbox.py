"""The inbox: writes that were accepted with a `202` and have no outcome yet, safe from the loss of the broker."""

import json
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from ledger_core.commands import Kind, parse_command
from ledger_core.model import Submission
from ledger_core.store import files
from ledger_core.store import inbox as rows
from ledger_core.store.connection import Connection, open_reader, open_writer, storage_errors, transaction
from ledger_core.store.private import data_folder
from ledger_core.store.versions import FileKind

PAGE_ROWS = 500


class Accepted(NamedTuple):
    """An accepted write, and the org that it is for."""

    org: str
    submission: Submission
    fingerprint: bytes


class Inbox:
    """The inbox of a data folder. Any thread may use it; a reader never waits for a commit."""

    def __init__(self, connection: Connection, reader: Connection) -> None:
        self._connection = connection
        self._lock = threading.Lock()
        self._reader = reader
        self._reader_lock = threading.Lock()

    @classmethod
    def open(cls, folder: Path) -> "Inbox":
        """Open the inbox of a data folder; it is made when it is not there.

        Raises:
            StorageUnavailable: it can't be opened.
        """
        path = inbox_path(folder)
        with storage_errors("inbox"):
            data_folder(folder)
            files.make_file(path)
        return cls(open_writer(path, FileKind.INBOX, create=True), open_reader(path, FileKind.INBOX))

    def accept(self, accepted: Sequence[Accepted], settled: Sequence[Submission] = ()) -> None:
        """Put accepted writes on disk, and forget those that have an outcome, in one commit.

        Raises:
            StorageUnavailable: nothing was accepted.
        """
        with self._lock, transaction(self._connection, "inbox"):
            rows.accept(self._connection, [_row(item) for item in accepted])
            rows.drop(self._connection, [(item.operation_id, item.submission) for item in settled])

    def find(self, operation_id: bytes) -> Accepted | None:
        """Return the write that first took an operation's id, while it waits; None when there is none.

        Raises:
            StorageUnavailable: the inbox can't be read.
        """
        with self._reader_lock, storage_errors("inbox"):
            row = rows.find(self._reader, operation_id)
        return None if row is None else _accepted(row)

    def waiting(self) -> Iterator[Accepted]:
        """Yield every write that waits, the oldest first.

        Raises:
            StorageUnavailable: the inbox can't be read.
        """
        after = 0
        while True:
            with self._reader_lock, storage_errors("inbox"):
                page = rows.waiting(self._reader, after, PAGE_ROWS)
            if not page:
                return
            yield from (_accepted(row) for _, row in page)
            after = page[-1][0]

    def drop(self, operation_id: bytes) -> None:
        """Forget what was accepted under an operation that has its outcome.

        Raises:
            StorageUnavailable: the inbox can't be written.
        """
        with self._lock, transaction(self._connection, "inbox"):
            rows.drop_operation(self._connection, operation_id)

    def close(self) -> None:
        """Close the file."""
        with self._lock, self._reader_lock:
            self._reader.close()
            self._connection.close()  # last, since only a writer can fold the WAL in


def inbox_path(folder: Path) -> Path:
    """Return where the inbox of a data folder lies."""
    return folder / "inbox.db"


def _row(item: Accepted) -> rows.AcceptedRow:
    submission = item.submission
    return rows.AcceptedRow(
        submission.operation_id,
        item.org,
        submission.command.kind,
        submission.command.fields().decode(),
        item.fingerprint,
        submission.submission,
        submission.request_id,
        submission.submitted_at,
    )


def _accepted(row: rows.AcceptedRow) -> Accepted:
    command = parse_command(Kind(row.kind), json.loads(row.command))
    submission = Submission(row.operation_id, row.submission, command, row.request_id, row.submitted_at)
    return Accepted(row.org, submission, row.fingerprint)
