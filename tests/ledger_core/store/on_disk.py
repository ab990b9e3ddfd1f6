"""What lies on disk, as plain SQLite sees it."""

from pathlib import Path

import apsw

TABLES = ["book", "accounts", "entries", "lines", "holds", "hold_events", "operations", "bulk_entries"]


def rows(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """Return all that is in a book, as plain SQLite sees it, without what the newer program adds."""
    connection = apsw.Connection(str(path))
    read = {table: list(connection.execute(f"select * from {table}")) for table in TABLES}
    connection.close()
    return {
        **read,
        "accounts": [row[:13] for row in read["accounts"]],
        "bulk_entries": [row[:4] for row in read["bulk_entries"]],
    }


def version(path: Path) -> int:
    """Return the version of the schema of a file."""
    connection = apsw.Connection(str(path))
    found = connection.pragma("user_version")
    connection.close()
    return int(found)


def beside(path: Path) -> set[str]:
    """Return what lies in the folder of a file, but what SQLite itself puts there."""
    return {item.name for item in path.parent.iterdir() if not item.name.endswith(("-wal", "-shm", "-journal"))}
