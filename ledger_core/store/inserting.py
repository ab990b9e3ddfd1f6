"""Inserting many rows: a statement copies each page that it changes, in case one of its triggers refuses."""

from collections.abc import Sequence
from itertools import chain
from typing import Any

from ledger_core.store.connection import Runner

# The more rows to a statement, the fewer copies, and the fewer times that SQLite lets go of the interpreter.
# Longer ones give little more, and are kept prepared by each book that wrote as many: those of a book take 90 KB.
# A pair is what most entries have for lines.
ROWS_AT_ONCE = (16, 2, 1)


class Insert:
    """An insert of rows into a table. `columns` are the names of what a row has; `tail` ends the statement."""

    def __init__(self, table: str, columns: str, tail: str = "") -> None:
        row = f"({', '.join('?' for _ in columns.split(','))})"
        head = f"insert into {table} ({columns}) values "  # noqa: S608  # of constants
        self._statements = [(count, f"{head}{', '.join([row] * count)} {tail}") for count in ROWS_AT_ONCE]
        _, self._one = self._statements[-1]

    def all(self, connection: Runner, rows: Sequence[Sequence[Any]]) -> None:
        """Insert rows in their order, as many at once as there are enough for."""
        left = len(rows)
        if left == 1:  # as of most transactions
            connection.execute(self._one, rows[0])
            return
        start = 0
        for count, statement in self._statements:
            while left >= count:
                connection.execute(statement, tuple(chain.from_iterable(rows[start : start + count])))
                start += count
                left -= count
            if not left:
                return
