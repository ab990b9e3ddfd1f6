"""Requests through the whole of HTTP but its sockets, and tasks through the whole worker but its broker."""

import json
import re
from typing import Any
from wsgiref.headers import Headers

import orjson
from celery.app.task import Task
from falcon import testing
from kombu.utils import json as kombu_json

from intake.gate import METHODS
from tests.fuzz.bodies import COMPLAINTS_MAX
from tests.fuzz.bounds import bounded, expand
from tests.fuzz.house import ORG, house
from wire.app import SUBMIT_TASK
from wire.problems import TITLES

STATUS = {
    "malformed_json": 400, "idempotency_key_mismatch": 400, "invalid_header": 400, "unauthorized": 401,
    "not_found": 404, "operation_not_found": 404, "method_not_allowed": 405, "body_too_large": 413,
    "unsupported_media_type": 415, "invalid_request": 422,
}  # fmt: skip
SERVER_BYTES_MAX = 32 * 1024  # of headers: above it the HTTP server refuses by itself
LEAKS = re.compile(rb'Traceback|File \\?"|\.py\b|sqlite|apsw|pydantic|select |ledger-fuzz', re.IGNORECASE)
NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,40}")


def requests(data: bytes) -> None:
    """Send a request: a line with method and address, lines with headers, an empty line, a body."""
    head, _, body = data.partition(b"\n\n")
    line, *lines = expand(head)[:SERVER_BYTES_MAX].decode("latin-1").split("\n")
    method, _, target = line.partition(" ")
    if method not in (*METHODS, "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH") or not target.startswith("/"):
        return
    raw = expand(body)
    environ = _environ(method, target, lines, raw)
    if environ is None:
        return
    caught: dict[str, Any] = {}

    def start(status: str, headers: list[tuple[str, str]], error: object = None) -> None:
        caught.update(status=int(status[:3]), headers=Headers(headers))

    with bounded(line):
        answered = b"".join(house().app(environ, start))
    check(method, caught["status"], caught["headers"], answered, raw, line)


def _environ(method: str, target: str, lines: list[str], raw: bytes) -> dict[str, Any] | None:
    path, _, query = target.partition("?")
    try:
        environ = testing.create_environ(method=method, path=path, query_string=query, body=raw)
    except ValueError:
        return None  # no server hands such a thing over
    environ["CONTENT_TYPE"] = "application/json"
    environ["HTTP_X_ORG_SLUG"], environ["HTTP_X_API_KEY"] = ORG, house().api_key
    for line in lines:
        name, _, value = line.partition(":")
        if NAME.fullmatch(name) and not {"\r", "\0"} & set(value):
            key = name.upper().replace("-", "_")
            if key not in ("CONTENT_LENGTH", "TRANSFER_ENCODING"):
                environ[key if key == "CONTENT_TYPE" else f"HTTP_{key}"] = value.strip()
    return environ


def check(method: str, status: int, headers: Headers, answered: bytes, sent: bytes, line: str) -> None:
    """An answer is one that the contract knows, says which request it was, and tells nothing of the inside."""
    assert status != 500, answered
    assert 1 <= len(headers["X-Request-Id"]) <= 128
    if status == 503 and headers["Content-Type"] == "application/json":
        assert set(orjson.loads(answered)) == {"status", "checks"}  # of health: nobody owns a lane here
        return
    if status >= 400:
        assert headers["Content-Type"] == "application/problem+json", headers
        problem = orjson.loads(answered)
        code = problem["code"]
        assert (problem["status"], problem["type"]) == (status, f"urn:ff-ledger:problem:{code}")
        assert problem["title"] == TITLES[code]
        assert STATUS.get(code, status) == status, (code, status)
        assert len(problem.get("errors", [])) <= COMPLAINTS_MAX
        assert problem["request_id"] == headers["X-Request-Id"] or headers["Idempotency-Replayed"] == "true"
        shown = orjson.dumps({**problem, "instance": "", "errors": [], "detail": problem["detail"][:200]})
        assert not LEAKS.search(shown) or LEAKS.search(sent) or LEAKS.search(line.encode()), shown
    elif status == 202:
        assert headers["Location"] or orjson.loads(answered)["results"]
    else:
        assert status in (200, 201), (status, answered)
    if "Operation-Id" in headers:
        assert method == "POST"


def tasks(data: bytes) -> None:
    """Run a task as a worker does that takes it from a lane: the keyword arguments, as JSON."""
    raw = expand(data)
    try:
        arguments = kombu_json.loads(raw)
    except (ValueError, RecursionError, TypeError, AttributeError, LookupError):
        return  # the transport keeps it as a stray
    task_id = "task"
    if isinstance(arguments, dict) and isinstance(arguments.get("id"), str):
        task_id = arguments.pop("id")
    if not isinstance(arguments, dict) or not task_id or len(task_id) > 255:
        return
    before = house().aside.counts()[1] if len(raw) < 100 else None
    task: Task = house().celery.tasks[SUBMIT_TASK]
    with bounded(raw):
        done = task.apply(kwargs=arguments, task_id=task_id, throw=True)
    result = done.result
    assert result["status"] in ("applied", "refused")
    assert (result["result"] is None, result["error"] is None) == (
        (False, True) if result["status"] == "applied" else (True, False)
    )
    assert (result["http_status"] < 300) == (result["status"] == "applied")
    assert result["http_status"] != 500, result
    told = kombu_json.dumps(result)
    assert json.loads(told) == result
    assert len(told) < 5 * len(raw) + 50_000, len(told)
    if before is not None and result["http_status"] in (413, 422) and result["error"]["code"] == "invalid_request":
        assert house().aside.counts()[1] >= before
