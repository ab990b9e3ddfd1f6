"""Reading requests: the idempotency key of header and body, ids in paths, and query parameters."""

import json
from typing import Any

import falcon
import pytest
from falcon import testing

from intake import parse
from intake.problems import Rejected
from ledger_core.commands import Kind
from ledger_core.errors import InvalidRequest
from ledger_core.instants import parse_instant


def _request(body: object = None, query: str = "", **headers: str) -> falcon.Request:
    raw = "" if body is None else json.dumps(body)
    names = {"Content-Type": "application/json", **{name.replace("_", "-"): value for name, value in headers.items()}}
    return testing.create_req(method="POST", body=raw, query_string=query, headers=names)


def _key(header: str | None, **fields: Any) -> str | None:
    headers = {} if header is None else {"Idempotency_Key": header}
    command = parse.command(_request({"name": "A", "type": "asset", **fields}, **headers), Kind.ACCOUNT)
    return command.idempotency_key


KEYS = [
    (None, None),
    ("order-1", "order-1"),
    ('"order-1"', "order-1"),
    ('  "order-1"  ', "order-1"),
    ('"order-1";a', "order-1"),
    ('"order-1" ;a=1;b="x;y"', "order-1"),
    ('"a b"', "a b"),
    ("a b", "a b"),
    (r'"\""', '"'),
    (r'"\\"', "\\"),
    (r'"a\"b\\c"', 'a"b\\c'),
    ("a;b=c", "a;b=c"),
    ("a,b", "a,b"),
    ("!", "!"),
    ("~", "~"),
    ("k" * 255, "k" * 255),
    ('"' + "k" * 255 + '"', "k" * 255),
]


@pytest.mark.parametrize(("header", "key"), KEYS)
def test_a_key_in_the_header_is_read_quoted_or_bare(header: str | None, key: str | None) -> None:
    assert _key(header) == key


@pytest.mark.parametrize(
    "header",
    [
        "",
        '"',
        '""',
        '""""',
        '"a',
        '"a"b',
        '" a"',
        '"a "',
        r'"a\b"',
        '"a\\"',
        '"ü"',
        "ü",
        "a\tb",
        "k" * 256,
        '"' + "k" * 256 + '"',
    ],
)
def test_a_key_header_that_cannot_be_a_key_is_refused(header: str) -> None:
    with pytest.raises(Rejected) as refused:
        _key(header)

    assert (refused.value.problem.status, refused.value.problem.code) == (400, "invalid_header")
    assert refused.value.problem.facts == {"header": "Idempotency-Key"}


def test_the_key_of_the_body_counts_where_the_header_has_none() -> None:
    assert _key(None, idempotency_key="a") == "a"
    assert _key("a", idempotency_key=None) == "a"
    assert _key('"a"', idempotency_key="a") == "a"


@pytest.mark.parametrize("other", ["b", "A", "a ", "", 1, ["a"]])
def test_two_keys_that_differ_are_refused(other: object) -> None:
    with pytest.raises(Rejected) as refused:
        _key("a", idempotency_key=other)

    assert refused.value.problem.code == "idempotency_key_mismatch"


@pytest.mark.parametrize("text", ["1", "7", "10", "9223372036854775807"])
def test_the_plain_decimal_of_a_number_is_an_id(text: str) -> None:
    assert parse.thing_id("hold", text) == int(text)


@pytest.mark.parametrize(
    "text", ["", "0", "-1", "+1", "01", "1.0", "1 ", "1_0", "\u0667", "¹", "x", "9223372036854775808", "9" * 5_000]
)
def test_anything_else_is_an_id_of_nothing(text: str) -> None:
    with pytest.raises(Rejected) as refused:
        parse.thing_id("hold", text)

    assert (refused.value.problem.status, refused.value.problem.code) == (404, "hold_not_found")


READERS = {"limit": parse.whole(1, 500), "code": parse.text(4), "at": parse_instant}


def test_query_parameters_are_each_read_by_their_reader() -> None:
    request = _request(query="limit=5&code=a%20b&at=1970-01-01T00:00:01Z")

    assert parse.query(request, READERS) == {"limit": 5, "code": "a b", "at": 1_000_000}


def test_no_query_is_no_parameter() -> None:
    assert parse.query(_request(), READERS) == {}


WRONG_NUMBERS = ["limit=0", "limit=501", "limit=5.0", "limit=%D9%A7", "limit=1&limit=1"]
WRONG_TEXTS = ["x=1", "code=", "code=abcde", "code=%ff", "at=now", "a", "&", "=", "%"]


@pytest.mark.parametrize("query", [*WRONG_NUMBERS, *WRONG_TEXTS])
def test_a_query_that_is_not_understood_is_refused(query: str) -> None:
    with pytest.raises(InvalidRequest):
        parse.query(_request(query=query), READERS)


def test_all_complaints_about_a_query_come_at_once() -> None:
    with pytest.raises(InvalidRequest) as refused:
        parse.query(_request(query="x=1&limit=0&code=a&code=b"), READERS)

    errors = refused.value.facts["errors"]
    assert isinstance(errors, list)
    assert [error["pointer"] for error in errors] == ["/x", "/limit", "/code"]
