"""The inbox: writes that were accepted with a `202` and have no outcome yet, safe from the loss of the broker."""

import json
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, TypeAlias

from ledger_core.commands import Kind, parse_command
from ledger_core.errors import StorageUnavailable
from ledger_core.model import Submission
from ledger_core.store import files
from ledger_core.store import inbox as rows
from ledger_core.store.connection import Connection, open_reader, open_writer, storage_errors, transaction
from ledger_core.store.inbox import AcceptedRow
from ledger_core.store.lasting import Lasting
from ledger_core.store.private import data_folder
from ledger_core.store.versions import FileKind

PAGE_ROWS = 500


class Accepted(NamedTuple):
    """An accepted write, and the org that it is for."""

    org: str
    submission: Submission
    fingerprint: bytes


Unreadable: TypeAlias = Callable[[AcceptedRow, Exception], None]  # told of a write that can't be read, and why


class Inbox:
    """The inbox of a data folder. Any thread may use it; a reader never waits for a commit.

    It is opened when it is needed, and afresh after a failure. Once it has been there it is never made again: what
    was accepted in it would be lost without a word.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = inbox_path(folder)
        self._was_there = False
        self._writer = Lasting(self._open_writer, "inbox")
        self._reader = Lasting(self._open_reader, "inbox")

    @classmethod
    def open(cls, folder: Path) -> "Inbox":
        """Open the inbox of a data folder; it is made when it is not there.

        Raises:
            StorageUnavailable: it can't be opened.
        """
        inbox = cls(folder)
        for file in (inbox._writer, inbox._reader):
            with file.connection():
                pass
        return inbox

    def accept(self, accepted: Sequence[Accepted], settled: Sequence[Submission] = ()) -> None:
        """Put accepted writes on disk, and forget those that have an outcome, in one commit.

        Raises:
            StorageUnavailable: nothing was accepted.
        """
        with self._writer.connection() as connection, transaction(connection, "inbox"):
            rows.accept(connection, [_row(item) for item in accepted])
            rows.drop(connection, [(item.operation_id, item.submission) for item in settled])

    def find(self, operation_id: bytes) -> Accepted | None:
        """Return the write that first took an operation's id, while it waits; None when there is none.

        Raises:
            StorageUnavailable: the inbox, or that write in it, can't be read.
        """
        with self._reader.connection() as connection:
            row = rows.find(connection, operation_id)
        if row is None:
            return None
        try:
            return _accepted(row)
        except Exception as error:
            raise StorageUnavailable(f"inbox: a write of {row.org} can't be read: {error}") from error

    def fingerprints(self, operation_ids: Collection[bytes]) -> dict[bytes, bytes]:
        """Return, of those operations that wait, the fingerprint of the write that first took each one's id.

        Raises:
            StorageUnavailable: the inbox can't be read.
        """
        if not operation_ids:
            return {}
        with self._reader.connection() as connection:
            return rows.fingerprints(connection, operation_ids)

    def waiting(
        self,
        unreadable: Unreadable = lambda row, error: None,
        skip: Callable[[bytes], bool] = lambda operation_id: False,
    ) -> Iterator[Accepted]:
        """Yield every write that waits, the oldest first, but those whose operations are to be skipped.

        One that can't be read holds up none of the others.

        Raises:
            StorageUnavailable: the inbox can't be read.
        """
        after = 0
        while True:
            with self._reader.connection() as connection:
                page = rows.waiting(connection, after, PAGE_ROWS)
            if not page:
                return
            for after, row in page:  # noqa: B007  # the last one says where the next page starts
                if skip(row.operation_id):
                    continue
                try:
                    item = _accepted(row)
                except Exception as error:  # of another program's, or a fault of ours
                    unreadable(row, error)
                else:
                    yield item

    def drop(self, operation_id: bytes) -> None:
        """Forget what was accepted under an operation that has its outcome.

        Raises:
            StorageUnavailable: the inbox can't be written.
        """
        with self._writer.connection() as connection, transaction(connection, "inbox"):
            rows.drop_operation(connection, operation_id)

    def close(self) -> None:
        """Close the file."""
        self._reader.close()
        self._writer.close()  # last, since only a writer can fold the WAL in

    def _open_writer(self) -> Connection:
        is_new = not self._was_there
        with storage_errors("inbox"):
            if is_new:
                data_folder(self._folder)
                files.make_file(self._path)
        connection = open_writer(self._path, FileKind.INBOX, create=is_new)
        self._was_there = True
        return connection

    def _open_reader(self) -> Connection:
        return open_reader(self._path, FileKind.INBOX)


def inbox_path(folder: Path) -> Path:
    """Return where the inbox of a data folder lies."""
    return folder / "inbox.db"


def _row(item: Accepted) -> AcceptedRow:
    submission = item.submission
    return AcceptedRow(
        submission.operation_id,
        item.org,
        submission.command.kind,
        submission.command.fields().decode(),
        item.fingerprint,
        submission.submission,
        submission.request_id,
        submission.submitted_at,
    )


def _accepted(row: AcceptedRow) -> Accepted:
    command = parse_command(Kind(row.kind), json.loads(row.command))
    submission = Submission(row.operation_id, row.submission, command, row.request_id, row.submitted_at)
    return Accepted(row.org, submission, row.fingerprint)
