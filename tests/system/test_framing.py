"""Requests whose end could be seen in two places: none of them carries a second one past the first.

Each has, behind its own body, a second request that nobody sent on purpose. A proxy that took the first one's length
another way would have passed both as one, with the second one under somebody else's name.
"""

import json
import re
import socket
from urllib.parse import urlsplit

import pytest

from tests.system.orgs import Json, Org
from wire.problems import TITLES

ACCOUNT = b'{"name":"A","type":"asset"}'
CHUNKED = b"1b\r\n" + ACCOUNT + b"\r\n0\r\n\r\n"
LENGTH = b"Content-Length: 27\r\n"
CHUNKS = b"Transfer-Encoding: chunked\r\n"
CANARY = b"ffl_canary-in-a-broken-line"
assert len(ACCOUNT) == 27

# What it is, its version, its own headers, its body, and the status that it is told.
ROWS: list[tuple[str, bytes, bytes, bytes, int]] = [
    ("one length twice", b"1.1", LENGTH * 2, ACCOUNT, 400),
    ("two lengths", b"1.1", LENGTH + b"Content-Length: 270\r\n", ACCOUNT, 400),
    ("two lengths in one line", b"1.1", b"Content-Length: 27, 27\r\n", ACCOUNT, 400),
    ("a length and chunks", b"1.1", LENGTH + CHUNKS, CHUNKED, 400),
    ("chunks and a length", b"1.1", CHUNKS + LENGTH, CHUNKED, 400),
    ("chunks twice", b"1.1", CHUNKS * 2, CHUNKED, 400),
    ("chunks twice in one line", b"1.1", b"Transfer-Encoding: chunked, chunked\r\n" + LENGTH, CHUNKED, 400),
    ("chunks in HTTP/1.0", b"1.0", CHUNKS, CHUNKED, 400),
    ("chunks and a length in HTTP/1.0", b"1.0", CHUNKS + LENGTH, CHUNKED, 400),
    ("another coding", b"1.1", b"Transfer-Encoding: gzip, chunked\r\n", CHUNKED, 501),
    ("almost chunked", b"1.1", b"Transfer-Encoding: xchunked\r\n", CHUNKED, 501),
    ("identity", b"1.1", b"Transfer-Encoding: identity\r\n", ACCOUNT, 501),
    ("chunked behind a vertical tab", b"1.1", b"Transfer-Encoding:\x0bchunked\r\n", CHUNKED, 400),
    ("a space before the colon", b"1.1", b"Content-Length : 27\r\n", ACCOUNT, 400),
    ("a length with a sign", b"1.1", b"Content-Length: +27\r\n", ACCOUNT, 400),
    ("a length in hexadecimal", b"1.1", b"Content-Length: 0x1b\r\n", ACCOUNT, 400),
    ("a length below zero", b"1.1", b"Content-Length: -1\r\n", ACCOUNT, 400),
    ("a length of five thousand digits", b"1.1", b"Content-Length: " + b"9" * 5_000 + b"\r\n", ACCOUNT, 400),
    ("a folded header", b"1.1", LENGTH + b"X-A: 1\r\n Transfer-Encoding: chunked\r\n", ACCOUNT, 400),
    ("a bare line feed", b"1.1", LENGTH + b"X-A: " + CANARY + b"\nX-B: 2\r\n", ACCOUNT, 400),
    ("a bare carriage return", b"1.1", LENGTH + b"X-Api-Key: " + CANARY + b"\rX-B: 2\r\n", ACCOUNT, 400),
    ("a NUL", b"1.1", LENGTH + b"X-A: " + CANARY + b"\0\r\n", ACCOUNT, 400),
    ("a line without a colon", b"1.1", LENGTH + CANARY + b"\r\n", ACCOUNT, 400),
    ("two hosts", b"1.1", LENGTH + b"Host: elsewhere\r\n", ACCOUNT, 400),
    ("a chunk below zero", b"1.1", CHUNKS, b"-1\r\n" + ACCOUNT + b"\r\n0\r\n\r\n", 400),
    ("a chunk with 0x", b"1.1", CHUNKS, b"0x1b\r\n" + ACCOUNT + b"\r\n0\r\n\r\n", 400),
    ("a chunk that is longer than it says", b"1.1", CHUNKS, b"1a\r\n" + ACCOUNT + b"\r\n0\r\n\r\n", 400),
]


CODES = {400: "malformed_request", 501: "unsupported_transfer_encoding"}


def exchange(org: Org, request: bytes) -> tuple[list[int], bytes]:
    """Send bytes, and return the status of each answer that comes before the server hangs up, and all of them."""
    address = urlsplit(org.stack.base_url)
    with socket.create_connection((address.hostname, address.port), timeout=30) as connection:
        connection.sendall(request)
        told = b""
        while part := connection.recv(65_536):
            told += part
    return [int(status) for status in re.findall(rb"HTTP/1\.[01] (\d{3}) ", told)], told


def headers(org: Org) -> bytes:
    return f"Host: ledger\r\nX-Org-Slug: {org.slug}\r\nX-Api-Key: {org.api_key}\r\n".encode()


def told_problem(told: bytes) -> tuple[dict[str, str], Json]:
    """Return the headers and the problem of the one answer that came."""
    head, _, body = told.partition(b"\r\n\r\n")
    lines = [line.partition(": ") for line in head.decode().split("\r\n")[1:]]
    problem: Json = json.loads(body)
    return {name: value for name, _, value in lines}, problem


@pytest.mark.parametrize(
    ("version", "own", "body", "status"), [row[1:] for row in ROWS], ids=[row[0].replace(" ", "-") for row in ROWS]
)
def test_nothing_is_smuggled(org: Org, version: bytes, own: bytes, body: bytes, status: int) -> None:
    second = b"POST /v1/accounts HTTP/1.1\r\n" + headers(org) + b"Content-Type: application/json\r\n"
    second += LENGTH + b"Connection: close\r\n\r\n" + ACCOUNT
    first = b"POST /v1/accounts HTTP/" + version + b"\r\n" + headers(org) + b"Content-Type: application/json\r\n"

    statuses, told = exchange(org, first + own + b"\r\n" + body + second)

    assert statuses == [status], "it is refused, and the connection closed"
    assert CANARY not in told
    assert org.api_key.encode() not in told
    assert told_problem(told)[1]["code"] == CODES[status]
    assert org.all("/v1/accounts") == []


@pytest.mark.parametrize(
    "line", [b"GET http://[ HTTP/1.1", b"GET /v1/accounts", b"PRI * HTTP/2.0", b"\x16\x03\x01\x02", b"GET  / HTTP/1.1"]
)
def test_a_broken_request_line_is_refused_and_nothing_is_logged_of_it(org: Org, line: bytes) -> None:
    logged = len(org.stack.log.read_bytes())

    statuses, told = exchange(org, line + b"\r\n" + headers(org) + b"Connection: close\r\n\r\n")

    assert statuses == [400]
    assert org.api_key.encode() not in told
    assert b"Traceback" not in org.stack.log.read_bytes()[logged:]


LARGE = b"X-Large: " + b"x" * 40_000 + b"\r\n"
UNREAD = {
    "a broken request line": (b"GET /v1/accounts", b"", 400, "malformed_request", "/v1/accounts"),
    "a broken header": (b"GET /v1/accounts HTTP/1.1", b"X-A 1\r\n", 400, "malformed_request", ""),
    "two lengths": (b"GET /v1/accounts HTTP/1.1", LENGTH * 2, 400, "malformed_request", "/v1/accounts"),
    "large headers": (b"GET /v1/accounts HTTP/1.1", LARGE, 431, "headers_too_large", ""),
    "another coding": (
        b"GET /v1/%C3%A9 HTTP/1.1", b"Transfer-Encoding: gzip\r\n", 501, "unsupported_transfer_encoding", "/v1/\u00e9",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", UNREAD)
def test_what_never_reaches_the_app_is_told_as_a_problem_like_any_other(org: Org, what: str) -> None:
    line, own, status, code, instance = UNREAD[what]

    statuses, told = exchange(org, line + b"\r\nX-Request-Id: mine-1\r\n" + headers(org) + own + b"\r\n")

    answered, problem = told_problem(told)
    assert statuses == [status]
    assert answered["Content-Type"] == "application/problem+json"
    assert answered["Connection"] == "close"
    assert (answered["Cache-Control"], answered["X-Content-Type-Options"]) == ("no-store", "nosniff")
    assert answered["X-Request-Id"] == problem["request_id"]
    assert {name: problem[name] for name in ("type", "title", "status", "instance", "code")} == {
        "type": f"urn:ff-ledger:problem:{code}",
        "title": TITLES[code],
        "status": status,
        "instance": instance,
        "code": code,
    }
    assert problem.get("bytes_max") == (32_768 if status == 431 else None)


@pytest.mark.parametrize(("given", "is_kept"), [(b"mine-1", True), (b"x" * 129, False), (b"\xe9", False), (b"", False)])
def test_what_never_reaches_the_app_has_its_callers_id_if_that_is_a_sound_one(
    org: Org, given: bytes, is_kept: bool
) -> None:
    head = b"GET /health HTTP/1.1\r\nX-Request-Id: " + given + b"\r\nTransfer-Encoding: gzip\r\n\r\n"

    _, problem = told_problem(exchange(org, head)[1])

    assert (problem["request_id"] == given.decode("latin-1")) == is_kept
    assert 1 <= len(problem["request_id"]) <= 128
    assert problem["request_id"].isascii()


def test_whoever_sends_on_after_a_refusal_still_gets_to_see_it(org: Org) -> None:
    """What is left unread when a connection is closed would take the answer with it."""
    statuses, _ = exchange(org, b"GET /health HTTP/1.1\r\nA B\r\n\r\n" + b"x" * 2_000_000)

    assert statuses == [400]


def test_sound_requests_in_one_connection_are_each_answered(org: Org) -> None:
    """So that the rows above say something: with a length that is one, the second request is one too."""
    first = b"POST /v1/accounts HTTP/1.1\r\n" + headers(org) + b"Content-Type: application/json\r\n"

    statuses, _ = exchange(
        org, (first + LENGTH + b"\r\n" + ACCOUNT) + (first + CHUNKS + b"Connection: close\r\n\r\n" + CHUNKED)
    )

    assert statuses == [201, 201]
    assert len(org.all("/v1/accounts")) == 2


TWICE = {
    "the key of an org": (b"X-Api-Key: %(key)s\r\n" * 2, [401]),
    "a wrong key and a right one": (b"X-Api-Key: ffl_wrong\r\nX-Api-Key: %(key)s\r\n", [401]),
    "an org": (b"X-Org-Slug: %(slug)s\r\nX-Api-Key: %(key)s\r\n", [401]),
    "names with underscores": (b"X_Api_Key: %(key)s\r\n", [401]),
    "a key of the write": (b"X-Api-Key: %(key)s\r\nIdempotency-Key: a\r\nIdempotency-Key: a\r\n", [400]),
    "two keys of the write": (b"X-Api-Key: %(key)s\r\nIdempotency-Key: a\r\nidempotency-key: b\r\n", [400]),
    "a type": (b"X-Api-Key: %(key)s\r\nContent-Type: application/json\r\n", [415]),
    "a preference, which is a list": (b"X-Api-Key: %(key)s\r\nPrefer: wait=5\r\nPrefer: foo\r\n", [201]),
    "a key with a comma": (b"X-Api-Key: %(key)s\r\nIdempotency-Key: a, b\r\n", [201]),
}


@pytest.mark.parametrize("what", TWICE)
def test_a_header_that_must_come_once_is_not_taken_from_two(org: Org, what: str) -> None:
    own, expected = TWICE[what]
    named = own % {b"key": org.api_key.encode(), b"slug": org.slug.encode()}
    head = b"POST /v1/accounts HTTP/1.1\r\nHost: ledger\r\nX-Org-Slug: " + org.slug.encode() + b"\r\n"

    statuses, told = exchange(
        org, head + b"Content-Type: application/json\r\nConnection: close\r\n" + LENGTH + named + b"\r\n" + ACCOUNT
    )

    assert statuses == expected
    if expected == [400]:
        assert b'"code":"invalid_header"' in told
        assert b'"header":"Idempotency-Key"' in told
    assert len(org.all("/v1/accounts")) == (expected == [201])


EXPECT = b"Expect: 100-continue\r\n"
JSON_TYPE = b"Content-Type: application/json\r\n"


@pytest.mark.parametrize(
    ("version", "own", "body", "status"), [row[1:] for row in ROWS], ids=[row[0].replace(" ", "-") for row in ROWS]
)
def test_nobody_is_told_to_go_on_with_what_is_refused(
    org: Org, version: bytes, own: bytes, body: bytes, status: int
) -> None:
    head = b"POST /v1/accounts HTTP/" + version + b"\r\n" + headers(org) + JSON_TYPE + EXPECT + own + b"\r\n"

    statuses, _ = exchange(org, head + body)

    assert [told for told in statuses if told != 100] == [status]
    assert not org.all("/v1/accounts")


def test_a_body_that_is_too_large_is_refused_before_it_is_sent_and_is_no_request(org: Org) -> None:
    """Whoever expects to be told to go on has sent no body yet, or sends it at once: it is never read as a request."""
    smuggled = b"GET /metrics HTTP/1.1\r\nHost: ledger\r\n\r\n"
    head = b"POST /v1/entries HTTP/1.1\r\n" + headers(org) + JSON_TYPE + EXPECT + b"Content-Length: 2000000\r\n\r\n"

    statuses, told = exchange(org, head + smuggled)

    assert statuses == [413]
    assert b"ledger_requests" not in told


def test_a_request_without_a_body_is_answered_whatever_it_expects(org: Org) -> None:
    """And the next one on its connection is let in by its own key, not by that of the one before."""
    keyed = b"GET /v1/accounts HTTP/1.1\r\n" + headers(org) + EXPECT + b"\r\n"
    keyless = b"GET /v1/accounts HTTP/1.1\r\nHost: ledger\r\nX-Org-Slug: " + org.slug.encode() + b"\r\n"

    statuses, _ = exchange(org, keyed + keyless + b"Connection: close\r\n\r\n")

    assert statuses == [200, 401]


def test_whoever_expects_to_be_told_to_go_on_is_told_so(org: Org) -> None:
    head = b"POST /v1/accounts HTTP/1.1\r\n" + headers(org) + JSON_TYPE + EXPECT + LENGTH
    address = urlsplit(org.stack.base_url)
    with socket.create_connection((address.hostname, address.port), timeout=30) as connection:
        connection.sendall(head + b"Connection: close\r\n\r\n")
        assert connection.recv(65_536) == b"HTTP/1.1 100 Continue\r\n\r\n"

        connection.sendall(ACCOUNT)

        assert connection.recv(65_536).startswith(b"HTTP/1.1 201 ")
