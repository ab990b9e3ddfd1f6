"""What other services put on a lane: the arguments of `ledger.submit`, and what the task returns."""

from collections.abc import Iterable
from typing import Any, NamedTuple, TypedDict

import orjson

from ledger_core.commands import Kind, parse_command
from ledger_core.errors import Complaint, InvalidRequest, Refusal
from ledger_core.model import Submission
from ledger_core.operations import format_operation_id, operation_id_of, operation_id_of_task, submission_of_task
from wire import problems
from wire.answers import Answer


class TaskResult(TypedDict):
    """What the task returns: a refusal is a result, not an exception. Of `result` and `error` one is null."""

    operation_id: str
    status: str
    http_status: int
    result: Any
    error: Any


class Task(NamedTuple):
    """A command from another service, and the org that it is for."""

    org: str
    submission: Submission


def read_task(task_id: str, org: object, kind: object, command: object, now: int) -> Task:
    """Read a task's arguments, as strictly as an HTTP body.

    Raises:
        InvalidRequest: with every complaint at once.
    """
    if not isinstance(org, str):
        raise InvalidRequest([Complaint("/org", "must be a string")])
    if not isinstance(kind, str) or kind not in list(Kind):
        raise InvalidRequest([Complaint("/kind", f"must be one of {', '.join(Kind)}")])
    parsed = parse_command(Kind(kind), command)
    if parsed.idempotency_key is None:
        operation_id = operation_id_of_task(org, task_id)
    else:
        operation_id = operation_id_of(org, parsed)
    return Task(org, Submission(operation_id, submission_of_task(task_id), parsed, task_id, now))


def unknown_arguments(names: Iterable[str]) -> InvalidRequest:
    """Return the refusal of arguments that the task does not have."""
    complaints = [Complaint(f"/{name}", "is not an argument of this task") for name in names]
    return InvalidRequest(complaints or [Complaint("", "takes org, kind and command, by name")])


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


def refusal_of(task_id: str, org: object, refusal: Refusal) -> TaskResult:
    """Write a refusal of a task's arguments as the task's result."""
    problem = problems.of_refusal(refusal.record(task_id, None))
    return {
        "operation_id": format_operation_id(operation_id_of_task(str(org), task_id)),
        "status": "refused",
        "http_status": problem.status,
        "result": None,
        "error": problems.document(problem, instance="", request_id=task_id),
    }
