"""Reading a file that a newer program may migrate meanwhile: what was read counts only if its schema is still known.

The schema is looked at after a read, and only if anything was committed since it was last looked at: SQLite counts
the states of a file that it has seen, and a read is what makes it look. A file's schema only ever becomes newer, so
what was there after a read was there before it. One that fails is asked too: of a schema that this program does not
know, anything may fail.
"""

from types import TracebackType

from ledger_core.store.connection import Connection, check_unmoved, storage_errors


class Statement:
    """A block that runs one statement, which sees one state of the file by itself.

    Raises:
        StorageUnavailable: the file can't be read, or a newer program has migrated it since it was opened.
    """

    def __init__(self, connection: Connection, what: str) -> None:
        self._connection = connection
        self._what = what
        self._checked: int | None = None  # the state whose schema was looked at

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Check what was read."""
        if error is not None or self._connection.data_version() != self._checked:
            self._check(error)

    def _check(self, error: BaseException | None) -> None:
        with storage_errors(self._what):
            if error is None or isinstance(error, Exception):
                check_unmoved(self._connection, self._what)
            if error is not None:
                raise error
            self._checked = self._connection.data_version()


class Snapshot(Statement):
    """A block whose statements all see one state of the file.

    Raises:
        StorageUnavailable: the file can't be read, or a newer program has migrated it since it was opened.
    """

    def __enter__(self) -> None:
        """Begin."""
        with storage_errors(self._what):
            self._connection.execute("begin")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Check what was read, in the state that it was read from."""
        try:
            super().__exit__(kind, error, trace)
        finally:
            if self._connection.in_transaction:
                with storage_errors(self._what):
                    self._connection.execute("rollback")
