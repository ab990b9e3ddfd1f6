"""Accounts: open, read, list and close them, and what they stand at."""

import falcon

from intake import parse, render
from intake.readers import Readers
from intake.resources.lists import one_of, read_query, render_page
from intake.resources.writing import write
from intake.writes import Writes
from ledger_core import limits, reads
from ledger_core.commands import Kind
from ledger_core.instants import now_us, parse_instant
from ledger_core.model import AccountStatus
from ledger_core.money import AccountType
from ledger_core.reads import AccountFilter
from wire.resources import account_json, balance_json

FILTERS = {
    "type": one_of(AccountType),
    "code": parse.text(limits.CODE_CHARS_MAX),
    "code_prefix": parse.text(limits.CODE_CHARS_MAX),
    "status": one_of(AccountStatus),
}


class Accounts:
    """/v1/accounts"""

    def __init__(self, writes: Writes, readers: Readers) -> None:
        self._writes = writes
        self._readers = readers

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Open an account."""
        write(self._writes, req, resp, Kind.ACCOUNT)

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """List accounts."""
        query = read_query(req, FILTERS)
        with self._readers.book(req.context.caller.org) as book:
            found = reads.accounts(book, AccountFilter(**query.filters), query.span)
        render_page(resp, query, found, account_json)


class Account:
    """/v1/accounts/{account_id}"""

    def __init__(self, readers: Readers) -> None:
        self._readers = readers

    def on_get(self, req: falcon.Request, resp: falcon.Response, account_id: str) -> None:
        """Read an account."""
        parse.query(req, {})
        number = parse.thing_id("account", account_id)
        with self._readers.book(req.context.caller.org) as book:
            found = reads.account(book, number)
        render.resource(resp, account_json(found))


class AccountBalance:
    """/v1/accounts/{account_id}/balance"""

    def __init__(self, readers: Readers) -> None:
        self._readers = readers

    def on_get(self, req: falcon.Request, resp: falcon.Response, account_id: str) -> None:
        """Read what an account stands at, or stood at."""
        at = parse.query(req, {"at": parse_instant}).get("at")
        number = parse.thing_id("account", account_id)
        with self._readers.book(req.context.caller.org) as book:
            found = reads.balance(book, number, now_us(), at)
        render.resource(resp, balance_json(found))


class AccountClose:
    """/v1/accounts/{account_id}/close"""

    def __init__(self, writes: Writes) -> None:
        self._writes = writes

    def on_post(self, req: falcon.Request, resp: falcon.Response, account_id: str) -> None:
        """Close an account."""
        write(self._writes, req, resp, Kind.CLOSURE, "account", account_id)
