"""Headers that a connection sends again are read as if they were new, and bodies come together from their pieces."""

from typing import Any

import pytest
from waitress.adjustments import Adjustments

from intake.connections import BoundedParser, Limits
from intake.framing import KNOWN_BYTES_MAX, KNOWN_MAX, Body, LastHeaders
from intake.serving import waitress_options

ADJUSTMENTS = Adjustments(**waitress_options(1, Limits(connections_max=1, idle_s=1, request_s=1)))
GET = "GET /v1/accounts/1?at=x HTTP/1.1"
HOST = "Host: x\r\nX-Org-Slug: acme\r\n"


def read(head: str, last: LastHeaders | None, body: bytes = b"") -> Any:
    """Read a request, all of it in one piece."""
    request = BoundedParser(ADJUSTMENTS, last)
    data = f"{head}\r\n".encode() + body
    while not request.completed:
        data = data[request.received(data) :]
    return request


def facts(request: Any) -> tuple[object, ...]:
    """Return all that the app sees of a request, or how it is refused."""
    if request.error is not None:
        return request.error.code, request.error.body, request.headers
    body = request.get_body_stream().read()
    names = ("command", "path", "query", "version", "headers", "repeated", "connection_close", "chunked")
    names += ("content_length", "expect_continue")
    return body, *[getattr(request, name) for name in names]


@pytest.mark.parametrize(
    "second",
    [
        f"{GET}\r\n{HOST}",
        f"GET /v1/accounts/2 HTTP/1.1\r\n{HOST}",
        f"GET /v1/accounts/2 HTTP/1.0\r\n{HOST}",
        f"GET /v1/accounts/2 HTTP/2.0\r\n{HOST}",
        f"GET  /v1 HTTP/1.1\r\n{HOST}",
        f"GET /v1\nX: y HTTP/1.1\r\n{HOST}",
        f"{GET}\r\n{HOST.replace('acme', 'other')}",
        f"{GET}\r\n{HOST}X-More: 1\r\n",
        f"{GET}\r\nHost: x\r\n",
        f"{GET}\r\n {HOST}",
        f"{GET}\r\n",
    ],
)
def test_a_request_is_read_alike_whatever_its_connection_sent_before(second: str) -> None:
    last = LastHeaders()
    read(f"{GET}\r\n{HOST}", last)
    assert last.read == {"HOST": "x", "X_ORG_SLUG": "acme"}

    assert facts(read(second, last)) == facts(read(second, None))
    assert facts(read(f"{GET}\r\n{HOST}", last)) == facts(read(f"{GET}\r\n{HOST}", None))


@pytest.mark.parametrize("headers", ["Connection: close", "Connection: keep-alive", "Expect: 100-continue"])
@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_what_headers_mean_is_worked_out_each_time(headers: str, version: str) -> None:
    last = LastHeaders()
    head = f"POST /v1/accounts HTTP/1.1\r\n{HOST}Content-Length: 2\r\n{headers}\r\n"
    read(head, last, b"{}")
    assert last.block

    second = head.replace("1.1", version)
    assert facts(read(second, last, b"[]")) == facts(read(second, None, b"[]"))


@pytest.mark.parametrize(
    "headers",
    [
        "X-A: 1\r\nX-A: 2\r\n",
        "X-A: 1\r\n 2\r\n",
        "Transfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n",
        "Content-Length: 0\r\nContent-Length: 0\r\n",
        "Content-Length: x\r\n",
        "X A: 1\r\n",
        "X_A: 1\r\n",
    ],
)
def test_headers_that_there_is_something_to_say_about_are_looked_at_each_time(headers: str) -> None:
    last = LastHeaders()
    head = f"POST /v1/accounts HTTP/1.1\r\n{HOST}{headers}"
    first, again = (facts(read(head, last, b"0\r\n\r\n")) for _ in range(2))

    assert first == again == facts(read(head, None, b"0\r\n\r\n"))
    assert last.block == b""


def test_headers_that_come_again_are_taken_as_they_were_read() -> None:
    last = LastHeaders()
    read(f"{GET}\r\n{HOST}", last)
    last.read = {"HOST": "as it was read"}

    assert read(f"{GET}\r\n{HOST}", last).headers == {"HOST": "as it was read"}


def test_what_becomes_of_a_request_changes_nothing_of_the_next_one() -> None:
    last = LastHeaders()
    for _ in range(3):
        request = read(f"{GET}\r\n{HOST}", last)
        assert request.headers == {"HOST": "x", "X_ORG_SLUG": "acme"}
        request.headers["CONNECTION"] = "close"


@pytest.mark.parametrize(
    "headers", [f"X-Long: {'x' * KNOWN_BYTES_MAX}\r\n", "".join(f"X{n}: \r\n" for n in range(KNOWN_MAX))]
)
def test_long_headers_and_many_are_not_kept_for_a_connection(headers: str) -> None:
    last = LastHeaders()
    read(f"{GET}\r\n{HOST}{headers}", last)

    assert (last.block, last.read) == (b"", {})


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 9])
def test_a_body_ends_where_its_length_says_whatever_pieces_it_comes_in(size: int) -> None:
    body, sent = Body(5), b"01234and the next request"
    taken = 0
    while not body.completed:
        taken += body.received(sent[taken : taken + size])

    assert (taken, body.getfile().read()) == (5, b"01234")
    body.getbuf().close()
    assert body.getfile().read() == b""
