"""Opening SQLite files: pragmas each with its reason, migrations, and what an SQLite error means."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from importlib import resources
from pathlib import Path

import apsw

from ledger_core.errors import StorageUnavailable

SQLITE_VERSION_MIN = (3, 51, 3)  # earlier ones can corrupt a WAL file that is reset (sqlite.org/wal.html#walresetbug)
BUSY_TIMEOUT_MS = 5_000  # a writer waits for another one's commit rather than fail
PAGE_CACHE_KIB = 1_024  # for each connection: thousands of books share one process

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


class FileKind(Enum):
    """The kinds of file, each with its folder of schema steps and its SQLite `application_id`."""

    BOOK = ("book", 0x46464C42)  # "FFLB"
    REGISTRY = ("registry", 0x46464C52)  # "FFLR"
    INBOX = ("inbox", 0x46464C49)  # "FFLI"

    def __init__(self, folder: str, application_id: int) -> None:
        self.folder = folder
        self.application_id = application_id


@contextmanager
def storage_errors(what: str) -> Iterator[None]:
    """Turn what SQLite or the system says of a file that can't be used into StorageUnavailable. Bugs pass through."""
    try:
        yield
    except (*_STORAGE_ERRORS, OSError) as error:
        raise StorageUnavailable(f"{what}: {type(error).__name__}: {error}") from error


def open_writer(path: Path, kind: FileKind, *, create: bool = False) -> apsw.Connection:
    """Open a file to read and write, and bring its schema up to date.

    Raises:
        StorageUnavailable: it is missing (unless `create`), foreign, newer than this program, or can't be opened.
    """
    flags = apsw.SQLITE_OPEN_READWRITE | (apsw.SQLITE_OPEN_CREATE if create else 0)
    with storage_errors(path.name):
        connection = apsw.Connection(str(path), flags=flags, statementcachesize=64)
        try:
            _prepare(connection)
            _version(connection, path, kind, blank=create)  # first: a stranger's file is left as it is
            connection.execute("pragma journal_mode = wal")  # readers never wait for the writer
            connection.execute("pragma synchronous = full")  # not normal: an answered write survives power loss
            _migrate(connection, path, kind)
        except BaseException:
            connection.close()
            raise
        return connection


def open_reader(path: Path, kind: FileKind) -> apsw.Connection:
    """Open a file to read only.

    Raises:
        StorageUnavailable: it is missing, foreign, not of this program's version, or can't be opened.
    """
    with storage_errors(path.name):
        connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY, statementcachesize=64)
        try:
            _prepare(connection)
            _check_version(connection, path, kind)
        except BaseException:
            connection.close()
            raise
        return connection


@contextmanager
def transaction(connection: apsw.Connection, what: str) -> Iterator[None]:
    """Run a block in `begin immediate ... commit`; anything that goes wrong rolls all of it back.

    Immediate, since a transaction that reads first and then writes fails at once when another one wrote meanwhile.

    Raises:
        StorageUnavailable: the file can't be written.
    """
    with storage_errors(what):
        connection.execute("begin immediate")
        try:
            yield
            connection.execute("commit")
        except BaseException:
            if connection.in_transaction:
                connection.execute("rollback")
            raise


@contextmanager
def snapshot(connection: apsw.Connection, what: str) -> Iterator[None]:
    """Run several reads of a block on one state of the file."""
    with storage_errors(what):
        connection.execute("begin")
        try:
            yield
        finally:
            if connection.in_transaction:
                connection.execute("rollback")


def schema_steps(kind: FileKind) -> list[str]:
    """Return the SQL of a file's schema steps in order. The version of a file is how many it has been through."""
    folder = resources.files("ledger_core.store") / "schema" / kind.folder
    names = sorted(item.name for item in folder.iterdir() if item.name.endswith(".sql"))
    return [(folder / name).read_text(encoding="utf-8") for name in names]


def _prepare(connection: apsw.Connection) -> None:
    connection.set_busy_timeout(BUSY_TIMEOUT_MS)
    connection.execute(
        f"pragma cache_size = -{PAGE_CACHE_KIB:d};"
        "pragma foreign_keys = on;"
        "pragma trusted_schema = off;"  # a file from elsewhere runs no functions of its own
        "pragma cell_size_check = on;"  # a damaged page is noticed before it is used
        "pragma temp_store = memory;"
        "pragma mmap_size = 0"  # an I/O error is an error code, not a signal
    )


_STEPS = {kind: schema_steps(kind) for kind in FileKind}


def _check_version(connection: apsw.Connection, path: Path, kind: FileKind) -> None:
    version = _version(connection, path, kind, blank=False)
    if version != len(_STEPS[kind]):
        raise StorageUnavailable(f"{path.name}: has schema {version}, and this program reads {len(_STEPS[kind])}")


def _version(connection: apsw.Connection, path: Path, kind: FileKind, *, blank: bool) -> int:
    """Return how many schema steps a file has been through; one with nothing in it passes only where `blank` may."""
    application_id = int(connection.pragma("application_id") or 0)
    version = int(connection.pragma("user_version") or 0)
    if application_id != kind.application_id and not (blank and _is_blank(connection, application_id, version)):
        raise StorageUnavailable(f"{path.name}: is not a {kind.folder} of this program")
    if version > len(_STEPS[kind]):
        raise StorageUnavailable(f"{path.name}: has schema {version}, newer than this program reads")
    return version


def _is_blank(connection: apsw.Connection, application_id: int, version: int) -> bool:
    tables = connection.execute("select 1 from sqlite_schema limit 1").fetchone()
    return (application_id, version, tables) == (0, 0, None)


def _migrate(connection: apsw.Connection, path: Path, kind: FileKind) -> None:
    steps = _STEPS[kind]
    if _version(connection, path, kind, blank=True) == len(steps):
        return
    with transaction(connection, path.name):
        for number in range(_version(connection, path, kind, blank=True), len(steps)):
            connection.execute(steps[number])
        connection.execute(f"pragma application_id = {kind.application_id:d}")
        connection.execute(f"pragma user_version = {len(steps):d}")
