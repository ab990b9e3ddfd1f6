"""What a file is and which schema it has: its kind in `application_id`, its version in `user_version`."""

from enum import Enum
from importlib import resources
from pathlib import Path

import apsw

from ledger_core.errors import OtherSchema, SchemaOutdated, StorageUnavailable


class FileKind(Enum):
    """The kinds of file, each with its folder of schema steps and its SQLite `application_id`."""

    BOOK = ("book", 0x46464C42)  # "FFLB"
    REGISTRY = ("registry", 0x46464C52)  # "FFLR"
    INBOX = ("inbox", 0x46464C49)  # "FFLI"
    SET_ASIDE = ("set_aside", 0x46464C53)  # "FFLS"

    def __init__(self, folder: str, application_id: int) -> None:
        self.folder = folder
        self.application_id = application_id


def schema_steps(kind: FileKind) -> list[str]:
    """Return the SQL of a file's schema steps in order. The version of a file is how many it has been through."""
    folder = resources.files("ledger_core.store") / "schema" / kind.folder
    names = sorted(item.name for item in folder.iterdir() if item.name.endswith(".sql"))
    return [(folder / name).read_text(encoding="utf-8") for name in names]


STEPS = {kind: schema_steps(kind) for kind in FileKind}


def newest(kind: FileKind) -> int:
    """Return the schema version that this program reads and writes."""
    return len(STEPS[kind])


def user_version(connection: apsw.Connection) -> int:
    """Return the schema version of a file, as the transaction that is under way sees it."""
    row = connection.execute("pragma user_version").fetchone()
    assert row is not None, "every file has one"
    return int(row[0])


def version_of(connection: apsw.Connection, path: Path, kind: FileKind, *, blank: bool) -> int:
    """Return how many schema steps a file has been through; one with nothing in it passes only where `blank` may.

    Raises:
        StorageUnavailable: it is no file of this kind.
        OtherSchema: it is a newer program's.
    """
    application_id = int(connection.pragma("application_id") or 0)
    version = user_version(connection)
    if application_id != kind.application_id and not (blank and _is_blank(connection, application_id, version)):
        raise StorageUnavailable(f"{path.name}: is not a {kind.folder} of this program")
    if version > newest(kind):
        raise OtherSchema(
            f"{path.name}: has schema {version}, newer than this program, which knows up to {newest(kind)}:"
            " run the newer program, or put the copy back that was made before"
        )
    return version


def check_newest(connection: apsw.Connection, path: Path, kind: FileKind) -> None:
    """Check that a file has the schema of this program.

    Raises:
        StorageUnavailable: it is no file of this kind.
        OtherSchema: it is a newer program's.
        SchemaOutdated: it is an older one's.
    """
    version = version_of(connection, path, kind, blank=False)
    if version != newest(kind):
        raise SchemaOutdated(
            f"{path.name}: has schema {version}, and this program reads {newest(kind)}: run ledgerctl migrate"
        )


def _is_blank(connection: apsw.Connection, application_id: int, version: int) -> bool:
    tables = connection.execute("select 1 from sqlite_schema limit 1").fetchone()
    return (application_id, version, tables) == (0, 0, None)
