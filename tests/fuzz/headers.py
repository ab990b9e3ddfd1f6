"""The headers that matter: `Idempotency-Key`, `Prefer`, `X-Request-Id`, `Content-Type`, `X-Org-Slug`."""

import string

import falcon
from falcon import testing

from intake import gate, parse
from intake.prefer import parse_prefer
from intake.problems import Rejected
from intake.settings import WAIT_S_MAX
from ledger_core.commands import Kind
from ledger_core.orgs import SLUG
from tests.fuzz.bounds import bounded, expand

BYTES_MAX = 32 * 1024  # above it the HTTP server refuses by itself


def headers(data: bytes) -> None:
    """Read a header: the first byte says which, the rest is its value."""
    value = expand(data[1:])[:BYTES_MAX].decode("latin-1")  # as WSGI hands it over
    if any(char in "\r\n\0" for char in value):
        return  # the HTTP server lets none of these through
    checks = (_key, _prefer, _request_id, _content_type, _slug)
    checks[data[0] % len(checks) if data else 0](value)


def _request(name: str, value: str, body: bytes = b"") -> falcon.Request:
    environ = testing.create_environ(method="POST", body=body)
    environ[name] = value
    return falcon.Request(environ)


def _key(value: str) -> None:
    request = _request("HTTP_IDEMPOTENCY_KEY", value)
    expected = _key_of(value)
    try:
        with bounded(value):
            key = parse.command(request, Kind.RELEASE, "hold", "7").idempotency_key
    except Rejected as rejected:
        assert (rejected.problem.status, rejected.problem.code) == (400, "invalid_header")
        assert expected is None, (value, expected)
    else:
        assert key == expected, (value, key, expected)


def _key_of(value: str) -> str | None:
    """Read a key character by character, as RFC 9651 tells it for a String, or bare; None: it is none."""
    value = value.strip()
    key = value
    if value.startswith('"'):
        key, place = "", 1
        while place < len(value) and value[place] != '"':
            if value[place] == "\\":
                place += 1
                if value[place : place + 1] not in ('"', "\\"):
                    return None
            key += value[place]
            place += 1
        rest = value[place + 1 :].lstrip()
        if place >= len(value) or (rest and not rest.startswith(";")):
            return None
    return key if 1 <= len(key) <= 255 and key == key.strip(" ") and all(" " <= char <= "~" for char in key) else None


def _prefer(value: str) -> None:
    with bounded(value):
        read = parse_prefer(value)
    parts = [part.split(";")[0].strip().lower() for part in value.split(",")]
    assert read.respond_async == ("respond-async" in parts), (value, read)
    if read.wait_s is not None:
        assert 0 <= read.wait_s <= WAIT_S_MAX
        assert "wait" in value.lower()
    assert parse_prefer(read.applied) == read, read
    assert parse_prefer(f" , {value}") == read, (value, read)
    waits = [_wait_of(part) for part in parts]
    assert read.wait_s == next((wait_s for wait_s in waits if wait_s is not None), None), (value, read)


def _wait_of(preference: str) -> int | None:
    name, _, digits = preference.partition("=")
    digits = digits.strip(string.whitespace)
    for quote in ("removeprefix", "removesuffix"):
        digits = getattr(digits, quote)('"')
    if name.rstrip(string.whitespace) != "wait" or not digits or set(digits) - set(string.digits):
        return None
    short = digits.lstrip("0")
    return WAIT_S_MAX if len(short) > 2 else min(int(short or "0"), WAIT_S_MAX)


def _request_id(value: str) -> None:
    with bounded(value):
        given = gate.request_id_of(value)
    good = 1 <= len(value) <= 128 and all(" " <= char <= "~" for char in value)
    assert (given == value) == good, value


def _content_type(value: str) -> None:
    request = _request("CONTENT_TYPE", value, b"{}")
    try:
        with bounded(value):
            parse.command(request, Kind.RELEASE, "hold", "7")
    except Rejected as rejected:
        assert (rejected.problem.status, rejected.problem.code) == (415, "unsupported_media_type")
    else:
        media_type, _, parameter = value.lower().partition(";")
        assert media_type.strip() == "application/json", value
        assert "".join(parameter.split()).replace('"', "") in ("", "charset=utf-8"), value


def _slug(value: str) -> None:
    with bounded(value):
        fits = SLUG.fullmatch(value) is not None
    letters = set(string.ascii_lowercase + string.digits)
    good = 1 <= len(value) <= 63 and set(value) <= letters | {"-"} and {value[0], value[-1]} <= letters
    assert fits == good, value
