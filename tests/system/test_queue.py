"""The queue, for other services: plain Celery in, the same outcomes out, and nothing stops a lane."""

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from ledger_core.set_aside import SetAside
from tests.system.orgs import Org, entry
from tests.system.services import LANES, Service, queue_of
from tests.system.stack import Stack
from tests.waiting import eventually
from wire import AccountType, LedgerQueue, Line, OpenAccount, PostEntry, Side, broker


def test_a_command_on_the_queue_is_applied_like_one_over_http(pair: Org, service: Service) -> None:
    told = service.submit(pair.slug, "entry", entry(1, 2, 5, idempotency_key="k"))

    assert told == {
        "operation_id": told["operation_id"],
        "status": "applied",
        "http_status": 201,
        "result": pair.get("/v1/entries/1").json(),
        "error": None,
    }
    operation = pair.get(f"/v1/operations/{told['operation_id']}").json()
    assert (operation["status"], operation["result"]) == ("applied", told["result"])


def test_every_kind_of_write_may_come_on_the_queue(org: Org, service: Service) -> None:
    lines = entry(1, 2, 100)
    commands: list[tuple[str, dict[str, Any]]] = [
        ("account", {"name": "Cash", "type": "asset"}),
        ("account", {"name": "Customers", "type": "liability"}),
        ("entry", lines),
        ("hold", {"account_id": 2, "amount": 10, "counter_account_id": 1}),
        ("capture", {"hold_id": 1, "amount": 4, "final": False}),
        ("release", {"hold_id": 1}),
        ("reversal", {"entry_id": 2}),
    ]

    told = [service.submit(org.slug, kind, command) for kind, command in commands]

    assert [each["http_status"] for each in told] == [201, 201, 201, 201, 200, 200, 201]
    assert org.balance(2)["available"] == 100
    assert org.proof()["operations"] == len(commands)


def test_a_refusal_is_a_result_and_not_an_exception(pair: Org, service: Service) -> None:
    told = service.submit(pair.slug, "entry", entry(1, 9, 5))

    assert (told["status"], told["http_status"], told["result"]) == ("refused", 422, None)
    assert (told["error"]["code"], told["error"]["account_id"]) == ("account_not_found", 9)
    assert told["error"]["instance"] == "/v1/entries"
    assert pair.get(f"/v1/operations/{told['operation_id']}").json()["error"] == told["error"]


@pytest.mark.parametrize("slug", ["no-such-org", "../registry", "", "A" * 100])
def test_an_unknown_org_is_a_refusal(service: Service, slug: str) -> None:
    told = service.submit(slug, "account", {"name": "A", "type": "asset"})

    assert (told["status"], told["http_status"], told["error"]["code"]) == ("refused", 404, "org_not_found")


WRONG: list[dict[str, Any]] = [
    {"kind": "entry", "command": {"lines": []}},
    {"kind": "entry", "command": {**entry(1, 2, 5), "memo": "x"}},
    {"kind": "entry", "command": entry(1, 2, 5.0)},  # type: ignore[arg-type]
    {"kind": "entry", "command": entry(1, 2, "5")},  # type: ignore[arg-type]
    {"kind": "entry", "command": None},
    {"kind": "entry", "command": json.dumps(entry(1, 2, 5))},
    {"kind": "transfer", "command": {}},
    {"kind": None, "command": {}},
    {"kind": ["entry"], "command": {}},
    {"kind": "capture", "command": {}},
    {"kind": "capture", "command": {"hold_id": 0}},
    {"kind": "entry"},
    {"kind": "entry", "command": entry(1, 2, 5), "priority": 1},
    {"org": 7, "kind": "entry", "command": entry(1, 2, 5)},
    {"org": None, "kind": "entry", "command": entry(1, 2, 5)},
]


@pytest.mark.parametrize("arguments", WRONG, ids=str)
def test_wrong_arguments_are_refused_and_kept_for_an_operator(
    pair: Org, service: Service, arguments: dict[str, Any]
) -> None:
    before, set_aside = pair.proof(), _set_aside(pair.stack)

    told = service.send(queue=queue_of(pair.slug), kwargs={"org": pair.slug, **arguments})["result"]

    assert (told["status"], told["http_status"], told["result"]) == ("refused", 422, None)
    assert told["error"]["code"] == "invalid_request"
    assert told["error"]["errors"]
    assert pair.proof() == before
    assert _set_aside(pair.stack) == set_aside + 1


def test_arguments_by_position_are_taken_too(pair: Org, service: Service) -> None:
    told = service.send(queue=queue_of(pair.slug), args=[pair.slug, "entry", entry(1, 2, 5)])["result"]

    assert told["http_status"] == 201


def test_a_message_on_another_lane_is_applied_all_the_same(pair: Org, service: Service) -> None:
    told = [service.submit(pair.slug, "entry", entry(1, 2, 5), queue=f"ledger.lane.{lane}") for lane in range(LANES)]

    assert [each["result"]["id"] for each in told] == [1, 2, 3, 4]
    assert pair.proof()["entries"] == 4


def test_a_task_without_a_key_that_comes_twice_is_applied_once(pair: Org, service: Service) -> None:
    task_id = str(uuid.uuid4())

    told = [service.submit(pair.slug, "entry", entry(1, 2, 5), task_id=task_id) for _ in range(3)]

    assert told[0] == told[1] == told[2]
    assert pair.proof()["entries"] == 1


def test_another_command_under_the_same_task_id_is_refused(pair: Org, service: Service) -> None:
    task_id = str(uuid.uuid4())
    service.submit(pair.slug, "entry", entry(1, 2, 5), task_id=task_id, timeout_s=0)
    eventually(lambda: pair.all("/v1/entries"), "it is applied")

    service.submit(pair.slug, "entry", entry(1, 2, 6), task_id=task_id, timeout_s=0)
    service.submit(pair.slug, "account", {"name": "A", "type": "asset"}, task_id=task_id, timeout_s=0)
    service.submit(pair.slug, "entry", entry(1, 2, 7))

    assert [item["lines"][0]["amount"] for item in pair.all("/v1/entries")] == [5, 7]
    assert len(pair.all("/v1/accounts")) == 2


def test_the_same_task_id_in_two_orgs_is_two_writes(pair: Org, another_org: Org, service: Service) -> None:
    another_org.open_pair()
    task_id = str(uuid.uuid4())

    for org in (pair, another_org):
        service.submit(org.slug, "entry", entry(1, 2, 5), task_id=task_id, timeout_s=0)

    for org in (pair, another_org):
        eventually(lambda org=org: org.all("/v1/entries"), "it is applied")


def test_a_key_is_one_key_over_http_and_on_the_queue(pair: Org, service: Service) -> None:
    body = entry(1, 2, 5, idempotency_key="k")
    over_http = pair.post("/v1/entries", body)

    told = service.submit(pair.slug, "entry", body)

    assert told["result"] == over_http.json()
    assert told["operation_id"] == over_http.headers["Operation-Id"]
    assert service.submit(pair.slug, "entry", entry(1, 2, 6, idempotency_key="k"))["error"]["code"] == (
        "idempotency_key_reused"
    )
    assert pair.proof()["entries"] == 1


def test_a_hundred_tasks_enqueued_and_forgotten_are_all_applied(pair: Org, service: Service) -> None:
    for _ in range(100):
        service.submit(pair.slug, "entry", entry(1, 2, 1), timeout_s=0)

    eventually(lambda: pair.balance(1)["total"] == 100, "all are applied")
    assert pair.proof()["entries"] == 100


def test_the_producer_of_this_project_validates_routes_and_waits(pair: Org) -> None:
    queue = LedgerQueue.from_env({"LEDGER_REDIS_URL": pair.stack.broker_url})
    sides = [(1, Side.DEBIT), (2, Side.CREDIT)]
    lines = [Line(account_id=account, amount=5, direction=side) for account, side in sides]

    told = queue.submit(pair.slug, PostEntry(lines=lines)).get(timeout=30)

    assert (told["status"], told["result"]) == ("applied", pair.get("/v1/entries/1").json())
    with pytest.raises(ValueError, match="amount"):
        Line(account_id=1, amount=0, direction=Side.DEBIT)
    queue.close()


def test_a_task_id_sent_twice_by_this_project_s_producer_is_applied_once(pair: Org) -> None:
    queue = LedgerQueue.from_env({"LEDGER_REDIS_URL": pair.stack.broker_url})
    command = OpenAccount(name="Spare", type=AccountType.ASSET)
    first = queue.submit(pair.slug, command)

    again = queue.submit(pair.slug, command, task_id=first.task_id)

    assert again.get(timeout=30) == first.get(timeout=30)
    assert len(pair.all("/v1/accounts")) == 3
    queue.close()


LANE = {"exchange": "ledger.lane.0", "routing_key": "ledger.lane.0"}
ENVELOPE = {
    "body": "e30=",
    "content-encoding": "utf-8",
    "content-type": "application/json",
    "headers": {},
    "properties": {"delivery_tag": "1", "delivery_info": LANE, "body_encoding": "base64"},
}
GARBAGE = {
    "text": b"garbage",
    "bytes": b"\x80\x04\xff\x00",
    "nothing": b"",
    "a list": b"[]",
    "a number": b"7",
    "deep nesting": b"[" * 100_000,
    "an empty object": b"{}",
    "no properties": json.dumps({**ENVELOPE, "properties": None}).encode(),
    "no way back": json.dumps({**ENVELOPE, "properties": {"delivery_tag": "1", "delivery_info": {}}}).encode(),
    "no delivery tag": json.dumps({**ENVELOPE, "properties": {}}).encode(),
    "an envelope of nothing": json.dumps(ENVELOPE).encode(),
    "a pickle": json.dumps({**ENVELOPE, "content-type": "application/x-python-serialize"}).encode(),
    "a body that is not base64": json.dumps({**ENVELOPE, "body": "x"}).encode(),
    "a body that is a number": json.dumps({**ENVELOPE, "body": 7}).encode(),
    "headers that are text": json.dumps({**ENVELOPE, "headers": "task"}).encode(),
    "a task of another name": json.dumps({**ENVELOPE, "headers": {"task": "ledger.nothing"}}).encode(),
    "a task without an id": json.dumps({**ENVELOPE, "headers": {"task": "ledger.submit"}}).encode(),
    "a task whose arguments are none": json.dumps(
        {**ENVELOPE, "headers": {"task": "ledger.apply", "id": "x"}}
    ).encode(),
    "an unknown encoding": json.dumps(
        {**ENVELOPE, "properties": {"delivery_tag": "1", "body_encoding": "rot13"}}
    ).encode(),
}


@pytest.mark.parametrize("what", GARBAGE)
def test_garbage_on_a_lane_is_kept_for_an_operator_and_neither_stops_nor_ends_its_worker(pair: Org, what: str) -> None:
    workers, set_aside = pair.stack.processes("-m workers"), _set_aside(pair.stack)

    with broker.connect(pair.stack.broker_url) as client:
        client.lpush(queue_of(pair.slug), GARBAGE[what])
        told = [pair.post("/v1/entries", entry(1, 2, 5)) for _ in range(3)]
        eventually(lambda: not client.exists("unacked"), "nothing is left to come again")

    assert [answer.status_code for answer in told] == [201] * 3
    assert pair.stack.processes("-m workers") == workers
    assert _set_aside(pair.stack) == set_aside + 1


def test_an_unknown_task_does_not_stop_its_lane(pair: Org, service: Service) -> None:
    service.send("ledger.nothing", timeout_s=0, queue=queue_of(pair.slug))

    assert service.submit(pair.slug, "entry", entry(1, 2, 5))["http_status"] == 201


@pytest.mark.parametrize("text", ["", "{}", '{"v": 2}', "[]", None, {"v": 1}, '{"v":1,"id":1,"reply_to":"x"}'])
def test_a_message_of_intake_that_cannot_be_read_is_kept_for_an_operator(
    pair: Org, service: Service, text: object
) -> None:
    set_aside = _set_aside(pair.stack)

    service.send("ledger.apply", timeout_s=0, queue=queue_of(pair.slug), args=[text])

    eventually(lambda: _set_aside(pair.stack) == set_aside + 1, "it is set aside")
    assert pair.post("/v1/entries", entry(1, 2, 5)).status_code == 201


def test_what_is_enqueued_while_no_worker_runs_waits_for_one(own_stack: Callable[..., Stack]) -> None:
    stack = own_stack()
    org = stack.org("waiting")
    org.open_pair()
    service = Service(stack.broker_url)
    with stack.halted("-m ledgerctl up"):
        stack.kill("-m workers")
        service.submit(org.slug, "entry", entry(1, 2, 5), timeout_s=0)

    told = service.submit(org.slug, "entry", entry(1, 2, 6))

    assert told["result"]["id"] == 2
    service.end()


def _set_aside(stack: Stack) -> int:
    return sum(kept.times for kept in SetAside(stack.data).items())
