"""Operation ids: UUIDs (RFC 9562, version 8) that follow from what names a write, or random ones (version 4)."""

import hashlib
import secrets
import uuid

from ledger_core.commands import Command


def operation_id_of(org: str, command: Command) -> bytes:
    """Return the 16 bytes of a write's operation id: from org, scope and key, so that a retry gets the same.

    The scope is the kind of write and, where the URL names one, the account, entry or hold. Without a key: random.
    """
    if command.idempotency_key is None:
        return uuid.uuid4().bytes
    scope = command.kind if command.address is None else f"{command.kind}/{command.address}"
    return _derived("key", org, scope, command.idempotency_key)


def operation_id_of_task(org: str, task_id: str) -> bytes:
    """Return the 16 bytes of the operation id of a queue task that has no key."""
    return _derived("task", org, task_id)


def submission_of_task(task_id: str) -> int:
    """Return the 63-bit number of a queue task's submission: the same however often the broker delivers it."""
    return int.from_bytes(hashlib.sha256(task_id.encode()).digest()[:8], "big") >> 1


def new_submission() -> int:
    """Return a random 63-bit number for one sending of a write."""
    return secrets.randbits(63)


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
    digest = bytearray(hashlib.sha256("\0".join(("ff-ledger", *names)).encode()).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x80  # version 8
    digest[8] = digest[8] & 0x3F | 0x80  # variant of RFC 9562
    return bytes(digest)
