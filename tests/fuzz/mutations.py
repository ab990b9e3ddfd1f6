"""Mutations of JSON within an input: a value changed, a field added, renamed or dropped.

They lead past the parser: most inputs that are changed byte by byte are no JSON any more.
"""

import copy
import json
import random
from typing import Any

VALUES: list[Any] = [
    None, True, False, 0, 1, 2, 7, -1, 1.0, 1e400, 2**53 - 1, 2**53, 2**63 - 1, 2**63, 10**30, "", " ", "a", "a ", "k1",
    "debit", "credit", "asset", "revenue", "USD", "EUR", "usd", "entry", "hold", "\x00", "\x7f", "\x85", "\ud800", "🏦",
    "k" * 64, "k" * 65, "k" * 255, "k" * 256, "é" * 1_000, "é" * 1_001, "2999-01-01T00:00:00Z",
    "2999-01-01T00:00:00.5+01:00", "1970-01-01T00:00:00Z", "2999-02-30T00:00:00Z", "acme", [], {}, [1], {"a": "b"},
    {"account_id": 1, "amount": 5, "direction": "debit"}, {"account_id": 2, "amount": 5, "direction": "credit"},
]  # fmt: skip
NAMES = [
    "name", "type", "code", "currency", "overdraft_limit", "metadata", "idempotency_key", "description", "lines",
    "account_id", "amount", "direction", "entries", "atomic", "counter_account_id", "expires_at", "expires_in_s",
    "final", "hold_id", "entry_id", "org", "kind", "command", "a", "~", "/",
]  # fmt: skip


def mutated(data: bytes, seed: int) -> bytes | None:
    """Return an input with the JSON in it changed; None when there is none. The same seed makes the same change."""
    start = min((place for place in (data.find(b"{"), data.find(b"[")) if place >= 0), default=-1)
    if start < 0:
        return None
    try:
        value, end = json.JSONDecoder().raw_decode(data[start:].decode("latin-1"))
    except (ValueError, RecursionError):
        return None
    dice = random.Random(seed)
    holder = {"": value}
    for _ in range(dice.choice((1, 1, 1, 2, 4))):
        _change(*dice.choice(_places(holder)), dice)
    text = json.dumps(holder[""], ensure_ascii=False, separators=(",", ":"))
    written = text.encode("latin-1", errors="backslashreplace")  # \ud800 and \xfe as they were, or as JSON escapes
    return data[:start] + written + data[start + end :]


def _value(dice: random.Random) -> Any:
    return copy.deepcopy(dice.choice(VALUES))  # it may be changed in its turn


def _places(holder: Any) -> list[tuple[Any, Any]]:
    """Return every place of a value, each as what holds it, and its name or number in it."""
    found: list[tuple[Any, Any]] = []
    left = [holder]
    while left:
        within = left.pop()
        for key in list(within) if isinstance(within, dict) else range(len(within)):
            found.append((within, key))
            if isinstance(within[key], dict | list):
                left.append(within[key])
    return found


def _change(within: Any, key: Any, dice: random.Random) -> None:
    value = within[key]
    match dice.randrange(6):
        case 0 if isinstance(value, int) and not isinstance(value, bool):
            within[key] = value + dice.choice((-1, 1, 2**31, -(2**53)))
        case 1 if isinstance(value, dict):
            value[dice.choice(NAMES)] = _value(dice)
        case 2 if isinstance(value, list):
            value.extend(value[: dice.choice((1, 1, 20))] or [_value(dice)])
        case 3 if isinstance(within, dict) and key != "":
            within[dice.choice(NAMES)] = within.pop(key)
        case 4 if key != "":
            del within[key]
        case _:
            within[key] = _value(dice)
