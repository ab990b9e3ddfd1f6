"""`LedgerClient`: every endpoint as a method, for one org. Commands go in, frozen records come out, problems raise."""

import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from types import TracebackType
from typing import Any, Self, TypeVar, Unpack
from urllib.parse import quote

import httpx
from pydantic import BaseModel

from ledger_client.caller import Call, Caller
from ledger_client.filters import AccountFilter, EntryFilter, HoldFilter, params
from ledger_client.models import (
    Account,
    Balance,
    BalanceSheets,
    Bulk,
    BulkResult,
    Entry,
    Health,
    Hold,
    IncomeStatements,
    Item,
    Operation,
    Page,
    Statement,
    StatementLine,
    TrialBalance,
)
from ledger_client.problems import OperationPending, problem_of, problem_of_response
from ledger_client.retries import Retries
from ledger_client.writes import call_of, keyed
from ledger_core.commands import (
    CaptureHold,
    CloseAccount,
    Command,
    OpenAccount,
    PlaceHold,
    PostBulk,
    PostEntry,
    ReleaseHold,
    ReverseEntry,
)

Record = TypeVar("Record", bound=BaseModel)

TIMEOUT_S = 30.0


class LedgerClient:
    """A caller of the ledger, for one org. Any thread may use it; close it, or use it as a context manager.

    Every call ends within about `timeout_s`, with its attempts and its waiting. A write carries an idempotency key,
    its own or a fresh one for each call, so its attempts are one write; to try again after a call has failed, or
    after this process has, give the command a key of yours and send the same.

    Each method raises:
        LedgerProblem: the ledger said no, and nothing moved. Its subclasses are in `ledger_client.problems`.
        OperationPending: a write was accepted, and has no outcome within the time.
        LedgerUnreachable: nobody answered. What became of a write is open; the same key can tell.
    """

    def __init__(
        self,
        base_url: str,
        org: str,
        api_key: str,
        *,
        timeout_s: float = TIMEOUT_S,
        retries: Retries = Retries(),  # noqa: B008  # a record of numbers
        transport: httpx.BaseTransport | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        headers = {"X-Org-Slug": org, "X-Api-Key": api_key}
        self._http = httpx.Client(base_url=base_url, headers=headers, transport=transport)
        self._caller = Caller(self._http, retries, clock=clock, sleep=sleep)
        self._timeout_s = timeout_s

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def open_account(self, command: OpenAccount) -> Account:
        """Open an account."""
        return self._write(command, Account)

    def close_account(self, command: CloseAccount) -> Account:
        """Close an account, for good."""
        return self._write(command, Account)

    def get_account(self, account_id: int) -> Account:
        """Read an account."""
        return self._read(f"/v1/accounts/{account_id}", Account)

    def list_accounts(self, *, cursor: str | None = None, **narrowed: Unpack[AccountFilter]) -> Page[Account]:
        """Read a page of accounts."""
        return self._read("/v1/accounts", Page[Account], {**narrowed, "cursor": cursor})

    def iter_accounts(self, **narrowed: Unpack[AccountFilter]) -> Iterator[Account]:
        """Read accounts, page after page."""
        return _items(lambda cursor: self.list_accounts(cursor=cursor, **narrowed))

    def balance(self, account_id: int, *, at: datetime | None = None) -> Balance:
        """Read what an account stands at, or stood at."""
        return self._read(f"/v1/accounts/{account_id}/balance", Balance, {"at": at})

    def statement(
        self,
        account_id: int,
        *,
        from_at: datetime | None = None,
        to_at: datetime | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> Statement:
        """Read a page of an account's statement, from `from_at` until before `to_at`."""
        narrowed = {"from": from_at, "to": to_at, "limit": limit, "cursor": cursor}
        return self._read(f"/v1/accounts/{account_id}/statement", Statement, narrowed)

    def iter_statement(
        self, account_id: int, *, from_at: datetime | None = None, to_at: datetime | None = None
    ) -> Iterator[StatementLine]:
        """Read the lines of an account's statement, page after page."""
        cursor = None
        while True:
            page = self.statement(account_id, from_at=from_at, to_at=to_at, cursor=cursor)
            yield from page.lines
            if (cursor := page.next_cursor) is None:
                return

    def post_entry(self, command: PostEntry) -> Entry:
        """Post an entry."""
        return self._write(command, Entry)

    def post_bulk(self, command: PostBulk) -> Bulk:
        """Post many entries: all or none, or each for itself if the command is not atomic.

        In the latter case a refused entry raises nothing: every result says what became of its own. One whose
        status is 503 was not accepted; only a caller who gave the entries keys of its own can send it again.
        """
        if command.atomic:
            return self._write(command, Bulk)
        until_s = self._until_s()
        bulk = _parsed(self._caller.make(call_of(keyed(command)), until_s), Bulk)
        return Bulk(results=tuple(self._followed(result, until_s) for result in bulk.results))

    def reverse_entry(self, command: ReverseEntry) -> Entry:
        """Reverse an entry, and return the new one."""
        return self._write(command, Entry)

    def get_entry(self, entry_id: int) -> Entry:
        """Read an entry."""
        return self._read(f"/v1/entries/{entry_id}", Entry)

    def list_entries(self, *, cursor: str | None = None, **narrowed: Unpack[EntryFilter]) -> Page[Entry]:
        """Read a page of entries."""
        return self._read("/v1/entries", Page[Entry], {**narrowed, "cursor": cursor})

    def iter_entries(self, **narrowed: Unpack[EntryFilter]) -> Iterator[Entry]:
        """Read entries, page after page."""
        return _items(lambda cursor: self.list_entries(cursor=cursor, **narrowed))

    def place_hold(self, command: PlaceHold) -> Hold:
        """Place a hold."""
        return self._write(command, Hold)

    def capture_hold(self, command: CaptureHold) -> Hold:
        """Capture what a hold reserves, or a part of it."""
        return self._write(command, Hold)

    def release_hold(self, command: ReleaseHold) -> Hold:
        """Release what a hold still reserves."""
        return self._write(command, Hold)

    def get_hold(self, hold_id: int) -> Hold:
        """Read a hold."""
        return self._read(f"/v1/holds/{hold_id}", Hold)

    def list_holds(self, *, cursor: str | None = None, **narrowed: Unpack[HoldFilter]) -> Page[Hold]:
        """Read a page of holds."""
        return self._read("/v1/holds", Page[Hold], {**narrowed, "cursor": cursor})

    def iter_holds(self, **narrowed: Unpack[HoldFilter]) -> Iterator[Hold]:
        """Read holds, page after page."""
        return _items(lambda cursor: self.list_holds(cursor=cursor, **narrowed))

    def submit(self, command: Command) -> OperationPending:
        """Have a write accepted without waiting for it, and return, not raise, that it is pending.

        It is then sure to reach an outcome, which `wait` follows. A bulk must be atomic.

        Raises:
            LedgerProblem: it was not accepted; or its key is an old one, and the write was refused then.
        """
        if isinstance(command, PostBulk) and not command.atomic:
            raise ValueError("a bulk that is not atomic is many operations: submit its entries")
        response = self._caller.make(call_of(keyed(command), respond_async=True), self._until_s())
        if not response.is_success:
            raise problem_of_response(response)
        return OperationPending(response.headers["Operation-Id"])

    def get_operation(self, operation_id: str) -> Operation:
        """Read what became of a write, pending or not."""
        return self._read(_operation_path(operation_id), Operation)

    def wait(self, operation_id: str, *, timeout_s: float | None = None) -> Operation:
        """Wait for the outcome of a write, applied or refused, that long at most.

        Raises:
            OperationPending: it has none by then.
        """
        return self._wait(operation_id, self._until_s(timeout_s))

    def trial_balance(self, *, at: datetime | None = None) -> TrialBalance:
        """Read what every account stands at, or stood at."""
        return self._read("/v1/reports/trial-balance", TrialBalance, {"at": at})

    def balance_sheet(self, *, at: datetime | None = None) -> BalanceSheets:
        """Read what the org has and owes, or had and owed."""
        return self._read("/v1/reports/balance-sheet", BalanceSheets, {"at": at})

    def income_statement(self, *, from_at: datetime | None = None, to_at: datetime | None = None) -> IncomeStatements:
        """Read what the org earned and spent, from `from_at` until before `to_at`."""
        return self._read("/v1/reports/income-statement", IncomeStatements, {"from": from_at, "to": to_at})

    def health(self) -> Health:
        """Read whether the ledger works. It is asked once, and that something is wrong raises nothing."""
        try:
            response = self._http.get("/health")
        except httpx.TransportError as error:
            return Health(status="unreachable", checks={"http": repr(error)})
        return Health.model_validate_json(response.content)

    def _until_s(self, timeout_s: float | None = None) -> float:
        return self._caller.clock() + (self._timeout_s if timeout_s is None else timeout_s)

    def _read(self, path: str, record: type[Record], narrowed: Mapping[str, object] = {}) -> Record:
        return _parsed(self._caller.make(Call("GET", path, params(narrowed)), self._until_s()), record)

    def _write(self, command: Command, record: type[Record]) -> Record:
        until_s = self._until_s()
        call = call_of(keyed(command))
        response = self._caller.make(call, until_s)
        if response.status_code != httpx.codes.ACCEPTED:
            return _parsed(response, record)
        operation = self._wait(response.headers["Operation-Id"], until_s, call.idempotency_key)
        if operation.http_status is not None and operation.error is not None:
            raise problem_of(operation.http_status, operation.error)
        assert isinstance(operation.result, record), "what was applied has the result of its kind"
        return operation.result

    def _wait(self, operation_id: str, until_s: float, key: str | None = None) -> Operation:
        call = Call("GET", _operation_path(operation_id), idempotency_key=key, waits=True)
        while True:
            operation = _parsed(self._caller.make(call, until_s), Operation)
            if operation.finished_at is not None:
                return operation
            if not self._caller.pause(1, until_s):  # short: it is the server that waits
                raise OperationPending(operation_id)

    def _followed(self, result: BulkResult, until_s: float) -> BulkResult:
        """Return what became of an entry that was pending, or the same if it still is."""
        if result.http_status is not None:
            return result
        try:
            found: dict[str, Any] = self._wait(result.operation_id, until_s).model_dump()
        except OperationPending:
            return result
        return BulkResult.model_validate({name: found[name] for name in BulkResult.model_fields})


def _operation_path(operation_id: str) -> str:
    return f"/v1/operations/{quote(operation_id, safe='')}"  # a caller's caller may have named it


def _parsed(response: httpx.Response, record: type[Record]) -> Record:
    if not response.is_success:
        raise problem_of_response(response)
    return record.model_validate_json(response.content)


def _items(page_at: Callable[[str | None], Page[Item]]) -> Iterator[Item]:
    cursor = None
    while True:
        page = page_at(cursor)
        yield from page.data
        if (cursor := page.next_cursor) is None:
            return
