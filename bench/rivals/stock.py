"""The stock way: one Celery task for each entry, with its reply through Celery's result backend.

`python -m bench.rivals.stock worker URL DATA` is its worker, `... calls URL TASK SECONDS CALLERS` one of its callers.
The task writes the same entry to the same kind of book by the same `ledger_core.apply`, one command in a commit.
"""

import json
import random
import sys
import threading
import time
from pathlib import Path
from uuid import uuid4

from celery import Celery

from ledger_core import ledger
from ledger_core.commands import Kind, parse_command
from ledger_core.instants import now_us
from ledger_core.model import Entry, Submission
from ledger_core.operations import new_submission, operation_id_of
from ledger_core.store.book import Book

ORG = "stock"
ACCOUNTS = 1_000
POST, EMPTY = "stock.post", "stock.empty"
ANSWER_S_MAX = 30


def make(url: str) -> Celery:
    """Return the app. Its settings are Celery's own, but for what only slows it down: events and their like."""
    app = Celery("stock", broker=url, backend=url, set_as_current=False)
    app.conf.update(task_default_queue="stock", broker_pool_limit=64, worker_send_task_events=False)
    return app


def worker(url: str, data: str) -> None:
    """Work until told to stop. The book is there already."""
    app = make(url)
    book = Book.open_writer(Path(data), ORG)

    @app.task(name=POST)  # type: ignore[untyped-decorator]
    def post(fields: dict[str, object]) -> int:
        command = parse_command(Kind.ENTRY, fields)
        submission = Submission(operation_id_of(ORG, command), new_submission(), command, "", now_us())
        (outcome,) = ledger.apply(book, [submission])
        assert isinstance(outcome.resource, Entry)
        return outcome.resource.id

    @app.task(name=EMPTY)  # type: ignore[untyped-decorator]
    def empty() -> int:
        return 1

    quiet = {"without_gossip": True, "without_mingle": True, "without_heartbeat": True}
    app.Worker(pool="solo", queues=["stock"], loglevel="ERROR", quiet=True, **quiet).start()


def calls(url: str, task: str, seconds: float, callers: int) -> None:
    """Once told to on standard input, call for a time from that many threads, and print each wait in seconds."""
    app = make(url)
    waits: list[float] = []
    print("ready", flush=True)
    sys.stdin.readline()
    until = time.monotonic() + seconds

    def call() -> None:
        while (began := time.monotonic()) < until:
            answer = app.send_task(task, args=[_entry()] if task == POST else [], queue="stock").get(ANSWER_S_MAX)
            assert isinstance(answer, int)
            waits.append(time.monotonic() - began)

    threads = [threading.Thread(target=call) for _ in range(callers)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(json.dumps({"seconds": time.monotonic() - began, "waits": waits}))


def _entry() -> dict[str, object]:
    pair = zip(random.sample(range(1, ACCOUNTS + 1), 2), ("debit", "credit"), strict=True)
    lines = [{"account_id": account, "amount": 50_000, "direction": side} for account, side in pair]
    return {"idempotency_key": str(uuid4()), "description": "Customer deposit by bank card", "lines": lines}


if __name__ == "__main__":
    if sys.argv[1] == "worker":
        worker(sys.argv[2], sys.argv[3])
    else:
        calls(sys.argv[2], sys.argv[3], float(sys.argv[4]), int(sys.argv[5]))
