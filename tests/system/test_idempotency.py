"""Idempotency keys: the same request again is the first answer again, for ever and for everybody."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.system.callers import at_once
from tests.system.orgs import Org, entry
from tests.system.stack import Stack
from tests.waiting import eventually

CALLERS = 20


def _is_replay(response: httpx.Response, first: httpx.Response) -> bool:
    return (
        response.headers.get("Idempotency-Replayed") == "true"
        and response.status_code == first.status_code
        and response.content == first.content
        and response.headers["Content-Type"] == first.headers["Content-Type"]
        and response.headers["Operation-Id"] == first.headers["Operation-Id"]
    )


@pytest.mark.parametrize("header", ["order-1", '"order-1"', '"order-1";attempt=2', '"order-1" ; a="b"'])
def test_a_key_is_the_same_in_the_body_bare_and_quoted(pair: Org, header: str) -> None:
    first = pair.post("/v1/entries", entry(1, 2, 5, idempotency_key="order-1"))

    again = pair.post("/v1/entries", entry(1, 2, 5), Idempotency_Key=header)

    assert first.json()["idempotency_key"] == "order-1"
    assert "Idempotency-Replayed" not in first.headers
    assert _is_replay(again, first)


def test_a_quoted_key_may_escape_quotes_and_backslashes(pair: Org) -> None:
    posted = pair.post("/v1/entries", entry(1, 2, 5), Idempotency_Key=r'"a \"b\" \\c"')

    assert posted.json()["idempotency_key"] == r'a "b" \c'


def test_the_same_key_in_header_and_body_is_one_key(pair: Org) -> None:
    body = entry(1, 2, 5, idempotency_key="order-1")

    posted = pair.post("/v1/entries", body, Idempotency_Key='"order-1"')

    assert posted.status_code == 201
    assert _is_replay(pair.post("/v1/entries", body), posted)


def test_a_key_may_be_255_characters_long(pair: Org) -> None:
    key = "k" * 255

    assert pair.post("/v1/entries", entry(1, 2, 5), Idempotency_Key=key).json()["idempotency_key"] == key


def test_white_space_the_order_of_fields_and_defaults_spelt_out_do_not_make_another_request(pair: Org) -> None:
    first = pair.post("/v1/entries", entry(1, 2, 5, idempotency_key="k", metadata={"a": "1", "b": "2"}))
    lines = entry(1, 2, 5)["lines"]
    spelt_out = {"metadata": {"b": "2", "a": "1"}, "description": None, "lines": lines, "idempotency_key": "k"}

    assert _is_replay(pair.post("/v1/entries", spelt_out), first)


@pytest.mark.parametrize("prefer", ["", "respond-async"])
def test_a_retry_gets_the_first_answer_while_another_request_under_its_key_is_on_its_way(
    pair: Org, prefer: str
) -> None:
    body = entry(1, 2, 5, idempotency_key="k")
    first = pair.post("/v1/entries", body)

    with ThreadPoolExecutor() as pool, pair.stack.halted("-m workers"):
        other = pool.submit(pair.post, "/v1/entries", entry(1, 2, 6, idempotency_key="k"))
        eventually(lambda: pair.stack.metric("ledger_commands_pending") == 1, "another request is on its way")
        again = pair.post("/v1/entries", body, Prefer=prefer)

    assert _is_replay(again, first)
    assert other.result().json()["code"] == "idempotency_key_reused"


def test_another_request_under_a_key_is_refused_also_while_nobody_carries_it_out(pair: Org) -> None:
    first = pair.post("/v1/entries", entry(1, 2, 5, idempotency_key="k"))

    with pair.stack.halted("-m workers"):
        other = pair.post("/v1/entries", entry(1, 2, 6, idempotency_key="k"), Prefer="wait=1")

    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert pair.proof()["entries"] == 1
    assert pair.get(f"/v1/operations/{first.headers['Operation-Id']}").json()["status"] == "applied"


def test_of_two_requests_under_a_key_in_one_the_one_that_was_first_gets_its_answer(pair: Org) -> None:
    body = entry(1, 2, 5, idempotency_key="k")
    first = pair.post("/v1/entries", body)

    told = pair.post(
        "/v1/entries/bulk",
        {"entries": [entry(1, 2, 6, idempotency_key="k"), body], "atomic": False},
        Prefer="respond-async",
    )

    assert [item["http_status"] for item in told.json()["results"]] == [422, 201]
    assert told.json()["results"][1]["result"] == first.json()


def test_another_request_under_a_key_is_refused_and_changes_nothing(pair: Org) -> None:
    first = pair.post("/v1/entries", entry(1, 2, 5, idempotency_key="k"))
    before = pair.proof()
    others = [
        entry(1, 2, 6, idempotency_key="k"),
        entry(2, 1, 5, idempotency_key="k"),
        entry(1, 2, 5, idempotency_key="k", description="x"),
        {"lines": entry(1, 2, 5)["lines"][::-1], "idempotency_key": "k"},
    ]

    refused = [pair.post("/v1/entries", body) for body in others]

    assert [(each.status_code, each.json()["code"]) for each in refused] == [(422, "idempotency_key_reused")] * 4
    assert {each.headers["Operation-Id"] for each in refused} == {first.headers["Operation-Id"]}
    assert pair.proof() == before
    assert _is_replay(pair.post("/v1/entries", entry(1, 2, 5, idempotency_key="k")), first)


def test_a_capture_of_everything_by_default_is_not_one_of_the_same_amount_spelt_out(org: Org) -> None:
    org.funded()
    org.place_hold(2, 5, counter_account_id=3)
    org.post("/v1/holds/1/capture", {"idempotency_key": "k"})

    spelt_out = org.post("/v1/holds/1/capture", {"idempotency_key": "k", "amount": 5})

    assert spelt_out.json()["code"] == "idempotency_key_reused"


def _writes(org: Org) -> list[httpx.Response]:
    """Make a write of every kind under one key, some of them refused."""
    key = {"idempotency_key": "order-1"}
    return [
        org.post("/v1/accounts", {"name": "Spare", "type": "asset", "code": "9000", **key}),
        org.post("/v1/entries", entry(1, 2, 5_000, **key)),
        org.post("/v1/entries/1/reverse", key),
        org.post("/v1/holds", {"account_id": 2, "amount": 100, "counter_account_id": 3, **key}),
        org.post("/v1/holds", {"account_id": 2, "amount": 100_000, "idempotency_key": "order-2"}),
        org.post("/v1/holds/1/capture", {"amount": 10, "final": False, **key}),
        org.post("/v1/holds/1/capture", {"amount": 20, "final": False, "idempotency_key": "order-2"}),
        org.post("/v1/holds/1/release", key),
        org.post("/v1/holds/1/release", {"idempotency_key": "order-2"}),
        org.post("/v1/holds/9/release", key),
        org.post("/v1/accounts/4/close", key),
    ]


def test_one_key_may_name_a_write_of_each_kind_and_each_replays_after_all_the_others(org: Org) -> None:
    org.funded()
    first = _writes(org)
    before = org.proof()

    again = _writes(org)

    assert [each.status_code for each in first] == [201, 201, 201, 201, 422, 200, 200, 200, 409, 404, 200]
    assert all(map(_is_replay, again, first))
    assert org.proof() == before


def test_the_same_key_on_two_holds_captures_both(org: Org) -> None:
    org.funded()
    for _ in range(2):
        org.place_hold(2, 5, counter_account_id=3)

    captured = [org.post(f"/v1/holds/{number}/capture", {"idempotency_key": "ship"}) for number in (1, 2)]

    assert [each.json()["id"] for each in captured] == [1, 2]
    assert all("Idempotency-Replayed" not in each.headers for each in captured)


def test_the_same_key_names_different_writes_in_two_orgs(pair: Org, another_org: Org) -> None:
    another_org.open_pair()

    posted = [org.post("/v1/entries", entry(1, 2, 5, idempotency_key="k")) for org in (pair, another_org)]

    assert all("Idempotency-Replayed" not in each.headers for each in posted)
    assert len({each.headers["Operation-Id"] for each in posted}) == 2


def test_a_replay_is_the_first_answer_whatever_happened_since(pair: Org) -> None:
    posted = pair.post("/v1/entries", entry(1, 2, 5, idempotency_key="k"))
    opened = pair.post("/v1/accounts", {"name": "A", "type": "asset", "idempotency_key": "k"})

    pair.post("/v1/entries/1/reverse")
    pair.post("/v1/accounts/3/close")

    assert _is_replay(pair.post("/v1/entries", entry(1, 2, 5, idempotency_key="k")), posted)
    again = pair.post("/v1/accounts", {"name": "A", "type": "asset", "idempotency_key": "k"})
    assert _is_replay(again, opened)
    assert again.json()["status"] == "open"


def test_a_refused_key_stays_refused_after_its_cause_is_gone(org: Org) -> None:
    cash, customers = org.open_pair()
    body = {"account_id": customers, "amount": 100, "idempotency_key": "k"}
    refused = org.post("/v1/holds", body, X_Request_Id="the-first-caller")

    org.post_entry(cash, customers, 1_000)
    again = org.post("/v1/holds", body, X_Request_Id="the-second-caller")

    assert refused.json()["code"] == "insufficient_funds"
    assert _is_replay(again, refused)
    assert again.json()["request_id"] == "the-first-caller"
    assert again.headers["X-Request-Id"] == "the-second-caller"
    assert org.post("/v1/holds", {**body, "idempotency_key": "k2"}).status_code == 201


def test_what_is_refused_by_its_shape_uses_up_no_key(pair: Org) -> None:
    wrong = entry(1, 2, 0, idempotency_key="k")
    assert pair.post("/v1/entries", wrong).status_code == 422
    assert pair.post("/v1/entries?x=1", entry(1, 2, 5, idempotency_key="k")).status_code == 422

    posted = pair.post("/v1/entries", entry(1, 2, 5, idempotency_key="k"))

    assert posted.status_code == 201
    assert "Idempotency-Replayed" not in posted.headers


def test_without_a_key_each_request_is_a_write_of_its_own(pair: Org) -> None:
    ids = [pair.post_entry(1, 2, 5) for _ in range(3)]

    assert ids == [1, 2, 3]
    assert pair.balance(1)["total"] == 15


RACES: dict[str, tuple[str, dict[str, Any]]] = {
    "an entry": ("/v1/entries", entry(1, 2, 5, idempotency_key="k")),
    "an entry without funds": ("/v1/entries", entry(4, 1, 5, idempotency_key="k")),
    "a hold": ("/v1/holds", {"account_id": 2, "amount": 5, "idempotency_key": "k"}),
    "a capture": ("/v1/holds/1/capture", {"amount": 3, "idempotency_key": "k"}),
    "an account": ("/v1/accounts", {"name": "A", "type": "asset", "code": "new", "idempotency_key": "k"}),
}


@pytest.mark.parametrize("race", RACES)
def test_of_callers_at_once_with_one_key_exactly_one_writes_and_all_hear_the_same(org: Org, race: str) -> None:
    path, body = RACES[race]
    org.funded()
    org.place_hold(2, 5, counter_account_id=3)
    org.open_account(type="liability", overdraft_limit=0)
    before = org.proof()

    told = at_once(CALLERS, lambda _: org.post(path, body))

    writers = [each for each in told if "Idempotency-Replayed" not in each.headers]
    assert len(writers) == 1
    assert all(_is_replay(each, writers[0]) for each in told if each is not writers[0])
    assert org.proof()["operations"] == before["operations"] + 1


def test_of_callers_at_once_with_one_key_and_different_requests_one_wins(pair: Org) -> None:
    told = at_once(CALLERS, lambda number: pair.post("/v1/entries", entry(1, 2, number + 1, idempotency_key="k")))

    codes = sorted("posted" if each.status_code == 201 else each.json()["code"] for each in told)
    assert codes == ["idempotency_key_reused"] * (CALLERS - 1) + ["posted"]
    assert pair.proof()["entries"] == 1


def test_keys_replay_after_a_restart_of_everything(own_stack: Callable[..., Stack]) -> None:
    stack = own_stack()
    org = stack.org("restarted")
    org.funded()
    first = _writes(org)
    before = org.proof()

    stack.stop()
    stack.start()

    assert all(map(_is_replay, _writes(org), first))
    assert org.proof() == before
