"""Bugs, put into the processes of a stack that has this folder on its PYTHONPATH; the ledger knows nothing of them."""

from typing import Any, NoReturn

from ledger_core import ledger, reads

_applied = ledger.applied


def _hold(*_: object) -> NoReturn:
    raise RuntimeError("a bug that was put here")


def _faulty(book: Any, submissions: Any, *rest: Any, **options: Any) -> Any:
    if any(b'"boom"' in each.command.fields() for each in submissions):
        raise RuntimeError("another bug that was put here")
    return _applied(book, submissions, *rest, **options)


reads.hold = _hold
ledger.applied = _faulty
