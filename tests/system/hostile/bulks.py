"""Bulks: not JSON, not a bulk, wrong in an entry, and keys that a bulk can't have."""

from collections.abc import Iterator
from typing import Any

import orjson

from tests.system.hostile.row import ACCOUNT, ENTRY, JSON, MIB, Row

BULK = "/v1/entries/bulk"
ONE: dict[str, Any] = orjson.loads(ENTRY)


def rows() -> Iterator[Row]:
    """Yield them."""
    yield from _malformed()
    yield from _wrong_fields()
    yield from _wrong_entries()
    yield from _wrong_requests()
    yield from _two_things_wrong()


def _malformed() -> Iterator[Row]:
    bodies = {
        "no bulk": None,
        "an empty bulk": b"",
        "half a bulk": b'{"entries":[',
        "entries twice": b'{"entries":[%s],"entries":[%s]}' % (ENTRY, ENTRY),
        "atomic twice": b'{"entries":[%s],"atomic":true,"atomic":false}' % ENTRY,
        "an amount twice": b'{"entries":[%s]}' % ENTRY.replace(b'"amount":5', b'"amount":5,"amount":6'),
        "a lone surrogate in an entry": b'{"entries":[%s]}'
        % ENTRY.replace(b'{"lines"', b'{"description":"\\ud800","lines"'),
        "entries one to a line": b"\n".join([ENTRY] * 3),
        "endless entries": b'{"entries":[' * 20_000,
    }
    for what, body in bodies.items():
        yield Row(what, "POST", BULK, body, 400, "malformed_json")


def _wrong_fields() -> Iterator[Row]:
    bodies: dict[str, Any] = {
        "null as a bulk": None,
        "entries alone as a bulk": [ONE],
        "an empty object as a bulk": {},
        "an entry as a bulk": ONE,
        "a bulk of null": {"entries": None},
        "a bulk of an object": {"entries": {"0": ONE}},
        "a bulk of text": {"entries": "all"},
        "a bulk of none": {"entries": []},
        "a bulk of one too many": {"entries": [ONE] * 1001},
        "a bulk of numbers": {"entries": [1, 2]},
        "a bulk of nulls": {"entries": [None]},
        "a bulk of a bulk": {"entries": [{"entries": [ONE]}]},
        "a bulk with another field": {"entries": [ONE], "description": "x"},
        "a bulk with metadata": {"entries": [ONE], "metadata": {}},
        "a bulk that is atomic in words": {"entries": [ONE], "atomic": "true"},
        "a bulk that is atomic in numbers": {"entries": [ONE], "atomic": 1},
        "a bulk whose atomic is a list": {"entries": [ONE], "atomic": []},
        "a bulk whose Atomic is misspelt": {"entries": [ONE], "Atomic": True},
        "a bulk under an empty key": {"entries": [ONE], "idempotency_key": ""},
        "a bulk under a number": {"entries": [ONE], "idempotency_key": 7},
        "a bulk under a long key": {"entries": [ONE], "idempotency_key": "k" * 256},
        "a bulk that is not atomic under a key": {"entries": [ONE], "atomic": False, "idempotency_key": "b"},
    }
    for what, fields in bodies.items():
        yield Row(what, "POST", BULK, orjson.dumps(fields), 422, "invalid_request")


def _wrong_entries() -> Iterator[Row]:
    first, second = ONE["lines"]
    entries: dict[str, Any] = {
        "an entry without lines": {"lines": []},
        "an entry of one line": {"lines": [first]},
        "an entry of too many lines": {"lines": [first, second] * 251},
        "an amount of 0": {"lines": [{**first, "amount": 0}, second]},
        "an amount of -5": {"lines": [{**first, "amount": -5}, second]},
        "an amount of 5.0": {"lines": [{**first, "amount": 5.0}, second]},
        "an amount in text": {"lines": [{**first, "amount": "5"}, second]},
        "an amount beyond every client": {"lines": [{**first, "amount": 2**53}, second]},
        "the account 0": {"lines": [{**first, "account_id": 0}, second]},
        "the account true": {"lines": [{**first, "account_id": True}, second]},
        "no direction": {"lines": [{"account_id": 1, "amount": 5}, second]},
        "a direction in capitals": {"lines": [{**first, "direction": "DEBIT"}, second]},
        "a currency": {"lines": [{**first, "currency": "USD"}, second]},
        "a memo": {**ONE, "memo": "x"},
        "an id": {**ONE, "id": 7},
        "a key with a space before it": {**ONE, "idempotency_key": " k"},
        "a control character": {**ONE, "description": "a\x00b"},
        "a long description": {**ONE, "description": "d" * 1001},
        "numbers for metadata": {**ONE, "metadata": {"a": 1}},
        "its own atomic": {**ONE, "atomic": True},
    }
    for what, fields in entries.items():
        for atomic in (True, False):
            body = orjson.dumps({"entries": [ONE, fields], "atomic": atomic})
            yield Row(f"{what}, in a bulk, atomic {atomic}", "POST", BULK, body, 422, "invalid_request")


def _wrong_requests() -> Iterator[Row]:
    body = orjson.dumps({"entries": [ONE]})
    text, bad_key = {"Content-Type": b"text/csv"}, {**JSON, "Idempotency-Key": b'"'}
    yield Row("a bulk as CSV", "POST", BULK, body, 415, "unsupported_media_type", text)
    yield Row("a bulk without a type", "POST", BULK, body, 415, "unsupported_media_type", {})
    yield Row("a bulk too large", "POST", BULK, body.ljust(MIB + 1), 413, "body_too_large")
    yield Row("a bulk under half a key", "POST", BULK, body, 400, "invalid_header", bad_key)
    keyed, each = orjson.dumps({"entries": [ONE], "idempotency_key": "a"}), body.replace(b"{", b'{"atomic":false,', 1)
    another = {**JSON, "Idempotency-Key": b"b"}
    yield Row("a bulk under two keys", "POST", BULK, keyed, 400, "idempotency_key_mismatch", another)
    yield Row("a header's key for a bulk that is not atomic", "POST", BULK, each, 422, "invalid_request", another)
    for query in ("atomic=true", "dry_run=1", "%", "a"):
        yield Row(f"a bulk with ?{query}", "POST", f"{BULK}?{query}", body, 422, "invalid_request")
    for method in ("HEAD", "OPTIONS", "GET", "PUT", "PATCH", "DELETE"):
        code = "" if method == "HEAD" else "method_not_allowed"  # an answer to HEAD has no body
        yield Row(f"{method} {BULK}", method, BULK, None, 405, code, key="")
    for path in (f"{BULK}/", f"{BULK}/1", "/v1/entries/bulks/1", "/v1/accounts/bulk/1", "/v1/bulk"):
        yield Row(f"a bulk to {path}", "POST", path, body, 404, "not_found")
    yield Row("a bulk of accounts", "POST", "/v1/accounts/bulk", ACCOUNT, 405, "method_not_allowed")
    yield Row("reversing a bulk", "POST", f"{BULK}/reverse", None, 404, "entry_not_found")


def _two_things_wrong() -> Iterator[Row]:
    yield Row("no key before a bulk", "POST", BULK, b"{", 401, "unauthorized", key="")
    yield Row("a read-only key before a bulk", "POST", BULK, b"{", 403, "forbidden", key="read-only")
    yield Row("a large bulk before its type", "POST", BULK, b"{" * (MIB + 1), 413, "body_too_large", {})
    yield Row("a malformed bulk before its query", "POST", f"{BULK}?x=1", b"{", 400, "malformed_json")
