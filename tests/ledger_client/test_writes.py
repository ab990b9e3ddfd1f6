"""What a write is on the wire: its address, its body, and the key that it carries."""

import json
from datetime import UTC, datetime

import pytest

from ledger_client import (
    AccountType,
    CaptureHold,
    CloseAccount,
    OpenAccount,
    PlaceHold,
    PostBulk,
    ReleaseHold,
    ReverseEntry,
)
from ledger_client.filters import params
from ledger_client.writes import call_of, keyed
from ledger_core.commands import COMMANDS, Command
from tests.ledger_client.scripted import Script, operation, posting
from wire.problems import path_of

COMMANDS_AND_BODIES: list[tuple[Command, dict[str, object]]] = [
    (OpenAccount(name="Cash", type=AccountType.ASSET), {"name": "Cash", "type": "asset"}),
    (CloseAccount(account_id=7), {}),
    (posting(), {"lines": json.loads(posting().fields())["lines"]}),
    (PostBulk(entries=[posting()]), {"entries": [json.loads(posting().fields())]}),
    (ReverseEntry(entry_id=7, description="a slip"), {"description": "a slip"}),
    (
        PlaceHold.model_validate({"account_id": 1, "amount": 5, "expires_at": "2030-01-01T00:00:00Z"}),
        {"account_id": 1, "amount": 5, "expires_at": "2030-01-01T00:00:00Z"},
    ),
    (CaptureHold(hold_id=7, amount=5, final=False), {"amount": 5, "final": False}),
    (ReleaseHold(hold_id=7), {}),
]


def test_every_kind_of_write_is_tried_here() -> None:
    assert {type(command) for command, _ in COMMANDS_AND_BODIES} == set(COMMANDS.values())


@pytest.mark.parametrize(("command", "body"), COMMANDS_AND_BODIES, ids=lambda value: type(value).__name__)
def test_a_write_goes_to_its_address_with_a_key(command: Command, body: dict[str, object]) -> None:
    call = call_of(keyed(command))

    assert call.path == path_of(command.kind, command.address)
    assert json.loads(call.body or b"") == {**body, "idempotency_key": call.idempotency_key}
    assert call.idempotency_key


def test_the_command_itself_is_left_as_it_was() -> None:
    command = posting()

    keyed(command)

    assert command.idempotency_key is None


def test_parameters_are_written_as_the_ledger_reads_them() -> None:
    at = datetime(2026, 3, 18, 5, 30, 0, 250_000, tzinfo=UTC)

    assert params({"at": at, "type": AccountType.ASSET, "limit": 5, "cursor": None}) == {
        "at": "2026-03-18T05:30:00.250000Z",
        "type": "asset",
        "limit": "5",
    }


def test_a_time_without_a_zone_is_not_guessed() -> None:
    with pytest.raises(ValueError, match="zone"):
        params({"at": datetime(2026, 3, 18)})


def test_an_operation_id_stays_in_its_place_in_the_address() -> None:
    script = Script(operation("pending"))

    script.client().get_operation("../accounts/1?x=")

    assert script.requests[0].url.raw_path == b"/v1/operations/..%2Faccounts%2F1%3Fx%3D"


def test_org_and_key_go_with_every_request() -> None:
    script = Script(operation("pending"))

    script.client().get_operation("x")

    assert script.requests[0].headers["X-Org-Slug"] == "acme"
    assert script.requests[0].headers["X-Api-Key"] == "ffl_key"
