"""What a command may say: every field, its range, and the complaints about it, all at once."""

from typing import Any

import pytest

from ledger_core.commands import Kind
from tests.ledger_core.builders import complaints, lines, request

KINDS = list(Kind)
TEXT_FIELDS = [
    ("account", "name", 255),
    ("account", "code", 64),
    ("entry", "description", 1_000),
    ("reversal", "description", 1_000),
    ("hold", "description", 1_000),
    ("capture", "description", 1_000),
]
AMOUNT_FIELDS = [("entry", "/lines/1/amount"), ("hold", "/amount"), ("capture", "/amount")]
ID_FIELDS = [
    ("closure", "account_id"),
    ("reversal", "entry_id"),
    ("hold", "account_id"),
    ("hold", "counter_account_id"),
    ("capture", "hold_id"),
    ("capture", "counter_account_id"),
    ("release", "hold_id"),
]
NO_AMOUNTS = [1.0, "1", True, False, 0, -5, 2**53, 2**64, 1e3, float("nan"), [1], {}, b"1"]


def with_amount(kind: str, amount: object) -> dict[str, Any]:
    if kind == "entry":
        return request(
            kind, lines=[*lines((1, 5, "debit")), {"account_id": 2, "amount": amount, "direction": "credit"}]
        )
    return request(kind, amount=amount)


@pytest.mark.parametrize("kind", KINDS)
def test_the_least_that_a_command_must_say_is_enough(kind: str) -> None:
    assert complaints(kind, request(kind)) == {}


@pytest.mark.parametrize(("kind", "pointer"), AMOUNT_FIELDS)
@pytest.mark.parametrize("amount", NO_AMOUNTS, ids=repr)
def test_what_is_no_amount_is_refused(kind: str, pointer: str, amount: object) -> None:
    assert list(complaints(kind, with_amount(kind, amount))) == [pointer]


@pytest.mark.parametrize(("kind", "pointer"), AMOUNT_FIELDS)
@pytest.mark.parametrize("amount", [1, 2**53 - 1])
def test_an_amount_at_either_end_of_its_range_is_taken(kind: str, pointer: str, amount: int) -> None:
    assert complaints(kind, with_amount(kind, amount)) == {}


@pytest.mark.parametrize(("kind", "field"), ID_FIELDS)
@pytest.mark.parametrize("id_", [0, -1, 2**63, 1.0, "1", True, [], "one"], ids=repr)
def test_what_is_no_id_is_refused(kind: str, field: str, id_: object) -> None:
    assert list(complaints(kind, request(kind, **{field: id_}))) == [f"/{field}"]


@pytest.mark.parametrize(("kind", "field"), ID_FIELDS)
def test_the_highest_id_is_taken(kind: str, field: str) -> None:
    assert complaints(kind, request(kind, **{field: 2**63 - 1})) == {}


@pytest.mark.parametrize(("kind", "field", "chars_max"), TEXT_FIELDS)
def test_a_text_is_measured_in_code_points(kind: str, field: str, chars_max: int) -> None:
    fits, exceeds = "\U0001f600" * chars_max, "\U0001f600" * (chars_max + 1)

    assert complaints(kind, request(kind, **{field: fits})) == {}
    assert list(complaints(kind, request(kind, **{field: exceeds}))) == [f"/{field}"]


@pytest.mark.parametrize(("kind", "field", "chars_max"), TEXT_FIELDS)
@pytest.mark.parametrize("control", ["\0", "\n", "\t", "\x1f", "\x7f", "\x80", "\x9f"], ids=repr)
def test_control_characters_in_a_text_are_refused(kind: str, field: str, chars_max: int, control: str) -> None:
    for text in (control, f"a{control}", f"{control}a", f"a{control}a"):
        assert complaints(kind, request(kind, **{field: text})) == {f"/{field}": "must not contain control characters"}


@pytest.mark.parametrize(("kind", "field", "chars_max"), TEXT_FIELDS)
def test_any_other_character_is_taken(kind: str, field: str, chars_max: int) -> None:
    assert complaints(kind, request(kind, **{field: " é \u2028\u200d\ufffd\U0010ffff\xa0"})) == {}


@pytest.mark.parametrize(("kind", "field", "chars_max"), TEXT_FIELDS)
@pytest.mark.parametrize("value", [1, True, ["a"], {}, "\ud800"], ids=repr)
def test_what_is_no_text_is_refused(kind: str, field: str, chars_max: int, value: object) -> None:
    assert list(complaints(kind, request(kind, **{field: value}))) == [f"/{field}"]


@pytest.mark.parametrize("field", ["name", "code"])
def test_a_name_and_a_code_are_not_empty(field: str) -> None:
    assert list(complaints("account", request("account", **{field: ""}))) == [f"/{field}"]


@pytest.mark.parametrize("kind", ["entry", "reversal", "hold", "capture"])
def test_a_description_may_be_empty(kind: str) -> None:
    assert complaints(kind, request(kind, description="")) == {}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("key", ["k", "!", "~", "a b", "order/1:#{}", "x" * 255])
def test_printable_ascii_is_an_idempotency_key(kind: str, key: str) -> None:
    assert complaints(kind, request(kind, idempotency_key=key)) == {}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("key", ["", " k", "k ", " ", "k\n", "\tk", "é", "\x7f", "x" * 256, 7, True, ["k"]], ids=repr)
def test_what_is_no_idempotency_key_is_refused(kind: str, key: object) -> None:
    assert list(complaints(kind, request(kind, idempotency_key=key))) == ["/idempotency_key"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["amout", "Amount", "id", "posted_at", "", "a/b~c"])
def test_an_unknown_field_is_refused(kind: str, name: str) -> None:
    pointer = "/" + name.replace("~", "~0").replace("/", "~1")

    assert complaints(kind, request(kind, **{name: None})) == {pointer: "is not a field of this request"}


def test_an_unknown_field_of_a_line_is_refused() -> None:
    side = {"account_id": 1, "amount": 5, "direction": "debit", "currency": "USD"}

    found = complaints("entry", request("entry", lines=[side, *lines((2, 5, "credit"))]))

    assert found == {"/lines/0/currency": "is not a field of this request"}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fields", [None, 1, "{}", [], [{}], True], ids=repr)
def test_what_is_no_object_is_refused(kind: str, fields: object) -> None:
    assert complaints(kind, fields) == {"": "must be a JSON object"}


@pytest.mark.parametrize(
    ("kind", "field"),
    [
        ("account", "name"),
        ("account", "type"),
        ("closure", "account_id"),
        ("entry", "lines"),
        ("reversal", "entry_id"),
        ("hold", "account_id"),
        ("hold", "amount"),
        ("capture", "hold_id"),
        ("release", "hold_id"),
    ],
)
def test_a_required_field_can_be_neither_left_out_nor_null(kind: str, field: str) -> None:
    assert complaints(kind, request(kind, **{field: ...})) == {f"/{field}": "is required"}
    assert list(complaints(kind, request(kind, **{field: None}))) == [f"/{field}"]


@pytest.mark.parametrize("field", ["account_id", "amount", "direction"])
def test_a_line_needs_each_of_its_fields(field: str) -> None:
    side = lines((1, 5, "debit"))[0]
    del side[field]

    found = complaints("entry", request("entry", lines=[*lines((2, 5, "credit")), side]))

    assert found == {f"/lines/1/{field}": "is required"}


@pytest.mark.parametrize("kind", ["closure", "reversal", "capture", "release"])
def test_a_body_under_a_url_may_be_empty_and_does_not_repeat_the_id(kind: str) -> None:
    field = next(iter(request(kind)))

    assert complaints(kind, {}, address=7) == {}
    assert complaints(kind, {field: 7}, address=7) == {f"/{field}": "is not a field of this request"}


def test_all_complaints_come_at_once() -> None:
    sides = [
        {"account_id": 0, "amount": 1.5, "direction": "left"},
        {"account_id": 1, "amount": -1, "direction": "debit", "memo": "x"},
    ]

    found = complaints(
        "entry", {"lines": sides, "descripton": "typo", "idempotency_key": "", "metadata": {"a": 1, "b/c": 2}}
    )

    assert set(found) == {
        "/lines/0/account_id",
        "/lines/0/amount",
        "/lines/0/direction",
        "/lines/1/amount",
        "/lines/1/memo",
        "/descripton",
        "/idempotency_key",
        "/metadata/a",
        "/metadata/b~1c",
    }


def test_a_complaint_about_a_lone_surrogate_can_be_written_as_json() -> None:
    for fields in ({"\ud800": 1}, {"metadata": {"\ud800": "v"}}, {"metadata": {"a": "\udfff"}}, {"name": "\ud800"}):
        found = complaints("account", request("account", **fields))

        assert found
        assert "".join([*found, *found.values()]).encode()


def test_a_complaint_does_not_repeat_what_the_caller_sent() -> None:
    found = complaints("account", request("account", name=["hunter2"], type="hunter2", code=1, metadata={"k": 2}))

    assert len(found) == 4
    assert "hunter2" not in str(found)
