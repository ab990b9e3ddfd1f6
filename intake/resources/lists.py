"""What all lists share: paging, cursors, and the shape of a page."""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple, TypeVar

import falcon

from intake import parse, render
from intake.cursors import format_cursor, parse_cursor
from ledger_core.errors import Complaint, InvalidRequest
from ledger_core.limits import PAGE_ITEMS_DEFAULT, PAGE_ITEMS_MAX
from ledger_core.model import Account, Hold, ListedEntry
from ledger_core.reads import Span

Item = TypeVar("Item", Account, ListedEntry, Hold)
Word = TypeVar("Word", bound=StrEnum)


class Query(NamedTuple):
    """What a caller asked of a list: its filters, its part, and what makes it this list."""

    filters: dict[str, Any]
    span: Span
    of_list: tuple[object, ...]


def _order(text: str) -> str:
    if text not in ("asc", "desc"):
        raise ValueError("must be asc or desc")
    return text


_PAGING: Mapping[str, Callable[[str], Any]] = {
    "limit": parse.whole(1, PAGE_ITEMS_MAX),
    "cursor": str,
    "order": _order,
}


def read_query(req: falcon.Request, filters: Mapping[str, Callable[[str], Any]]) -> Query:
    """Read the query of a list.

    Raises:
        InvalidRequest: a parameter is unknown, repeated or malformed, or the cursor belongs to another list.
    """
    values: dict[str, Any] = parse.query(req, {**filters, **_PAGING})
    limit, order = values.pop("limit", PAGE_ITEMS_DEFAULT), values.pop("order", "asc")
    cursor = values.pop("cursor", None)
    of_list = (req.context.caller.org, req.path, order, *sorted(values.items()))
    after = None
    if cursor is not None:
        try:
            after = parse_cursor(cursor, of_list)
        except ValueError as error:
            raise InvalidRequest([Complaint("/cursor", str(error))]) from None
    # One more than asked for: whether there is a next page is known without counting.
    return Query(values, Span(limit + 1, after, descending=order == "desc"), of_list)


def render_page(
    resp: falcon.Response, query: Query, items: Sequence[Item], to_json: Callable[[Item], Mapping[str, Any]]
) -> None:
    """Answer with a page, and where the next one begins."""
    limit = query.span.limit - 1
    page = items[:limit]
    next_cursor = format_cursor(page[-1].id, query.of_list) if len(items) > limit else None
    render.resource(resp, {"data": [to_json(item) for item in page], "next_cursor": next_cursor})


def one_of(words: type[Word]) -> Callable[[str], Word]:
    """Return a reader of one of several words."""

    def read(text: str) -> Word:
        try:
            return words(text)
        except ValueError:
            raise ValueError(f"must be one of {', '.join(words)}") from None

    return read
