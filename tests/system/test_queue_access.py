"""The queue under attack: other tasks, other serializers, remote control, and a service that may only enqueue."""

import base64
import json
import pickle
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from celery import Celery

from ledger_core.set_aside import SetAside
from tests.system.brokers import Broker
from tests.system.orgs import Org, entry
from tests.system.services import Service, queue_of
from tests.system.stack import Stack
from tests.waiting import eventually
from wire import broker as wire_broker

ACL = (Path(__file__).parent.parent.parent / "docs" / "operations.md").read_text(encoding="utf-8")


def _causes(stack: Stack) -> list[str]:
    return [kept.item.cause for kept in SetAside(stack.data).items()]


def _push(stack: Stack, lane: str, body: bytes, **fields: str) -> None:
    """Put a message on a lane as it would lie there, whatever Celery would have made of it."""
    client = wire_broker.connect(stack.broker_url)
    headers = {"lang": "py", "task": "ledger.submit", "id": str(uuid.uuid4())}
    properties = {
        "delivery_tag": str(uuid.uuid4()), "delivery_mode": 2, "body_encoding": "base64", "priority": 0,
        "delivery_info": {"exchange": "", "routing_key": lane},
    }  # fmt: skip
    message = {"body": base64.b64encode(body).decode(), "content-encoding": "binary", "headers": headers}
    client.lpush(lane, json.dumps({**message, **fields, "properties": properties}))
    client.close()


OTHER_TASKS = [
    *(f"celery.{name}" for name in ("map", "starmap", "chunks", "group", "chain", "chord", "accumulate")),
    "celery.backend_cleanup", "celery.chord_unlock", "os.system", "ledger.apply\nledger.submit", "",
]  # fmt: skip


@pytest.mark.parametrize("name", OTHER_TASKS)
def test_a_worker_runs_the_two_tasks_of_the_ledger_and_no_others(pair: Org, service: Service, name: str) -> None:
    """Celery's own would call what a message names."""
    signature = {"task": "ledger.submit", "args": [pair.slug, "entry", entry(1, 2, 5)], "kwargs": {}}
    before = len(_causes(pair.stack))

    service.send(name, timeout_s=0, queue=queue_of(pair.slug), args=[signature, [[]]])

    causes = eventually(lambda: _causes(pair.stack)[before:], "it is set aside")
    assert any(word in causes[0] for word in ("its task is unknown", "it is not a task"))
    assert service.submit(pair.slug, "entry", entry(1, 2, 6))["result"]["id"] == 1


class Exploit:
    """What runs a command when it is unpickled."""

    def __init__(self, proof: Path) -> None:
        self._proof = proof

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self._proof,))


@pytest.mark.parametrize(
    "content_type",
    [
        "application/x-python-serialize", "application/x-yaml", "application/x-msgpack", "application/data",
        "text/plain", "application/json\n", "",
    ],
)  # fmt: skip
def test_nothing_but_json_is_read(pair: Org, service: Service, tmp_path: Path, content_type: str) -> None:
    proof = tmp_path / "proof"
    before = len(_causes(pair.stack))
    body = pickle.dumps(([Exploit(proof)], {}, {}))
    pickle.loads(body)
    proof.unlink()

    _push(pair.stack, queue_of(pair.slug), body, **{"content-type": content_type})

    eventually(lambda: len(_causes(pair.stack)) > before, "it is set aside")
    assert service.submit(pair.slug, "entry", entry(1, 2, 5))["http_status"] == 201
    assert not proof.exists()


@pytest.mark.parametrize(
    "value",
    [
        {"__type__": "decimal", "__value__": "5"}, {"__type__": "bytes", "__value__": "x"},
        {"__type__": "datetime", "__value__": "2026-03-18T05:30:00"}, {"__type__": "nothing", "__value__": "x"},
    ],
)  # fmt: skip
def test_json_is_read_as_it_is_written(pair: Org, service: Service, value: dict[str, str]) -> None:
    """kombu would make other things of such objects, which over HTTP are as good metadata as any."""
    wrong = service.submit(pair.slug, "entry", value)
    sender = Service(pair.stack.broker_url)  # of its own: its Celery could not read such a result
    sender.submit(pair.slug, "entry", entry(1, 2, 5, metadata=value), timeout_s=0)
    sender.end()

    (posted,) = eventually(lambda: pair.all("/v1/entries"), "it is posted")
    assert posted["metadata"] == value
    assert (wrong["http_status"], wrong["error"]["code"]) == (422, "invalid_request")


def test_a_task_that_fails_is_kept_for_an_operator(pair: Org, service: Service) -> None:
    """One whose arguments Celery itself can't pass on."""
    before = len(_causes(pair.stack))

    told = service.send(queue=queue_of(pair.slug), kwargs={"self": 1, "org": pair.slug, "kind": "entry"})

    assert "TypeError" in told["exception"]
    eventually(lambda: len(_causes(pair.stack)) == before + 1, "it is set aside")


def test_a_worker_pushes_answers_onto_reply_lists_only(pair: Org, service: Service) -> None:
    """It may touch more of the broker than who enqueues: it is not to be made to."""
    client = wire_broker.connect(pair.stack.broker_url)
    client.set("precious", "kept")
    lane = queue_of(pair.slug)
    before = len(_causes(pair.stack))
    for name in ("precious", lane, "unacked", ""):
        text = json.dumps({"v": 1, "id": 1, "reply_to": name, "deadline": ["", 0.0], "items": []})
        service.send("ledger.apply", timeout_s=0, queue=lane, args=[text])

    eventually(lambda: len(_causes(pair.stack)) == before + 4, "all are set aside")

    assert client.get("precious") == b"kept"
    assert client.ttl("precious") == -1, "it does not expire either"
    client.delete("precious")
    client.close()


def test_workers_take_no_orders(pair: Org) -> None:
    """Neither questions nor a shutdown: there is nobody who listens."""
    app = Celery(broker=pair.stack.broker_url, backend=pair.stack.broker_url)

    app.control.shutdown()
    app.control.pool_restart()
    answers = app.control.ping(timeout=1) + app.control.broadcast("stats", reply=True, timeout=1)

    assert answers == []
    assert pair.post("/v1/entries", entry(1, 2, 5)).status_code == 201
    assert len(pair.stack.processes("-m workers")) == 2
    app.close()


@pytest.fixture
def limited(own_stack: Callable[..., Stack], tmp_path: Path) -> Iterator[tuple[Org, str]]:
    """An org on a broker with the ACL that the documents show, and the URL of a service that may enqueue by it."""
    rule = next(line.strip() for line in ACL.splitlines() if line.strip().startswith("user shop "))
    broker = Broker(tmp_path / "broker", "of-the-ledger", rule.replace("PASSWORD", "of-the-shop")).start()
    org = own_stack(environment={"LEDGER_REDIS_URL": broker.url}).org("acme")
    org.open_pair()
    yield org, f"redis://shop:of-the-shop@127.0.0.1:{broker.port}/0"
    org.stack.stop()
    broker.end()


def test_a_service_that_may_only_enqueue_can_do_that_and_no_more(limited: tuple[Org, str]) -> None:
    """By the ACL of docs/operations.md."""
    org, url = limited
    service = Service(url)
    told = service.submit(org.slug, "entry", entry(1, 2, 5, idempotency_key="k"))
    assert (told["http_status"], told["operation_id"]) == (201, org.post("/v1/entries", entry(
        1, 2, 5, idempotency_key="k")).headers["Operation-Id"])  # fmt: skip
    service.end()

    lane = queue_of(org.slug)
    client = redis.Redis.from_url(url)
    forbidden = [
        ("KEYS", "*"), ("SCAN", "0"), ("FLUSHALL",), ("CONFIG", "GET", "*"), ("SHUTDOWN",), ("MONITOR",),
        ("ACL", "LIST"),        ("LRANGE", lane, "0", "-1"), ("BRPOP", lane, "1"), ("DEL", lane), ("EXPIRE", lane, "1"),
        ("EVAL", "return 1", "0"), ("SET", "celery-task-meta-x", "1"), ("RPUSH", "ledger.replies.x", "1"),
        ("LPUSH", "other", "1"),
        ("GET", "unacked"), ("PSUBSCRIBE", "*"), ("PSUBSCRIBE", "celery-task-meta-*"), ("PUBLISH", "x", "1"),
    ]  # fmt: skip
    for command in forbidden:
        with pytest.raises(redis.exceptions.NoPermissionError):
            client.execute_command(*command)
    client.close()
