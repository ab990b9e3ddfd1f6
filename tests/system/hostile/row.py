"""A request that no careful caller would send, and the bodies that such requests are made from."""

from typing import NamedTuple

import orjson

ACCOUNT, ENTRY, HOLD = (
    b'{"name":"A","type":"asset"}',
    orjson.dumps(
        {
            "lines": [
                {"account_id": 1, "amount": 5, "direction": "debit"},
                {"account_id": 2, "amount": 5, "direction": "credit"},
            ]
        }
    ),
    b'{"account_id":2,"amount":5}',
)
JSON = {"Content-Type": b"application/json"}
MIB = 1024 * 1024


class Row(NamedTuple):
    """A request, and what it is told."""

    what: str
    method: str
    target: str
    body: bytes | None
    status: int
    code: str
    headers: dict[str, bytes] = JSON
    key: str = "full"  # or "read-only", or "" for none
