"""Writes on their way out: where each kind goes, what its body is, and the key that every one of them carries."""

from collections.abc import Mapping
from uuid import uuid4

from ledger_client.caller import Call
from ledger_core.commands import ADDRESS_FIELD, Command, Kind, PostBulk

_PATHS: Mapping[Kind, str] = {
    Kind.ACCOUNT: "/v1/accounts",
    Kind.CLOSURE: "/v1/accounts/{}/close",
    Kind.ENTRY: "/v1/entries",
    Kind.BULK: "/v1/entries/bulk",
    Kind.REVERSAL: "/v1/entries/{}/reverse",
    Kind.HOLD: "/v1/holds",
    Kind.CAPTURE: "/v1/holds/{}/capture",
    Kind.RELEASE: "/v1/holds/{}/release",
}


def keyed(command: Command) -> Command:
    """Return the command with an idempotency key: its own, or a fresh one, which all attempts of this call share.

    The entries of a bulk that is not atomic are writes of their own, so each gets its own.
    """
    if isinstance(command, PostBulk) and not command.atomic:
        entries = [entry.model_copy(update=_key(entry)) for entry in command.entries]
        return command.model_copy(update={"entries": entries})
    return command.model_copy(update=_key(command))


def call_of(command: Command, *, respond_async: bool = False) -> Call:
    """Return the call that makes a write."""
    addressed = {ADDRESS_FIELD[command.kind]} if command.kind in ADDRESS_FIELD else set()
    return Call(
        "POST",
        _PATHS[command.kind].format(command.address),
        body=command.model_dump_json(exclude=addressed, exclude_defaults=True).encode(),
        idempotency_key=command.idempotency_key,
        respond_async=respond_async,
        waits=True,
    )


def _key(command: Command) -> dict[str, str]:
    return {"idempotency_key": command.idempotency_key or uuid4().hex}
