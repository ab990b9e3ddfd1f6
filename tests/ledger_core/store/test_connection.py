"""Transactions that a block commits itself: all of it is written, or nothing, and the next one begins afresh."""

from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from ledger_core.errors import OtherSchema, StorageUnavailable
from ledger_core.store.connection import Begun, Connection, open_writer
from ledger_core.store.versions import FileKind


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    """A book's connection, with a table to write to."""
    made = open_writer(tmp_path / "acme.db", FileKind.BOOK, create=True)
    made.execute("create table noted (what text)")
    yield made
    made.close()


@pytest.fixture
def begun(connection: Connection) -> Begun:
    return Begun(connection, "acme")


def _note(connection: Connection, what: str) -> None:
    connection.statements.execute("insert into noted values (?)", (what,))


def _noted(connection: Connection) -> list[object]:
    return [what for (what,) in connection.execute("select what from noted")]


def test_a_block_is_written_when_it_commits_and_only_then(connection: Connection, begun: Begun) -> None:
    with begun as commit:
        _note(connection, "committed")
        commit()
    with begun:
        _note(connection, "not committed")

    assert _noted(connection) == ["committed"]


@pytest.mark.parametrize(
    ("raised", "told"),
    [
        (apsw.FullError("the disk"), StorageUnavailable),
        (OSError("the disk"), StorageUnavailable),
        (ZeroDivisionError("a bug"), ZeroDivisionError),
        (KeyboardInterrupt(), KeyboardInterrupt),
    ],
)
def test_a_block_that_fails_is_undone_and_the_next_one_is_written(
    connection: Connection, begun: Begun, raised: BaseException, told: type[BaseException]
) -> None:
    def fail() -> None:
        with begun:
            _note(connection, "failed")
            raise raised

    with pytest.raises(told):
        fail()
    with begun as commit:
        _note(connection, "the next one")
        commit()

    assert _noted(connection) == ["the next one"]


def test_a_file_of_another_schema_is_seen_before_the_block_and_nothing_is_left_begun(
    tmp_path: Path, connection: Connection, begun: Begun
) -> None:
    newer = apsw.Connection(str(tmp_path / "acme.db"))
    newer.execute("pragma user_version = 12345")
    newer.close()

    with pytest.raises(OtherSchema), begun:
        pytest.fail("it is not to run")

    assert not connection.in_transaction


def test_a_file_that_somebody_else_writes_is_told_as_such(tmp_path: Path, connection: Connection, begun: Begun) -> None:
    connection.set_busy_timeout(0)
    other = apsw.Connection(str(tmp_path / "acme.db"))
    other.execute("begin immediate")

    with pytest.raises(StorageUnavailable, match="acme: BusyError"), begun:
        pytest.fail("it is not to run")

    other.close()


def test_a_block_in_another_one_of_its_connection_is_a_bug_that_leaves_that_as_it_is(
    connection: Connection, begun: Begun
) -> None:
    with begun as commit:
        _note(connection, "outer")
        with pytest.raises(apsw.SQLError), begun:
            pytest.fail("it is not to run")
        commit()

    assert _noted(connection) == ["outer"]
