"""The body of a write over HTTP: JSON, then a command."""

from typing import Any

import orjson
from falcon import testing

from intake import parse
from intake.problems import Rejected
from ledger_core.commands import ADDRESS_FIELD, BODIES, COMMANDS, Command, Kind, parse_command
from ledger_core.errors import InvalidRequest
from tests.builders import submission
from tests.fuzz import contract, strict_json
from tests.fuzz.bounds import bounded, expand
from wire.envelope import Deadline, Item, Message, decode_message, encode_message

KINDS = list(Kind)
ADDRESS = 7
COMPLAINTS_MAX = 100
DEADLINE = Deadline.after(86_400)


def bodies(data: bytes) -> None:
    """Read a body as its kind of write: the first byte says which, the rest is the body."""
    kind, raw = KINDS[data[0] % len(KINDS)] if data else Kind.ENTRY, expand(data[1:])
    addressed = kind in ADDRESS_FIELD
    try:
        fields = strict_json.read(raw) if raw or not addressed else {}
    except strict_json.NotJson:
        fields = ...
    try:
        command = read(kind, raw, addressed=addressed)
    except Rejected as rejected:
        assert (rejected.problem.status, rejected.problem.code) == (400, "malformed_json"), rejected.problem
        assert fields is ..., (rejected.problem, fields)
        assert len(rejected.problem.detail) < 200, rejected.problem
    except InvalidRequest as invalid:
        assert not contract.valid(kind, fields), (kind, fields, invalid)
        check_complaints(invalid, fields)
    else:
        assert contract.valid(kind, fields), (kind, fields, command)
        check_command(command)
        check_sameness(kind, fields, command)


def read(kind: Kind, raw: bytes, *, addressed: bool) -> Command:
    """Read a body as intake does, in bounded time."""
    request = testing.create_req(method="POST", body=raw, headers={"Content-Type": "application/json"})
    with bounded(raw):
        return parse.command(request, kind, "hold", str(ADDRESS)) if addressed else parse.command(request, kind)


def check_complaints(invalid: InvalidRequest, fields: object) -> None:
    """Complaints are few, each points to where something is or should be, and none says how the code is made."""
    errors: Any = invalid.facts["errors"]
    assert 1 <= len(errors) <= COMPLAINTS_MAX, len(errors)
    for error in errors:
        assert set(error) == {"pointer", "message"}
        assert resolves(error["pointer"], fields), (error, fields)
        assert 0 < len(error["message"]) < 150, error
        assert not any(word in error["message"] for word in ("pydantic", "Traceback", "ledger_core", "Error")), error
    orjson.dumps(errors)


def resolves(pointer: str, value: object) -> bool:
    """Tell whether a JSON pointer leads to a value, or to where a field of an object is missing."""
    parts = [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]
    for place, part in enumerate(parts):
        if isinstance(value, dict) and part in value:
            value = value[part]
        elif isinstance(value, list) and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        else:
            return isinstance(value, dict) and place == len(parts) - 1
    return True


def check_command(command: Command) -> None:
    """A command is the same, with the same fingerprint, after each way that it travels."""
    canonical = command.fields()
    model: Any = COMMANDS[command.kind]
    message = Message(1, "ledger.replies.x", DEADLINE, [Item(1, "acme", submission(command))])
    travelled = decode_message(encode_message(message))
    assert travelled == message
    for again in (
        parse_command(command.kind, orjson.loads(canonical)),
        model.model_validate_json(canonical),
        travelled.items[0].submission.command,
    ):
        assert again == command, (again, command)
        assert again.fingerprint() == command.fingerprint(), (again, command)


def check_sameness(kind: Kind, fields: Any, command: Command) -> None:
    """The order of fields, and fields that are null, tell no two requests apart; pydantic's own JSON reader agrees."""
    body: Any = BODIES[kind]
    named = {ADDRESS_FIELD[kind]: ADDRESS} if kind in ADDRESS_FIELD else {}
    turned = {name: fields[name] for name in reversed(fields) if fields[name] is not None}
    for same in (fields, turned):
        read_as_text = body.model_validate_json(orjson.dumps(same))
        again = parse_command(kind, {**same, **named})
        assert again.fingerprint() == command.fingerprint(), (same, command)
        assert {**read_as_text.model_dump(), **named} == command.model_dump()
