"""Parking: a request that waits for its answer holds no thread.

A WSGI app answers before it returns, so each write that waits would hold one of the server's threads, and waking that
thread under load costs more than the rest of the request. Here waitress may be told to let go of a request, and to call
the app for it again once there is something to say. The app sees by `CAN_PARK` in its environ whether its server is
able to; where it is not, it waits in its thread.
"""

from collections.abc import Callable
from typing import Any, NoReturn

from waitress.channel import HTTPChannel
from waitress.task import WSGITask

from intake.framing import REPEATED, StrictParser

CAN_PARK = "ledger.can_park"  # in the environ: this server understands `park`
PARKED = "ledger.parked"  # in the environ, when the app is called again: what the request was parked with


class _Parked(BaseException):  # not an Exception: whatever handles errors on the way out must let it through
    def __init__(self, environ: dict[str, Any], when_ready: Callable[[Callable[[], None]], None]) -> None:
        super().__init__()
        self.environ = environ
        self.when_ready = when_ready


def park(environ: dict[str, Any], with_: object, when_ready: Callable[[Callable[[], None]], None]) -> NoReturn:
    """Leave a request with the server. `when_ready` takes what to call once the app is to be called again for it.

    The app is then called with the same environ, in which `PARKED` is what the request was parked `with_`.
    """
    environ[PARKED] = with_
    raise _Parked(environ, when_ready)


class _Task(WSGITask):  # type: ignore[misc]  # waitress has no types
    def __init__(self, channel: Any, request: Any) -> None:
        super().__init__(channel, request)
        self.environ = getattr(request, "parked_environ", None)

    def get_environment(self) -> dict[str, Any]:
        environ: dict[str, Any] = super().get_environment()
        environ[CAN_PARK] = True
        environ[REPEATED] = self.request.repeated
        return environ

    def build_response_header(self) -> bytes:
        if self.channel.server.draining:
            self.request.headers["CONNECTION"] = "close"  # as if the caller had asked for it
        header: bytes = super().build_response_header()
        return header


class ParkingChannel(HTTPChannel):  # type: ignore[misc]  # waitress has no types
    """A connection of waitress whose requests can be parked. One request of a connection is served at a time."""

    task_class = _Task
    parser_class = StrictParser

    def service(self) -> None:
        """Serve the first request that was read from the connection, or leave it there until it is ready."""
        request = self.requests[0]
        try:
            super().service()
        except _Parked as parked:
            request.parked_environ = parked.environ
            parked.when_ready(lambda: self.server.add_task(self))
