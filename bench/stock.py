"""The stock way beside ours: one Celery task for each entry, with its reply through Celery's result backend.

Run as a worker (`python -m bench.stock worker URL DATA`) or as the callers (`python -m bench.stock calls URL SECONDS`).
The task writes the same entry to the same kind of book by the same `ledger_core.apply`, one command in a commit.
"""

import sys
import threading
import time
from pathlib import Path
from uuid import uuid4

from celery import Celery

from ledger_core import ledger
from ledger_core.commands import Kind, parse_command
from ledger_core.instants import now_us
from ledger_core.model import Submission
from ledger_core.operations import new_submission, operation_id_of
from ledger_core.store.book import Book

CALLERS = 64
ORG = "stock"


def make(url: str) -> Celery:
    app = Celery("stock", broker=url, backend=url, set_as_current=False)
    app.conf.update(task_default_queue="stock", worker_prefetch_multiplier=1, broker_pool_limit=CALLERS)
    return app


def worker(url: str, data: str) -> None:
    app = make(url)
    Book.create(Path(data), ORG, "USD", now_us())
    book = Book.open_writer(Path(data), ORG)
    for code in ("1", "2"):
        command = parse_command(Kind.ACCOUNT, {"name": code, "type": "asset", "code": code})
        ledger.apply(book, [Submission(operation_id_of(ORG, command), new_submission(), command, "", now_us())])

    @app.task(name="stock.post")
    def post(fields: dict[str, object]) -> int:
        command = parse_command(Kind.ENTRY, fields)
        submission = Submission(operation_id_of(ORG, command), new_submission(), command, "", now_us())
        (outcome,) = ledger.apply(book, [submission])
        assert outcome.resource is not None
        return outcome.resource.id

    @app.task(name="stock.empty")
    def empty() -> None:
        return None

    app.Worker(pool="solo", queues=["stock"], loglevel="ERROR", quiet=True).start()


def calls(url: str, seconds: float, callers: int, name: str) -> None:
    """Call for a time, from that many threads, and print how many answers came, and the median wait in seconds."""
    app = make(url)
    until = time.monotonic() + seconds
    waits: list[float] = []

    def call() -> None:
        while time.monotonic() < until:
            began = time.monotonic()
            app.send_task(name, args=[_entry()] if name == "stock.post" else [], queue="stock").get(timeout=30)
            waits.append(time.monotonic() - began)

    threads = [threading.Thread(target=call) for _ in range(callers)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(len(waits) / (time.monotonic() - began), sorted(waits)[len(waits) // 2])


def _entry() -> dict[str, object]:
    lines = [{"account_id": n, "amount": 50_000, "direction": side} for n, side in ((1, "debit"), (2, "credit"))]
    return {"idempotency_key": str(uuid4()), "description": "Customer deposit", "lines": lines}


if __name__ == "__main__":
    if sys.argv[1] == "worker":
        worker(sys.argv[2], sys.argv[3])
    else:
        calls(sys.argv[2], float(sys.argv[3]), int(sys.argv[4]), sys.argv[5])
