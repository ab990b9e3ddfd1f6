"""Quick requests: which are served by the thread that reads all connections, told of each before it is served."""

import time
from typing import Any

import pytest
from waitress.adjustments import Adjustments

from intake import quick as module
from intake.auth import Recognized
from intake.connections import BoundedParser
from intake.quick import BODY_BYTES_MAX, SLOW_FOR_S, SLOW_S, Quick
from intake.serving import waitress_options
from intake.turns import NOBODY, STRANGERS, Whose
from ledger_core.limits import BODY_BYTES_MAX as LARGEST_BODY
from tests.intake.toys import LIMITS

ADJUSTMENTS = Adjustments(**waitress_options(1, LIMITS))


class Clock:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.now_s = 1_000.0

    def monotonic(self) -> float:
        return self.now_s


class World:
    """What is known of callers, books and the broker: acme was let in by its key, and has a book open."""

    is_away = False

    def recognized(self, slug: str | None, api_key: str | None) -> Recognized:
        is_let_in = (slug, api_key) in (("acme", "key"), ("globex", "key"))
        return Recognized(is_let_in or api_key == "one that was revoked", is_let_in)

    def is_at_hand(self, org: str) -> bool:
        return org == "acme"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


class AsServed(Quick):
    """Is asked as the server asks: first whose a request is."""

    def __call__(self, request: Any) -> bool:
        request.whose = self.whose(request)
        return super().__call__(request)


def _quick(world: World) -> Quick:
    return AsServed(world, world, world)  # type: ignore[arg-type]  # it stands for all three


def _request(
    line: str, headers: str = "X-Org-Slug: acme\r\nX-Api-Key: key\r\n", body: bytes | None = None
) -> BoundedParser:
    request = BoundedParser(ADJUSTMENTS)
    length = "" if body is None else f"Content-Length: {len(body)}\r\n"
    request.received(f"{line} HTTP/1.1\r\nHost: x\r\n{headers}{length}\r\n".encode() + (body or b""))
    return request


QUICK = [
    "GET /v1/accounts",
    "GET /v1/accounts?limit=50",
    "GET /v1/accounts?limit=7&cursor=abc&order=desc",
    "GET /v1/entries?account_id=2",
    "GET /v1/holds?limit=0",
    "GET /v1/accounts/1",
    "GET /v1/accounts/1/balance",
    "GET /v1/accounts/1/balance?at=2026-03-18T05:30:00Z",
    "GET /v1/entries/1",
    "GET /v1/holds/1",
]
NOT_QUICK = [
    "GET /v1/accounts?limit=51",
    "GET /v1/accounts?limit=500",
    "GET /v1/accounts?limit=%35%30%30",
    "GET /v1/accounts?code_prefix=1",
    "GET /v1/entries?idempotency_key=x",
    "GET /v1/entries?limit=50limit=500",
    "GET /v1/accounts/1/statement",
    "GET /v1/reports/trial-balance",
    "GET /v1/operations/1",
    "GET /health",
    "GET /metrics",
    "GET /docs",
    "GET /",
    "HEAD /v1/accounts/1",
    "DELETE /v1/accounts/1",
]


@pytest.mark.parametrize("line", QUICK)
def test_a_small_read_of_a_book_that_is_open_is_quick(line: str) -> None:
    assert _quick(World())(_request(line))


@pytest.mark.parametrize("line", NOT_QUICK)
def test_what_may_take_its_time_is_not_quick(line: str) -> None:
    assert not _quick(World())(_request(line))


def test_a_read_of_a_book_that_is_not_open_is_not_quick() -> None:
    assert not _quick(World())(_request("GET /v1/accounts/1", "X-Org-Slug: globex\r\nX-Api-Key: key\r\n"))


@pytest.mark.parametrize("path", ["/v1/entries", "/v1/accounts", "/v1/holds/1/capture", "/v1/no-such-thing"])
def test_a_small_write_is_quick_whether_its_book_is_open_or_not(path: str) -> None:
    quick = _quick(World())

    assert quick(_request(f"POST {path}", body=b"{}"))
    assert quick(_request(f"POST {path}", "X-Org-Slug: globex\r\nX-Api-Key: key\r\n", b"{}"))


@pytest.mark.parametrize("length", [BODY_BYTES_MAX + 1, LARGEST_BODY + 2])
def test_a_large_write_is_not_quick(length: int) -> None:
    quick = _quick(World())

    assert quick(_request("POST /v1/entries", body=b" " * BODY_BYTES_MAX))
    assert not quick(_request("POST /v1/entries", body=b" " * length))


def test_a_write_of_many_entries_is_not_quick() -> None:
    assert not _quick(World())(_request("POST /v1/entries/bulk", body=b"{}"))


def test_a_write_whose_length_is_not_told_is_not_quick() -> None:
    headers = "X-Org-Slug: acme\r\nX-Api-Key: key\r\nTransfer-Encoding: chunked\r\n"
    request = _request("POST /v1/entries", headers)

    request.received(b"2\r\n{}\r\n0\r\n\r\n")

    assert request.completed
    assert not _quick(World())(request)


def test_no_write_is_quick_while_the_broker_is_away() -> None:
    world = World()
    world.is_away = True

    assert not _quick(world)(_request("POST /v1/entries", body=b"{}"))
    assert _quick(world)(_request("GET /v1/accounts/1"))


@pytest.mark.parametrize(
    "headers",
    [
        "",
        "X-Org-Slug: acme\r\n",
        "X-Api-Key: key\r\n",
        "X-Org-Slug: acme\r\nX-Api-Key: other\r\n",
        "X-Org-Slug: acme\r\nX-Org-Slug: acme\r\nX-Api-Key: key\r\n",
    ],
)
def test_a_caller_who_was_not_let_in_just_before_is_not_quick(headers: str) -> None:
    quick = _quick(World())

    assert not quick(_request("GET /v1/accounts/1", headers))
    assert not quick(_request("POST /v1/entries", headers, b"{}"))


def test_a_request_that_could_not_be_understood_is_not_quick() -> None:
    request = _request("GET /v1/accounts/1", "Content-Length: 1\r\nContent-Length: 2\r\n")

    assert request.error is not None
    assert not _quick(World())(request)


def test_reads_are_left_to_the_pool_for_a_while_after_one_that_waited_for_a_disk(clock: Clock) -> None:
    quick = _quick(World())
    read, write = _request("GET /v1/accounts/1"), _request("POST /v1/entries", body=b"{}")

    quick.took(SLOW_S)
    assert quick(read)
    quick.took(SLOW_S * 1.01)
    assert not quick(read)
    assert quick(write)
    clock.now_s += SLOW_FOR_S
    assert quick(read)


@pytest.mark.parametrize("name", ["cursor=", "order=", "account_id=", "limit=1", "limit=50limit=4"])
def test_a_query_is_told_of_in_time_that_grows_with_its_length(name: str) -> None:
    # Where it can be taken apart in two ways at each name, each of them doubles the time; with 26 it is ten seconds.
    request = _request(f"GET /v1/accounts?{name * 26}&x=1")
    began_s = time.process_time()

    assert not _quick(World())(request)
    assert time.process_time() - began_s < 1


@pytest.mark.parametrize(
    ("headers", "whose"),
    [
        ("X-Org-Slug: acme\r\nX-Api-Key: key\r\n", Whose("acme", "acme", is_let_in=True)),
        ("X-Org-Slug: acme\r\nX-Api-Key: one that was revoked\r\n", Whose("acme", "acme", is_let_in=False)),
        ("X-Org-Slug: acme\r\nX-Api-Key: a guess\r\n", Whose(STRANGERS, "acme", is_let_in=False)),
        ("X-Org-Slug: acme\r\n", Whose(STRANGERS, "acme", is_let_in=False)),
        ("X-Api-Key: key\r\n", NOBODY),
        ("", NOBODY),
    ],
)
def test_a_request_is_of_the_org_whose_key_it_shows(headers: str, whose: Whose) -> None:
    request = _request("GET /v1/accounts/1", headers)

    assert _quick(World()).whose(request) == whose
    assert _quick(World())(request) == whose.is_let_in
