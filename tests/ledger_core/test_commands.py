"""What each kind of command may say, beyond the range of each field."""

from typing import Any

import pytest

from ledger_core.commands import CaptureHold, Kind, OpenAccount, PlaceHold, PostEntry, parse_body, parse_command
from ledger_core.instants import parse_instant
from tests.ledger_core.builders import complaints, lines, request

WITH_METADATA = ["account", "entry", "hold"]


def parsed(kind: str, **changes: Any) -> Any:
    return parse_command(Kind(kind), request(kind, **changes))


# Accounts


@pytest.mark.parametrize("type_", ["asset", "liability", "equity", "revenue", "expense"])
def test_an_account_is_of_one_of_five_types(type_: str) -> None:
    assert complaints("account", request("account", type=type_)) == {}


@pytest.mark.parametrize("type_", ["Asset", "income", "", 1, ["asset"], True], ids=repr)
def test_an_account_of_another_type_is_refused(type_: object) -> None:
    assert list(complaints("account", request("account", type=type_))) == ["/type"]


@pytest.mark.parametrize("currency", ["USD", "EUR", "BTC", "USDC", "A1Z", "ABCDEFGHIJ12"])
def test_a_currency_is_3_to_12_capitals_and_digits(currency: str) -> None:
    assert complaints("account", request("account", currency=currency)) == {}


@pytest.mark.parametrize("currency", ["", "US", "usd", "USD ", "USD\n", "US-D", "ÜSD", "A" * 13, 840], ids=repr)
def test_what_is_no_currency_is_refused(currency: object) -> None:
    assert list(complaints("account", request("account", currency=currency))) == ["/currency"]


@pytest.mark.parametrize("limit", [None, 0, 1, 2**53 - 1])
def test_an_overdraft_limit_is_null_or_an_amount_from_zero(limit: int | None) -> None:
    assert parsed("account", overdraft_limit=limit).overdraft_limit == limit


@pytest.mark.parametrize("limit", [-1, 2**53, 0.0, "0", False], ids=repr)
def test_what_is_no_overdraft_limit_is_refused(limit: object) -> None:
    assert list(complaints("account", request("account", overdraft_limit=limit))) == ["/overdraft_limit"]


# Metadata


@pytest.mark.parametrize("kind", WITH_METADATA)
@pytest.mark.parametrize(
    "metadata", [{}, {"a": ""}, {"k" * 64: "v" * 500}, {f"k{n}": "v" for n in range(50)}, {"é😀": "ü"}]
)
def test_metadata_is_text_by_name(kind: str, metadata: dict[str, str]) -> None:
    assert parsed(kind, metadata=metadata).metadata == metadata


@pytest.mark.parametrize("kind", WITH_METADATA)
@pytest.mark.parametrize(
    ("metadata", "pointer"),
    [
        ({"a": 1}, "/metadata/a"),
        ({"a": None}, "/metadata/a"),
        ({"a": {"b": "c"}}, "/metadata/a"),
        ({"a": True}, "/metadata/a"),
        ({"a": "v" * 501}, "/metadata/a"),
        ({"a": "\n"}, "/metadata/a"),
        ({"a~/b": 1}, "/metadata/a~0~1b"),
        ({"": "v"}, "/metadata/"),
        ({"k" * 65: "v"}, "/metadata/" + "k" * 65),
        ({"k\x00": "v"}, "/metadata/k\x00"),
        ({f"k{n}": "v" for n in range(51)}, "/metadata"),
        ([], "/metadata"),
        ("{}", "/metadata"),
        (1, "/metadata"),
    ],
)
def test_other_metadata_is_refused(kind: str, metadata: object, pointer: str) -> None:
    assert list(complaints(kind, request(kind, metadata=metadata))) == [pointer]


@pytest.mark.parametrize("kind", ["closure", "reversal", "capture", "release"])
def test_other_commands_have_no_metadata(kind: str) -> None:
    assert list(complaints(kind, request(kind, metadata={}))) == ["/metadata"]


# Entries


@pytest.mark.parametrize("count", [2, 3, 500])
def test_an_entry_has_2_to_500_lines(count: int) -> None:
    assert complaints("entry", {"lines": lines((1, 5, "debit")) * count}) == {}


@pytest.mark.parametrize("sides", [[], lines((1, 5, "debit")), lines((1, 5, "debit")) * 501, {}, "ab", 2])
def test_an_entry_of_fewer_or_more_lines_is_refused(sides: object) -> None:
    assert list(complaints("entry", {"lines": sides})) == ["/lines"]


@pytest.mark.parametrize("direction", ["Debit", "dr", "", 1, True, None], ids=repr)
def test_a_direction_is_debit_or_credit(direction: object) -> None:
    sides = [*lines((1, 5, "debit")), {"account_id": 2, "amount": 5, "direction": direction}]

    assert list(complaints("entry", {"lines": sides})) == ["/lines/1/direction"]


@pytest.mark.parametrize("side", [None, 5, "line", []])
def test_a_line_is_an_object(side: object) -> None:
    assert complaints("entry", {"lines": [*lines((1, 5, "debit")), side]}) == {"/lines/1": "must be a JSON object"}


# Holds


def test_the_counter_account_of_a_hold_is_another_account() -> None:
    found = complaints("hold", request("hold", account_id=3, counter_account_id=3))

    assert list(found) == ["/counter_account_id"]


def test_a_hold_is_given_one_expiry() -> None:
    found = complaints("hold", request("hold", expires_at="2099-01-01T00:00:00Z", expires_in_s=60))

    assert list(found) == ["/expires_in_s"]


@pytest.mark.parametrize("seconds", [0, -1, 1.0, "60", True, 2**63], ids=repr)
def test_expires_in_s_is_a_whole_number_from_1(seconds: object) -> None:
    assert list(complaints("hold", request("hold", expires_in_s=seconds))) == ["/expires_in_s"]


@pytest.mark.parametrize("at", [0, 1_900_000_000, "tomorrow", "2099-01-01", "", True, []], ids=repr)
def test_expires_at_is_an_instant(at: object) -> None:
    assert list(complaints("hold", request("hold", expires_at=at))) == ["/expires_at"]


def test_an_offset_is_taken_for_the_instant_that_it_means() -> None:
    command = parsed("hold", expires_at="2099-01-01T01:30:00.5+02:00")

    assert command.expires_at == parse_instant("2098-12-31T23:30:00.500Z")


@pytest.mark.parametrize("final", [0, 1, "true", [], "false"], ids=repr)
def test_final_is_a_boolean(final: object) -> None:
    assert list(complaints("capture", request("capture", final=final))) == ["/final"]


# Null is the same as leaving out


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("account", ["code", "currency", "overdraft_limit", "metadata", "idempotency_key"]),
        ("closure", ["idempotency_key"]),
        ("entry", ["description", "metadata", "idempotency_key"]),
        ("reversal", ["description", "idempotency_key"]),
        ("hold", ["counter_account_id", "description", "expires_at", "expires_in_s", "metadata", "idempotency_key"]),
        ("capture", ["amount", "counter_account_id", "final", "description", "idempotency_key"]),
        ("release", ["idempotency_key"]),
    ],
)
def test_null_is_the_same_as_leaving_a_field_out(kind: str, names: list[str]) -> None:
    nulls = parsed(kind, **dict.fromkeys(names))

    assert nulls == parsed(kind)
    assert nulls.fingerprint() == parsed(kind).fingerprint()


def test_defaults_are_as_promised() -> None:
    account, entry = parsed("account"), parsed("entry")
    hold, capture = parsed("hold"), parsed("capture")

    assert isinstance(account, OpenAccount)
    assert (account.currency, account.overdraft_limit, account.code, account.metadata) == (None, None, None, {})
    assert isinstance(entry, PostEntry)
    assert (entry.description, entry.metadata, entry.idempotency_key) == (None, {}, None)
    assert isinstance(hold, PlaceHold)
    assert (hold.counter_account_id, hold.expires_at, hold.expires_in_s) == (None, None, None)
    assert isinstance(capture, CaptureHold)
    assert (capture.amount, capture.counter_account_id, capture.final) == (None, None, True)


@pytest.mark.parametrize(
    ("kind", "body"), [("closure", {}), ("reversal", {"description": "x"}), ("capture", {"amount": 5}), ("release", {})]
)
def test_a_body_under_a_url_is_the_same_command_as_on_the_queue(kind: str, body: dict[str, Any]) -> None:
    over_http = parse_body(Kind(kind), {**body, "idempotency_key": "k"}, 1)
    on_the_queue = parsed(kind, **body, idempotency_key="k")

    assert over_http == on_the_queue
    assert over_http.address == on_the_queue.address == 1
    assert over_http.fingerprint() == on_the_queue.fingerprint()
