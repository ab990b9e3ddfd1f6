"""What was set aside for an operator: what could not be carried out, and the orgs whose books can't be used.

No promise rests on this file: what was accepted is in the inbox, what was decided in its book.
"""

import hashlib
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from ledger_core.model import Submission
from ledger_core.store import files
from ledger_core.store import set_aside as rows
from ledger_core.store.connection import Connection, open_writer, storage_errors, transaction
from ledger_core.store.lasting import Lasting
from ledger_core.store.set_aside import OutageRow as Outage
from ledger_core.store.versions import FileKind

ITEMS_MAX = 10_000  # beyond it each new one takes the place of an older one: see `SetAside.keep`
BYTES_MAX = 256 * 1024 * 1024  # of all bodies together: a fault of ours must not fill the disk
BODY_BYTES_MAX = 4 * 1024 * 1024  # of a longer one only the beginning is kept
CAUSE_CHARS_MAX = 2_000
PAGE_ROWS = 100


class Form(StrEnum):
    """What an item is."""

    COMMAND = "command"  # a command, as JSON
    TASK = "task"  # a Celery task: its name, id and arguments, as JSON
    STRAY = "stray"  # what lay on a lane, byte for byte


class Item(NamedTuple):
    """Something that could not be carried out, as it came, and why not.

    `lane` is the queue that it came on. `is_told`: whoever sent it was told that it failed. `is_whole`: nothing of a
    long body was cut off. A command has an org, a kind and what its submission says of it.
    """

    form: Form
    body: bytes
    cause: str
    at: int
    org: str | None = None
    kind: str | None = None
    operation_id: bytes | None = None
    submission: int | None = None
    request_id: str | None = None
    submitted_at: int | None = None
    lane: str | None = None
    is_told: bool = False
    is_whole: bool = True


class Kept(NamedTuple):
    """An item that was set aside: its number, and when it was first; `item.at` is when it last was."""

    number: int
    item: Item
    first_at: int
    times: int


def command_item(org: str, submission: Submission, cause: str, at: int, *, is_told: bool) -> Item:
    """Return the item of a command that could not be carried out."""
    return Item(
        Form.COMMAND,
        submission.command.fields(),
        cause,
        at,
        org=org,
        kind=submission.command.kind,
        operation_id=submission.operation_id,
        submission=submission.submission,
        request_id=submission.request_id,
        submitted_at=submission.submitted_at,
        is_told=is_told,
    )


class SetAside:
    """What was set aside in a data folder. Any thread may use it; the file is made when it is first written to.

    Every method raises StorageUnavailable when the file can't be used.
    """

    def __init__(self, folder: Path) -> None:
        self._path = set_aside_path(folder)
        self._file = Lasting(self._open, "set aside")

    def keep(self, item: Item) -> None:
        """Keep something. One that is there already is counted, under its number, with its latest cause.

        Where there are too many, those go first whose senders were told, then what is no command, the oldest first.
        """
        row = _row(item)
        with self._file.connection() as connection, transaction(connection, "set aside"):
            rows.keep(connection, row)
            items, size = rows.size(connection)
            while items > 1 and (items > ITEMS_MAX or size > BYTES_MAX):
                rows.let_one_go(connection)
                items, size = rows.size(connection)

    def items(self) -> Iterator[Kept]:
        """Yield everything that was set aside, the oldest first."""
        after = 0
        while self._exists():
            with self._file.connection() as connection:
                page = rows.items(connection, after, PAGE_ROWS)
            if not page:
                return
            yield from (_kept(number, row) for number, row in page)
            after = page[-1][0]

    def item(self, number: int) -> Kept | None:
        """Return what has a number; None when nothing has, or has any more."""
        if not self._exists():
            return None
        with self._file.connection() as connection:
            row = rows.item(connection, number)
        return None if row is None else _kept(number, row)

    def item_of(self, operation_id: bytes) -> Item | None:
        """Return what was set aside of an operation."""
        if not self._exists():
            return None
        with self._file.connection() as connection:
            row = rows.item_of(connection, operation_id)
        return None if row is None else _kept(0, row).item

    def operation_ids(self) -> set[bytes]:
        """Return the ids of all operations that were set aside."""
        if not self._exists():
            return set()
        with self._file.connection() as connection:
            return rows.operation_ids(connection)

    def counts(self) -> tuple[int, int, int]:
        """Return how many orgs, how many items were set aside, and how many items made room for later ones."""
        if not self._exists():
            return 0, 0, 0
        with self._file.connection() as connection:
            return len(rows.outages(connection)), rows.size(connection)[0], rows.let_go(connection)

    def drop(self, number: int) -> bool:
        """Forget an item; False when there is none."""
        with self._file.connection() as connection, transaction(connection, "set aside"):
            return rows.drop(connection, number)

    def outages(self) -> list[Outage]:
        """Return the orgs whose books can't be used, by slug."""
        if not self._exists():
            return []
        with self._file.connection() as connection:
            return rows.outages(connection)

    def begin_outage(self, org: str, cause: str, at: int) -> None:
        """Note that an org's book can't be used."""
        with self._file.connection() as connection, transaction(connection, "set aside"):
            rows.add_outage(connection, Outage(org, cause[:CAUSE_CHARS_MAX], at, at))

    def end_outage(self, org: str) -> None:
        """Note that an org's book can be used again."""
        with self._file.connection() as connection, transaction(connection, "set aside"):
            rows.end_outage(connection, org)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _exists(self) -> bool:
        return self._path.exists()

    def _open(self) -> Connection:
        with storage_errors("set aside"):
            files.make_file(self._path)
        return open_writer(self._path, FileKind.SET_ASIDE, create=True)


def set_aside_path(folder: Path) -> Path:
    """Return where what was set aside in a data folder lies."""
    return folder / "set_aside.db"


def _row(item: Item) -> rows.ItemRow:
    body = item.body[:BODY_BYTES_MAX]
    return rows.ItemRow(
        item.form, item.org, item.kind, item.operation_id, item.submission, item.request_id, item.submitted_at,
        item.lane, body, item.is_whole and len(body) == len(item.body), item.is_told, item.cause[:CAUSE_CHARS_MAX],
        _digest(item), item.at, item.at, 1,
    )  # fmt: skip


def _digest(item: Item) -> bytes:
    """Return what tells an item from others: a command is one with its operation, whoever submitted it."""
    parts = [item.form.encode(), (item.org or "").encode(), item.operation_id or b"", item.body]
    return hashlib.sha256(b"".join(len(part).to_bytes(8, "big") + part for part in parts)).digest()


def _kept(number: int, row: rows.ItemRow) -> Kept:
    item = Item(
        Form(row.form), row.body, row.cause, row.last_at, row.org, row.kind, row.operation_id, row.submission,
        row.request_id, row.submitted_at, row.lane, bool(row.is_told), bool(row.is_whole),
    )  # fmt: skip
    return Kept(number, item, row.first_at, row.times)
