"""Many rows by few statements: each row goes in once, in its order, however many there are."""

import apsw
import pytest

from ledger_core.store.inserting import ROWS_AT_ONCE, Insert


@pytest.mark.parametrize("count", range(2 * ROWS_AT_ONCE[0] + 4))
def test_rows_go_in_once_and_in_their_order(count: int) -> None:
    connection = apsw.Connection(":memory:")
    connection.execute("create table t (id integer primary key, name text, number integer)")
    rows = [(f"row {number}", number) for number in range(count)]

    Insert("t", "name, number").all(connection, rows)

    assert [row[1:] for row in connection.execute("select * from t order by id")] == rows


def test_rows_that_are_there_are_left_out_where_that_is_said() -> None:
    connection = apsw.Connection(":memory:")
    connection.execute("create table t (id integer primary key, name text)")
    insert = Insert("t", "id, name", "on conflict do nothing")
    insert.all(connection, [(7, "first")])

    insert.all(connection, [(number, "later") for number in range(20)])

    assert connection.execute("select id from t where name = 'first'").fetchall() == [(7,)]
    assert connection.execute("select count(*) from t").fetchall() == [(20,)]
