"""Envelopes: what intake and workers put on a lane and on a reply list, as versioned JSON."""

import re
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from ledger_core.commands import Kind, parse_command
from ledger_core.limits import INSTANT_US_MAX
from ledger_core.model import Submission
from ledger_core.orgs import SLUG
from wire.answers import Answer

VERSION = 1
REPLY_LIST_PREFIX = "ledger.replies."
COMMANDS_PER_MESSAGE_MAX = 500
OPERATION_ID_DIGITS = 32
WHOLE_MAX = 2**63 - 1  # what a book can keep
CAUSE_CHARS_MAX = 500  # of why a message is malformed: it may quote from the message
MESSAGE_VALID_S = 15.0  # a copy that is older is never applied: see `Deadline`
_HEAVY = re.compile(rf'{{"heavy":"({SLUG.pattern})",')


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
    """A command in a message: the number under which its answer is awaited, its org, and the submission.

    `fields` are the command's, where they are at hand: a bulk's take a millisecond to write.
    """

    number: int
    org: str
    submission: Submission
    fields: bytes | None = None


class Unreadable(NamedTuple):
    """A command in a message that can't be read: as it came, as JSON, and why; its number if it has one."""

    number: int | None
    body: bytes
    cause: str


class Message(NamedTuple):
    """Commands of one lane on their way to its worker, and the list on which their answers are awaited.

    `heavy_org` is whose command it carries, if that is a heavy one: it takes its worker long, and has no company.
    """

    message_id: int
    reply_to: str
    deadline: Deadline
    items: Sequence[Item]
    unreadable: Sequence[Unreadable] = ()
    heavy_org: str | None = None


class Reply(NamedTuple):
    """The answers to a message, each under the number of its command, and in how many commits they were decided.

    `took_us` is how long the worker had to do with it, `worker` names the process; None where that is not said.
    """

    message_id: int
    transactions: int
    answers: Sequence[tuple[int, Answer]]
    took_us: int | None = None
    worker: str | None = None


def encode_message(message: Message) -> str:
    """Write a message; whose heavy one it is comes first, where `heavy_org_of` looks for it."""
    items = [
        (
            number,
            org,
            submission.command.kind,
            orjson.Fragment(fields or submission.command.fields()),
            submission.operation_id.hex(),
            submission.submission,
            submission.request_id,
            submission.submitted_at,
        )
        for number, org, submission, fields in message.items
    ]
    return orjson.dumps(
        {
            **({} if message.heavy_org is None else {"heavy": message.heavy_org}),
            "v": VERSION,
            "id": message.message_id,
            "reply_to": message.reply_to,
            "deadline": tuple(message.deadline),
            "items": items,
        }
    ).decode()


def decode_message(text: object) -> Message:
    """Read a message; one whose deadline has passed without its commands, of which nobody has any use.

    A command that can't be read takes none of the others with it.

    Raises:
        Malformed: it is not one of this version.
    """
    try:
        if not isinstance(text, str):
            raise Malformed("the message is not text")
        fields = orjson.loads(text)
        _check_version(fields)
        message_id, reply_to, (boot_id, monotonic_s) = _whole(fields["id"]), fields["reply_to"], fields["deadline"]
        if type(monotonic_s) not in (int, float):
            raise Malformed("the message's deadline is not a number")
        if not (isinstance(reply_to, str) and isinstance(boot_id, str)):
            raise Malformed("the message's names are not text")
        if not reply_to.startswith(REPLY_LIST_PREFIX):  # a worker is not to touch whatever a message names
            raise Malformed("the message's answers are not awaited on a reply list")
        if not isinstance(fields["items"], list) or len(fields["items"]) > COMMANDS_PER_MESSAGE_MAX:
            # Each that can't be read is set aside: a megabyte of nonsense must not be a million of them.
            raise Malformed(f"the message has no list of commands, or more than {COMMANDS_PER_MESSAGE_MAX}")
        heavy_org = fields.get("heavy")  # intake of an earlier version does not say
        if not (heavy_org is None or isinstance(heavy_org, str)):
            raise Malformed("whose heavy message it is is not text")
        deadline = Deadline(boot_id, monotonic_s)
        read = [] if deadline.passed() else [_read(item) for item in fields["items"]]
        items = [item for item in read if isinstance(item, Item)]
        unreadable = tuple(item for item in read if isinstance(item, Unreadable))
        return Message(message_id, reply_to, deadline, items, unreadable, heavy_org)
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        raise _malformed(error) from error


def heavy_org_of(text: str) -> str | None:
    """Return whose heavy message it says that it is, by its first characters alone; None if it does not say so there.

    That it is true, and that the message can be read, is for whoever reads it to see.
    """
    found = _HEAVY.match(text)
    return None if found is None else found[1]


def _read(fields: object) -> Item | Unreadable:
    try:
        return _item(fields)
    except Exception as error:  # a bug of ours in it, too: whatever it is, the others can be read
        number = fields[0] if isinstance(fields, list) and fields else None
        known = number if type(number) is int and 0 <= number <= WHOLE_MAX else None
        return Unreadable(known, orjson.dumps(fields), str(_malformed(error)))


def _item(fields: Any) -> Item:
    number, org, kind, command, operation_id, submission, request_id, submitted_at = fields
    if not (isinstance(org, str) and isinstance(operation_id, str) and isinstance(request_id, str)):
        raise Malformed("a command's names are not text")
    if len(operation_id) != OPERATION_ID_DIGITS:
        raise Malformed("an operation id has another length")
    parsed = parse_command(Kind(str(kind)), command)
    at = _whole(submitted_at, INSTANT_US_MAX)
    return Item(
        _whole(number), org, Submission(bytes.fromhex(operation_id), _whole(submission), parsed, request_id, at)
    )


def encode_reply(reply: Reply) -> bytes:
    """Write the answers to a message."""
    answers = [
        (number, answer.http_status, answer.body.decode(), answer.replayed, answer.decided)
        for number, answer in reply.answers
    ]
    fields = {"v": VERSION, "id": reply.message_id, "transactions": reply.transactions, "answers": answers}
    said = {"took_us": reply.took_us, "worker": reply.worker}
    return orjson.dumps(fields | {name: value for name, value in said.items() if value is not None})


def decode_reply(text: bytes | str) -> Reply:
    """Read the answers to a message.

    Raises:
        Malformed: they are none of this version. Our own workers write them, so it is another version's, or a bug.
    """
    try:
        fields = orjson.loads(text)
        _check_version(fields)
        answers = [_answer(item) for item in fields["answers"]]
        took_us, worker = fields.get("took_us"), fields.get("worker")  # a worker of an earlier version does not say
        known_us = None if took_us is None else _whole(took_us)
        if not (worker is None or isinstance(worker, str)):
            raise Malformed("the name of a reply's worker is not text")
        return Reply(_whole(fields["id"]), _whole(fields["transactions"]), answers, known_us, worker)
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        raise _malformed(error) from error


def _answer(fields: list[object]) -> tuple[int, Answer]:
    number, status, body, replayed, decided = fields
    if not (isinstance(body, str) and isinstance(replayed, bool) and isinstance(decided, bool)):
        raise Malformed("an answer's body is not text, or its marks are not true or false")
    return _whole(number), Answer(_whole(status), body.encode(), replayed, decided)


def _whole(value: object, most: int = WHOLE_MAX) -> int:
    if type(value) is not int or not 0 <= value <= most:  # and no bool, which is one to `isinstance`
        raise Malformed("a number is not a whole number, or out of range")
    return value


def _check_version(fields: Any) -> None:
    version = fields["v"]
    if type(version) is not int or version != VERSION:
        raise Malformed(f"it has version {version!r:.20}, and this process reads {VERSION}")


def _malformed(error: Exception) -> Malformed:
    return Malformed(f"{type(error).__name__}: {str(error)[:CAUSE_CHARS_MAX]}")


@cache
def _boot_id() -> str:
    """Return what names this start of this machine; the monotonic clock is one for all its processes."""
    path = Path("/proc/sys/kernel/random/boot_id")
    return path.read_text(encoding="ascii").strip() if path.exists() else "unknown"
