"""What lies on a lane: intake's messages, and the answers on a reply list."""

import orjson

from ledger_core.operations import operation_id_of
from tests.fuzz.bounds import bounded, expand
from tests.fuzz.house import house
from wire.answers import Answer
from wire.envelope import (
    Deadline,
    Malformed,
    Reply,
    decode_message,
    decode_reply,
    encode_message,
    encode_reply,
)

BOOT_ID = Deadline.after(0).boot_id
HERE = b"{here}"  # stands for this start of this machine, so that a corpus is good on another one


def messages(data: bytes) -> None:
    """Read a message of a lane: it is malformed, or stays what it is when it is written again."""
    raw = expand(data).replace(HERE, BOOT_ID.encode())
    text = raw.decode(errors="surrogateescape" if raw[:1] == b" " else "replace")  # with lone surrogates, or without
    try:
        with bounded(text):
            message = decode_message(text)
    except Malformed as malformed:
        assert len(str(malformed)) < 2_000, len(str(malformed))
        return
    assert isinstance(message.reply_to, str)
    assert type(message.message_id) is int
    assert message.deadline.passed() <= (not message.items)
    for unreadable in message.unreadable:
        assert type(unreadable.number) in (int, type(None))
        assert unreadable.body
        assert len(unreadable.cause) < 2_000
    for item in message.items:
        submission = item.submission
        assert (type(item.number), type(submission.submission), type(submission.submitted_at)) == (int, int, int)
        assert len(submission.operation_id) == 16
        operation_id_of(item.org, submission.command)
    if message.items:
        assert decode_message(encode_message(message)) == message._replace(unreadable=())
        with bounded(text):
            told = house().turns.take(message.items)
        assert sorted(number for number, _ in told) == sorted(item.number for item in message.items)
        assert all(answer.http_status not in (500, 503) for _, answer in told), told


def replies(data: bytes) -> None:
    """Read the answers to a message: they are malformed, or stay what they are when they are written again."""
    raw = expand(data)
    try:
        with bounded(raw):
            reply = decode_reply(raw)
    except Malformed:
        return
    assert (type(reply.message_id), type(reply.transactions)) == (int, int)
    for number, answer in reply.answers:
        assert type(number) is int
        assert [*map(type, answer)] == [int, bytes, bool, bool]
    assert decode_reply(encode_reply(reply)) == reply
    _told(reply)


def _told(reply: Reply) -> None:
    """Any answer that a worker can give comes through whole."""
    bodies = [orjson.dumps({"id": number, "text": answer.body.decode()}) for number, answer in reply.answers]
    again = Reply(reply.message_id, 1, [(n, Answer(201, body)) for n, body in enumerate(bodies)])
    assert decode_reply(encode_reply(again)) == again
