"""The parameters of the document: what goes into paths, queries and headers."""

from collections.abc import Mapping
from typing import Any

from intake.openapi.schemas import ref
from ledger_core import limits

Json = dict[str, Any]

_ID: Json = {"type": "integer", "format": "int64", "minimum": 1, "maximum": limits.ID_MAX}
_INSTANT: Json = {"type": "string", "format": "date-time"}


def _text(chars_max: int) -> Json:
    return {"type": "string", "minLength": 1, "maxLength": chars_max}


def _query(name: str, description: str, schema: Json) -> Json:
    return {"name": name, "in": "query", "description": description, "schema": schema}


def _path(name: str, description: str, schema: Json) -> Json:
    return {"name": name, "in": "path", "required": True, "description": description, "schema": schema}


PATH: Mapping[str, Json] = {
    "account_id": _path("account_id", "The account's id.", _ID),
    "entry_id": _path("entry_id", "The entry's id.", _ID),
    "hold_id": _path("hold_id", "The hold's id.", _ID),
    "operation_id": _path(
        "operation_id", "The operation's id, from the header Operation-Id.", {"type": "string", "format": "uuid"}
    ),
}

# By the name of the row that uses it; where two parameters share a name, the row's says whose it is.
QUERY: Mapping[str, Json] = {
    "type": _query("type", "Only accounts of this type.", ref("AccountType")),
    "code": _query("code", "Only the account with this code.", _text(limits.CODE_CHARS_MAX)),
    "code_prefix": _query("code_prefix", "Only accounts whose code begins so.", _text(limits.CODE_CHARS_MAX)),
    "account_status": _query("status", "Only accounts in this status.", ref("AccountStatus")),
    "hold_status": _query("status", "Only holds in this status.", ref("HoldStatus")),
    "account_id": _query("account_id", "Only what touches this account.", _ID),
    "hold_id": _query("hold_id", "Only entries that captures of this hold posted.", _ID),
    "idempotency_key": _query(
        "idempotency_key", "Only the entries with this key.", _text(limits.IDEMPOTENCY_KEY_CHARS_MAX)
    ),
    "posted_from": _query("posted_from", "Only entries posted at this instant or later.", _INSTANT),
    "posted_before": _query("posted_before", "Only entries posted before this instant.", _INSTANT),
    "at": _query("at", "As of this instant, with what was posted at it; without it, now.", _INSTANT),
    "from": _query("from", "The period's first instant.", _INSTANT),
    "to": _query("to", "The period's last instant.", _INSTANT),
    "limit": _query(
        "limit",
        "How many at most.",
        {"type": "integer", "minimum": 1, "maximum": limits.PAGE_ITEMS_MAX, "default": limits.PAGE_ITEMS_DEFAULT},
    ),
    "lines_limit": _query(
        "limit",
        "How many lines at most; not for CSV.",
        {"type": "integer", "minimum": 1, "maximum": limits.PAGE_ITEMS_MAX, "default": limits.PAGE_ITEMS_MAX},
    ),
    "cursor": _query("cursor", "`next_cursor` of the page before, with the same filters.", {"type": "string"}),
    "order": _query("order", "Oldest or newest first.", {"type": "string", "enum": ["asc", "desc"], "default": "asc"}),
}

HEADERS: Mapping[str, Json] = {
    "X-Request-Id": {
        "name": "X-Request-Id",
        "in": "header",
        "description": "A name for this request, 1 to 128 printable ASCII characters, for its answer and the log.",
        "schema": {"type": "string"},
    },
    "Idempotency-Key": {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "The key of this write, quoted (RFC 9651) or bare; the same as the body's `idempotency_key`."
        " The same key with the same request is answered with the first answer again.",
        "schema": {
            "type": "string",
            "minLength": 1,
            "maxLength": limits.IDEMPOTENCY_KEY_CHARS_MAX,
            "pattern": r'^(?:[!#-~](?:[ -~]*[!-~])?|"[!#-\[\]-~](?:[ !#-\[\]-~]*[!#-\[\]-~])?")$',
        },
    },
    "Prefer": {
        "name": "Prefer",
        "in": "header",
        "description": "How long to wait (RFC 7240): `respond-async` not at all, `wait=N` at most N seconds, 0 to 30.",
        "schema": {"type": "string"},
    },
}
