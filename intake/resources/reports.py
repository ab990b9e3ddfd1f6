"""Reports: an account's statement, trial balance, balance sheet, income statement; as JSON or CSV."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import falcon

from intake import parse, render, tables
from intake.cursors import format_cursor, parse_cursor
from intake.readers import Readers
from ledger_core import reports
from ledger_core.errors import Complaint, InvalidRequest
from ledger_core.instants import now_us, parse_instant
from ledger_core.limits import PAGE_ITEMS_MAX
from ledger_core.reports import Statement
from ledger_core.store.book import Book
from wire import reports as shapes
from wire.reports import Cell

Report = TypeVar("Report")

PERIOD = {"from": parse_instant, "to": parse_instant}


class AccountStatement:
    """/v1/accounts/{account_id}/statement"""

    def __init__(self, readers: Readers) -> None:
        self._readers = readers

    def on_get(self, req: falcon.Request, resp: falcon.Response, account_id: str) -> None:
        """Read an account's statement: a page of it as JSON, or all of it as CSV."""
        paging: dict[str, Callable[[str], Any]] = {"limit": parse.whole(1, PAGE_ITEMS_MAX), "cursor": str}
        values: dict[str, Any] = parse.query(req, {**PERIOD, **paging})
        _check_period(values)
        number = parse.thing_id("account", account_id)
        if tables.wants_csv(req):
            if values.keys() & paging.keys():
                raise InvalidRequest([Complaint("", "a statement in CSV is whole: it takes no limit and no cursor")])
            rows = self._rows(req.context.caller.org, number, values)
            tables.table(resp, rows, f"statement-{number}")
            return
        of_list = (req.context.caller.org, req.path, values.get("from"), values.get("to"))
        limit, after = values.get("limit", PAGE_ITEMS_MAX), _after(values.get("cursor"), of_list)
        with self._readers.book(req.context.caller.org) as book:
            found = _statement(book, number, values, after, limit + 1)
        page = found._replace(lines=found.lines[:limit])
        more = len(found.lines) > limit
        cursor = format_cursor(page.lines[-1].place, of_list) if more else None
        render.resource(resp, shapes.statement_json(page, cursor))

    def _rows(self, org: str, number: int, values: Mapping[str, Any]) -> Iterator[Sequence[Cell]]:
        """Return the rows of a whole statement, as of one instant, read a page at a time."""
        yield shapes.STATEMENT_COLUMNS
        after, first = 0, None
        while True:
            with self._readers.book(org) as book:
                page = _statement(book, number, values, after, PAGE_ITEMS_MAX)
            if first is None:
                first = page
                values = {**values, "to": page.period.end}
                yield shapes.opening_row(first)
            yield from shapes.statement_rows(page.lines)
            if len(page.lines) < PAGE_ITEMS_MAX:
                break
            after = page.lines[-1].place
        # From the page with the last lines: while the machine's clock is behind the book's, what others post
        # meanwhile is posted at the very instant at which this statement ends.
        yield shapes.closing_row(first._replace(closing_balance=page.closing_balance))


class TrialBalance:
    """/v1/reports/trial-balance"""

    def __init__(self, readers: Readers) -> None:
        self._readers = readers

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Read what every account stood at."""
        at = parse.query(req, {"at": parse_instant}).get("at")
        with self._readers.book(req.context.caller.org) as book:
            found = reports.trial_balance(book, now_us(), at)
        _answer(req, resp, found, shapes.trial_balance_json, shapes.trial_balance_table)


class BalanceSheet:
    """/v1/reports/balance-sheet"""

    def __init__(self, readers: Readers) -> None:
        self._readers = readers

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Read what the org had and owed."""
        at = parse.query(req, {"at": parse_instant}).get("at")
        with self._readers.book(req.context.caller.org) as book:
            found = reports.balance_sheets(book, now_us(), at)
        _answer(req, resp, found, shapes.balance_sheets_json, shapes.balance_sheets_table)


class IncomeStatement:
    """/v1/reports/income-statement"""

    def __init__(self, readers: Readers) -> None:
        self._readers = readers

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Read what the org earned and spent."""
        values = parse.query(req, PERIOD)
        _check_period(values)
        with self._readers.book(req.context.caller.org) as book:
            found = reports.income_statements(book, now_us(), from_at=values.get("from"), to_at=values.get("to"))
        _answer(req, resp, found, shapes.income_statements_json, shapes.income_statements_table)


def _statement(book: Book, number: int, values: Mapping[str, Any], after: int, limit: int) -> Statement:
    period = {"from_at": values.get("from"), "to_at": values.get("to")}
    return reports.statement(book, number, now_us(), **period, after=after, limit=limit)


def _after(cursor: str | None, of_list: Sequence[object]) -> int:
    if cursor is None:
        return 0
    try:
        return parse_cursor(cursor, of_list)
    except ValueError as error:
        raise InvalidRequest([Complaint("/cursor", str(error))]) from None


def _check_period(values: Mapping[str, int]) -> None:
    if "from" in values and "to" in values and values["from"] > values["to"]:
        raise InvalidRequest([Complaint("/from", "must not lie after `to`")])


def _answer(
    req: falcon.Request,
    resp: falcon.Response,
    report: Report,
    to_json: Callable[[Report], Mapping[str, Any]],
    to_table: Callable[[Report], Iterable[Sequence[Cell]]],
) -> None:
    if tables.wants_csv(req):
        tables.table(resp, to_table(report), req.path.rpartition("/")[2])
    else:
        render.resource(resp, to_json(report))
