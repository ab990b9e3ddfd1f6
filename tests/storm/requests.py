"""How a write of the storm goes over HTTP and over the queue, and how an answer of either comes back."""

import http.client
import json
import time
import zlib
from typing import Any

import orjson
from celery import Celery
from kombu.exceptions import KombuError

from ledger_core.commands import ADDRESS_FIELD, Kind, parse_command
from tests.storm.journal import Answer, Lost, Write, monotonic_s
from wire import LedgerQueue
from wire.lanes import LANES_DEFAULT

PATHS = {
    "account": "/v1/accounts",
    "closure": "/v1/accounts/{}/close",
    "entry": "/v1/entries",
    "bulk": "/v1/entries/bulk",
    "reversal": "/v1/entries/{}/reverse",
    "hold": "/v1/holds",
    "capture": "/v1/holds/{}/capture",
    "release": "/v1/holds/{}/release",
}
QUEUE_TIMEOUT_S = 4.0
Told = Answer | Lost


def is_decided(status: int) -> bool:
    """Tell whether a status says what became of a write, for ever."""
    return status not in (202, 429) and status < 500


def body_of(write: Write) -> dict[str, Any]:
    """Return the body of a write over HTTP."""
    return write.fields if write.key is None else {**write.fields, "idempotency_key": write.key}


class HttpCaller:
    """A caller with a connection of its own. It waits for an answer for as long as it likes, and no longer."""

    def __init__(self, name: str, port: int, keys: dict[str, str], timeout_s: float) -> None:
        self.name = name
        self._keys = keys
        self._port = port
        self._timeout_s = timeout_s
        self._connection: http.client.HTTPConnection | None = None

    def write(self, write: Write, way: str) -> Told:
        """Send a write once."""
        return self._told(write.tag, "POST", PATHS[write.kind].format(write.address), write.org, body_of(write), way)

    def write_each(self, writes: list[Write], way: str) -> list[Told]:
        """Send several entries in one request, each a write for itself."""
        body = {"entries": [body_of(each) for each in writes], "atomic": False}
        told = self._told(writes[0].tag, "POST", PATHS["bulk"], writes[0].org, body, way)
        if not isinstance(told, Answer) or told.status not in (200, 202):
            return [told._replace(tag=each.tag) for each in writes]
        results = orjson.loads(told.body)["results"]
        assert len(results) == len(writes), told
        return [_told_of(told, each, result) for each, result in zip(writes, results, strict=True)]

    def get(self, tag: str, path: str, org: str) -> Told:
        """Read."""
        return self._told(tag, "GET", path, org, None, "sync")

    def close(self) -> None:
        """Hang up."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _told(self, tag: str, method: str, path: str, org: str, body: object, way: str) -> Told:
        headers = {"X-Org-Slug": org, "X-Api-Key": self._keys[org], "Content-Type": "application/json"}
        if way != "sync":
            headers["Prefer"] = "respond-async" if way == "async" else way
        began_s = time.monotonic()
        try:
            if self._connection is None:
                self._connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=self._timeout_s)
            self._connection.request(method, path, None if body is None else orjson.dumps(body), headers)
            response = self._connection.getresponse()
            text = response.read().decode()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            cause = f"{type(error).__name__}: {error}"
            sent = not isinstance(error, ConnectionRefusedError)
            return Lost(tag, self.name, cause, sent, time.monotonic() - began_s, monotonic_s())
        replayed = response.headers["Idempotency-Replayed"] == "true"
        operation = response.headers["Operation-Id"]
        took_s = time.monotonic() - began_s
        return Answer(tag, self.name, response.status, text, replayed, operation, took_s, monotonic_s())


def _told_of(told: Answer, write: Write, result: dict[str, Any]) -> Told:
    """Return what the answer to several writes says of one."""
    body = orjson.dumps(result["error"] if result["result"] is None else result["result"]).decode()
    return told._replace(
        tag=write.tag,
        status=result["http_status"] or 202,
        body=body,
        replayed=True,  # it does not say
        operation=result["operation_id"],
    )


class QueueCaller:
    """Another service, with this project's `LedgerQueue` or with Celery alone. The tag is the task's id."""

    def __init__(self, name: str, url: str, *, plain: bool) -> None:
        self.name = name
        self._url = url
        self._queue = None if plain else LedgerQueue.from_env({"LEDGER_REDIS_URL": url})
        self._celery = self._new_celery() if plain else None
        self._messages = 0

    def write(self, write: Write, way: str = "") -> Told:
        """Send a write once, and wait for its result."""
        began_s = time.monotonic()
        try:
            found = self._send(write)
        except Exception as error:  # Celery raises what it likes when its broker fails
            cause = f"{type(error).__name__}: {error}"
            self._reconnect(error)
            return Lost(write.tag, self.name, cause, True, time.monotonic() - began_s, monotonic_s())
        body = orjson.dumps(found["error"] if found["result"] is None else found["result"]).decode()
        took_s = time.monotonic() - began_s
        return Answer(
            write.tag, self.name, found["http_status"], body, True, found["operation_id"], took_s, monotonic_s()
        )

    def close(self) -> None:
        """Hang up."""
        app = self._queue or self._celery
        assert app is not None
        app.close()

    def _new_celery(self) -> Celery:
        return Celery(broker=self._url, backend=self._url, set_as_current=False)

    def _reconnect(self, error: Exception) -> None:
        """Start Celery afresh where it gives up for good; `LedgerQueue` must go on by itself."""
        if self._celery is not None and not isinstance(error, TimeoutError | KombuError):
            self._celery.close()
            self._celery = self._new_celery()

    def _send(self, write: Write) -> dict[str, Any]:
        fields = body_of(write)
        if write.address is not None:
            fields = {**fields, ADDRESS_FIELD[Kind(write.kind)]: write.address}
        if self._queue is not None:
            command = parse_command(Kind(write.kind), fields)
            sent = self._queue.submit(write.org, command, task_id=write.tag)
            return dict(sent.get(timeout=QUEUE_TIMEOUT_S))
        assert self._celery is not None
        self._messages += 1
        lane = (zlib.crc32(write.org.encode()) + (self._messages % 5 == 0)) % LANES_DEFAULT  # now and then a wrong one
        task = self._celery.send_task(
            "ledger.submit",
            kwargs={"org": write.org, "kind": write.kind, "command": json.loads(orjson.dumps(fields))},
            queue=f"ledger.lane.{lane}",
            task_id=write.tag,
        )
        found: dict[str, Any] = task.get(timeout=QUEUE_TIMEOUT_S)
        return found
