"""Inserting many rows: a statement copies each page that it changes, in case one of its triggers refuses."""

from collections.abc import Sequence
from itertools import chain
from typing import Any

import apsw

# The more rows to a statement, the fewer copies, and the fewer times that SQLite lets go of the interpreter.
# Longer ones give little more, and are kept prepared by each book that wrote as many: those of a book take 90 KB.
ROWS_AT_ONCE = 16


class Insert:
    """An insert of rows into a table. `columns` are the names of what a row has; `tail` ends the statement."""

    def __init__(self, table: str, columns: str, tail: str = "") -> None:
        row = f"({', '.join('?' for _ in columns.split(','))})"
        head = f"insert into {table} ({columns}) values "  # noqa: S608  # of constants
        self._one = f"{head}{row} {tail}"
        self._at_once = f"{head}{', '.join([row] * ROWS_AT_ONCE)} {tail}"

    def all(self, connection: apsw.Connection, rows: Sequence[Sequence[Any]]) -> None:
        """Insert rows in their order, as many of them by statements of many rows as there are enough for."""
        whole = len(rows) - len(rows) % ROWS_AT_ONCE
        if whole:
            starts = range(0, whole, ROWS_AT_ONCE)
            many = [tuple(chain.from_iterable(rows[start : start + ROWS_AT_ONCE])) for start in starts]
            connection.executemany(self._at_once, many)
        if whole < len(rows):
            connection.executemany(self._one, rows[whole:])
