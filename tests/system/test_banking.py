"""FF Banking as a process on a real ledger, with a bank that is told how to behave."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.system.banks import Bank, running
from tests.system.callers import at_once
from tests.system.orgs import Org
from tests.system.stack import Stack
from tests.waiting import eventually

HOUSE = Path(__file__).parent.parent.parent


class Banking:
    """The service under test, which may be killed and started again."""

    def __init__(self, org: Org, bank: Bank, folder: Path) -> None:
        self.org, self._bank, self._folder = org, bank, folder
        self._starts = 0

    def start(self) -> "Banking":
        self._starts += 1
        output = self._folder / f"banking.{self._starts}.out"
        environment = {
            **self.org.stack.environment(),
            "LEDGER_URL": self.org.stack.base_url,
            "LEDGER_ORG": self.org.slug,
            "LEDGER_KEY": self.org.api_key,
            "BANKING_PORT": "0",
            "BANKING_PAYOUTS_URL": self._bank.url,
        }
        with output.open("wb") as printed:
            command = [sys.executable, "-m", "examples.banking"]
            self._process = subprocess.Popen(command, cwd=HOUSE, env=environment, stdout=printed)
        eventually(lambda: output.read_text().endswith("\n") or self._process.poll(), "it comes up")
        self._url = output.read_text().split()[1]
        return self

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def wallet(self, name: str, **expected: int) -> None:
        """Check what a wallet has, in total and on hold."""
        found = httpx.get(f"{self._url}/wallets/{name}").json()
        assert {field: found[field] for field in expected} == expected

    def put(self, name: str) -> httpx.Response:
        return httpx.put(f"{self._url}/wallets/{name}")

    def post(self, path: str, body: object, key: str | None) -> httpx.Response:
        headers = {} if key is None else {"Idempotency-Key": key}
        return httpx.post(f"{self._url}{path}", json=body, headers=headers, timeout=60)


@pytest.fixture
def bank() -> Iterator[Bank]:
    with running() as started:
        yield started


@pytest.fixture
def banking(org: Org, bank: Bank, tmp_path: Path) -> Iterator[Banking]:
    """FF Banking with 100.00 in the wallet of Ann, and nothing in that of Bob."""
    started = Banking(org, bank, tmp_path).start()
    for name in ("ann", "bob"):
        assert started.put(name).status_code == 200
    assert started.post("/wallets/ann/deposits", {"amount": 10_000}, "d0").status_code == 201
    yield started
    started.kill()


def books(org: Org) -> dict[str, int]:
    """Return what each account of the chart stands at."""
    return {account["code"]: org.balance(account["id"])["total"] for account in org.all("/v1/accounts")}


def test_a_day_at_the_bank_is_booked_as_the_chart_says(banking: Banking, bank: Bank, org: Org) -> None:
    transfer = banking.post("/transfers", {"from": "ann", "to": "bob", "amount": 4_000}, "t1")
    paid = banking.post("/wallets/bob/withdrawals", {"amount": 1_500}, "w1")

    assert transfer.json() == {"entry_id": 2, "amount": 4_000, "fee": 25}
    assert paid.json() == {"entry_id": 3, "amount": 1_500, "fee": 0}
    assert bank.paid == {"withdrawal:bob:w1": 1_500}
    assert books(org) == {"1000": 8_500, "4000": 25, "2000:ann": 5_975, "2000:bob": 2_500}
    assert org.proof()["ok"]


def test_the_same_request_again_is_the_same_answer_and_no_second_movement(
    banking: Banking, bank: Bank, org: Org
) -> None:
    requests = [
        ("/wallets/ann/deposits", {"amount": 500}),
        ("/transfers", {"from": "ann", "to": "bob", "amount": 700}),
        ("/wallets/ann/withdrawals", {"amount": 300}),
    ]

    answers = [[banking.post(path, body, "same").json() for path, body in requests] for _ in range(3)]
    banking.put("ann")

    assert answers[0] == answers[1] == answers[2]
    assert bank.paid == {"withdrawal:ann:same": 300}
    assert len(org.all("/v1/entries")) == 4
    assert books(org) == {"1000": 10_200, "4000": 25, "2000:ann": 9_475, "2000:bob": 700}


def test_a_withdrawal_that_the_bank_refuses_gives_the_money_back(banking: Banking, bank: Bank, org: Org) -> None:
    bank.refused_amount = 1_300

    refused = [banking.post("/wallets/ann/withdrawals", {"amount": 1_300}, "w1") for _ in range(2)]

    assert [answer.status_code for answer in refused] == [422, 422]
    assert refused[0].json() == {"error": "refused_by_the_bank"}
    banking.wallet("ann", total=10_000, held=0)
    assert bank.paid == {}


def test_killed_between_hold_and_capture_an_honest_retry_pays_once(banking: Banking, bank: Bank, org: Org) -> None:
    bank.open.clear()

    def withdraw() -> None:
        with pytest.raises(httpx.TransportError):
            banking.post("/wallets/ann/withdrawals", {"amount": 6_000}, "w1")

    caller = threading.Thread(target=withdraw)
    caller.start()
    eventually(lambda: bank.calls, "the bank is asked to pay")
    banking.kill()
    caller.join()
    bank.open.set()

    banking.start()
    banking.wallet("ann", total=10_000, held=6_000, available=4_000)
    too_much = banking.post("/wallets/ann/withdrawals", {"amount": 4_001}, "w2")
    again = banking.post("/wallets/ann/withdrawals", {"amount": 6_000}, "w1")

    assert (too_much.status_code, too_much.json()) == (422, {"error": "insufficient_funds", "available": 4_000})
    assert again.status_code == 201
    assert bank.paid == {"withdrawal:ann:w1": 6_000}
    banking.wallet("ann", total=4_000, held=0)
    assert [entry.get("hold_id") for entry in org.all("/v1/entries")] == [None, 1]
    assert org.proof()["ok"]


def test_a_bank_that_does_not_answer_keeps_the_money_reserved(banking: Banking, bank: Bank) -> None:
    bank_url, bank.url = bank.url, "http://127.0.0.1:9"
    banking.kill()
    banking.start()
    unknown = banking.post("/wallets/ann/withdrawals", {"amount": 100}, "w1")
    banking.wallet("ann", total=10_000, held=100)
    bank.url = bank_url
    banking.kill()
    banking.start()

    paid = banking.post("/wallets/ann/withdrawals", {"amount": 100}, "w1")

    assert unknown.status_code == 503
    assert unknown.headers["Retry-After"] == "1"
    assert paid.status_code == 201
    banking.wallet("ann", total=9_900, held=0)


def test_a_transfer_by_many_at_once_under_one_key_happens_once(banking: Banking, org: Org) -> None:
    body = {"from": "ann", "to": "bob", "amount": 1_000}

    answers = at_once(6, lambda _: banking.post("/transfers", body, "t1").json())

    assert answers == [answers[0]] * 6
    banking.wallet("bob", total=1_000)


@pytest.mark.parametrize(
    ("path", "body", "key", "status", "error"),
    [
        ("/wallets/eve/deposits", {"amount": 5}, "k", 404, "no_such_wallet"),
        ("/transfers", {"from": "ann", "to": "eve", "amount": 5}, "k", 404, "no_such_wallet"),
        ("/transfers", {"from": "ann", "to": "bob", "amount": 9_976}, "k", 422, "insufficient_funds"),
        ("/wallets/bob/withdrawals", {"amount": 1}, "k", 422, "insufficient_funds"),
        ("/wallets/ann/deposits", {"amount": 10_001}, "d0", 422, "idempotency_key_reused"),
        ("/wallets/ann/deposits", {"amount": 5}, None, 400, None),
        ("/wallets/ann/deposits", {"amount": 5}, "a:b", 400, None),
        ("/wallets/ann/deposits", {"amount": 0}, "k", 400, None),
        ("/wallets/ann/deposits", {"amount": 5, "currency": "EUR"}, "k", 400, None),
    ],
)
def test_refusals(shared: Banking, path: str, body: object, key: str | None, status: int, error: str | None) -> None:
    before = books(shared.org)

    answer = shared.post(path, body, key)

    assert answer.status_code == status
    assert answer.json().get("error") == error
    assert books(shared.org) == before


@pytest.fixture(scope="module")
def shared(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Banking]:
    """FF Banking, for tests that leave it as it is."""
    with running() as bank:
        started = Banking(stack.org("banking-refusals"), bank, tmp_path_factory.mktemp("banking")).start()
        for name in ("ann", "bob"):
            started.put(name)
        started.post("/wallets/ann/deposits", {"amount": 10_000}, "d0")
        yield started
        started.kill()
