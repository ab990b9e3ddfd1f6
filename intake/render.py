"""Writing responses: resources, pages, answers and problems."""

from collections.abc import Mapping
from typing import Any

import falcon
import orjson

from intake.begun import Pending, Result, Written
from intake.parking import Told
from ledger_core.operations import format_operation_id
from wire import problems
from wire.problems import Problem
from wire.resources import PendingJson, ResultJson

JSON = "application/json"
PROBLEM_JSON = "application/problem+json"
RETRY_AFTER_S = "1"


def resource(resp: falcon.Response, body: Mapping[str, Any]) -> None:
    """Answer a read."""
    resp.content_type = JSON
    resp.data = orjson.dumps(body)


def written(resp: falcon.Response, written: Written) -> None:
    """Answer a write: as if there were no queue, or that it is pending."""
    _preference(resp, written)
    (result,) = written.results
    operation_id = format_operation_id(result.operation_id)
    resp.set_header("Operation-Id", operation_id)
    told = result.told
    if isinstance(told, Pending):
        resp.status = falcon.HTTP_202
        resp.set_header("Location", f"/v1/operations/{operation_id}")
        resp.set_header("Retry-After", RETRY_AFTER_S)
        pending: PendingJson = {"operation_id": operation_id, "kind": told.kind, "status": "pending"}
        resource(resp, pending)
        return
    resp.status = told.http_status
    resp.content_type = JSON if told.http_status < 300 else PROBLEM_JSON
    resp.data = told.body
    if told.replayed:
        resp.set_header("Idempotency-Replayed", "true")
    if told.http_status == 503:
        resp.set_header("Retry-After", RETRY_AFTER_S)


def written_each(resp: falcon.Response, written: Written) -> None:
    """Answer a bulk whose entries are each a write for itself: a result for each, `202` while one is pending."""
    _preference(resp, written)
    results = [result_json(result) for result in written.results]
    if any(result["http_status"] is None for result in results):
        resp.status = falcon.HTTP_202
        resp.set_header("Retry-After", RETRY_AFTER_S)
    resource(resp, {"results": results})


def result_json(result: Result) -> ResultJson:
    """Write what became of one of several writes."""
    told = result.told
    operation_id = format_operation_id(result.operation_id)
    if isinstance(told, Pending):
        return {
            "operation_id": operation_id,
            "status": "pending",
            "http_status": None,
            "result": None,
            "error": None,
        }
    applied = told.http_status < 300
    body: Any = orjson.Fragment(told.body)
    return {
        "operation_id": operation_id,
        "status": "applied" if applied else "refused",
        "http_status": told.http_status,
        "result": body if applied else None,
        "error": None if applied else body,
    }


def _preference(resp: falcon.Response, written: Written) -> None:
    if written.preference.applied is not None:
        resp.set_header("Preference-Applied", written.preference.applied)


def told(resp: falcon.Response) -> Told:
    """Return an answer as it goes out, for a request that was parked."""
    return Told(falcon.code_to_http_status(resp.status), list(resp.headers.items()), resp.data or b"")


def problem(req: falcon.Request, resp: falcon.Response, found: Problem, headers: Mapping[str, str]) -> None:
    """Answer with a problem that no book decided."""
    resp.status = found.status
    resp.content_type = PROBLEM_JSON
    resp.data = orjson.dumps(problems.document(found, instance=req.path, request_id=req.context.request_id))
    for name, value in headers.items():
        resp.set_header(name, value)
