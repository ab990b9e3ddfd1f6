"""Writing responses: resources, pages, answers and problems."""

from collections.abc import Mapping
from typing import Any

import falcon
import orjson

from intake.writes import Pending, Written
from ledger_core.operations import format_operation_id
from wire import problems
from wire.problems import Problem

JSON = "application/json"
PROBLEM_JSON = "application/problem+json"
RETRY_AFTER_S = "1"


def resource(resp: falcon.Response, body: Mapping[str, Any]) -> None:
    """Answer a read."""
    resp.content_type = JSON
    resp.data = orjson.dumps(body)


def written(resp: falcon.Response, result: Written) -> None:
    """Answer a write: as if there were no queue, or that it is pending."""
    operation_id = format_operation_id(result.operation_id)
    resp.set_header("Operation-Id", operation_id)
    if result.preference.applied is not None:
        resp.set_header("Preference-Applied", result.preference.applied)
    told = result.told
    if isinstance(told, Pending):
        resp.status = falcon.HTTP_202
        resp.set_header("Location", f"/v1/operations/{operation_id}")
        resp.set_header("Retry-After", RETRY_AFTER_S)
        resource(resp, {"operation_id": operation_id, "kind": told.kind, "status": "pending"})
        return
    resp.status = told.http_status
    resp.content_type = JSON if told.http_status < 300 else PROBLEM_JSON
    resp.data = told.body
    if told.replayed:
        resp.set_header("Idempotency-Replayed", "true")
    if told.http_status == 503:
        resp.set_header("Retry-After", RETRY_AFTER_S)


def problem(req: falcon.Request, resp: falcon.Response, found: Problem, headers: Mapping[str, str]) -> None:
    """Answer with a problem that no book decided."""
    resp.status = found.status
    resp.content_type = PROBLEM_JSON
    resp.data = orjson.dumps(problems.document(found, instance=req.path, request_id=req.context.request_id))
    for name, value in headers.items():
        resp.set_header(name, value)
