"""The contract of each body told a second time, in plain Python: the code under test must draw the same line."""

import re
import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

Check = Callable[[Any], bool]

_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,6})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_TYPES = ("asset", "expense", "liability", "equity", "revenue")


def valid(kind: str, fields: object) -> bool:
    """Tell whether a body is one that its kind of write takes."""
    if not isinstance(fields, dict):
        return False
    required, optional = _FIELDS[kind]
    return (
        all(name in fields and check(fields[name]) for name, check in required.items())
        and all(fields.get(name) is None or check(fields[name]) for name, check in optional.items())
        and fields.keys() <= required.keys() | optional.keys()
        and _together(kind, fields)
    )


def _together(kind: str, fields: dict[str, Any]) -> bool:
    if kind == "hold":
        both = fields.get("expires_at") is not None and fields.get("expires_in_s") is not None
        return fields.get("counter_account_id") != fields["account_id"] and not both
    if kind == "bulk":
        return fields.get("atomic") is not False or fields.get("idempotency_key") is None
    return True


def _whole(low: int, high: int) -> Check:
    return lambda value: type(value) is int and low <= value <= high


def _text(low: int, high: int) -> Check:
    def check(value: object) -> bool:
        return (
            isinstance(value, str)
            and low <= len(value) <= high
            and not any(unicodedata.category(char) == "Cc" for char in value)
        )

    return check


def _list(low: int, high: int, check: Check) -> Check:
    return lambda value: isinstance(value, list) and low <= len(value) <= high and all(map(check, value))


def _key(value: object) -> bool:
    return (
        isinstance(value, str)
        and 1 <= len(value) <= 255
        and all(" " <= char <= "~" for char in value)
        and value == value.strip(" ")
    )


def _currency(value: object) -> bool:
    allowed = set("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
    return isinstance(value, str) and 3 <= len(value) <= 12 and set(value) <= allowed


def _metadata(value: object) -> bool:
    name, text = _text(1, 64), _text(0, 500)
    return isinstance(value, dict) and len(value) <= 50 and all(name(n) and text(t) for n, t in value.items())


def instant(value: object) -> bool:
    """Tell whether a value is an RFC 3339 date-time between 1970 and 9999."""
    if not isinstance(value, str) or not _INSTANT.fullmatch(value):
        return False
    try:
        at = datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        return False
    return datetime(1970, 1, 1, tzinfo=UTC) <= at


def _line(value: object) -> bool:
    return (
        isinstance(value, dict)
        and value.keys() == {"account_id", "amount", "direction"}
        and _id(value["account_id"])
        and _amount(value["amount"])
        and value["direction"] in ("debit", "credit")
    )


_id, _amount = _whole(1, 2**63 - 1), _whole(1, 2**53 - 1)
_description, _yes = _text(0, 1_000), lambda value: isinstance(value, bool)
_FIELDS: dict[str, tuple[dict[str, Check], dict[str, Check]]] = {
    "account": (
        {"name": _text(1, 255), "type": lambda value: value in _TYPES},
        {"code": _text(1, 64), "currency": _currency, "overdraft_limit": _whole(0, 2**53 - 1), "metadata": _metadata},
    ),
    "closure": ({}, {}),
    "entry": ({"lines": _list(2, 500, _line)}, {"description": _description, "metadata": _metadata}),
    "bulk": ({"entries": _list(1, 1_000, lambda value: valid("entry", value))}, {"atomic": _yes}),
    "reversal": ({}, {"description": _description}),
    "hold": (
        {"account_id": _id, "amount": _amount},
        {
            "counter_account_id": _id,
            "description": _description,
            "expires_at": instant,
            "expires_in_s": _whole(1, 100 * 366 * 86_400),
            "metadata": _metadata,
        },
    ),
    "capture": ({}, {"amount": _amount, "counter_account_id": _id, "final": _yes, "description": _description}),
    "release": ({}, {}),
}
for _, _optional in _FIELDS.values():
    _optional["idempotency_key"] = _key
