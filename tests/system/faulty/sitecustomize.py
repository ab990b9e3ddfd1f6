"""Bugs, put into the processes of a stack that has this folder on its PYTHONPATH; the ledger knows nothing of them."""

from typing import Any, NoReturn

from ledger_core import ledger, reads

_apply = ledger.apply


def _hold(*_: object) -> NoReturn:
    raise RuntimeError("a bug that was put here")


def _faulty(book: Any, submissions: Any, **options: Any) -> Any:
    if any(b'"boom"' in each.command.fields() for each in submissions):
        raise RuntimeError("another bug that was put here")
    return _apply(book, submissions, **options)


reads.hold = _hold
ledger.apply = _faulty
