"""Headers, and which of two wrong things is told."""

from collections.abc import Iterator

from tests.system.hostile.row import ACCOUNT, JSON, MIB, Row


def rows() -> Iterator[Row]:
    """Yield them."""
    yield from _wrong_headers()
    yield from _two_things_wrong()


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
