"""The document: the whole HTTP interface as OpenAPI 3.1."""

from typing import Any

from intake.openapi import examples
from intake.openapi.answers import HEADERS, LINKS, answers, shared_answers
from intake.openapi.operations import JSON, OPERATIONS, Operation
from intake.openapi.parameters import HEADERS as PARAMETERS
from intake.openapi.parameters import PATH, QUERY
from intake.openapi.schemas import ref, schemas
from ledger_core.commands import BODIES

Json = dict[str, Any]

VERSION = "0.1.0"  # that of pyproject.toml, which an image does not have
DESCRIPTION = """\
Double-entry accounting for platform services.

Amounts are whole numbers of minor units with a side, `debit` or `credit`, never a sign.
A write waits until it has been applied, unless `Prefer` says otherwise; then it is `202`, and an operation to read.
Every write takes an idempotency key; an honest retry gets the first answer again, byte for byte.
Unknown fields and parameters are refused.
Errors are problems (RFC 9457): read `code`. Another method than those listed here is `405`, another address `404`.
After `malformed_request`, `431` and `501` the connection is closed.
"""
TAGS = {
    "Accounts": "What balances are kept of.",
    "Entries": "Balanced sets of lines; posted, never changed, and reversed by another.",
    "Holds": "Funds that are reserved until they are captured or released, or expire.",
    "Reports": "What the books say, as JSON, or as CSV to `Accept: text/csv`.",
    "Operations": "What became of writes.",
    "Service": "For operators; without a key.",
}


def document() -> Json:
    """Return the document."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "FF Ledger", "version": VERSION, "description": DESCRIPTION},
        "servers": [{"url": "/"}],
        "security": [{"org": [], "key": []}],
        "tags": [{"name": name, "description": description} for name, description in TAGS.items()],
        "paths": {path: _path(path, methods) for path, methods in OPERATIONS.items()},
        "components": {
            "securitySchemes": {
                "org": {"type": "apiKey", "in": "header", "name": "X-Org-Slug", "description": "The org."},
                "key": {"type": "apiKey", "in": "header", "name": "X-Api-Key", "description": "A key of that org."},
            },
            "parameters": PARAMETERS,
            "headers": HEADERS,
            "links": LINKS,
            "responses": shared_answers(),
            "schemas": schemas(),
        },
    }


def _path(path: str, methods: Any) -> Json:
    return {method: _operation(path, operation) for method, operation in methods.items()}


def _operation(path: str, operation: Operation) -> Json:
    described: Json = {
        "operationId": operation.id,
        "tags": [operation.tag],
        "summary": operation.summary,
        "parameters": _parameters(path, operation),
    }
    if operation.public:
        described["security"] = []
    if operation.writes is not None:
        body = ref(BODIES[operation.writes].__name__)
        described["requestBody"] = {"required": not operation.may_be_empty, "content": {JSON: {"schema": body}}}
    described["responses"] = answers(path, operation)
    examples.show(operation.id, described)
    return described


def _parameters(path: str, operation: Operation) -> list[Json]:
    headers = ["X-Request-Id"]
    if operation.writes is not None:
        headers.append("Idempotency-Key")
    if operation.writes is not None or operation.waits:
        headers.append("Prefer")
    return [
        *[parameter for name, parameter in PATH.items() if f"{{{name}}}" in path],
        *[QUERY[name] for name in operation.query],
        *[{"$ref": f"#/components/parameters/{name}"} for name in headers],
    ]
