"""Bodies: not JSON, not what a write takes, and wrong in each field."""

from collections.abc import Iterator

import orjson

from tests.system.hostile.row import ACCOUNT, ENTRY, HOLD, Row


def rows() -> Iterator[Row]:
    """Yield them."""
    yield from _malformed_json()
    yield from _wrong_fields()
    yield from _wrong_amounts()
    yield from _wrong_text()


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
