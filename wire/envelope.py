"""Envelopes: what intake and workers put on a lane and on a reply list, as versioned JSON."""

import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import orjson

from ledger_core.commands import Kind, parse_command
from ledger_core.errors import InvalidRequest
from ledger_core.model import Submission
from wire.answers import Answer

VERSION = 1
REPLY_LIST_PREFIX = "ledger.replies."
COMMANDS_PER_MESSAGE_MAX = 500
OPERATION_ID_DIGITS = 32
MESSAGE_VALID_S = 15.0  # a copy that is older is never applied: see `Deadline`


class Malformed(ValueError):
    """A message that can't be understood."""


class Deadline(NamedTuple):
    """Until when a message may be applied, on the clock of one start of one machine.

    Intake may tell its caller that a write did not happen only if no copy of its message can be applied later;
    a copy that the broker brings again after this is dead.
    """

    boot_id: str
    monotonic_s: float

    @classmethod
    def after(cls, seconds: float) -> "Deadline":
        """Return the deadline that many seconds from now."""
        return cls(_boot_id(), time.monotonic() + seconds)

    def passed(self) -> bool:
        """Tell whether it has passed."""
        return self.boot_id != _boot_id() or time.monotonic() > self.monotonic_s


class Item(NamedTuple):
    """A command in a message: the number under which its answer is awaited, its org, and the submission."""

    number: int
    org: str
    submission: Submission


class Message(NamedTuple):
    """Commands of one lane on their way to its worker, and the list on which their answers are awaited."""

    message_id: int
    reply_to: str
    deadline: Deadline
    items: Sequence[Item]


class Reply(NamedTuple):
    """The answers to a message, each under the number of its command, and in how many commits they were decided."""

    message_id: int
    transactions: int
    answers: Sequence[tuple[int, Answer]]


def encode_message(message: Message) -> str:
    """Write a message."""
    items = [
        (
            number,
            org,
            submission.command.kind,
            orjson.Fragment(submission.command.fields()),
            submission.operation_id.hex(),
            submission.submission,
            submission.request_id,
            submission.submitted_at,
        )
        for number, org, submission in message.items
    ]
    return orjson.dumps(
        {
            "v": VERSION,
            "id": message.message_id,
            "reply_to": message.reply_to,
            "deadline": tuple(message.deadline),
            "items": items,
        }
    ).decode()


def decode_message(text: object) -> Message:
    """Read a message; one whose deadline has passed without its commands, of which nobody has any use.

    Raises:
        Malformed: it is not one of this version, or one of its commands is not valid.
    """
    try:
        if not isinstance(text, str):
            raise Malformed("the message is not text")
        fields = orjson.loads(text)
        if fields["v"] != VERSION:
            raise Malformed(f"the message has version {fields['v']}, and this worker reads {VERSION}")
        message_id, reply_to, (boot_id, monotonic_s) = fields["id"], fields["reply_to"], fields["deadline"]
        if not (isinstance(message_id, int) and isinstance(monotonic_s, int | float)):
            raise Malformed("the message's numbers are not numbers")
        if not (isinstance(reply_to, str) and isinstance(boot_id, str)):
            raise Malformed("the message's names are not text")
        if not reply_to.startswith(REPLY_LIST_PREFIX):  # a worker is not to touch whatever a message names
            raise Malformed("the message's answers are not awaited on a reply list")
        deadline = Deadline(boot_id, monotonic_s)
        items = [] if deadline.passed() else [_item(item) for item in fields["items"]]
        return Message(message_id, reply_to, deadline, items)
    except (InvalidRequest, orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        raise Malformed(f"{type(error).__name__}: {error}") from error


def _item(fields: list[object]) -> Item:
    number, org, kind, command, operation_id, submission, request_id, submitted_at = fields
    if not (isinstance(number, int) and isinstance(submission, int) and isinstance(submitted_at, int)):
        raise Malformed("a command's numbers are not numbers")
    if not (isinstance(org, str) and isinstance(operation_id, str) and isinstance(request_id, str)):
        raise Malformed("a command's names are not text")
    if len(operation_id) != OPERATION_ID_DIGITS:
        raise Malformed("an operation id has another length")
    parsed = parse_command(Kind(str(kind)), command)
    return Item(number, org, Submission(bytes.fromhex(operation_id), submission, parsed, request_id, submitted_at))


def encode_reply(reply: Reply) -> bytes:
    """Write the answers to a message."""
    answers = [
        (number, answer.http_status, answer.body.decode(), answer.replayed, answer.decided)
        for number, answer in reply.answers
    ]
    return orjson.dumps({"v": VERSION, "id": reply.message_id, "transactions": reply.transactions, "answers": answers})


def decode_reply(text: bytes | str) -> Reply:
    """Read the answers to a message. They come from our own worker: what can't be read is a bug."""
    fields = orjson.loads(text)
    answers = [
        (number, Answer(status, body.encode(), replayed, decided))
        for number, status, body, replayed, decided in fields["answers"]
    ]
    return Reply(fields["id"], fields["transactions"], answers)


@cache
def _boot_id() -> str:
    """Return what names this start of this machine; the monotonic clock is one for all its processes."""
    path = Path("/proc/sys/kernel/random/boot_id")
    return path.read_text(encoding="ascii").strip() if path.exists() else "unknown"
