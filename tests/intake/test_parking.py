"""An answer on its way out: byte for byte what waitress would write, by whichever way it goes."""

import itertools
from types import SimpleNamespace
from typing import Any

import pytest
from waitress.task import WSGITask

from intake.parking import ParkingParser, Told, _Task

AT_S = 1_773_811_800.9
HEADERS = {
    "none": [],
    "falcon's": [("content-type", "application/json"), ("x-request-id", "r-1"), ("operation-id", "7")],
    "its own length": [("content-length", "2"), ("Content-Type", "text/plain")],
    "one twice": [("x-b", "2"), ("X-A", "1"), ("x-b", "1")],
    "not of ASCII": [("X-Name", "Stra\xdfe")],
}
STATUSES = ("200 OK", "201 Created", "202 Accepted", "204 No Content", "422 Unprocessable Entity", "503 Nothing")


class Channel:
    """Where an answer goes."""

    def __init__(self, *, draining: bool) -> None:
        self.server = SimpleNamespace(adj=SimpleNamespace(ident="ff-ledger"), draining=draining)
        self.adj = SimpleNamespace(log_socket_errors=True)
        self.sent = b""

    def write_soon(self, data: bytes) -> int:
        self.sent += data
        return len(data)


def _request(version: str, connection: str) -> Any:
    request = ParkingParser(None)
    request.version, request.headers = version, {"CONNECTION": connection} if connection else {}
    return request


def _written(
    kind: type[WSGITask], request: Any, told: Told, *, length: int | None, draining: bool = False
) -> tuple[bytes, bool]:
    """Return what a task writes, and whether it then closes the connection."""
    channel = Channel(draining=draining)
    task = kind(channel, request)
    task.start_time = AT_S
    task.status, task.response_headers, task.content_length, task.complete = *told[:2], length, True
    task.write(told.body)
    task.finish()
    return channel.sent, task.close_on_finish


@pytest.mark.parametrize("headers", HEADERS)
@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_an_answer_is_written_as_waitress_writes_it(headers: str, status: str, version: str) -> None:
    for connection, length in itertools.product(("", "close", "Close", "keep-alive", "upgrade"), (2, None)):
        told = Told(status, HEADERS[headers], b"{}")

        ours = _written(_Task, _request(version, connection), told, length=length)
        theirs = _written(WSGITask, _request(version, connection), told, length=length)

        assert ours == theirs


def test_an_answer_of_a_draining_server_is_written_as_if_its_caller_had_asked_to_close() -> None:
    told = Told("200 OK", HEADERS["falcon's"], b"{}")

    ours = _written(_Task, _request("1.1", ""), told, length=2, draining=True)

    assert ours == _written(WSGITask, _request("1.1", "close"), told, length=2)
    assert ours[1]


def test_an_answer_that_is_told_is_written_as_if_the_app_had_given_it() -> None:
    told = Told("201 Created", HEADERS["falcon's"], b"{}")
    request = _request("1.1", "")
    request.told = told
    channel = Channel(draining=False)
    task = _Task(channel, request)
    task.start_time = AT_S

    task.execute()
    task.finish()

    assert channel.sent == _written(WSGITask, _request("1.1", ""), told, length=2)[0]


def test_an_answer_tells_the_second_in_which_it_was_begun() -> None:
    told = Told("200 OK", [], b"{}")
    channel, dates = Channel(draining=False), []
    for at_s in (AT_S, AT_S + 1, AT_S):
        task = _Task(channel, _request("1.1", ""))
        task.start_time = at_s
        task.status, task.response_headers, task.content_length, task.complete = *told[:2], 2, True
        dates.append(task.build_response_header().partition(b"Date: ")[2].partition(b"\r\n")[0])

    assert dates == [
        b"Wed, 18 Mar 2026 05:30:00 GMT",
        b"Wed, 18 Mar 2026 05:30:01 GMT",
        b"Wed, 18 Mar 2026 05:30:00 GMT",
    ]
