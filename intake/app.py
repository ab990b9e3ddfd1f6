"""The WSGI app: the route table on one screen, and what each kind of error is answered with."""

import logging
from typing import Any, NamedTuple

import falcon
from waitress.channel import ClientDisconnected

from intake import problems, render
from intake.auth import Doorkeeper
from intake.gate import Gate
from intake.health import Health as Checks
from intake.openapi.document import document
from intake.operations import Operations
from intake.problems import Rejected
from intake.readers import Readers
from intake.resources.accounts import Account, AccountBalance, AccountClose, Accounts
from intake.resources.entries import Entries, EntriesBulk, Entry, EntryReverse
from intake.resources.health import Health, Metrics
from intake.resources.holds import Hold, HoldCapture, HoldRelease, Holds
from intake.resources.openapi import Docs, DocsAsset, Document
from intake.resources.operations import Operation
from intake.resources.reports import AccountStatement, BalanceSheet, IncomeStatement, TrialBalance
from intake.writes import NobodyKnows, Writes
from ledger_core.errors import Refusal, StorageUnavailable
from wire.log import about
from wire.problems import of_refusal

logger = logging.getLogger("ledger.intake")


class Parts(NamedTuple):
    """What the responders work with."""

    doorkeeper: Doorkeeper
    readers: Readers
    writes: Writes
    operations: Operations
    checks: Checks


def make_app(parts: Parts) -> "falcon.App[Any, Any]":
    """Return the WSGI app."""
    app = falcon.App(middleware=[Gate(parts.doorkeeper)])
    writes, readers = parts.writes, parts.readers
    app.add_route("/v1/accounts", Accounts(writes, readers))
    app.add_route("/v1/accounts/{account_id}", Account(readers))
    app.add_route("/v1/accounts/{account_id}/balance", AccountBalance(readers))
    app.add_route("/v1/accounts/{account_id}/statement", AccountStatement(readers))
    app.add_route("/v1/accounts/{account_id}/close", AccountClose(writes))
    app.add_route("/v1/entries", Entries(writes, readers))
    app.add_route("/v1/entries/bulk", EntriesBulk(writes))
    app.add_route("/v1/entries/{entry_id}", Entry(readers))
    app.add_route("/v1/entries/{entry_id}/reverse", EntryReverse(writes))
    app.add_route("/v1/holds", Holds(writes, readers))
    app.add_route("/v1/holds/{hold_id}", Hold(readers))
    app.add_route("/v1/holds/{hold_id}/capture", HoldCapture(writes))
    app.add_route("/v1/holds/{hold_id}/release", HoldRelease(writes))
    app.add_route("/v1/reports/trial-balance", TrialBalance(readers))
    app.add_route("/v1/reports/balance-sheet", BalanceSheet(readers))
    app.add_route("/v1/reports/income-statement", IncomeStatement(readers))
    app.add_route("/v1/operations/{operation_id}", Operation(parts.operations))
    app.add_route("/health", Health(parts.checks))
    app.add_route("/metrics", Metrics())
    app.add_route("/openapi.json", Document(document()))
    app.add_route("/docs", Docs())
    app.add_route("/docs/{asset}", DocsAsset())
    app.add_error_handler(Exception, _internal_error)
    app.add_error_handler(falcon.HTTPError, _http_error)
    app.add_error_handler(Rejected, _rejected)
    app.add_error_handler(Refusal, _refusal)
    app.add_error_handler(StorageUnavailable, _storage_unavailable)
    app.add_error_handler(NobodyKnows, _no_answer)
    return app


def _rejected(req: falcon.Request, resp: falcon.Response, error: Rejected, params: object) -> None:
    render.problem(req, resp, error.problem, error.headers)


def _refusal(req: falcon.Request, resp: falcon.Response, error: Refusal, params: object) -> None:
    render.problem(req, resp, of_refusal(error.record(req.context.request_id, None)), {})


def _storage_unavailable(req: falcon.Request, resp: falcon.Response, error: StorageUnavailable, params: object) -> None:
    logger.error("storage: %s", error, extra=about(req.context.request_id))
    _rejected(req, resp, problems.storage_unavailable(), params)


def _no_answer(req: falcon.Request, resp: falcon.Response, error: NobodyKnows, params: object) -> None:
    """Close the connection without an answer: its caller then knows that it does not know, and asks again."""
    logger.error("no answer can be given: %s", error, extra=about(req.context.request_id))
    raise ClientDisconnected from error


def _http_error(req: falcon.Request, resp: falcon.Response, error: falcon.HTTPError, params: object) -> None:
    if isinstance(error, falcon.HTTPNotFound):
        _rejected(req, resp, problems.not_found(), params)
    elif isinstance(error, falcon.HTTPBadRequest):
        _rejected(req, resp, problems.invalid_header(str(error.title), str(error.description)), params)
    else:
        _internal_error(req, resp, error, params)


def _internal_error(req: falcon.Request, resp: falcon.Response, error: Exception, params: object) -> None:
    logger.error("a bug", exc_info=error, extra=about(req.context.request_id))
    _rejected(req, resp, problems.internal_error(), params)
