"""Requests that no careful caller would send, each with the status and code that it gets.

`A` and `R` are a key that may do everything and one that may only read. All of them are turned away before any book
is asked, so that not even an operation is left behind.
"""

# ruff: noqa: SIM905  # a long row of values reads better as words

from collections.abc import Iterator
from typing import NamedTuple

import orjson

ACCOUNT, ENTRY, HOLD = (
    b'{"name":"A","type":"asset"}',
    orjson.dumps(
        {
            "lines": [
                {"account_id": 1, "amount": 5, "direction": "debit"},
                {"account_id": 2, "amount": 5, "direction": "credit"},
            ]
        }
    ),
    b'{"account_id":2,"amount":5}',
)
JSON = {"Content-Type": b"application/json"}
MIB = 1024 * 1024


class Row(NamedTuple):
    """A request, and what it is told."""

    what: str
    method: str
    target: str
    body: bytes | None
    status: int
    code: str
    headers: dict[str, bytes] = JSON
    key: str = "full"  # or "read-only", or "" for none


def rows() -> Iterator[Row]:
    """Yield every hostile request."""
    yield from _malformed_json()
    yield from _wrong_fields()
    yield from _wrong_amounts()
    yield from _wrong_text()
    yield from _wrong_addresses()
    yield from _wrong_queries()
    yield from _wrong_headers()
    yield from _wrong_methods()
    yield from _unknown_routes()
    yield from _two_things_wrong()


def _malformed_json() -> Iterator[Row]:
    bodies = {
        "no body": None,
        "an empty body": b"",
        "white space": b" \r\n\t",
        "half an object": b'{"name":',
        "an open string": b'{"name":"A',
        "trailing garbage": ACCOUNT + b"x",
        "two objects": ACCOUNT + ACCOUNT,
        "a trailing comma": b'{"name":"A","type":"asset",}',
        "single quotes": b"{'name':'A','type':'asset'}",
        "a bare word": b"name",
        "a comment": b'{"name":"A","type":"asset"}//',
        "a name twice": b'{"name":"A","name":"A","type":"asset"}',
        "a name twice, once escaped": b'{"name":"A","n\\u0061me":"B","type":"asset"}',
        "a name twice, deep down": b'{"name":"A","type":"asset","metadata":{"a":"1","a":"2"}}',
        "invalid UTF-8": b'{"name":"\xff","type":"asset"}',
        "an overlong encoding": b'{"name":"\xc0\xaf","type":"asset"}',
        "an encoded surrogate": b'{"name":"\xed\xa0\x80","type":"asset"}',
        "a lone high surrogate": b'{"name":"\\ud800","type":"asset"}',
        "a lone low surrogate": b'{"name":"\\udc00","type":"asset"}',
        "surrogates the wrong way round": b'{"name":"\\udc00\\ud800","type":"asset"}',
        "a byte order mark": b"\xef\xbb\xbf" + ACCOUNT,
        "UTF-16": ACCOUNT.decode().encode("utf-16"),
        "NaN": b'{"name":"A","type":"asset","overdraft_limit":NaN}',
        "Infinity": b'{"name":"A","type":"asset","overdraft_limit":Infinity}',
        "-Infinity": b'{"name":"A","type":"asset","overdraft_limit":-Infinity}',
        "a leading zero": b'{"name":"A","type":"asset","overdraft_limit":01}',
        "a leading plus": b'{"name":"A","type":"asset","overdraft_limit":+1}',
        "a hexadecimal number": b'{"name":"A","type":"asset","overdraft_limit":0x1}',
        "a raw newline in text": b'{"name":"A\nB","type":"asset"}',
        "a raw NUL": b'{"name":"A\x00","type":"asset"}',
        "a bad escape": b'{"name":"\\x41","type":"asset"}',
        "deep nesting": b"[" * 100_000 + b"]" * 100_000,
        "deep nesting of objects": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
        "an endless open array": b"[" * 500_000,
    }
    for what, body in bodies.items():
        yield Row(what, "POST", "/v1/accounts", body, 400, "malformed_json")
    for path in ("/v1/entries", "/v1/holds"):
        yield Row(f"no body to {path}", "POST", path, None, 400, "malformed_json")
    for path in ("/v1/accounts/1/close", "/v1/entries/1/reverse", "/v1/holds/1/capture", "/v1/holds/1/release"):
        yield Row(f"garbage to {path}", "POST", path, b"{", 400, "malformed_json")


def _wrong_fields() -> Iterator[Row]:
    for body in (b"null", b"[]", b"[{}]", b'"text"', b"1", b"true", b"{}", b"1e400"):
        yield Row(f"{body.decode()} as an account", "POST", "/v1/accounts", body, 422, "invalid_request")
        yield Row(f"{body.decode()} as an entry", "POST", "/v1/entries", body, 422, "invalid_request")
    bodies = [
        b'{"lines":[]}',
        b'{"lines":{}}',
        b'{"lines":"12"}',
        b'{"lines":null}',
        b'{"lines":[null,null]}',
        ENTRY.replace(b'{"lines"', b'{"memo":"x","lines"'),
        ENTRY.replace(b'{"lines"', b'{"Description":"x","lines"'),
        ENTRY.replace(b'{"lines"', b'{"id":7,"lines"'),
        ENTRY.replace(b'{"lines"', b'{"posted_at":"2020-01-01T00:00:00Z","lines"'),
        ENTRY.replace(b'"debit"', b'"DEBIT"'),
        ENTRY.replace(b'"debit"', b'""'),
        ENTRY.replace(b'"debit"', b"1"),
        ENTRY.replace(b'"account_id":1', b'"account_id":1,"currency":"USD"'),
        orjson.dumps({"lines": orjson.loads(ENTRY)["lines"][:1]}),
        orjson.dumps({"lines": orjson.loads(ENTRY)["lines"] * 251}),
    ]
    numbers = b'0 -1 1.0 "1" true 9223372036854775808 null [1]'.split()
    bodies += [ENTRY.replace(b'"account_id":1', b'"account_id":' + number) for number in numbers]
    for body in bodies:
        yield Row(f"the entry {body[:60].decode()}", "POST", "/v1/entries", body, 422, "invalid_request")
    for fields in (
        {"name": "A"},
        {"type": "asset"},
        {"name": None, "type": "asset"},
        {"name": "A", "type": "Asset"},
        {"name": "A", "type": 1},
        {"name": "A", "type": "asset", "normal_side": "debit"},
        {"name": "A", "type": "asset", "currency": "usd"},
        {"name": "A", "type": "asset", "currency": "US"},
        {"name": "A", "type": "asset", "currency": "USD\n"},
        {"name": "A", "type": "asset", "overdraft_limit": -1},
        {"name": "A", "type": "asset", "overdraft_limit": False},
        {"name": "A", "type": "asset", "metadata": []},
        {"name": "A", "type": "asset", "metadata": {"a": 1}},
        {"name": "A", "type": "asset", "metadata": {"a": None}},
        {"name": "A", "type": "asset", "metadata": {"": "a"}},
        {"name": "A", "type": "asset", "metadata": {"k" * 65: "a"}},
        {"name": "A", "type": "asset", "metadata": {"k": "v" * 501}},
        {"name": "A", "type": "asset", "metadata": {str(number): "" for number in range(51)}},
    ):
        yield Row(
            f"the account {str(fields)[:60]}", "POST", "/v1/accounts", orjson.dumps(fields), 422, "invalid_request"
        )
    for fields in (
        {"account_id": 2},
        {"amount": 5},
        {"account_id": 2, "amount": 5, "counter_account_id": 2},
        {"account_id": 2, "amount": 5, "counter_account_id": 0},
        {"account_id": 2, "amount": 5, "expires_in_s": 0},
        {"account_id": 2, "amount": 5, "expires_in_s": 1.5},
        {"account_id": 2, "amount": 5, "expires_in_s": 10**12},
        {"account_id": 2, "amount": 5, "expires_in_s": 5, "expires_at": "2999-01-01T00:00:00Z"},
        {"account_id": 2, "amount": 5, "expires_at": "2999-01-01"},
        {"account_id": 2, "amount": 5, "expires_at": "2999-02-30T00:00:00Z"},
        {"account_id": 2, "amount": 5, "expires_at": "2999-01-01T00:00:00"},
        {"account_id": 2, "amount": 5, "expires_at": "2999-01-01T00:00:00.1234567Z"},
        {"account_id": 2, "amount": 5, "expires_at": 32_472_144_000},
    ):
        yield Row(f"the hold {str(fields)[:90]}", "POST", "/v1/holds", orjson.dumps(fields), 422, "invalid_request")
    for path, fields in (
        ("/v1/holds/1/capture", {"final": "no"}),
        ("/v1/holds/1/capture", {"final": 0}),
        ("/v1/holds/1/capture", {"hold_id": 1}),
        ("/v1/holds/1/capture", {"metadata": {}}),
        ("/v1/holds/1/release", {"amount": 1}),
        ("/v1/entries/1/reverse", {"lines": []}),
        ("/v1/entries/1/reverse", {"entry_id": 1}),
        ("/v1/accounts/1/close", {"account_id": 1}),
        ("/v1/accounts/1/close", []),
    ):
        yield Row(f"{fields} to {path}", "POST", path, orjson.dumps(fields), 422, "invalid_request")


def _wrong_amounts() -> Iterator[Row]:
    amounts = b'0 -0 -5 1.0 1e2 0.1 "1" "" true false null [1] {} 1e999 9007199254740992 9223372036854775808'.split()
    amounts += [b"1" + b"0" * 400, b"-" + b"9" * 30]
    for amount in amounts:
        body = ENTRY.replace(b'"amount":5', b'"amount":' + amount)
        yield Row(f"an entry of {amount[:30].decode()}", "POST", "/v1/entries", body, 422, "invalid_request")
    for amount in (b"0", b"-5", b"1.0", b'"1"', b"true", b"9007199254740992"):
        body = HOLD.replace(b'"amount":5', b'"amount":' + amount)
        yield Row(f"a hold of {amount.decode()}", "POST", "/v1/holds", body, 422, "invalid_request")
        yield Row(
            f"a capture of {amount.decode()}",
            "POST",
            "/v1/holds/1/capture",
            b'{"amount":%s}' % amount,
            422,
            "invalid_request",
        )


def _wrong_text() -> Iterator[Row]:
    for name in ("", "a\x00", "a\n", "\x7f", "a\x85", "x" * 256, 1, ["a"]):
        body = orjson.dumps({"name": name, "type": "asset"})
        yield Row(f"the name {str(name)[:9]!r}", "POST", "/v1/accounts", body, 422, "invalid_request")
    for code in ("", "\t", "c" * 65):
        body = orjson.dumps({"name": "A", "type": "asset", "code": code})
        yield Row(f"the code {code[:9]!r}", "POST", "/v1/accounts", body, 422, "invalid_request")
    for key in ("", " a", "a ", "a\n", "ü", "k" * 256, 1, {}):
        body = orjson.dumps({"name": "A", "type": "asset", "idempotency_key": key})
        yield Row(f"the key {str(key)[:9]!r}", "POST", "/v1/accounts", body, 422, "invalid_request")
    for description in ("d" * 1001, "a\x1fb", 5):
        body = orjson.dumps({**orjson.loads(ENTRY), "description": description})
        yield Row(f"the description {str(description)[:9]!r}", "POST", "/v1/entries", body, 422, "invalid_request")


def _wrong_addresses() -> Iterator[Row]:
    ids = "0 -1 01 1.0 +1 1e0 9223372036854775808 one 1%20 %20 %E2%91%A0 %D9%A1 1%00 %FF 1;a NaN".split()
    ids += ["", "9" * 400, "999"]
    for text in ids:
        yield Row(f"the account {text[:30]}", "GET", f"/v1/accounts/{text}", None, 404, "account_not_found")
        yield Row(f"the balance of {text[:30]}", "GET", f"/v1/accounts/{text}/balance", None, 404, "account_not_found")
        yield Row(f"the entry {text[:30]}", "GET", f"/v1/entries/{text}", None, 404, "entry_not_found")
        yield Row(f"the hold {text[:30]}", "GET", f"/v1/holds/{text}", None, 404, "hold_not_found")
    for text in ids[:-1]:
        yield Row(f"closing {text[:30]}", "POST", f"/v1/accounts/{text}/close", None, 404, "account_not_found")
        yield Row(f"reversing {text[:30]}", "POST", f"/v1/entries/{text}/reverse", b"{}", 404, "entry_not_found")
        yield Row(f"capturing {text[:30]}", "POST", f"/v1/holds/{text}/capture", b"{}", 404, "hold_not_found")
        yield Row(f"releasing {text[:30]}", "POST", f"/v1/holds/{text}/release", None, 404, "hold_not_found")
    zeros = "00000000-0000-4000-8000-00000000000"
    operations = ("", "1", "x", f"{zeros}0", f"{{{zeros}0}}", f"{zeros}A", f"{zeros}0".replace("-", ""), "%00")
    for text in operations:
        yield Row(f"the operation {text}", "GET", f"/v1/operations/{text}", None, 404, "operation_not_found")


def _wrong_queries() -> Iterator[Row]:
    targets = (
        "/v1/accounts?colour=red",
        "/v1/accounts?limit=0",
        "/v1/accounts?limit=501",
        "/v1/accounts?limit=-1",
        "/v1/accounts?limit=1.0",
        "/v1/accounts?limit=05",
        "/v1/accounts?limit=",
        "/v1/accounts?limit=5&limit=5",
        "/v1/accounts?Limit=5",
        "/v1/accounts?limit=%D9%A5",
        "/v1/accounts?limit=+5",
        "/v1/accounts?order=up",
        "/v1/accounts?order=",
        "/v1/accounts?type=cash",
        "/v1/accounts?type=asset&type=asset",
        "/v1/accounts?status=gone",
        "/v1/accounts?code=",
        "/v1/accounts?cursor=",
        "/v1/accounts?cursor=AAAA",
        "/v1/accounts?cursor=%00",
        "/v1/accounts?offset=5",
        "/v1/accounts?a",
        "/v1/accounts?=5",
        "/v1/accounts?%",
        "/v1/accounts?code=%zz",
        "/v1/accounts?code=%ff",
        "/v1/accounts?limit=5;order=asc",
        "/v1/accounts/1?expand=balance",
        "/v1/accounts/1/balance?at=now",
        "/v1/accounts/1/balance?at=2020-01-01",
        "/v1/accounts/1/balance?at=2020-01-01T00:00:00",
        "/v1/accounts/1/balance?at=2020-13-01T00:00:00Z",
        "/v1/accounts/1/balance?at=2020-01-01T00:00:00Z&at=2020-01-01T00:00:00Z",
        "/v1/accounts/1/balance?at=1969-12-31T23:59:59Z",
        "/v1/entries?account_id=0",
        "/v1/entries?account_id=x",
        "/v1/entries?account_id=9223372036854775808",
        "/v1/entries?hold_id=-1",
        "/v1/entries?posted_from=yesterday",
        "/v1/entries?posted_before=",
        "/v1/entries/1?limit=5",
        "/v1/holds?status=pending",
        "/v1/holds?account_id=1.0",
        "/v1/holds/1?x=1",
        "/v1/operations/00000000-0000-4000-8000-000000000000?x=1",
    )
    for target in targets:
        yield Row(target, "GET", target, None, 422, "invalid_request")
    for path, body in (
        ("/v1/accounts", ACCOUNT),
        ("/v1/accounts/1/close", b"{}"),
        ("/v1/entries", ENTRY),
        ("/v1/entries/1/reverse", None),
        ("/v1/holds", HOLD),
        ("/v1/holds/1/capture", b"{}"),
        ("/v1/holds/1/release", b"{}"),
    ):
        yield Row(f"a parameter to {path}", "POST", f"{path}?dry_run=true", body, 422, "invalid_request")
        yield Row(f"half a parameter to {path}", "POST", f"{path}?%", body, 422, "invalid_request")


def _wrong_headers() -> Iterator[Row]:
    types = (
        b"text/plain application/x-www-form-urlencoded text/json application/jsonx application/problem+json */*".split()
    )
    types += [b"", b"application/json, text/plain", b"multipart/form-data; boundary=x"]
    types += [b"application/json; charset=latin-1", b"application/json; charset=utf-16"]
    for type_ in types:
        yield Row(
            f"the type {type_.decode()!r}",
            "POST",
            "/v1/accounts",
            ACCOUNT,
            415,
            "unsupported_media_type",
            {"Content-Type": type_},
        )
    yield Row("no type at all", "POST", "/v1/accounts", ACCOUNT, 415, "unsupported_media_type", {})
    yield Row(
        "a capture as text",
        "POST",
        "/v1/holds/1/capture",
        b"{}",
        415,
        "unsupported_media_type",
        {"Content-Type": b"text/plain"},
    )
    keys = [b"", b'""', b'"', b'"a', b'"a"b', b'" a"', b'"a "', b'"a\\b"', b"a\tb", b'"a\tb"', b"\xc3\xbc", b'a"b\xff']
    keys += [b"k" * 256, b'"' + b"k" * 256 + b'"']
    for key in keys:
        yield Row(
            f"the key {key[:20]!r}",
            "POST",
            "/v1/accounts",
            ACCOUNT,
            400,
            "invalid_header",
            {**JSON, "Idempotency-Key": key},
        )
    for key in (b"b", b'"b"', b'"a";b', b"A"):
        body = ACCOUNT.replace(b'"name"', b'"idempotency_key":"%s","name"' % (b"b" if key == b'"a";b' else b"a"))
        yield Row(
            f"the key {key.decode()} and another",
            "POST",
            "/v1/accounts",
            body,
            400,
            "idempotency_key_mismatch",
            {**JSON, "Idempotency-Key": key},
        )
    for what, body in {"a byte": b" " * (MIB + 1), "valid JSON": ACCOUNT + b" " * MIB, "4 MiB": b"{" * 4 * MIB}.items():
        yield Row(f"a body too large: {what}", "POST", "/v1/accounts", body, 413, "body_too_large")


def _wrong_methods() -> Iterator[Row]:
    for method in ("HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE", "FOO"):
        for path in ("/v1/accounts", "/v1/entries/1", "/v1/holds/1/capture", "/health", "/metrics"):
            code = "" if method == "HEAD" else "method_not_allowed"  # an answer to HEAD has no body
            yield Row(f"{method} {path}", method, path, None, 405, code, key="")
    for path in ("/v1/accounts/1/close", "/v1/entries/1/reverse", "/v1/holds/1/release"):
        yield Row(f"GET {path}", "GET", path, None, 405, "method_not_allowed", key="")
    for path in ("/v1/accounts/1", "/v1/accounts/1/balance", "/v1/entries/1", "/v1/operations/x", "/health"):
        yield Row(f"POST {path}", "POST", path, None, 405, "method_not_allowed", key="")


def _unknown_routes() -> Iterator[Row]:
    targets = "/ /v1 /v2/accounts /v1/account /v1/accounts/1/ /v1/accounts/1/2 /V1/accounts /v1//accounts".split()
    targets += "/v1/accounts/1/balance/ /v1/../health /v1/accounts/1%2F2 /health/ /.env /%00 /v1/entries/1/x".split()
    for target in targets:
        yield Row(f"GET {target}", "GET", target, None, 404, "not_found", key="")
        yield Row(f"PUT {target}", "PUT", target, None, 404, "not_found")


def _two_things_wrong() -> Iterator[Row]:
    too_large = b"{" * (MIB + 1)
    text = {"Content-Type": b"text/plain"}
    bad_key = {**JSON, "Idempotency-Key": b'"'}
    order = [
        ("a method before a key", "DELETE", "/v1/accounts", None, 405, "method_not_allowed", JSON, ""),
        ("no key before a query", "GET", "/v1/accounts?x=1", None, 401, "unauthorized", JSON, ""),
        ("no key before an id", "GET", "/v1/accounts/x", None, 401, "unauthorized", JSON, ""),
        ("no key before a large body", "POST", "/v1/accounts", too_large, 401, "unauthorized", text, ""),
        ("a read-only key before a large body", "POST", "/v1/accounts", too_large, 403, "forbidden", text, "read-only"),
        ("a read-only key before a type", "POST", "/v1/accounts", ACCOUNT, 403, "forbidden", text, "read-only"),
        ("a read-only key before malformed JSON", "POST", "/v1/accounts", b"{", 403, "forbidden", JSON, "read-only"),
        ("a read-only key before a wrong field", "POST", "/v1/accounts", b"{}", 403, "forbidden", JSON, "read-only"),
        ("a read-only key before an id", "POST", "/v1/holds/x/release", None, 403, "forbidden", JSON, "read-only"),
        ("a large body before a type", "POST", "/v1/accounts", too_large, 413, "body_too_large", text, "full"),
        ("a type before malformed JSON", "POST", "/v1/accounts", b"{", 415, "unsupported_media_type", text, "full"),
        ("a type before a query", "POST", "/v1/accounts?x=1", ACCOUNT, 415, "unsupported_media_type", text, "full"),
        ("malformed JSON before a query", "POST", "/v1/accounts?x=1", b"{", 400, "malformed_json", JSON, "full"),
        ("a key header before a query", "POST", "/v1/accounts?x=1", ACCOUNT, 400, "invalid_header", bad_key, "full"),
        ("a key header before a wrong field", "POST", "/v1/accounts", b"{}", 400, "invalid_header", bad_key, "full"),
        ("a query before an id", "GET", "/v1/accounts/x?x=1", None, 422, "invalid_request", JSON, "full"),
        ("a wrong field before an id", "POST", "/v1/holds/x/release", b'{"x":1}', 422, "invalid_request", JSON, "full"),
        (
            "a query before the id of a write",
            "POST",
            "/v1/holds/x/release?x=1",
            None,
            422,
            "invalid_request",
            JSON,
            "full",
        ),
    ]
    for row in order:
        yield Row(*row)


ROWS = list(rows())
