"""Reading requests: bodies, ids, query parameters, and the headers that matter."""

import re
from collections.abc import Callable, Mapping
from typing import TypeVar
from urllib.parse import parse_qsl

import falcon
import jiter

from intake import problems
from intake.framing import REPEATED
from ledger_core.commands import Command, Kind, parse_body
from ledger_core.errors import Complaint, InvalidRequest
from ledger_core.limits import BODY_BYTES_MAX, ID_MAX, IDEMPOTENCY_KEY_CHARS_MAX

Value = TypeVar("Value")

_ID = re.compile(r"[1-9][0-9]{0,18}", re.ASCII)
_JSON = re.compile(r'application/json\s*(?:;\s*charset\s*=\s*"?utf-8"?\s*)?', re.ASCII | re.IGNORECASE)
_KEY = re.compile(r"[!-~](?:[ -~]*[!-~])?", re.ASCII)
_KEY_STRING = re.compile(
    r'"((?:[ !#-\[\]-~]|\\["\\])*)"\s*(?:;.*)?', re.ASCII
)  # a String of RFC 9651 and its parameters
_BAD_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})", re.ASCII)


def command(req: falcon.Request, kind: Kind, noun: str = "", address: str | None = None) -> Command:
    """Read a write: its body, its idempotency key, and the id of the `noun` that its URL names, if it names one.

    Raises:
        Rejected: body_too_large, unsupported_media_type, malformed_json, invalid_header, idempotency_key_mismatch.
        InvalidRequest: with every complaint about the body at once.
        Rejected: that noun's not_found.
    """
    fields = _with_key(_body(req, may_be_empty=address is not None), _header_key(req))
    query(req, {})
    if address is None:
        return parse_body(kind, fields)
    parsed = parse_body(kind, fields, _id(address) or 1)
    thing_id(noun, address)
    return parsed


def thing_id(noun: str, text: str) -> int:
    """Read an id in a path.

    Raises:
        Rejected: that noun's not_found, unless it is the plain decimal of a number that an id can have.
    """
    number = _id(text)
    if number is None:
        raise problems.thing_not_found(noun)
    return number


def query(req: falcon.Request, readers: Mapping[str, Callable[[str], Value]]) -> dict[str, Value]:
    """Read the query parameters, each by its reader, which raises ValueError with what the value must be.

    Raises:
        InvalidRequest: for unknown, repeated and malformed ones, all at once.
    """
    values: dict[str, Value] = {}
    complaints = []
    for name, text in _pairs(req.query_string):
        if name not in readers:
            complaints.append(Complaint(f"/{name}", "is not a parameter of this address"))
        elif name in values:
            complaints.append(Complaint(f"/{name}", "is given more than once"))
        else:
            try:
                values[name] = readers[name](text)
            except ValueError as error:
                hint = "; a + is written %2B in a query" if " " in text else ""
                complaints.append(Complaint(f"/{name}", f"{error}{hint}"))
    if complaints:
        raise InvalidRequest(complaints)
    return values


def whole(low: int, high: int) -> Callable[[str], int]:
    """Return a reader of whole numbers between two bounds."""

    def read(text: str) -> int:
        if not re.fullmatch(r"0|[1-9][0-9]{0,18}", text, re.ASCII) or not low <= int(text) <= high:
            raise ValueError(f"must be a whole number from {low} to {high}")
        return int(text)

    return read


def text(chars_max: int) -> Callable[[str], str]:
    """Return a reader of text that is not empty."""

    def read(value: str) -> str:
        if not 1 <= len(value) <= chars_max:
            raise ValueError(f"must have 1 to {chars_max} characters")
        return value

    return read


def _pairs(query_string: str) -> list[tuple[str, str]]:
    if not query_string:
        return []
    if _BAD_PERCENT.search(query_string):
        raise InvalidRequest([Complaint("", "the query has a % that no two hexadecimal digits follow")])
    try:
        return parse_qsl(query_string, keep_blank_values=True, strict_parsing=True, errors="strict")
    except ValueError:
        raise InvalidRequest([Complaint("", "the query must be name=value pairs in UTF-8")]) from None


def _id(text: str) -> int | None:
    return int(text) if _ID.fullmatch(text) and int(text) <= ID_MAX else None


def _body(req: falcon.Request, *, may_be_empty: bool) -> object:
    length = req.content_length or 0
    if length > BODY_BYTES_MAX:
        raise problems.body_too_large(BODY_BYTES_MAX)
    raw = req.bounded_stream.read() if length else b""
    if not raw:
        if may_be_empty:
            return {}
        raise problems.malformed_json("The body is empty; send a JSON object.")
    if not _JSON.fullmatch(req.content_type or ""):
        raise problems.unsupported_media_type()
    try:
        return jiter.from_json(raw, allow_inf_nan=False, cache_mode="keys", catch_duplicate_keys=True)
    except ValueError as error:
        raise problems.malformed_json(f"The body can't be read as JSON: {error}.") from None


def _header_key(req: falcon.Request) -> str | None:
    """Read the header Idempotency-Key: a structured-field string, or the bare key."""
    header = req.get_header("Idempotency-Key")
    if header is None:
        return None
    if "idempotency-key" in req.env.get(REPEATED, ()):
        raise problems.invalid_header("Idempotency-Key", "Idempotency-Key came more than once.")
    header = header.strip()
    key: str | None = header
    if header.startswith('"'):
        match = _KEY_STRING.fullmatch(header)
        key = match and re.sub(r"\\(.)", r"\1", match[1])
    if key is None or len(key) > IDEMPOTENCY_KEY_CHARS_MAX or not _KEY.fullmatch(key):
        detail = (
            f"Idempotency-Key must be 1 to {IDEMPOTENCY_KEY_CHARS_MAX} printable ASCII characters, without a space"
            " at either end, quoted or bare."
        )
        raise problems.invalid_header("Idempotency-Key", detail)
    return key


def _with_key(fields: object, key: str | None) -> object:
    if key is None or not isinstance(fields, dict):
        return fields
    if fields.get("idempotency_key") is None:
        return {**fields, "idempotency_key": key}
    if fields["idempotency_key"] != key:
        raise problems.idempotency_key_mismatch()
    return fields
