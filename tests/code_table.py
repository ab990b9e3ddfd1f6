"""`make docs`: the table of codes in docs/api.md, worked out from what can be told to a caller."""

import inspect
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from intake import problems
from ledger_core import errors
from ledger_core.errors import Complaint, InvalidRequest, Refusal, RefusedInBulk
from wire.problems import STATUS_OF_KIND, TITLES

API = Path(__file__).parent.parent / "docs" / "api.md"
BEGIN, END = "<!-- codes, written by make docs -->\n", "<!-- /codes -->\n"

REJECTED: Sequence[Callable[..., Any]] = (
    problems.malformed_request,
    problems.malformed_json,
    problems.idempotency_key_mismatch,
    problems.invalid_header,
    problems.unauthorized,
    problems.forbidden,
    problems.not_found,
    lambda: problems.thing_not_found("operation"),
    problems.method_not_allowed,
    problems.body_too_large,
    problems.unsupported_media_type,
    problems.headers_too_large,
    problems.unsupported_transfer_encoding,
    problems.too_many_pending,
    problems.queue_unavailable,
    problems.storage_unavailable,
    problems.internal_error,
)
_ANY: dict[object, Any] = {int: 1, str: "x", Sequence[Complaint]: [Complaint("", "x")]}


class Row(NamedTuple):
    """A code with a status that it comes with, and the facts that come with it."""

    status: int
    code: str
    facts: tuple[str, ...]


def rows() -> list[Row]:
    """Return every code that a caller can be told, by status, each in the order of the one table of titles."""
    codes = list(TITLES)
    return sorted({*_refused(), *_rejected()}, key=lambda row: (row.status, codes.index(row.code)))


def table() -> str:
    """Return the table in Markdown."""
    lines = ["| status | code | what it says | facts |", "|---|---|---|---|"]
    for status, code, facts in rows():
        lines.append(f"| {status} | `{code}` | {TITLES[code]} | {', '.join(f'`{fact}`' for fact in facts)} |")
    return "\n".join(lines) + "\n"


def written() -> str:
    """Return docs/api.md as it should be."""
    before, _, rest = API.read_text(encoding="utf-8").partition(BEGIN)
    return before + BEGIN + table() + END + rest.partition(END)[2]


def _refused() -> Iterator[Row]:
    for _, kind in inspect.getmembers(errors, inspect.isclass):
        if issubclass(kind, Refusal) and kind not in (Refusal, RefusedInBulk):
            refusal = _made(kind)
            facts = ("errors: [{pointer, message}]",) if kind is InvalidRequest else tuple(refusal.facts)
            yield Row(STATUS_OF_KIND[kind.kind], kind.code, facts)


def _rejected() -> Iterator[Row]:
    for make in REJECTED:
        problem = _made(make).problem
        yield Row(problem.status, problem.code, tuple(problem.facts))


def _made(make: Callable[..., Any]) -> Any:
    """Make one with any values: its facts have the same names whatever they are."""
    parameters = inspect.signature(make).parameters.values()
    by_name = [each for each in parameters if each.kind is each.KEYWORD_ONLY]
    by_place = [each for each in parameters if each.kind is not each.KEYWORD_ONLY]
    return make(*(_ANY[each.annotation] for each in by_place), **{each.name: _ANY[each.annotation] for each in by_name})


if __name__ == "__main__":
    API.write_text(written(), encoding="utf-8")
