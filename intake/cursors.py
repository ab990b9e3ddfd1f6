"""Cursors: where a list goes on, opaque to callers, good for the same list only."""

import base64
import hashlib
from collections.abc import Sequence

from ledger_core.limits import ID_MAX

_CHECK_BYTES = 8


def format_cursor(last_id: int, of_list: Sequence[object]) -> str:
    """Write where a list goes on: after an id. `of_list` is what makes it this list: its org, filters and order."""
    place = last_id.to_bytes(8, "big")
    return base64.urlsafe_b64encode(place + _check(place, of_list)).decode().rstrip("=")


def parse_cursor(text: str, of_list: Sequence[object]) -> int:
    """Read the id after which a list goes on.

    Raises:
        ValueError: it is no cursor, or one of another list.
    """
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError:
        raw = b""
    place, check = raw[:8], raw[8:]
    last_id = int.from_bytes(place, "big")
    if check != _check(place, of_list) or not 1 <= last_id <= ID_MAX or format_cursor(last_id, of_list) != text:
        raise ValueError("must be the next_cursor of a page of this list, with the same filters and order")
    return last_id


def _check(place: bytes, of_list: Sequence[object]) -> bytes:
    content = place + repr(tuple(of_list)).encode()
    return hashlib.blake2b(content, digest_size=_CHECK_BYTES, person=b"ffledger-cursor").digest()
