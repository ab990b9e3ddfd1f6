"""The hash chain: each entry carries SHA-256 over the hash of the entry before it and its own content.

The content is one JSON array, compact, in UTF-8, no character escaped that JSON lets stand:
`[id, posted_at, description, idempotency_key, metadata, reverses, hold_id, lines]`, where metadata is an
object (`{}` for none) and a line is `[account_id, side, amount, version, debits, credits]`. Anyone can replay it.
"""

import hashlib

from pydantic_core import to_json

from ledger_core.model import Line, Metadata
from ledger_core.money import Side

GENESIS = bytes(32)  # what stands in place of the hash before the first entry


def entry_hash(
    previous: bytes,
    entry_id: int,
    posted_at: int,
    description: str | None,
    idempotency_key: str | None,
    metadata: Metadata,
    reverses: int | None,
    hold_id: int | None,
    lines: tuple[Line, ...],
) -> bytes:
    """Return the 32 bytes that an entry with this content carries, after an entry that carries `previous`."""
    debit = Side.DEBIT
    plain = [  # what is a list and text, not something like it, is written six times as fast
        [account_id, "debit" if side is debit else "credit", amount, version, debits, credits]
        for account_id, side, amount, version, debits, credits in lines
    ]
    content = to_json((entry_id, posted_at, description, idempotency_key, metadata, reverses, hold_id, plain))
    return hashlib.sha256(previous + content).digest()
