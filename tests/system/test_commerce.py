"""FF Commerce over the queue of a real ledger, with answers that are lost and callers that die in the middle."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from examples.commerce.books import Books
from examples.commerce.commerce import Commerce, NotCaptured
from ledger_client import LedgerClient
from ledger_client.problems import CaptureExceedsHold, HoldNotActive, IdempotencyKeyReused, InsufficientFunds
from ledger_core.commands import Command
from tests.system.callers import at_once
from tests.system.orgs import Org
from tests.system.stack import Stack
from wire import LedgerQueue, Submitted
from wire.app import make_app
from wire.lanes import LANES_DEFAULT
from wire.submit import TaskResult

HOUSE = Path(__file__).parent.parent.parent


class Died(BaseException):
    """The end of a process, at a point of our choice."""


class Unheard(Submitted):
    """A command whose answer gets lost after it was carried out."""

    def __init__(self, submitted: Submitted) -> None:
        self._submitted = submitted

    def get(self, timeout: float) -> TaskResult:
        self._submitted.get(timeout)
        raise TimeoutError("the answer is lost")


class Queue(LedgerQueue):
    """The queue, on which the next answers may be lost, and whose user may die before a write."""

    losses = 0
    dies_before = ""

    def submit(self, org: str, command: Command, *, task_id: str | None = None) -> Submitted:
        if self.dies_before and (command.idempotency_key or "").startswith(self.dies_before):
            self.dies_before = ""
            raise Died
        submitted = super().submit(org, command, task_id=task_id)
        if self.losses:
            self.losses -= 1
            return Unheard(submitted)
        return submitted


@pytest.fixture
def queue(stack: Stack) -> Iterator[Queue]:
    opened = Queue(make_app(stack.broker_url, LANES_DEFAULT), LANES_DEFAULT)
    yield opened
    opened.close()


@pytest.fixture
def commerce(stack: Stack, org: Org, queue: Queue) -> Iterator[Commerce]:
    """FF Commerce with 100.00 of Ann's, and two merchants."""
    with LedgerClient(stack.base_url, org.slug, org.api_key) as ledger:
        opened = Commerce(Books(org.slug, queue, ledger))
        opened.open_buyer("ann")
        opened.open_merchant("books")
        opened.open_merchant("music")
        opened.top_up("ann", 10_000, "wire-1")
        yield opened


def books(org: Org) -> dict[str, int]:
    """Return what each account of the chart stands at, but for those that are empty."""
    totals = {account["code"]: org.balance(account["id"])["total"] for account in org.all("/v1/accounts")}
    return {code: total for code, total in totals.items() if total}


def test_an_order_in_parts_is_booked_as_the_chart_says(commerce: Commerce, org: Org) -> None:
    payment = commerce.authorise("o-1", "ann", "books", 6_000).id
    assert commerce.buyer("ann").available == 4_000

    commerce.capture(payment, "parcel-1", 4_000, final=False)
    commerce.capture(payment, "parcel-2", 1_000)

    assert books(org) == {"1000": 10_000, "2000:ann": 5_000, "2100:books": 5_000 - 116 - 29, "4000": 116 + 29}
    assert commerce.buyer("ann").held == 0
    assert org.proof()["ok"]


def test_an_order_that_is_called_off_costs_nothing(commerce: Commerce, org: Org) -> None:
    payment = commerce.authorise("o-1", "ann", "books", 6_000).id

    released = commerce.void(payment)

    assert released.released_amount == 6_000
    assert books(org) == {"1000": 10_000, "2000:ann": 10_000}
    with pytest.raises(HoldNotActive):
        commerce.capture(payment, "late")


def test_refunds_swap_the_sides_of_the_capture_once_for_each_part(commerce: Commerce, org: Org) -> None:
    payment = commerce.authorise("o-1", "ann", "books", 6_000).id
    commerce.capture(payment, "parcel-1", 4_000, final=False)
    commerce.capture(payment, "parcel-2", 2_000)

    first = commerce.refund(payment, "parcel-1", 500)
    again = commerce.refund(payment, "parcel-1", 500)
    whole = commerce.refund(payment, "parcel-2")

    assert first == again != whole
    assert commerce.buyer("ann").total == 4_000 + 500 + 2_000
    with pytest.raises(IdempotencyKeyReused):
        commerce.refund(payment, "parcel-1", 501)
    with pytest.raises(NotCaptured):
        commerce.refund(payment, "parcel-2", 2_001)
    with pytest.raises(NotCaptured):
        commerce.refund(payment, "parcel-3")


def test_merchants_are_settled_each_for_itself_and_once_a_day(commerce: Commerce, org: Org) -> None:
    for order, merchant, amount in (("o-1", "books", 3_000), ("o-2", "music", 1_000)):
        commerce.capture(commerce.authorise(order, "ann", merchant, amount).id, "all")

    paid = commerce.settle("books", "2026-03-18")
    more = commerce.authorise("o-3", "ann", "books", 100).id
    commerce.capture(more, "all")

    assert paid == 3_000 - 87
    assert commerce.settle("books", "2026-03-18") == paid
    assert commerce.settle("books", "2026-03-19") == 100 - 2
    assert commerce.settle("books", "2026-03-20") == 0
    assert books(org)["2100:music"] == 1_000 - 29
    assert books(org)["1000"] == 10_000 - paid - 98


def test_a_merchant_owes_what_is_refunded_after_its_settlement(commerce: Commerce, org: Org) -> None:
    payment = commerce.authorise("o-1", "ann", "books", 1_000).id
    commerce.capture(payment, "all")
    commerce.settle("books", "2026-03-18")

    commerce.refund(payment, "all", 400)

    assert commerce.merchant("books").total == -400
    assert commerce.settle("books", "2026-03-19") == 0


def test_every_answer_lost_once_changes_nothing(commerce: Commerce, queue: Queue, org: Org) -> None:
    def day() -> list[Any]:
        queue.losses = 1
        payment = commerce.authorise("o-1", "ann", "books", 6_000).id
        queue.losses = 1
        first = commerce.capture(payment, "parcel-1", 4_000, final=False)
        queue.losses = 1
        second = commerce.capture(payment, "parcel-2")
        queue.losses = 1
        refund = commerce.refund(payment, "parcel-1", 40)
        queue.losses = 1
        return [payment, first.id, second.id, refund.id, commerce.settle("books", "2026-03-18")]

    once, twice = day(), day()

    assert once == twice
    assert books(org) == {"1000": 10_000 - once[-1], "2000:ann": 4_040, "4000": 174}
    assert len(org.all("/v1/entries")) == 1 + 4 + 1 + 1
    assert org.proof()["ok"]


@pytest.mark.parametrize("dies_before", ["capture:", "fee:"])
def test_one_who_dies_in_the_middle_of_a_capture_calls_again(
    commerce: Commerce, queue: Queue, org: Org, dies_before: str
) -> None:
    payment = commerce.authorise("o-1", "ann", "books", 6_000).id
    queue.dies_before = dies_before

    with pytest.raises(Died):
        commerce.capture(payment, "all")
    commerce.capture(payment, "all")

    assert books(org) == {"1000": 10_000, "2000:ann": 4_000, "2100:books": 5_826, "4000": 174}


def test_one_who_dies_in_the_middle_of_a_settlement_calls_again(commerce: Commerce, queue: Queue, org: Org) -> None:
    commerce.capture(commerce.authorise("o-1", "ann", "books", 1_000).id, "all")
    queue.dies_before = "pay-out"

    with pytest.raises(Died):
        commerce.settle("books", "2026-03-18")
    assert commerce.merchant("books").held == 971
    commerce.capture(commerce.authorise("o-2", "ann", "books", 10).id, "all")
    paid = commerce.settle("books", "2026-03-18")

    assert paid == 971
    assert books(org) == {"1000": 10_000 - 971, "2000:ann": 8_990, "2100:books": 10, "4000": 29}


def test_two_who_settle_at_once_pay_out_what_there_is_once(commerce: Commerce, org: Org) -> None:
    commerce.capture(commerce.authorise("o-1", "ann", "books", 1_000).id, "all")

    def settle(number: int) -> int:
        try:
            return commerce.settle("books", f"2026-03-1{number}")
        except InsufficientFunds:
            return 0

    assert sum(at_once(4, settle)) == 971
    assert books(org)["1000"] == 10_000 - 971


def test_what_the_book_refuses_is_not_tried_again(commerce: Commerce, queue: Queue) -> None:
    payment = commerce.authorise("o-1", "ann", "books", 6_000).id

    with pytest.raises(InsufficientFunds) as raised:
        commerce.authorise("o-2", "ann", "books", 4_001)
    with pytest.raises(CaptureExceedsHold):
        commerce.capture(payment, "all", 6_001)
    with pytest.raises(IdempotencyKeyReused):
        commerce.authorise("o-1", "ann", "music", 6_000)
    assert raised.value.available == 4_000


def test_it_runs_from_the_command_line(stack: Stack, org: Org) -> None:
    environment = {
        **stack.environment(),
        "LEDGER_URL": stack.base_url,
        "LEDGER_ORG": org.slug,
        "LEDGER_KEY": org.api_key,
        "LEDGER_REDIS_URL": stack.broker_url,
    }

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "examples.commerce", *arguments]
        return subprocess.run(command, cwd=HOUSE, env=environment, capture_output=True, text=True, check=False)

    opened = [run("open", "buyer", "ann"), run("open", "merchant", "books"), run("top-up", "ann", "500", "w-1")]
    refused = run("authorise", "o-1", "ann", "books", "501")

    assert [json.loads(done.stdout) for done in opened] == [{"account_id": 3}, {"account_id": 4}, {"entry_id": 1}]
    assert refused.returncode == 1
    assert refused.stderr.startswith("Error: insufficient_funds")
