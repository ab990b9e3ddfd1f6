"""The ceiling of a book: a loop that does nothing but run the statements by which `ledger_core.apply` wrote its rows.

Same schema with its triggers, same pragmas, as many entries in a commit, every value ready, hashes too.
It loads, checks and works out nothing.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from ledger_core.store.book import Book

Statement: TypeAlias = tuple[str, Any]  # with its values
Commit: TypeAlias = Sequence[Statement]

_WRITES = ("insert", "update", "delete", "replace")


def recorded(book: Book, write: Callable[[], object]) -> Commit:
    """Return the statements that write something while a block of work runs, with their values."""
    found: list[Statement] = []

    def note(_: object, statement: str, values: Any) -> bool:
        if statement.lstrip().lower().startswith(_WRITES):
            found.append((statement, values))
        return True

    book.connection.exec_trace = note
    try:
        write()
    finally:
        book.connection.exec_trace = None
    return found


def replay(book: Book, commit: Commit) -> None:
    """Write the rows of one commit."""
    execute = book.connection.execute
    with book.begun(is_large=True) as end:
        for statement, values in commit:
            execute(statement, values)
        end()
