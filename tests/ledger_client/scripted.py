"""A ledger that answers by a script, and a clock that only moves when somebody sleeps or an answer takes its time."""

from typing import Any

import httpx

from ledger_client import LedgerClient, LineBody, PostEntry, Retries, Side

ENTRY = {
    "id": 1,
    "idempotency_key": "k",
    "description": None,
    "lines": [
        {"account_id": 1, "amount": 5, "direction": "debit"},
        {"account_id": 2, "amount": 5, "direction": "credit"},
    ],
    "posted_at": "2026-03-18T05:30:00Z",
}
OPERATION_ID = "0a1b2c3d-0000-8000-8000-000000000001"
RETRIES = Retries()
Step = httpx.Response | Exception


class Time:
    """A clock that stands still by itself."""

    def __init__(self) -> None:
        self.now_s = 1_000.0
        self.slept: list[float] = []

    def clock(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now_s += seconds


class Script:
    """Answers requests one after the other, the last one for ever, and keeps them."""

    def __init__(self, *steps: Step) -> None:
        self.time = Time()
        self.requests: list[httpx.Request] = []
        self.answer_takes_s = 0.0
        self._steps = steps

    def client(self, retries: Retries = RETRIES, timeout_s: float = 30.0) -> LedgerClient:
        return LedgerClient(
            "http://ledger",
            "acme",
            "ffl_key",
            timeout_s=timeout_s,
            retries=retries,
            transport=httpx.MockTransport(self._answer),
            clock=self.time.clock,
            sleep=self.time.sleep,
        )

    def keys(self) -> list[str]:
        """Return the idempotency key of each write."""
        return [httpx.Response(200, content=r.content).json()["idempotency_key"] for r in self.requests if r.content]

    def _answer(self, request: httpx.Request) -> httpx.Response:
        step = self._steps[min(len(self.requests), len(self._steps) - 1)]
        self.requests.append(request)
        self.time.now_s += min(self.answer_takes_s, request.extensions["timeout"]["read"])
        if isinstance(step, Exception):
            raise step
        return step


def posting(**fields: Any) -> PostEntry:
    """Build an entry of two lines."""
    lines = [
        LineBody(account_id=1, amount=5, direction=Side.DEBIT),
        LineBody(account_id=2, amount=5, direction=Side.CREDIT),
    ]
    return PostEntry(lines=lines, **fields)


def problem(status: int, code: str, headers: dict[str, str] | None = None, **facts: object) -> httpx.Response:
    """Build a problem."""
    body = {"type": f"urn:ff-ledger:problem:{code}", "title": "T", "status": status, "detail": "D", "code": code}
    return httpx.Response(status, json={**body, "instance": "/v1/x", "request_id": "r-1", **facts}, headers=headers)


def created() -> httpx.Response:
    """Build the answer to an entry that was posted."""
    return httpx.Response(201, json=ENTRY, headers={"Operation-Id": OPERATION_ID})


def accepted() -> httpx.Response:
    """Build the answer to a write that is pending."""
    body = {"operation_id": OPERATION_ID, "kind": "entry", "status": "pending"}
    return httpx.Response(202, json=body, headers={"Operation-Id": OPERATION_ID, "Retry-After": "1"})


def operation(status: str, http_status: int | None = None, result: object = None, error: object = None) -> Any:
    """Build an operation as it is read."""
    body = {
        "operation_id": OPERATION_ID,
        "kind": "entry",
        "status": status,
        "submitted_at": "2026-03-18T05:30:00Z",
        "finished_at": None if status == "pending" else "2026-03-18T05:30:01Z",
        "http_status": http_status,
        "result": result,
        "error": error,
    }
    return httpx.Response(200, json=body)
