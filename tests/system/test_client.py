"""The client against a real ledger: every endpoint, pages, problems, and faults that its retries must outlive."""

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta

import httpx
import pytest

from ledger_client import (
    AccountType,
    CaptureHold,
    CloseAccount,
    LedgerClient,
    LineBody,
    OpenAccount,
    OperationPending,
    PlaceHold,
    PostBulk,
    PostEntry,
    ReleaseHold,
    Retries,
    ReverseEntry,
    Side,
)
from ledger_client.models import Account, Entry
from ledger_client.problems import (
    Forbidden,
    HoldNotActive,
    IdempotencyKeyReused,
    InsufficientFunds,
    InvalidRequest,
    NotFound,
    Unauthorized,
)
from ledger_core.model import AccountStatus, HoldStatus
from tests.system.callers import at_once
from tests.system.orgs import Org
from tests.system.stack import Stack


@pytest.fixture
def client(stack: Stack, org: Org) -> Iterator[LedgerClient]:
    with LedgerClient(stack.base_url, org.slug, org.api_key) as opened:
        yield opened


def opening(name: str, kind: AccountType, **fields: str | int) -> OpenAccount:
    return OpenAccount.model_validate({"name": name, "type": kind, **fields})


def moving(debit: int, credit: int, amount: int, key: str | None = None) -> PostEntry:
    lines = [
        LineBody(account_id=debit, amount=amount, direction=Side.DEBIT),
        LineBody(account_id=credit, amount=amount, direction=Side.CREDIT),
    ]
    return PostEntry(lines=lines, idempotency_key=key)


def funded(client: LedgerClient, amount: int = 50_000) -> tuple[int, int, int]:
    cash = client.open_account(opening("Cash", AccountType.ASSET, code="1000"))
    customers = client.open_account(opening("Customers", AccountType.LIABILITY, code="2000"))
    fees = client.open_account(opening("Fees", AccountType.REVENUE, code="4000"))
    client.post_entry(moving(cash.id, customers.id, amount))
    return cash.id, customers.id, fees.id


def test_accounts_are_opened_read_listed_and_closed(client: LedgerClient) -> None:
    cash, customers, fees = funded(client)

    closed = client.close_account(CloseAccount(account_id=fees))

    assert closed.status is AccountStatus.CLOSED
    assert client.get_account(fees) == closed
    assert [account.id for account in client.iter_accounts(limit=1)] == [cash, customers, fees]
    assert [account.id for account in client.iter_accounts(order="desc")] == [fees, customers, cash]
    assert [account.id for account in client.list_accounts(type=AccountType.ASSET, code_prefix="10").data] == [cash]
    assert [account.id for account in client.list_accounts(status=AccountStatus.CLOSED).data] == [fees]


def test_entries_are_posted_read_listed_and_reversed(client: LedgerClient) -> None:
    cash, customers, _ = funded(client)
    posted = client.post_entry(moving(cash, customers, 700, key="deposit-1"))

    reversal = client.reverse_entry(ReverseEntry(entry_id=posted.id, description="a slip"))

    assert reversal.reverses == posted.id
    assert client.get_entry(posted.id).reversed_by == reversal.id
    assert [entry.id for entry in client.iter_entries(limit=1)] == [1, posted.id, reversal.id]
    assert client.list_entries(idempotency_key="deposit-1").data[0].id == posted.id
    assert [entry.id for entry in client.iter_entries(posted_from=reversal.posted_at)][-1] == reversal.id


def test_a_balance_at_an_instant_and_a_statement_add_up(client: LedgerClient) -> None:
    cash, customers, _ = funded(client)
    first = client.get_entry(1)
    for amount in (1, 2, 3):
        client.post_entry(moving(cash, customers, amount))

    assert client.balance(cash).total == 50_006
    assert client.balance(cash, at=first.posted_at).total == 50_000
    assert client.balance(cash, at=first.posted_at - timedelta(microseconds=1)).total == 0
    statement = client.statement(cash, limit=2)
    assert statement.closing_balance == 50_006
    assert statement.next_cursor is not None
    assert [line.balance for line in client.iter_statement(cash)] == [50_000, 50_001, 50_003, 50_006]


def test_holds_are_placed_captured_released_and_listed(client: LedgerClient) -> None:
    _, customers, fees = funded(client)
    first = client.place_hold(PlaceHold(account_id=customers, amount=900, counter_account_id=fees))
    second = client.place_hold(PlaceHold(account_id=customers, amount=100, expires_in_s=3_600))
    assert client.balance(customers).held == 1_000

    part = client.capture_hold(CaptureHold(hold_id=first.id, amount=400, final=False))
    rest = client.capture_hold(CaptureHold(hold_id=first.id))
    released = client.release_hold(ReleaseHold(hold_id=second.id))

    assert (part.remaining_amount, part.status) == (500, HoldStatus.ACTIVE)
    assert [capture.amount for capture in rest.captures] == [400, 500]
    assert released.released_amount == 100
    assert client.get_hold(first.id) == rest
    assert [hold.id for hold in client.iter_holds(account_id=customers, limit=1)] == [first.id, second.id]
    assert [entry.hold_id for entry in client.iter_entries(hold_id=first.id)] == [first.id, first.id]
    with pytest.raises(HoldNotActive) as raised:
        client.release_hold(ReleaseHold(hold_id=first.id))
    assert raised.value.hold_status == "captured"


def test_a_bulk_is_posted_whole_or_each_for_itself(client: LedgerClient) -> None:
    cash, customers, fees = funded(client, 100)
    client.open_account(opening("Strict", AccountType.LIABILITY, overdraft_limit=0))

    whole = client.post_bulk(PostBulk(entries=[moving(cash, customers, 1), moving(customers, fees, 2)]))
    each = client.post_bulk(PostBulk(entries=[moving(cash, customers, 3), moving(4, fees, 9)], atomic=False))

    assert [result.status for result in whole.results] == ["applied", "applied"]
    assert [result.status for result in each.results] == ["applied", "refused"]
    assert each.results[1].error is not None
    assert each.results[1].error["code"] == "insufficient_funds"


def test_reports_are_read(client: LedgerClient) -> None:
    _, customers, fees = funded(client)
    client.post_entry(moving(customers, fees, 250))

    (totals,) = client.trial_balance().totals
    (sheet,) = client.balance_sheet().currencies
    (income,) = client.income_statement().currencies

    assert totals.debit_balance == totals.credit_balance == 50_000
    assert (sheet.total_assets, sheet.total_liabilities, sheet.earnings) == (50_000, 49_750, 250)
    assert income.net_income == 250


def test_health_is_read_without_a_fuss(client: LedgerClient) -> None:
    assert client.health().status == "ok"
    with LedgerClient("http://127.0.0.1:9", "acme", "key") as nobody:
        assert nobody.health().status == "unreachable"


def test_a_write_that_is_not_waited_for_is_followed_by_its_operation(client: LedgerClient) -> None:
    pending = client.submit(opening("Cash", AccountType.ASSET))

    operation = client.wait(pending.operation_id)

    assert isinstance(operation.result, Account)
    assert operation.status == "applied"
    assert client.get_operation(pending.operation_id) == operation


def test_problems_are_told_apart(client: LedgerClient, stack: Stack, org: Org) -> None:
    cash, customers, fees = funded(client, 100)
    strict = client.open_account(opening("Strict", AccountType.LIABILITY, overdraft_limit=0)).id

    with pytest.raises(NotFound, match="account_not_found"):
        client.get_account(99)
    with pytest.raises(InsufficientFunds) as funds:
        client.post_entry(moving(strict, fees, 7))
    assert (funds.value.account_id, funds.value.required, funds.value.available) == (strict, 7, 0)
    client.post_entry(moving(cash, customers, 1, key="one"))
    with pytest.raises(IdempotencyKeyReused):
        client.post_entry(moving(cash, customers, 2, key="one"))
    with pytest.raises(InvalidRequest) as invalid:
        client.list_accounts(limit=0)
    assert [error["pointer"] for error in invalid.value.errors] == ["/limit"]
    with LedgerClient(stack.base_url, org.slug, "wrong") as stranger, pytest.raises(Unauthorized):
        stranger.get_account(1)


def test_a_read_only_key_can_not_write(stack: Stack, org: Org) -> None:
    printed = stack.ctl("key", "create", org.slug, "--read-only", "--json")

    api_key = httpx.Response(200, text=printed).json()["api_key"]
    with LedgerClient(stack.base_url, org.slug, api_key) as reader, pytest.raises(Forbidden):
        reader.open_account(opening("Cash", AccountType.ASSET))


class Losing(httpx.HTTPTransport):
    """A network that loses the first answers after the ledger has given them."""

    def __init__(self, losses: int) -> None:
        super().__init__()
        self.losses = losses

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = super().handle_request(request)
        if self.losses == 0:
            return response
        self.losses -= 1
        response.read()
        raise httpx.ReadError("the answer is lost")


def test_answers_that_are_lost_move_no_money_twice(stack: Stack, org: Org) -> None:
    network = Losing(0)
    with LedgerClient(stack.base_url, org.slug, org.api_key, transport=network, sleep=lambda _: None) as client:
        cash, customers, fees = funded(client, 1_000)

        network.losses = 3
        entry = client.post_entry(moving(cash, customers, 5))
        network.losses = 2
        hold = client.place_hold(PlaceHold(account_id=customers, amount=10, counter_account_id=fees))
        network.losses = 2
        client.capture_hold(CaptureHold(hold_id=hold.id))

        assert entry.id == 2
        assert client.balance(customers).total == 1_000 + 5 - 10
        assert len(list(client.iter_entries())) == 3
    assert org.proof()["ok"]


def test_callers_outlive_an_http_server_that_is_killed(own_stack: Callable[..., Stack]) -> None:
    stack = own_stack()
    org = stack.org("acme")
    posted = threading.Semaphore(0)
    with LedgerClient(stack.base_url, org.slug, org.api_key, retries=Retries(attempts_max=50)) as client:
        cash, customers, _ = funded(client, 1_000)

        def post_some(_: int) -> None:
            for _ in range(20):
                client.post_entry(moving(cash, customers, 1))
                posted.release()

        def kill_amid(_: int) -> None:
            for _ in range(10):
                posted.acquire()
            stack.kill("-m intake")

        at_once(5, lambda number: post_some(number) if number else kill_amid(number))

        assert client.balance(cash).total == 1_000 + 80
        assert len(list(client.iter_entries())) == 81
    assert org.proof()["ok"]


def test_one_client_serves_many_threads(client: LedgerClient) -> None:
    cash, customers, _ = funded(client, 1_000)

    entries = at_once(16, lambda number: client.post_entry(moving(cash, customers, 1, key=f"n-{number % 8}")))

    assert len({entry.id for entry in entries}) == 8
    assert client.balance(cash).total == 1_008


def test_a_write_outlives_workers_that_stand_still(stack: Stack, org: Org) -> None:
    with LedgerClient(stack.base_url, org.slug, org.api_key, timeout_s=2.0) as hasty:
        cash, customers, _ = funded(hasty)

        with stack.halted("-m workers"), pytest.raises(OperationPending) as raised:
            hasty.post_entry(moving(cash, customers, 5, key="late"))

        operation = hasty.wait(raised.value.operation_id, timeout_s=30)
        again = hasty.post_entry(moving(cash, customers, 5, key="late"))
    assert isinstance(operation.result, Entry)
    assert again == operation.result
