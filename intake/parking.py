"""Parking: a request that waits for its answer holds no thread.

A WSGI app answers before it returns, so each write that waits would hold one of the server's threads, and waking that
thread under load costs more than the rest of the request. Here waitress may be told to let go of a request, and to
answer it once there is something to say: by what it was parked with, if that can tell it without waiting for anything,
else by calling the app for it again. The app sees by `CAN_PARK` in its environ whether its server is able to; where it
is not, it waits in its thread.
"""

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple, NoReturn

from waitress.channel import HTTPChannel
from waitress.task import WSGITask
from waitress.utilities import build_http_date

from intake.framing import REPEATED, StrictParser
from intake.turns import NOBODY

CAN_PARK = "ledger.can_park"  # in the environ: this server understands `park`
PARKED = "ledger.parked"  # in the environ, when the app is called again: what the request was parked with


class Told(NamedTuple):
    """A whole answer: its status line, such as `201 Created`; its headers, without Content-Length; its body."""

    status: str
    headers: list[tuple[str, str]]
    body: bytes


class Parked(NamedTuple):
    """A request that was left with the server: its environ, and whom to ask for its answer once that is ready."""

    environ: dict[str, Any]
    told: Callable[[], Told | None]


class _Parking(BaseException):  # not an Exception: whatever handles errors on the way out must let it through
    def __init__(self, parked: Parked, when_ready: Callable[[Callable[[], None]], None]) -> None:
        super().__init__()
        self.parked = parked
        self.when_ready = when_ready


def _not_known() -> Told | None:
    return None


def park(
    environ: dict[str, Any],
    with_: object,
    when_ready: Callable[[Callable[[], None]], None],
    told: Callable[[], Told | None] = _not_known,
) -> NoReturn:
    """Leave a request with the server. `when_ready` takes what to call once there is something to say.

    `told` is then asked for the answer, in the thread of the server's loop, which nothing may hold up. If it has none,
    the app is called with the same environ, in which `PARKED` is what the request was parked `with_`.
    """
    environ[PARKED] = with_
    raise _Parking(Parked(environ, told), when_ready)


class _Task(WSGITask):  # type: ignore[misc]  # waitress has no types
    """An answer on its way out, its header and its body in one piece."""

    wrote_header: bool

    def __init__(self, channel: Any, request: Any) -> None:
        super().__init__(channel, request)
        self.environ = None if request.parked is None else request.parked.environ

    def execute(self) -> None:
        """Write the answer that is known, or call the app for one."""
        told: Told | None = self.request.told
        if told is None:
            super().execute()
            return
        self.status, self.response_headers = told.status, told.headers
        self.complete = True
        self.content_length = len(told.body)
        self.write(told.body)

    def write(self, data: bytes) -> None:
        """Write a piece of the body, the first one together with the header: one packet, and one call of the system."""
        length = self.content_length
        if self.wrote_header or not data or self.chunked_response or length != len(data) or not self.has_body:
            super().write(data)
            return
        header = self.build_response_header()
        self.wrote_header = True
        self.content_bytes_written = length
        self.channel.write_soon(header + data)

    def get_environment(self) -> dict[str, Any]:
        """Return the WSGI environ, with what only this server knows."""
        known = self.environ is not None
        environ: dict[str, Any] = super().get_environment()
        if not known:
            environ[CAN_PARK] = True
            environ[REPEATED] = self.request.repeated
        return environ

    def build_response_header(self) -> bytes:
        """Return status line and headers: as waitress writes them, at less cost where nothing is unusual."""
        if self.channel.server.draining:
            self.request.headers["CONNECTION"] = "close"  # as if the caller had asked for it
        length = self.content_length
        closes = self.request.headers.get("CONNECTION", "").lower() == "close"
        if closes or length is None or not self.has_body or self.version != "1.1":
            header: bytes = super().build_response_header()
            return header
        headers = [(_capitalized(name), value) for name, value in self.response_headers]
        headers += (("Server", self.channel.server.adj.ident), ("Date", _date(int(self.start_time))))
        if not any(name == "Content-Length" for name, _ in headers):
            headers.append(("Content-Length", str(length)))
        headers.sort(key=_name)
        lines = "\r\n".join([f"{name}: {value}" for name, value in headers])
        return f"HTTP/1.1 {self.status}\r\n{lines}\r\n\r\n".encode("latin-1")


def _name(header: tuple[str, str]) -> str:
    return header[0]


@cache
def _capitalized(name: str) -> str:
    return "-".join(part.capitalize() for part in name.split("-"))


_dates: dict[int, str] = {}


def _date(at_s: int) -> str:
    """Write a second as HTTP has it; the last one is remembered."""
    found = _dates.get(at_s)
    if found is None:
        _dates.clear()
        found = _dates[at_s] = build_http_date(at_s)
    return found


class ParkingParser(StrictParser):
    """A request as its server keeps it: whose it is, what it was parked with, and its answer once that is known."""

    parked: Parked | None = None
    told: Told | None = None
    whose = NOBODY


class ParkingChannel(HTTPChannel):  # type: ignore[misc]  # waitress has no types
    """A connection of waitress whose requests can be parked. One request of a connection is served at a time."""

    task_class = _Task
    parser_class = ParkingParser

    def service(self) -> None:
        """Serve the first request that was read from the connection, or leave it there until it is ready."""
        request = self.requests[0]
        try:
            super().service()
        except _Parking as parking:
            request.parked = parking.parked  # and not the exception, which refers to all that is under way here
            parking.when_ready(lambda: self.server.was_readied(self))
