"""A WSGI app that does as its paths say, on the real server, and callers who write their requests byte for byte."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from intake.connections import Limits
from intake.parking import CAN_PARK, PARKED, Told, park
from intake.serving import Server, listening
from intake.tickets import Readiness
from intake.turns import NOBODY, STRANGERS, Whose
from tests.waiting import DEADLINE_S, eventually

LIMITS = Limits(connections_max=100, idle_s=60, request_s=60)
KINDS = ("/quick/a", "/b", "/told", "/quick/told", "/quick/ready", "/park")  # of paths that are answered in the end
LARGE_BYTES = 8 * 2**20  # more than a socket takes at once


class Answer(NamedTuple):
    """Status, headers with small names, and body of a response."""

    status: int
    headers: dict[str, str]
    body: bytes


class ToyApp:
    """Answers with the name of the thread that serves, and with the request's path.

    `/block` waits in its thread, `/park` is parked until its name is readied, `/told` too, and is then told without the
    app, `/ready` is parked though it is ready, `/large` answers with much, `/fail` fails. `/quick/...` is quick.
    """

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.unblocked = threading.Event()
        self.parked: dict[str, Readiness] = {}

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        self.calls.append(path)
        what = path.removeprefix("/quick").partition("-")[0]
        if what == "/fail":
            raise ValueError("as it was told to")
        if what == "/block":
            assert self.unblocked.wait(DEADLINE_S)
        if what in ("/park", "/told", "/ready") and PARKED not in environ:
            self._park(environ, path, what)
        body = b"x" * LARGE_BYTES if what == "/large" else f"{threading.current_thread().name} {path}".encode()
        start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
        return [body]

    def _park(self, environ: dict[str, Any], path: str, what: str) -> None:
        assert environ[CAN_PARK]
        readiness = Readiness()
        if what == "/ready":
            readiness.release()
        self.parked[path] = readiness

        def told() -> Told | None:
            if what == "/park":
                return None
            body = f"{threading.current_thread().name} told {path}".encode()
            return Told("200 OK", [("content-type", "text/plain")], body)

        park(environ, path, readiness.when_ready, told)


class ToyServer:
    """The server of intake over the toy app, in a thread of its own, named `loop`."""

    def __init__(self, *, threads: int = 1, limits: Limits = LIMITS) -> None:
        self.app = ToyApp()
        self.ends = 0
        self.raises: list[BaseException] = []  # in the loop's thread, at the ends of its turns
        socket_ = listening("127.0.0.1", 0)
        self.address = socket_.getsockname()
        self.server = Server(self.app, socket_, threads=threads, limits=limits, quick=self, on_end=self._on_end)
        self.inner = self.server._server
        self._thread = threading.Thread(target=self.server.run, name="loop", daemon=True)
        self._thread.start()

    def __call__(self, request: Any) -> bool:
        return request.error is None and str(request.path).startswith("/quick")

    def whose(self, request: Any) -> Whose:
        """Take every key for one that works."""
        named = request.headers.get("X_ORG_SLUG")
        if named is None:
            return NOBODY
        knows = "X_API_KEY" in request.headers
        return Whose(named if knows else STRANGERS, named, knows)

    def took(self, seconds: float) -> None:
        pass

    @property
    def is_running(self) -> bool:
        return self._thread.is_alive()

    def wake(self) -> None:
        self.inner.trigger.pull_trigger()

    def readied(self, path: str) -> None:
        """Ready what is parked, once it is."""
        eventually(lambda: self.app.parked.get(path), "it is parked").release()

    def stop(self) -> None:
        """Stop it."""
        self.app.unblocked.set()
        self.server.end()
        self._thread.join(DEADLINE_S)
        assert not self.is_running

    def _on_end(self) -> None:
        self.ends += 1
        if self.raises:
            raise self.raises.pop(0)


@contextlib.contextmanager
def serving(**options: Any) -> Iterator[ToyServer]:
    """Serve for the length of a block."""
    server = ToyServer(**options)
    try:
        yield server
    finally:
        server.stop()
        for channel in list(server.inner.active_channels.values()):
            channel.handle_close()
        server.inner.close()


class Caller:
    """A connection."""

    def __init__(self, server: ToyServer) -> None:
        self.socket = socket.create_connection(server.address, timeout=DEADLINE_S)
        self._file = self.socket.makefile("rb")

    def __enter__(self) -> "Caller":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def ask(self, *paths: str, version: str = "1.1", headers: str = "") -> None:
        """Send requests, all in one piece."""
        texts = [f"GET {path} HTTP/{version}\r\nHost: x\r\n{headers}\r\n" for path in paths]
        self.socket.sendall("".join(texts).encode())

    def answer(self) -> Answer:
        """Read the next answer."""
        line = self._file.readline()
        assert line, "the connection was closed"
        headers = {}
        while (header := self._file.readline().strip()) and header:
            name, _, value = header.decode().partition(":")
            headers[name.lower()] = value.strip()
        return Answer(int(line.split()[1]), headers, self._file.read(int(headers.get("content-length", 0))))

    def bodies(self, count: int) -> list[str]:
        """Read so many answers."""
        return [self.answer().body.decode() for _ in range(count)]

    @property
    def is_closed(self) -> bool:
        """Tell whether the server closes the connection; waits for that."""
        return self._file.read(1) == b""

    def close(self) -> None:
        self._file.close()
        self.socket.close()


def path_of(body: str) -> str:
    """Return the path that a body of the toy app names."""
    return body.rpartition(" ")[2]
