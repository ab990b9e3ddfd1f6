"""`LedgerQueue` while its broker goes and comes back: it says so within bounds, and goes on by itself."""

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from celery import Celery
from kombu.exceptions import OperationalError

from ledgerctl import broker
from tests.builders import ORG, posting
from tests.waiting import eventually
from wire import LedgerQueue
from wire import broker as wire_broker
from wire.app import make_app

QUICKLY_S = 10.0  # Celery alone takes 20 s for each of these; a quiet machine takes a quarter of a second
DONE = {"operation_id": "an-id", "status": "applied", "http_status": 201, "result": {"id": 1}, "error": None}


class Broker:
    """A broker without workers."""

    def __init__(self, folder: Path) -> None:
        self.url = broker.url(folder)
        self._command = broker.command(folder)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)
        eventually(self._answers, "the broker answers")

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def _answers(self) -> bool:
        client = wire_broker.connect(self.url)
        try:
            return bool(client.ping())
        except wire_broker.ERRORS:
            return False
        finally:
            client.close()

    def answer(self, task_id: str) -> None:
        """Answer a task as a worker does."""
        app = make_app(self.url, 4)
        app.backend.store_result(task_id, DONE, "SUCCESS")
        app.close()


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Broker]:
    made = Broker(tmp_path)
    made.start()
    yield made
    made.kill()


@pytest.fixture
def queue(running: Broker) -> Iterator[LedgerQueue]:
    made = LedgerQueue.from_env({**os.environ, "LEDGER_REDIS_URL": running.url})
    yield made
    made.close()


def test_a_broker_that_is_gone_is_said_so_soon_and_as_promised(running: Broker, queue: LedgerQueue) -> None:
    waiting = queue.submit(ORG, posting())
    running.kill()
    began_s = time.monotonic()

    with pytest.raises(TimeoutError):
        waiting.get(timeout=0.3)
    with pytest.raises(OperationalError):
        queue.submit(ORG, posting())

    assert time.monotonic() - began_s < QUICKLY_S


def test_a_result_is_there_when_the_broker_is_back(running: Broker, queue: LedgerQueue) -> None:
    waiting = queue.submit(ORG, posting())
    running.kill()
    with pytest.raises(TimeoutError):
        waiting.get(timeout=0.3)

    running.start()
    running.answer(waiting.task_id)

    assert waiting.get(timeout=30) == DONE


def test_a_queue_goes_on_by_itself_when_the_broker_is_back(running: Broker, queue: LedgerQueue) -> None:
    queue.submit(ORG, posting())
    running.kill()
    with pytest.raises(OperationalError):
        queue.submit(ORG, posting())

    running.start()
    again = queue.submit(ORG, posting(), task_id="a-task")
    running.answer("a-task")

    assert again.get(timeout=30) == DONE


def test_a_result_whose_notice_was_lost_is_found(running: Broker, queue: LedgerQueue) -> None:
    waiting = queue.submit(ORG, posting())
    client = wire_broker.connect(running.url)
    client.set(f"celery-task-meta-{waiting.task_id}", _stored(running, waiting.task_id))  # which tells nobody

    assert waiting.get(timeout=30) == DONE


def test_it_lives_beside_another_celery_app_of_its_process(running: Broker, queue: LedgerQueue) -> None:
    queue.submit(ORG, posting())
    other = Celery(broker=running.url, backend=running.url, set_as_current=False)

    assert other.send_task("something", ignore_result=True).id
    other.close()


def _stored(running: Broker, task_id: str) -> bytes:
    """Return what a worker would have stored as a task's result."""
    app = make_app(running.url, 4)
    meta = app.backend._get_result_meta(result=DONE, state="SUCCESS", traceback=None, request=None)
    stored: bytes = app.backend.encode({**meta, "task_id": task_id})
    app.close()
    return stored
