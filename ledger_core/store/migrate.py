"""Bringing a file of an older program up to date, with a copy of it as it was kept beside it."""

import logging
from contextlib import closing
from pathlib import Path

import apsw

from ledger_core.errors import OtherSchema
from ledger_core.store import copying
from ledger_core.store.versions import STEPS, FileKind, newest, version_of

logger = logging.getLogger("ledger.store")


def migrate(connection: apsw.Connection, path: Path, kind: FileKind) -> int | None:
    """Take a file through the schema steps that it lacks, in the immediate transaction that is under way.

    The copy is on disk before the commit. It is of what is committed, and the write lock is held all the while: it is
    just what was migrated, and of two processes that come at once the second finds nothing to do.

    Returns:
        The version that it had; None when it was new or up to date.

    Raises:
        OtherSchema: it is a newer program's, a step fails, or there is no room for the copy. The transaction must then
            be rolled back.
    """
    before = version_of(connection, path, kind, blank=True)
    if before == newest(kind):
        return None
    try:
        for step in STEPS[kind][before:]:
            connection.execute(step)
        _check_references(connection)
        connection.execute(f"pragma application_id = {kind.application_id:d}")
        connection.execute(f"pragma user_version = {newest(kind):d}")
    except apsw.Error as error:
        raise OtherSchema(
            f"{path.name}: can't be brought from schema {before} to {newest(kind)}, and stays as it was:"
            f" {type(error).__name__}: {error}"
        ) from error
    if not before:
        return None
    _keep_copy(path, before)  # last, so that a step that fails, however often it is tried, costs no copy
    logger.warning(
        "bringing %s from schema %d to %d; %s is what it was", path.name, before, newest(kind), copy_path(path, before)
    )
    return before


def copy_path(path: Path, version: int) -> Path:
    """Return where the copy of a file lies as it was at a schema version, before it was migrated."""
    return path.with_name(f"{path.name}.schema-{version}")


def _keep_copy(path: Path, version: int) -> None:
    """Copy what is committed, by a connection of its own: that of the transaction sees what is not, too."""
    with closing(apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)) as source:
        try:
            copying.copy(source, copy_path(path, version))
        except copying.NoRoom as error:
            raise OtherSchema(
                f"{path.name}: must be copied before its schema is brought up to date, and {error}"
            ) from error


def _check_references(connection: apsw.Connection) -> None:
    broken = connection.execute("pragma foreign_key_check").fetchone()
    if broken is not None:
        raise apsw.ConstraintError(f"row {broken[1]} of {broken[0]} would refer to a missing row of {broken[2]}")
