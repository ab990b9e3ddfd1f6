"""Envelopes: what is written is what is read, and what can't be read is told from a bug."""

import json
from typing import Any

import pytest

from ledger_core.commands import Command, Kind, parse_command
from tests.builders import opening, posting, submission
from wire import envelope
from wire.answers import Answer
from wire.envelope import (
    Deadline,
    Item,
    Malformed,
    Message,
    Reply,
    decode_message,
    decode_reply,
    encode_message,
    encode_reply,
    heavy_org_of,
)

COMMANDS = [
    opening(),
    opening("Straße \U0001f3e6", code="1000", currency="EUR", overdraft_limit=0, metadata={"b": "2", "a": "1"}),
    posting(2**53 - 1, description="", idempotency_key="k", metadata={"order": "981"}),
    parse_command(Kind.CLOSURE, {"account_id": 2**63 - 1}),
    parse_command(Kind.REVERSAL, {"entry_id": 1, "description": "Refund"}),
    parse_command(Kind.HOLD, {"account_id": 1, "amount": 5, "expires_at": "2999-01-01T00:00:00.123456Z"}),
    parse_command(Kind.HOLD, {"account_id": 1, "amount": 5, "counter_account_id": 2, "expires_in_s": 60}),
    parse_command(Kind.CAPTURE, {"hold_id": 1, "amount": 5, "final": False}),
    parse_command(Kind.RELEASE, {"hold_id": 1, "idempotency_key": "k"}),
]


def _message(*commands: Command) -> Message:
    items = [Item(number, f"org-{number}", submission(command)) for number, command in enumerate(commands, 1)]
    return Message(7, "ledger.replies.x", Deadline.after(3_600), items)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.kind)
def test_a_command_comes_out_of_a_message_as_it_went_in(command: Command) -> None:
    message = _message(command)

    assert decode_message(encode_message(message)) == message


def test_fields_at_hand_are_carried_as_they_are() -> None:
    message = _message(*COMMANDS)

    at_hand = [item._replace(fields=item.submission.command.fields()) for item in message.items]

    assert encode_message(message._replace(items=at_hand)) == encode_message(message)


def test_a_message_carries_many_commands_in_their_order() -> None:
    message = _message(*COMMANDS)

    assert decode_message(encode_message(message)) == message


@pytest.mark.parametrize("org", ["a", "org-1", "0" * 63])
def test_a_heavy_message_says_whose_it_is_and_comes_out_as_it_went_in(org: str) -> None:
    message = _message(COMMANDS[0])._replace(heavy_org=org)

    text = encode_message(message)

    assert heavy_org_of(text) == org
    assert decode_message(text) == message


def test_a_plain_message_is_as_before_there_were_heavy_ones() -> None:
    text = encode_message(_message(*COMMANDS))

    assert heavy_org_of(text) is None
    assert "heavy" not in json.loads(text)


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "{}", "null", '"heavy"', '{"heavy":}', '{"heavy":"","v":1}', '{"heavy":null,"v":1}',
        '{"heavy":["acme"],"v":1}', '{"heavy":7,"v":1}', '{"heavy":"acme"', '{"heavy":"acme', '{"heavy":"../x","v":1}',
        '{"heavy":"ACME","v":1}', '{"heavy":"acme\\n","v":1}', '{"heavy":"' + "a" * 64 + '","v":1}',
        '{"v":1,"heavy":"acme","id":1}', ' {"heavy":"acme","v":1}', '{"heavy": "acme","v":1}',
    ],
)  # fmt: skip
def test_what_does_not_begin_with_whose_heavy_message_it_is_is_a_plain_one(text: str) -> None:
    assert heavy_org_of(text) is None


def test_a_command_has_the_same_fingerprint_on_both_sides() -> None:
    read = decode_message(encode_message(_message(*COMMANDS)))

    assert [item.submission.command.fingerprint() for item in read.items] == [each.fingerprint() for each in COMMANDS]


def _broken(**changes: Any) -> str:
    return json.dumps({**json.loads(encode_message(_message(posting()))), **changes})


def _with_item(place: int, value: object) -> str:
    item = json.loads(encode_message(_message(posting())))["items"][0]
    item[place] = value
    return _broken(items=[item])


NUMBER, ORG, KIND, COMMAND, OPERATION_ID, SUBMISSION, REQUEST_ID, SUBMITTED_AT = range(8)
MALFORMED: dict[str, object] = {
    "nothing": None,
    "a number": 7,
    "an object": {"v": 1},
    "bytes": encode_message(_message(posting())).encode(),
    "no text": "",
    "no JSON": "{",
    "a JSON list": "[]",
    "a JSON null": "null",
    "no fields": "{}",
    "another version": _broken(v=2),
    "a version as text": _broken(v="1"),
    "no items": _broken(items=None),
    "items that are text": _broken(items="k" * 1_000),
    "items that are an object": _broken(items={"a": 1}),
    "more items than a message has": _broken(items=[1] * 501),
    "no deadline": _broken(deadline=None),
    "half a deadline": _broken(deadline=["x"]),
    "a deadline that is no time": _broken(deadline=["x", "soon"]),
    "a boot that is no name": _broken(deadline=[7, 7.0]),
    "an id that is no number": _broken(id="7"),
    "an id that is true": _broken(id=True),
    "a version that is true": _broken(v=True),
    "a heavy org that is a number": _broken(heavy=7),
    "a heavy org that is true": _broken(heavy=True),
    "a heavy org that is a list": _broken(heavy=["acme"]),
    "a reply list that is no name": _broken(reply_to=7),
    "a reply list that is a lane": _broken(reply_to="ledger.lane.0"),
}


@pytest.mark.parametrize("what", MALFORMED)
def test_what_is_no_message_is_malformed(what: str) -> None:
    with pytest.raises(Malformed):
        decode_message(MALFORMED[what])


UNREADABLE: dict[str, object] = {
    "a number that is true": _with_item(NUMBER, True),
    "a number with a fraction": _with_item(NUMBER, 1.5),
    "a submission that no book can keep": _with_item(SUBMISSION, 2**63),
    "a time after the year 9999": _with_item(SUBMITTED_AT, 2**62),
    "a time before 1970": _with_item(SUBMITTED_AT, -1),
    "an item that is none": _broken(items=[7]),
    "an item that is too short": _broken(items=[[1, "acme"]]),
    "a number that is none": _with_item(NUMBER, "1"),
    "an org that is no name": _with_item(ORG, 7),
    "an unknown kind": _with_item(KIND, "transfer"),
    "a command that is none": _with_item(COMMAND, []),
    "a command that is not valid": _with_item(COMMAND, {"lines": []}),
    "an operation that is no name": _with_item(OPERATION_ID, "xyz"),
    "an operation that is too short": _with_item(OPERATION_ID, "00"),
    "a submission that is no number": _with_item(SUBMISSION, "7"),
    "a request that has no name": _with_item(REQUEST_ID, None),
    "a time that is none": _with_item(SUBMITTED_AT, "now"),
}


@pytest.mark.parametrize("what", UNREADABLE)
def test_a_command_that_cannot_be_read_takes_none_of_the_others_with_it(what: str) -> None:
    (bad,) = json.loads(str(UNREADABLE[what]))["items"]
    good = json.loads(encode_message(_message(posting())))["items"]

    message = decode_message(_broken(items=[*good, bad, *good]))

    assert len(message.items) == 2
    (unreadable,) = message.unreadable
    assert json.loads(unreadable.body) == bad
    assert unreadable.cause
    assert unreadable.number == (1 if isinstance(bad, list) and bad[0] == 1 and type(bad[0]) is int else None)


def test_answers_come_out_of_a_reply_as_they_went_in() -> None:
    reply = Reply(
        7,
        2,
        [
            (1, Answer(201, '{"id":1,"description":"ü"}'.encode())),
            (2, Answer(422, b"{}", replayed=True)),
            (3, Answer(503, b"{}", decided=False)),
        ],
    )

    assert decode_reply(encode_reply(reply)) == reply


def _answers(*answers: object, **changes: object) -> str:
    return json.dumps({"v": 1, "id": 7, "transactions": 1, "answers": answers, **changes})


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "{}", "null", _answers(v=2), _answers(v=None), _answers(id="7"), _answers(transactions=None),
        _answers(None), _answers([1, 201, "{}", False]), _answers(["1", 201, "{}", False, True]),
        _answers([1, "201", "{}", False, True]), _answers([1, 201, {}, False, True]), _answers([1, 201, "{}", 0, 1]),
    ],
)  # fmt: skip
def test_what_is_no_reply_is_malformed(text: str) -> None:
    with pytest.raises(Malformed):
        decode_reply(text)


def test_of_why_a_command_can_not_be_read_little_is_told() -> None:
    """The cause is logged and kept, and it may quote a megabyte of the message."""
    (unreadable,) = decode_message(_with_item(COMMAND, {"x" * 100_000: 1})).unreadable

    assert len(unreadable.cause) < 600


def test_a_deadline_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = _Clock()
    monkeypatch.setattr(envelope, "time", clock)
    deadline = Deadline.after(15)

    clock.now_s += 14.9
    assert not deadline.passed()
    clock.now_s += 0.2
    assert deadline.passed()


def test_a_deadline_of_another_start_of_the_machine_has_passed() -> None:
    assert Deadline("another start", 1e12).passed()


class _Clock:
    now_s = 100.0

    def monotonic(self) -> float:
        return self.now_s


def test_of_a_message_that_comes_too_late_the_commands_are_not_read() -> None:
    """After a long outage a worker passes what nobody waits for any more without a look at it."""
    late = json.loads(encode_message(_message(opening())))
    late["deadline"] = ["another start", 1e12]

    message = decode_message(json.dumps(late))

    assert message.deadline.passed()
    assert message.items == []


@pytest.mark.parametrize(("took_us", "worker"), [(None, None), (0, ""), (2_500, "3f"), (None, "3f")])
def test_a_reply_comes_out_as_it_went_in_whatever_it_says_of_its_worker(
    took_us: int | None, worker: str | None
) -> None:
    reply = Reply(7, 2, [(1, Answer(201, b"{}")), (2, Answer(503, b"{}", decided=False))], took_us, worker)

    assert decode_reply(encode_reply(reply)) == reply


def test_a_reply_of_a_worker_of_an_earlier_version_does_not_say_how_long_it_took_nor_who_it_is() -> None:
    fields = json.loads(encode_reply(Reply(7, 2, [(1, Answer(201, b"{}"))], 2_500, "3f")))
    del fields["took_us"], fields["worker"]

    assert decode_reply(json.dumps(fields)) == Reply(7, 2, [(1, Answer(201, b"{}"))])


@pytest.mark.parametrize("took_us", ["1", 1.5, True, [], 2**70, -1])
def test_a_reply_that_says_nonsense_of_how_long_it_took_is_malformed(took_us: object) -> None:
    fields = json.loads(encode_reply(Reply(7, 2, [], 2_500)))

    with pytest.raises(Malformed):
        decode_reply(json.dumps({**fields, "took_us": took_us}))


@pytest.mark.parametrize("worker", [1, True, [], {}])
def test_a_reply_that_says_nonsense_of_who_its_worker_is_is_malformed(worker: object) -> None:
    fields = json.loads(encode_reply(Reply(7, 2, [], 2_500, "3f")))

    with pytest.raises(Malformed):
        decode_reply(json.dumps({**fields, "worker": worker}))
