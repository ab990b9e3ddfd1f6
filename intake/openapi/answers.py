"""The answers of the document: which statuses an operation answers with, and what comes with each."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from intake.openapi.operations import CSV, JSON, Operation
from intake.openapi.schemas import ref
from intake.render import PROBLEM_JSON
from ledger_core.commands import Kind
from wire.problems import TITLES

Json = dict[str, Any]

# The problems that have nothing to do with what an operation is about: by name, their status and codes.
SHARED: Mapping[str, tuple[int, Sequence[str]]] = {
    "NotHttp": (400, ("malformed_request",)),
    "NotReadable": (400, ("malformed_request", "malformed_json", "invalid_header", "idempotency_key_mismatch")),
    "Unauthorized": (401, ("unauthorized",)),
    "Forbidden": (403, ("forbidden",)),
    "BodyTooLarge": (413, ("body_too_large",)),
    "UnsupportedMediaType": (415, ("unsupported_media_type",)),
    "InvalidQuery": (422, ("invalid_request",)),
    "TooManyPending": (429, ("too_many_pending",)),
    "HeadersTooLarge": (431, ("headers_too_large",)),
    "InternalError": (500, ("internal_error",)),
    "UnsupportedTransferEncoding": (501, ("unsupported_transfer_encoding",)),
    "WriteUnavailable": (503, ("queue_unavailable", "storage_unavailable")),
    "ReadUnavailable": (503, ("storage_unavailable",)),
}
UNREAD = ("NotHttp", "HeadersTooLarge", "UnsupportedTransferEncoding")  # told by the server, before the app is asked
OF_ALL = (*UNREAD, "Unauthorized", "InternalError")
OF_READS = (*OF_ALL, "InvalidQuery", "ReadUnavailable")
OF_WRITES = (
    *OF_ALL, "NotReadable", "Forbidden", "BodyTooLarge", "UnsupportedMediaType", "TooManyPending", "WriteUnavailable",
)  # fmt: skip

_TEXT: Json = {"type": "string"}
_UUID: Json = {"type": "string", "format": "uuid"}
HEADERS: Mapping[str, Json] = {
    "X-Request-Id": {
        "description": "The request's name: the caller's, or a fresh one.",
        "required": True,
        "schema": {"type": "string", "minLength": 1, "maxLength": 128},
    },
    "Operation-Id": {"description": "The operation that this write is.", "required": True, "schema": _UUID},
    "Operation-Id-If-Decided": {"description": "The operation, where it got as far as the book.", "schema": _UUID},
    "Idempotency-Replayed": {
        "description": "There where this is the first answer again, to a request whose key was used before.",
        "schema": {"type": "string", "enum": ["true"]},
    },
    "Preference-Applied": {"description": "What was honoured of `Prefer` (RFC 7240).", "schema": _TEXT},
    "Location": {"description": "Where to read what becomes of it.", "required": True, "schema": _TEXT},
    "Retry-After": {
        "description": "In how many seconds to ask again.",
        "required": True,
        "schema": {"type": "integer", "minimum": 1},
    },
    "WWW-Authenticate": {"description": "How to say who is calling.", "required": True, "schema": _TEXT},
    "Content-Disposition": {"description": "For CSV: a name to keep it under.", "schema": _TEXT},
}
_OF_WRITTEN = ("X-Request-Id", "Operation-Id", "Idempotency-Replayed", "Preference-Applied")
_OF_REFUSED = ("X-Request-Id", "Operation-Id-If-Decided", "Idempotency-Replayed", "Preference-Applied")
_OF_SHARED = {401: ("WWW-Authenticate",), 429: ("Retry-After",), 503: ("Retry-After",)}
_READERS = {
    "Account": ("readAccount", "account_id"),
    "Entry": ("readEntry", "entry_id"),
    "Hold": ("readHold", "hold_id"),
}

_OF_PUBLIC: Mapping[str, Json] = {
    "readHealth": {JSON: ref("Health")},
    "readMetrics": {"text/plain": _TEXT},
    "readDocument": {JSON: {"type": "object"}},
}

LINKS: Mapping[str, Json] = {
    "operation": {
        "operationId": "readOperation",
        "parameters": {"operation_id": "$response.header.Operation-Id"},
        "description": "What became of this write.",
    },
    **{
        name.lower(): {
            "operationId": reader,
            "parameters": {parameter: "$response.body#/id"},
            "description": "This again, as it is later.",
        }
        for name, (reader, parameter) in _READERS.items()
    },
}


def answers(path: str, operation: Operation) -> Json:
    """Return the responses of an operation, by status."""
    found = {status: _success(operation, status) for status in operation.statuses}
    if operation.id == "readHealth":
        found[503] = _answer("Something does not.", {JSON: ref("Health")}, ["X-Request-Id", "Retry-After"])
    found |= {SHARED[name][0]: {"$ref": f"#/components/responses/{name}"} for name in _shared(operation)}
    if operation.writes is not None:
        found[202] = _accepted(operation.writes)
        found |= {status: _problem(status, codes, _OF_REFUSED) for status, codes in operation.refusals.items()}
    elif "{" in path:
        noun = path.split("{")[1].partition("_id}")[0]
        found[404] = _problem(404, [f"{noun}_not_found"], ["X-Request-Id"])
    return {str(status): answer for status, answer in sorted(found.items())}


def shared_answers() -> Json:
    """Return the problems that many operations share."""
    return {
        name: _problem(status, codes, ["X-Request-Id", *_OF_SHARED.get(status, ())])
        for name, (status, codes) in SHARED.items()
    }


def _shared(operation: Operation) -> Sequence[str]:
    if operation.public:
        return UNREAD
    return OF_READS if operation.writes is None else OF_WRITES


def _success(operation: Operation, status: int) -> Json:
    if operation.public:
        return _answer(_said_of(operation, status), _OF_PUBLIC[operation.id], ["X-Request-Id"])
    if operation.writes is not None:
        each_for_itself = operation.writes is Kind.BULK and status == 200
        headers = ("X-Request-Id", "Preference-Applied") if each_for_itself else _OF_WRITTEN
        links = () if each_for_itself else ("operation", operation.answer.lower())
        return _answer(_said_of(operation, status), {JSON: ref(operation.answer)}, headers, links)
    of_read = ("X-Request-Id", *["Preference-Applied"] * operation.waits, *["Content-Disposition"] * operation.csv)
    content = {JSON: ref(operation.answer)} | ({CSV: _TEXT} if operation.csv else {})
    return _answer(_said_of(operation, status), content, of_read)


def _said_of(operation: Operation, status: int) -> str:
    if operation.writes is Kind.BULK:
        return "What became of each entry." if status == 200 else "All entries, posted in one write."
    return "What was asked for." if operation.writes is None else "It was applied, and this is what came of it."


def _accepted(kind: Kind) -> Json:
    said = "It was accepted, and will reach an outcome."
    if kind is Kind.BULK:  # of one that is not atomic each entry is an operation of its own
        content = {"oneOf": [ref("Pending"), ref("Bulk")]}
        return _answer(said, {JSON: content}, ["X-Request-Id", "Preference-Applied", "Retry-After"])
    headers = ("X-Request-Id", "Operation-Id", "Preference-Applied", "Location", "Retry-After")
    return _answer(said, {JSON: ref("Pending")}, headers, ["operation"])


def _problem(status: int, codes: Sequence[str], headers: Iterable[str]) -> Json:
    only = {"properties": {"status": {"const": status}, "code": {"enum": [*codes]}}}
    told = "; ".join(f"`{code}`: {TITLES[code]}" for code in codes)
    return _answer(f"{told}.", {PROBLEM_JSON: {"allOf": [ref("Problem"), only]}}, headers)


def _answer(description: str, content: Mapping[str, Json], headers: Iterable[str], links: Iterable[str] = ()) -> Json:
    named = {name.removesuffix("-If-Decided"): {"$ref": f"#/components/headers/{name}"} for name in headers}
    answer: Json = {
        "description": description,
        "headers": named,
        "content": {media: {"schema": schema} for media, schema in content.items()},
    }
    known = {name: {"$ref": f"#/components/links/{name}"} for name in links if name in LINKS}
    return {**answer, "links": known} if known else answer
