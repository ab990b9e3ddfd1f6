"""Plain headers are read as waitress would read them, and bodies come together from their pieces."""

from typing import Any

import pytest
from waitress.adjustments import Adjustments

from intake.connections import BoundedParser, Limits
from intake.framing import Body, plain_headers
from intake.serving import waitress_options
from tests.fuzz.streams import ByWaitress

ADJUSTMENTS = Adjustments(**waitress_options(1, Limits(connections_max=1, idle_s=1, request_s=1)))
GET = "GET /v1/accounts/1?at=x HTTP/1.1"
HOST = "Host: x\r\nX-Org-Slug: acme\r\n"


def read(head: str, body: bytes = b"", parser: type[BoundedParser] = BoundedParser) -> Any:
    """Read a request, all of it in one piece."""
    request = parser(ADJUSTMENTS)
    data = f"{head}\r\n".encode("latin-1") + body
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
    "head",
    [
        f"{GET}\r\n{HOST}",
        f"{GET}\r\n",
        f"GET /v1/accounts/2 HTTP/1.0\r\n{HOST}",
        f"GET /v1/accounts/2 HTTP/2.0\r\n{HOST}",
        f"GET  /v1 HTTP/1.1\r\n{HOST}",
        f"GET /v1\nX: y HTTP/1.1\r\n{HOST}",
        f"GET /v1\rX: y HTTP/1.1\r\n{HOST}",
        f"{GET} \r\n{HOST}",
        f"{GET}\r\nHost:x\r\nX-Empty:\r\nX-Spaces: \t \r\nX-Value:\t a  b\t c: d \t\r\n",
        f"{GET}\r\nx-org-SLUG: acme\r\n!#$%&'*+.^`|~09-Az: token\r\n",
        f"POST /v1/accounts HTTP/1.1\r\n{HOST}Content-Length: 2\r\nConnection: close\r\n",
        f"POST /v1/accounts HTTP/1.0\r\n{HOST}Content-Length: 2\r\nConnection: keep-alive\r\n",
        f"POST /v1/accounts HTTP/1.1\r\n{HOST}Content-Length: 2\r\nExpect: 100-continue\r\n",
        f"POST /v1/accounts HTTP/1.1\r\n{HOST}Content-Length: x\r\n",
    ],
)
def test_plain_headers_are_read_as_waitress_reads_them(head: str) -> None:
    _, _, headers = head.partition("\r\n")
    assert plain_headers(f"{headers}\r\n".encode()) is not None

    assert facts(read(head, b"{}")) == facts(read(head, b"{}", ByWaitress))


@pytest.mark.parametrize(
    "header",
    [
        "X-A: 1\r\nx-a: 2",
        "X-A: 1\r\n 2",
        "X-A: 1\r\n\t2",
        " X-A: 1",
        "Transfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 0",
        "Content-Length: 0\r\nContent-Length: 0",
        "X A: 1",
        "X-A : 1",
        "X_A: 1",
        "X-A",
        ": 1",
        "X-A: \x00",
        "X-A: \x7f",
        "X-A: \xe4",
        "X-A: 1\n2",
        "X-A: 1\r2",
        "X-\xe4: 1",
    ],
)
def test_headers_that_there_is_something_to_say_about_are_left_to_waitress(header: str) -> None:
    assert plain_headers(f"{HOST}{header}\r\n\r\n".encode("latin-1")) is None


def test_headers_end_with_an_empty_line() -> None:
    assert plain_headers(b"") is None
    assert plain_headers(b"X-A: 1\r\n") is None
    assert plain_headers(b"X-A: 1\r\n\r\n") == {"X_A": "1"}
    assert plain_headers(b"\r\n") == {}
    assert plain_headers(b"X-A: 1\r\n\r\nX-B: 2\r\n\r\n") is None


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 9])
def test_a_body_ends_where_its_length_says_whatever_pieces_it_comes_in(size: int) -> None:
    body, sent = Body(5), b"01234and the next request"
    taken = 0
    while not body.completed:
        taken += body.received(sent[taken : taken + size])

    assert (taken, body.getfile().read()) == (5, b"01234")
    body.getbuf().close()
    assert body.getfile().read() == b""
