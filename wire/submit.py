"""What other services put on a lane: the arguments of `ledger.submit`, and what the task returns."""

import json
from collections.abc import Iterable
from typing import Any, NamedTuple, TypedDict

import orjson

from ledger_core.commands import Kind, PostBulk, parse_command
from ledger_core.errors import Complaint, InvalidRequest
from ledger_core.limits import BODY_BYTES_MAX
from ledger_core.model import Submission
from ledger_core.operations import format_operation_id, operation_id_of, operation_id_of_task, submission_of_task
from wire import problems
from wire.answers import Answer
from wire.problems import Problem


class TaskResult(TypedDict):
    """What the task returns: a refusal is a result, not an exception. Of `result` and `error` one is null."""

    operation_id: str
    status: str
    http_status: int
    result: Any
    error: Any


class NotATask(Exception):
    """Arguments that are turned away before any book is asked. `problem` says why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail)
        self.problem = problem


class Task(NamedTuple):
    """A command from another service, and the org that it is for."""

    org: str
    submission: Submission


def read_task(task_id: str, org: object, kind: object, command: object, now: int) -> Task:
    """Read a task's arguments, as strictly as an HTTP body.

    Raises:
        NotATask: body_too_large, or invalid_request with every complaint at once.
    """
    for argument in (org, kind, command, task_id):
        _check_size(argument)
    if not isinstance(org, str):
        raise _invalid(Complaint("/org", "must be a string"))
    if not isinstance(kind, str) or kind not in list(Kind):
        raise _invalid(Complaint("/kind", f"must be one of {', '.join(Kind)}"))
    try:
        parsed = parse_command(Kind(kind), command)
    except InvalidRequest as refusal:
        raise NotATask(_problem(refusal)) from None
    if isinstance(parsed, PostBulk) and not parsed.atomic:
        raise _invalid(Complaint("/atomic", "must be true on the queue, where each entry may be a task of its own"))
    if parsed.idempotency_key is None:
        operation_id = operation_id_of_task(org, task_id)
    else:
        operation_id = operation_id_of(org, parsed)
    return Task(org, Submission(operation_id, submission_of_task(task_id), parsed, task_id, now))


def unknown_arguments(names: Iterable[str]) -> NotATask:
    """Return the refusal of arguments that the task does not have."""
    complaints = [Complaint(f"/{name}", "is not an argument of this task") for name in names]
    return _invalid(*complaints or [Complaint("", "takes org, kind and command, by name")])


def result_of(operation_id: bytes, answer: Answer) -> TaskResult:
    """Write an answer as the task's result."""
    body = orjson.loads(answer.body)
    applied = answer.http_status < 300
    return {
        "operation_id": format_operation_id(operation_id),
        "status": "applied" if applied else "refused",
        "http_status": answer.http_status,
        "result": body if applied else None,
        "error": None if applied else body,
    }


def refusal_of(task_id: str, org: object, problem: Problem) -> TaskResult:
    """Write why a task's arguments were turned away as the task's result."""
    return {
        "operation_id": format_operation_id(operation_id_of_task(str(org), task_id)),
        "status": "refused",
        "http_status": problem.status,
        "result": None,
        "error": problems.document(problem, instance="", request_id=task_id),
    }


def _check_size(argument: object) -> None:
    """Refuse an argument that takes more bytes as JSON than a body over HTTP may, or that JSON in UTF-8 can't carry."""
    try:
        size = len(json.dumps(argument, ensure_ascii=False, separators=(",", ":")).encode())
    except RecursionError:
        raise _invalid(Complaint("/command", "is nested too deeply")) from None
    except UnicodeEncodeError:
        raise _invalid(Complaint("", "must be text without lone surrogates")) from None
    if size > BODY_BYTES_MAX:
        raise NotATask(problems.body_too_large(BODY_BYTES_MAX))


def _invalid(*complaints: Complaint) -> NotATask:
    return NotATask(_problem(InvalidRequest(complaints)))


def _problem(refusal: InvalidRequest) -> Problem:
    return problems.of_refusal(refusal.record("", None))
