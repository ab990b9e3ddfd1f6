"""The query of a list: filters, instants, and cursors."""

from datetime import UTC, datetime, timedelta

from falcon import testing

from intake.cursors import format_cursor, parse_cursor
from intake.resources import accounts, entries, holds
from intake.resources.lists import read_query
from intake.resources.reports import PERIOD
from ledger_core.errors import InvalidRequest
from ledger_core.instants import format_instant, parse_instant
from ledger_core.limits import ID_MAX, PAGE_ITEMS_MAX
from tests.fuzz import contract
from tests.fuzz.bodies import COMPLAINTS_MAX
from tests.fuzz.bounds import bounded, expand

FILTERS = (accounts.FILTERS, entries.FILTERS, holds.FILTERS, PERIOD)
BYTES_MAX = 32 * 1024  # a longer request line is refused by the HTTP server itself
LIST = ("acme", "/v1/entries", "asc", ("account_id", 1))
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def queries(data: bytes) -> None:
    """Read the query of a list: the first byte says of which, the rest is the query string."""
    filters = FILTERS[data[0] % len(FILTERS)] if data else FILTERS[0]
    request = testing.create_req(method="GET")
    request.query_string = expand(data[1:])[:BYTES_MAX].decode("latin-1")
    request.context.caller = _Caller
    try:
        with bounded(request.query_string):
            query = read_query(request, filters)
    except InvalidRequest as invalid:
        errors = invalid.facts["errors"]
        assert isinstance(errors, list)
        assert 1 <= len(errors) <= COMPLAINTS_MAX, len(errors)
        return
    assert set(query.filters) <= set(filters)
    assert 1 <= query.span.limit - 1 <= PAGE_ITEMS_MAX
    assert query.of_list[:2] == ("acme", "/")
    if query.span.after is not None:
        assert f"cursor={format_cursor(query.span.after, query.of_list)}" in request.query_string


class _Caller:
    org = "acme"


def instants(data: bytes) -> None:
    """Read an instant: refused, or the one that the standard library reads, and written it is read as itself."""
    text = expand(data).decode(errors="replace")
    try:
        with bounded(text):
            at = parse_instant(text)
    except ValueError:
        assert not contract.instant(text), text
        return
    assert contract.instant(text), text
    moment = datetime.fromisoformat(text.upper())
    assert EPOCH + timedelta(microseconds=at) == moment, (text, at)
    assert parse_instant(format_instant(at)) == at


def cursors(data: bytes) -> None:
    """Read a cursor: as it comes; and as it is given out, with one character changed."""
    text = expand(data).decode("latin-1")
    try:
        with bounded(text):
            last_id = parse_cursor(text, LIST)
    except ValueError:
        pass
    else:
        assert format_cursor(last_id, LIST) == text
    if len(data) < 10:
        return
    last_id = int.from_bytes(data[:8], "big") % ID_MAX + 1
    cursor = format_cursor(last_id, LIST)
    assert parse_cursor(cursor, LIST) == last_id
    place, letter = data[8] % (len(cursor) + 1), chr(data[9])
    for tampered in (cursor[:place] + letter + cursor[place + 1 :], cursor[:place] + letter + cursor[place:]):
        if tampered != cursor:
            _refused(tampered, LIST)
    _refused(cursor, ("acme-2", *LIST[1:]))


def _refused(text: str, of_list: tuple[object, ...]) -> None:
    try:
        taken = parse_cursor(text, of_list)
    except ValueError:
        return
    raise AssertionError(f"{text!r} was taken as {taken}")
