"""Answers: an outcome as its caller gets it, status and body, whichever way the write came."""

from typing import Any, NamedTuple

import orjson

from ledger_core.commands import Command, Kind
from ledger_core.instants import format_instant
from ledger_core.model import Outcome
from ledger_core.operations import format_operation_id
from wire import problems
from wire.problems import Problem
from wire.resources import OperationJson, resource_json

STATUS_OF_WRITE = {
    Kind.ACCOUNT: 201,
    Kind.CLOSURE: 200,
    Kind.ENTRY: 201,
    Kind.BULK: 201,
    Kind.REVERSAL: 201,
    Kind.HOLD: 201,
    Kind.CAPTURE: 200,
    Kind.RELEASE: 200,
}

STORAGE_UNAVAILABLE = Problem(503, "storage_unavailable", "This org's book can't be reached now; try again later.")
SET_ASIDE = Problem(500, "internal_error", "This write was set aside because of a fault; it changed nothing.")


class Answer(NamedTuple):
    """What the caller of a write is told: an HTTP status, and a resource or a problem as JSON.

    `decided`: the book decided it, and it never changes; otherwise the same write may fare better later.
    """

    http_status: int
    body: bytes
    replayed: bool = False
    decided: bool = True


def of_outcome(outcome: Outcome) -> Answer:
    """Write an outcome as its answer."""
    if outcome.refusal is None:
        assert outcome.resource is not None, "an outcome is a resource or a refusal"
        return Answer(STATUS_OF_WRITE[outcome.kind], orjson.dumps(resource_json(outcome.resource)), outcome.replayed)
    refusal = outcome.refusal
    problem = problems.of_refusal(refusal)
    instance = problems.path_of(outcome.kind, refusal.address)
    body = orjson.dumps(problems.document(problem, instance=instance, request_id=refusal.request_id))
    return Answer(problem.status, body, outcome.replayed)


def of_problem(problem: Problem, command: Command, request_id: str) -> Answer:
    """Write a problem that no book decided as the answer to a command."""
    instance = problems.path_of(command.kind, command.address)
    body = orjson.dumps(problems.document(problem, instance=instance, request_id=request_id))
    return Answer(problem.status, body, decided=False)


def of_unreadable() -> Answer:
    """Return the answer to a command that a worker can't read: it was set aside."""
    return Answer(
        SET_ASIDE.status, orjson.dumps(problems.document(SET_ASIDE, instance="", request_id="")), decided=False
    )


def operation_json(outcome: Outcome) -> OperationJson:
    """Write a decided write as an operation."""
    told = of_outcome(outcome)
    body: Any = orjson.Fragment(told.body)
    return {
        "operation_id": format_operation_id(outcome.operation_id),
        "kind": outcome.kind,
        "status": "applied" if outcome.refusal is None else "refused",
        "submitted_at": format_instant(outcome.submitted_at),
        "finished_at": format_instant(outcome.finished_at),
        "http_status": told.http_status,
        "result": body if outcome.refusal is None else None,
        "error": None if outcome.refusal is None else body,
    }


def pending_json(operation_id: bytes, kind: Kind, submitted_at: int) -> OperationJson:
    """Write an accepted write that has no outcome yet as an operation."""
    return {
        "operation_id": format_operation_id(operation_id),
        "kind": kind,
        "status": "pending",
        "submitted_at": format_instant(submitted_at),
        "finished_at": None,
        "http_status": None,
        "result": None,
        "error": None,
    }
