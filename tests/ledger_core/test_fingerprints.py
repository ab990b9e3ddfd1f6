"""When two requests are the same: judged on the validated fields, with their defaults."""

import json
from typing import Any

import pytest

from ledger_core.commands import Kind, parse_command
from tests.ledger_core.builders import lines, request

SIDES = [(1, 5, "debit"), (2, 5, "credit"), (3, 1, "debit"), (4, 1, "credit")]


def fingerprint(kind: str, fields: dict[str, Any]) -> bytes:
    return parse_command(Kind(kind), fields).fingerprint()


SAME = {
    "the order of fields": (
        "account",
        {"name": "A", "type": "asset", "code": "1"},
        {"code": "1", "type": "asset", "name": "A"},
    ),
    "the order of a line's fields": (
        "entry",
        {"lines": lines(*SIDES)},
        {"lines": [dict(reversed(side.items())) for side in lines(*SIDES)]},
    ),
    "the order of metadata": (
        "entry",
        request("entry", metadata={"a": "1", "b": "2"}),
        request("entry", metadata={"b": "2", "a": "1"}),
    ),
    "no metadata spelt out": ("entry", request("entry"), request("entry", metadata={})),
    "a null spelt out": ("hold", request("hold"), request("hold", description=None, expires_at=None)),
    "final spelt out": ("capture", request("capture"), request("capture", final=True)),
    "no limit spelt out": ("account", request("account"), request("account", overdraft_limit=None)),
    "an offset": (
        "hold",
        request("hold", expires_at="2099-01-01T00:00:00Z"),
        request("hold", expires_at="2099-01-01T01:00:00.000+01:00"),
    ),
}

DIFFERENT = {
    "the order of lines": ("entry", {"lines": lines(*SIDES)}, {"lines": lines(*reversed(SIDES))}),
    "an amount": ("hold", request("hold"), request("hold", amount=6)),
    "an amount by default": ("capture", request("capture"), request("capture", amount=5)),
    "final": ("capture", request("capture"), request("capture", final=False)),
    "a description": ("entry", request("entry"), request("entry", description="x")),
    "an empty description": ("entry", request("entry"), request("entry", description="")),
    "metadata": ("entry", request("entry", metadata={"a": "1"}), request("entry", metadata={"a": "2"})),
    "a limit of zero": ("account", request("account"), request("account", overdraft_limit=0)),
    "a key": ("entry", request("entry", idempotency_key="a"), request("entry", idempotency_key="b")),
    "an instant": (
        "hold",
        request("hold", expires_at="2099-01-01T00:00:00Z"),
        request("hold", expires_at="2099-01-01T00:00:00.000001Z"),
    ),
    "what the URL names": ("release", request("release"), request("release", hold_id=2)),
    "lines moved into one": (
        "entry",
        {"lines": lines((1, 5, "debit"), (1, 5, "debit"), (2, 10, "credit"))},
        {"lines": lines((1, 10, "debit"), (2, 10, "credit"))},
    ),
}


@pytest.mark.parametrize(("kind", "first", "second"), SAME.values(), ids=SAME.keys())
def test_makes_no_difference(kind: str, first: dict[str, Any], second: dict[str, Any]) -> None:
    assert fingerprint(kind, first) == fingerprint(kind, second)


@pytest.mark.parametrize(("kind", "first", "second"), DIFFERENT.values(), ids=DIFFERENT.keys())
def test_makes_a_difference(kind: str, first: dict[str, Any], second: dict[str, Any]) -> None:
    assert fingerprint(kind, first) != fingerprint(kind, second)


def test_kinds_with_the_same_fields_differ() -> None:
    assert fingerprint("capture", {"hold_id": 1}) != fingerprint("release", {"hold_id": 1})


def test_a_command_outlives_its_way_through_json() -> None:
    first = parse_command(Kind.HOLD, request("hold", expires_at="2099-01-01T01:00:00+01:00", metadata={"a": "ü"}))

    second = parse_command(Kind.HOLD, json.loads(first.fields()))

    assert second == first
    assert second.fingerprint() == first.fingerprint()
