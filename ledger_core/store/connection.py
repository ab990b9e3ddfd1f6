"""Opening SQLite files: pragmas each with its reason, transactions, and what an SQLite error means."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import TypeAlias

import apsw

from ledger_core.errors import OtherSchema, OutcomeUnknown, StorageUnavailable
from ledger_core.store.lengthening import Lengthening
from ledger_core.store.migrate import migrate
from ledger_core.store.private import close_to_others
from ledger_core.store.versions import FileKind, check_newest, newest, user_version, version_of

SQLITE_VERSION_MIN = (3, 51, 3)  # earlier ones can corrupt a WAL file that is reset (sqlite.org/wal.html#walresetbug)
BUSY_TIMEOUT_MS = 5_000  # a writer waits for another one's commit rather than fail
PAGE_CACHE_KIB = 1_024  # for each connection: thousands of books share one process,
BOOK_PAGE_BYTES = 2_048  # a commit writes each page that it touches; SQLite's 4,096 would double what it writes
LARGE_CACHE_KIB = 8_192  # but few are in a large transaction at once: a bulk changes a thousand pages, in no order;
INBOX_CACHE_KIB = 8_192  # and there is one inbox, whose pages are needed in no order
# Pages in the WAL before a commit folds them into the file: SQLite's own, and of large transactions that follow each
# other so many that most pages are in several of them, and are folded in once.
CHECKPOINT_PAGES = 1_000
LARGE_CHECKPOINT_PAGES = 4_000

assert tuple(int(part) for part in apsw.sqlite_lib_version().split(".")) >= SQLITE_VERSION_MIN, (
    "this SQLite can corrupt a file in WAL mode"
)

_STORAGE_ERRORS = (
    apsw.BusyError,
    apsw.LockedError,
    apsw.FullError,
    apsw.IOError,
    apsw.ReadOnlyError,
    apsw.CantOpenError,
    apsw.CorruptError,
    apsw.NotADBError,
    apsw.PermissionsError,
    apsw.AuthError,
    apsw.ProtocolError,
    apsw.NoLFSError,
    apsw.NoMemError,
)
_FAILURES = (*_STORAGE_ERRORS, OSError)  # what SQLite or the system says of a file that can't be used


class Connection(apsw.Connection):
    """An open file of ours: its schema version, and the one that it was migrated from when it was opened."""

    version: int | None = None  # None until it is the one that this program knows
    migrated_from: int | None = None
    lengthening: Lengthening | None = None  # of a book that is written
    statements: apsw.Cursor  # runs those of transactions: a cursor for each costs as much as a short statement
    state: int | None = None  # which of the file's states, as SQLite counts them, its last transaction left


Runner: TypeAlias = apsw.Connection | apsw.Cursor  # of statements


@contextmanager
def storage_errors(what: str) -> Iterator[None]:
    """Turn what SQLite or the system says of a file that can't be used into StorageUnavailable. Bugs pass through."""
    try:
        yield
    except _FAILURES as error:
        raise _unavailable(what, error) from error


def _unavailable(what: str, error: Exception) -> StorageUnavailable:
    return StorageUnavailable(f"{what}: {type(error).__name__}: {error}")


def open_writer(path: Path, kind: FileKind, *, create: bool = False) -> Connection:
    """Open a file to read and write, and bring its schema up to date.

    Raises:
        StorageUnavailable: it is missing (unless `create`), foreign, newer than this program, or can't be opened.
    """
    flags = apsw.SQLITE_OPEN_READWRITE | (apsw.SQLITE_OPEN_CREATE if create else 0)
    with storage_errors(path.name):
        for each in (path, Path(f"{path}-wal"), Path(f"{path}-shm")):
            close_to_others(each)  # first: SQLite gives the others the mode of the file
        connection = _connection(path, flags)
        try:
            _prepare(connection, kind)
            if create and kind is FileKind.BOOK:
                _once(connection, f"pragma page_size = {BOOK_PAGE_BYTES:d}")  # changes nothing of a file with content
            version = version_of(connection, path, kind, blank=create)  # first: a stranger's file is left as it is
            _once(connection, "pragma journal_mode = wal")  # readers never wait for the writer
            _once(connection, "pragma synchronous = full")  # not normal: an answered write survives power loss
            if version != newest(kind):
                connection.migrated_from = _migrate(connection, path, kind)
            connection.version = newest(kind)
            connection.lengthening = Lengthening() if kind is FileKind.BOOK else None
        except BaseException:
            connection.close()
            raise
        return connection


def open_reader(path: Path, kind: FileKind) -> Connection:
    """Open a file to read only.

    Raises:
        SchemaOutdated: it is an older program's.
        StorageUnavailable: it is missing, foreign, a newer program's, or can't be opened.
    """
    with storage_errors(path.name):
        connection = _connection(path, apsw.SQLITE_OPEN_READONLY)
        try:
            _prepare(connection, kind)
            check_newest(connection, path, kind)
            connection.version = newest(kind)
        except BaseException:
            connection.close()
            raise
        return connection


def close(connection: apsw.Connection) -> None:
    """Close a file, whatever its disk says to that: what was committed is in the file or in its WAL."""
    with suppress(*_STORAGE_ERRORS):
        connection.close()


@contextmanager
def transaction(connection: Connection, what: str) -> Iterator[None]:
    """Run a block in `begin immediate ... commit`; anything that goes wrong rolls all of it back.

    Immediate, since a transaction that reads first and then writes fails at once when another one wrote meanwhile.

    Raises:
        StorageUnavailable: the file can't be written, or a newer program has migrated it since it was opened.
        OutcomeUnknown: the commit failed, but may be found on disk after a crash.
    """
    with Begun(connection, what) as commit:
        yield
        commit()


class Begun:
    """A block in a transaction that it commits itself by calling what it is given, in whichever thread.

    What it does not commit is rolled back. The errors are those of `transaction`. A connection has one at a time, and
    may use it again and again: to make a generator for each costs as much as a short statement.
    """

    __slots__ = ("_connection", "_what")

    def __init__(self, connection: Connection, what: str) -> None:
        self._connection = connection
        self._what = what

    def __enter__(self) -> Callable[[], None]:
        """Begin."""
        try:
            self._connection.statements.execute("begin immediate")
            try:
                self._look()
            except BaseException:
                self._roll_back()
                raise
        except _FAILURES as error:
            raise _unavailable(self._what, error) from error
        return self._commit

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Roll back what was not committed."""
        if self._connection.in_transaction:
            with storage_errors(self._what):
                self._roll_back()
        if isinstance(error, _FAILURES):
            raise _unavailable(self._what, error) from error

    def _look(self) -> None:
        connection = self._connection
        if connection.data_version() != connection.state:  # somebody else wrote since
            check_unmoved(connection, self._what)
        if connection.lengthening is not None:
            connection.lengthening.look(connection, BOOK_PAGE_BYTES)

    def _commit(self) -> None:
        _commit(self._connection, self._what)

    def _roll_back(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("rollback")


@contextmanager
def roomy(connection: Connection) -> Iterator[None]:
    """Have room for the pages that a large transaction changes, in a block that commits it.

    Those for which there is none are written before the commit, read when they are needed again, and written again.
    """
    _cache(connection, LARGE_CACHE_KIB)
    connection.wal_autocheckpoint(LARGE_CHECKPOINT_PAGES)
    try:
        yield
    finally:
        with suppress(apsw.Error):  # nothing hides how the block ended; a file that failed is opened afresh
            _cache(connection, PAGE_CACHE_KIB)
            connection.wal_autocheckpoint(CHECKPOINT_PAGES)


def _commit(connection: Connection, what: str) -> None:
    """Commit; if that fails, see to it that it stays failed.

    A commit that fails in its last sync may lie in the WAL whole. This process forgets it, and the next commit takes
    its place, but a crash before that would bring it back. So an empty commit takes its place at once.
    """
    try:
        connection.statements.execute("commit")
        connection.state = connection.data_version()
    except apsw.IOError as error:
        if connection.in_transaction:
            connection.execute("rollback")
        try:
            connection.execute("begin immediate")
            connection.execute(f"pragma user_version = {user_version(connection):d}")
            connection.execute("commit")
        except apsw.Error as another:
            raise OutcomeUnknown(f"{what}: {error}; and then {type(another).__name__}: {another}") from error
        raise


def check_unmoved(connection: Connection, what: str) -> None:
    """Check that the file still has the schema that it was opened with, the only one that this program knows.

    Raises:
        OtherSchema: a newer program has migrated it meanwhile.
    """
    version = user_version(connection)
    if connection.version not in (None, version):
        raise OtherSchema(
            f"{what}: a newer program has brought it from schema {connection.version} to {version} meanwhile"
        )


def _migrate(connection: Connection, path: Path, kind: FileKind) -> int | None:
    connection.execute("pragma foreign_keys = off")  # a step may rebuild a table; all references are checked at its end
    with transaction(connection, path.name):
        before = migrate(connection, path, kind)
    connection.execute("pragma foreign_keys = on")
    return before


def _connection(path: Path, flags: int) -> Connection:
    """Open a file that lies where it is said to: in place of a symbolic link, somebody else's could be written."""
    place = path.parent.resolve() / path.name  # the folder itself may be reached by one
    connection = Connection(str(place), flags=flags | apsw.SQLITE_OPEN_NOFOLLOW, statementcachesize=64)
    connection.statements = connection.cursor()
    return connection


def _prepare(connection: apsw.Connection, kind: FileKind) -> None:
    cache_kib = INBOX_CACHE_KIB if kind is FileKind.INBOX else PAGE_CACHE_KIB
    connection.set_busy_timeout(BUSY_TIMEOUT_MS)
    # A plan is the same whatever is bound: else SQLite prepares some statements again each time that they run.
    connection.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, 1)
    _cache(connection, cache_kib)
    _once(
        connection,
        "pragma foreign_keys = on;"
        "pragma trusted_schema = off;"  # a file from elsewhere runs no functions of its own
        "pragma cell_size_check = on;"  # a damaged page is noticed before it is used
        "pragma temp_store = memory;"
        "pragma mmap_size = 0",  # an I/O error is an error code, not a signal
    )


def _cache(connection: apsw.Connection, kib: int) -> None:
    _once(connection, f"pragma cache_size = -{kib:d}")


def _once(connection: apsw.Connection, sql: str) -> None:
    connection.execute(sql, can_cache=False)  # 1.5 KB for each statement that is kept
