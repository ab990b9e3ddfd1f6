"""Operation ids: UUIDs (RFC 9562, version 8) that follow from what names a write, or random ones (version 4)."""

import hashlib
import itertools
import os
import secrets

from ledger_core.commands import Command

# Random numbers of this process come from one reading of the system's: each reading lets go of the interpreter,
# and under load that costs a request more than all of its own work.
_seed = secrets.token_bytes(32)
_drawn = itertools.count()


def _seed_again() -> None:
    global _seed  # noqa: PLW0603  # a forked process must not draw its parent's numbers
    _seed = secrets.token_bytes(32)


os.register_at_fork(after_in_child=_seed_again)


def operation_id_of(org: str, command: Command) -> bytes:
    """Return the 16 bytes of a write's operation id: from org, scope and key, so that a retry gets the same.

    The scope is the kind of write and, where the URL names one, the account, entry or hold. Without a key: random.
    """
    if command.idempotency_key is None:
        return _uuid(_random(16), version=4)
    scope = command.kind if command.address is None else f"{command.kind}/{command.address}"
    return _derived("key", org, scope, command.idempotency_key)


def operation_id_in_bulk(org: str, bulk: bytes, position: int, command: Command) -> bytes:
    """Return the 16 bytes of the operation id of an entry of a bulk: its own by its key, else by its place."""
    if command.idempotency_key is None:
        return _derived("bulk", org, bulk.hex(), str(position))
    return operation_id_of(org, command)


def operation_id_of_task(org: str, task_id: str) -> bytes:
    """Return the 16 bytes of the operation id of a queue task that has no key."""
    return _derived("task", org, task_id)


def submission_of_task(task_id: str) -> int:
    """Return the 63-bit number of a queue task's submission: the same however often the broker delivers it."""
    return int.from_bytes(hashlib.sha256(task_id.encode(errors="surrogatepass")).digest()[:8], "big") >> 1


def new_submission() -> int:
    """Return a random 63-bit number for one sending of a write."""
    return int.from_bytes(_random(8), "big") >> 1


def new_request_id() -> str:
    """Return a random name for a request that brings none."""
    return _random(16).hex()


def format_operation_id(operation_id: bytes) -> str:
    """Write an operation id as a UUID."""
    text = operation_id.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def parse_operation_id(text: str) -> bytes | None:
    """Read an operation id as it is written; None when it is none."""
    try:
        operation_id = bytes.fromhex(text.replace("-", ""))
    except ValueError:
        return None
    return operation_id if len(operation_id) == 16 and format_operation_id(operation_id) == text else None


def _derived(*names: str) -> bytes:
    # A name with lone surrogates is refused, but the refusal too has an operation's id.
    content = "\0".join(("ff-ledger", *names)).encode(errors="surrogatepass")
    return _uuid(hashlib.sha256(content).digest()[:16], version=8)


def _uuid(random: bytes, *, version: int) -> bytes:
    marked = bytearray(random)
    marked[6] = marked[6] & 0x0F | version << 4
    marked[8] = marked[8] & 0x3F | 0x80  # the variant of RFC 9562
    return bytes(marked)


def _random(size: int) -> bytes:
    """Return bytes that nobody can guess and no two calls share."""
    return hashlib.sha256(_seed + next(_drawn).to_bytes(8, "big")).digest()[:size]
