"""A task of another service, where the broker fails with it: it is neither dropped nor blamed."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from celery.exceptions import Reject

from ledger_core.set_aside import SetAside
from ledger_core.store.book import book_path
from wire import replies
from wire.app import APPLY_TASK, SUBMIT_TASK, make_app
from wire.envelope import REPLY_LIST_PREFIX, Deadline, Message, Reply, encode_message
from workers.arrival import Arrived
from workers.tasks import WORKER, register
from workers.turns import Turns

ACCOUNT = {"org": "acme", "kind": "account", "command": {"name": "Cash", "type": "asset"}}


@pytest.fixture
def task(turns: Turns, tmp_path: Path) -> Iterator[Any]:
    """The task, as a worker runs it whose broker is gone."""
    app = make_app(f"redis+socket://{tmp_path}/gone.sock", 4)
    register(app, turns, replies.Sender("redis://127.0.0.1:1"))
    found = app.tasks[SUBMIT_TASK]
    found.push_request(
        id="a-task",
        kwargs=ACCOUNT,
        args=(),
        retries=0,
        delivery_info={"routing_key": "ledger.lane.0"},
        called_directly=False,
    )
    yield found
    app.close()


def test_a_task_that_can_t_be_put_off_goes_back_to_its_lane(task: Any, data: Path) -> None:
    """Its book can't be used, so it is to come again later, and there is no broker to bring it."""
    book_path(data, "acme").write_bytes(b"no book" * 1_000)

    with pytest.raises(Reject) as rejected:
        task.run(**ACCOUNT)

    assert rejected.value.requeue


def test_a_result_that_can_t_be_stored_does_not_make_its_task_a_bad_one(task: Any, aside: SetAside) -> None:
    task.on_failure(redis.ConnectionError("Connection closed by server."), "a-task", (), ACCOUNT, None)

    assert list(aside.items()) == []


def test_a_task_with_a_fault_of_ours_is_kept(task: Any, aside: SetAside) -> None:
    task.on_failure(LookupError("a bug"), "a-task", (), ACCOUNT, None)

    assert len(list(aside.items())) == 1


class Replies:
    """Keeps what a worker replies."""

    def __init__(self) -> None:
        self.sent: list[Reply] = []

    def send(self, reply_to: str, reply: Reply) -> None:
        """Keep a reply."""
        self.sent.append(reply)


def test_a_worker_names_itself_in_its_replies(turns: Turns, tmp_path: Path) -> None:
    """Whoever sends to several of its lanes learns by it that they are of one process."""
    app = make_app(f"redis+socket://{tmp_path}/gone.sock", 4)
    kept = Replies()
    register(app, turns, kept)  # type: ignore[arg-type]
    for number, queue in ((1, "ledger.lane.0"), (2, "ledger.lane.3")):
        message = Message(number, f"{REPLY_LIST_PREFIX}a", Deadline.after(60), [])
        app.tasks[APPLY_TASK].carry_out(Arrived(encode_message(message), f"task-{number}", queue))
    app.close()

    first, second = (reply.worker for reply in kept.sent)
    assert first
    assert first == second == WORKER
