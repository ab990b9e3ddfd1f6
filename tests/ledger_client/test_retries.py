"""Attempts: which failures are tried again, under which key, after how long, and when it is enough."""

import httpx
import pytest

from ledger_client import LedgerUnreachable, Retries
from ledger_client.problems import TryAgainLater
from tests.ledger_client.scripted import Script, created, posting, problem

LOST = httpx.ReadTimeout("no answer")
REFUSED = httpx.ConnectError("refused")
BUSY = problem(503, "queue_unavailable", {"Retry-After": "1"})


@pytest.mark.parametrize(
    "failure",
    [
        LOST,
        REFUSED,
        httpx.RemoteProtocolError("cut off"),
        BUSY,
        problem(429, "too_many_pending"),
        httpx.Response(502, text="bad gateway"),
        httpx.Response(504, text="gateway timeout"),
    ],
    ids=repr,
)
def test_a_write_that_failed_is_made_again_under_the_same_key(failure: httpx.Response | Exception) -> None:
    script = Script(failure, failure, created())

    entry = script.client().post_entry(posting())

    assert entry.id == 1
    assert len(script.requests) == 3
    assert len(set(script.keys())) == 1


def test_each_call_without_a_key_has_one_of_its_own() -> None:
    script = Script(created())
    client = script.client()

    client.post_entry(posting())
    client.post_entry(posting())

    assert len(set(script.keys())) == 2


def test_a_key_of_the_callers_is_the_one_that_is_sent() -> None:
    script = Script(LOST, created())

    script.client().post_entry(posting(idempotency_key="deposit-1"))

    assert script.keys() == ["deposit-1", "deposit-1"]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 500])
def test_an_answer_that_would_be_the_same_again_is_not_asked_for_again(status: int) -> None:
    script = Script(problem(status, "some_code"))

    with pytest.raises(Exception, match="some_code"):
        script.client().post_entry(posting())

    assert len(script.requests) == 1


def test_retry_after_is_the_least_pause() -> None:
    script = Script(problem(429, "too_many_pending", {"Retry-After": "3"}), created())

    script.client().post_entry(posting())

    assert 3.0 < script.time.slept[0] <= 3.1


def test_pauses_grow_up_to_a_bound() -> None:
    retries = Retries(attempts_max=9, delay_s_min=0.1, delay_s_max=1.0)

    longest = [retries.delay_s(attempt, None, jitter=1.0) for attempt in range(1, 7)]
    shortest = [retries.delay_s(attempt, None, jitter=0.0) for attempt in range(1, 7)]

    assert longest == [0.1, 0.2, 0.4, 0.8, 1.0, 1.0]
    assert shortest == [pause / 2 for pause in longest]


@pytest.mark.parametrize("header", [None, "", "soon", "-1", "1.5", "Wed, 18 Mar 2026 05:30:00 GMT", "9" * 40])
def test_a_retry_after_that_is_no_number_of_seconds_is_ignored(header: str | None) -> None:
    assert Retries(delay_s_min=0.1).delay_s(1, header, jitter=1.0) == 0.1


def test_attempts_are_bounded() -> None:
    script = Script(REFUSED)

    with pytest.raises(LedgerUnreachable) as raised:
        script.client(Retries(attempts_max=4)).post_entry(posting(idempotency_key="k-1"))

    assert len(script.requests) == 4
    assert raised.value.idempotency_key == "k-1"


def test_no_attempt_begins_after_the_deadline() -> None:
    script = Script(BUSY)

    with pytest.raises(TryAgainLater, match="queue_unavailable"):
        script.client(Retries(attempts_max=100), timeout_s=5.0).post_entry(posting())

    assert script.time.now_s < 1_005.0
    assert 4 <= len(script.requests) <= 5


def test_a_write_that_was_lost_once_is_open_although_it_was_turned_away_later() -> None:
    script = Script(LOST, BUSY)

    with pytest.raises(LedgerUnreachable) as raised:
        script.client(Retries(attempts_max=3)).post_entry(posting())

    assert raised.value.idempotency_key == script.keys()[0]


def test_a_write_that_never_left_and_was_then_turned_away_was_not_accepted() -> None:
    script = Script(REFUSED, BUSY)

    with pytest.raises(TryAgainLater):
        script.client(Retries(attempts_max=3)).post_entry(posting())


def test_a_read_is_made_again_too() -> None:
    script = Script(LOST, BUSY, httpx.Response(200, json={"data": [], "next_cursor": None}))

    page = script.client().list_accounts()

    assert page.data == ()
    assert len(script.requests) == 3


def test_an_address_that_can_not_be_called_is_told_at_once() -> None:
    script = Script(httpx.UnsupportedProtocol("no scheme"))

    with pytest.raises(httpx.UnsupportedProtocol):
        script.client().get_account(1)

    assert len(script.requests) == 1


def test_a_request_is_given_the_time_that_is_left() -> None:
    script = Script(created())

    script.client(timeout_s=6.0).post_entry(posting())

    assert script.requests[0].extensions["timeout"]["read"] == 6.0
    assert script.requests[0].headers["Prefer"] == "wait=5"
