"""Connections that cost little, however their callers behave: slow, silent, gone, or far too many.

All here belongs to the server's own thread, but for `service`, which a thread of the pool may call for one request of a
connection at a time.
"""

import socket
import time
from typing import Any, NamedTuple

from waitress.utilities import RequestEntityTooLarge

from intake.parking import ParkingChannel, ParkingParser
from intake.unread import UnreadTask

LINGER_S = 2.0  # to let a caller who still sends see why it was refused
SENT_AHEAD_BYTES_MAX = 64 * 1024  # of answers that their caller did not take yet: then the next request waits


class Limits(NamedTuple):
    """How many connections one process has at a time, and for how many seconds their callers may keep it waiting.

    `idle_s`: with no request under way. `request_s`: from the beginning of a request to its end, and with an answer
    of which nothing is taken.
    """

    connections_max: int
    idle_s: int
    request_s: int


class BoundedParser(ParkingParser):
    """A parser that hands on a request whose body is too large without the body: the app says so, in its order."""

    is_cut = False
    error: object = None

    def received(self, data: bytes) -> int:
        """Take in what came, and tell how much of it belongs to this request."""
        consumed: int = super().received(data)
        if not isinstance(self.error, RequestEntityTooLarge):
            return consumed
        self.is_cut, self.error = True, None
        self.close()
        self.body_rcv = None
        self.headers["CONTENT_LENGTH"] = str(max(self.content_length, self.body_bytes_received))
        self.headers["CONNECTION"] = "close"  # where the next request would begin is not known
        return len(data)


class BoundedChannel(ParkingChannel):
    """A connection of waitress that can't be used to hold what others need."""

    parser_class = BoundedParser
    error_task_class = UnreadTask
    org = ""  # whose its last request was; nobody's that is known

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self._has_ended = False  # the caller sends no more; it may still read
        self._is_cut = False  # the rest of what was refused is thrown away
        self._is_held = False  # the next request waits until the answers before it were taken
        self._active_s = time.monotonic()  # when something last came or went
        self._request_began_s = float("inf")
        self._linger_until_s: float | None = None
        super().__init__(*arguments, **options)

    def add_channel(self, map: Any = None) -> None:  # waitress names it so
        """Have the server know of it."""
        super().add_channel(map)
        self.server.was_opened(self)

    def del_channel(self, map: Any = None) -> None:
        """Have the server forget it."""
        super().del_channel(map)
        self.server.was_closed(self)

    def readable(self) -> bool:
        """Tell whether to look for more of the caller."""
        if self.socket is None:
            return False  # closed in this very turn: its descriptor may be another connection's by the end of it
        if self._linger_until_s is not None:
            return True
        return not self._has_ended and bool(super().readable())

    def writable(self) -> bool:
        """Tell whether there is something to do."""
        if self.socket is None:
            return False
        if self._has_ended and not self.requests:
            self.close_when_flushed = True
        if self._linger_until_s is not None and time.monotonic() > self._linger_until_s:
            self.will_close = True
        return self._is_held or bool(super().writable())  # one that is held back goes on when nothing is left to send

    def handle_read(self) -> None:
        """Take in what came. One who closed only its own half after its request still gets its answer."""
        try:
            data = self.socket.recv(self.adj.recv_bytes)
        except BlockingIOError:
            return
        except OSError:
            self.handle_close()
            return
        if data:
            self._take_in(data)
        elif (self.requests or self.total_outbufs_len) and self._linger_until_s is None:
            self._has_ended = True
        else:
            self.handle_close()

    def handle_write(self) -> None:
        """Send what there is to send, and close or go on when all is sent."""
        if self._is_held:
            self._flush_exception(self._flush_some_if_lockable)
            if not self.total_outbufs_len:
                self._is_held = False
                self.server.add_task(self)
        elif self._is_cut and self.close_when_flushed and not self.will_close:
            self._flush_exception(self._flush_some)
            if not self.total_outbufs_len:
                self._linger()
        else:
            super().handle_write()
            return
        if self.will_close:
            self.handle_close()

    def service(self) -> None:
        """Serve the next request, unless its caller took no answers of late: they would fill the memory."""
        self.server.begin_service(self)
        try:
            if self.total_outbufs_len > SENT_AHEAD_BYTES_MAX:
                with self.outbuf_lock:
                    self._is_held = bool(self.connected and self.total_outbufs_len > SENT_AHEAD_BYTES_MAX)
                if self._is_held:
                    self.server.pull_trigger()
                    return
            super().service()
            self._active_s = time.monotonic()
        finally:
            self.server.end_service(self)

    def send_continue(self) -> None:
        """Tell a caller to go on with its body, unless it has none, or is refused: the request is whole then.

        waitress takes what follows for more of it: a body that was refused for its own request, under its headers.
        """
        if self.request.completed:
            self.request.expect_continue = False
        else:
            super().send_continue()

    def cut(self) -> None:
        """Throw away whatever still comes: where the next request would begin is not known."""
        self._is_cut = True

    def is_idle(self) -> bool:
        """Tell whether nobody waits for anything on it."""
        return not self.requests and self.total_outbufs_len == 0

    def is_overdue(self, now_s: float) -> bool:
        """Tell whether its caller kept us waiting for too long. `now_s` is monotonic."""
        limits: Limits = self.server.limits
        quiet_s = now_s - self._active_s
        if self.total_outbufs_len:
            return quiet_s > limits.request_s
        if self.requests:
            return False
        return quiet_s > limits.idle_s or now_s - self._request_began_s > limits.request_s

    def write_soon(self, data: Any) -> int:
        """Send a piece of an answer, what its caller does not take now later. waitress names it so.

        Of what the loop itself answers nothing passes through the buffers unless something is left in them.
        """
        if self.total_outbufs_len or not self.connected or type(data) is not bytes or not self.server.is_in_loop:
            length: int = super().write_soon(data)
            return length
        try:
            sent = self.send(data, do_close=False)
        except OSError:
            self.will_close = True
            return len(data)
        if sent < len(data):
            super().write_soon(data[sent:])
        return len(data)

    def send(self, data: bytes, do_close: bool = True) -> int:
        """Send what the caller takes, and return how much that was. Only the loop closes what turns out to be gone."""
        sent: int = super().send(data, do_close and self.server.is_in_loop)
        if sent:
            self._active_s = time.monotonic()
        return sent

    def _take_in(self, data: bytes) -> None:
        if self._is_cut:
            return
        self._active_s = self.last_activity = time.monotonic()
        before = self.request
        self.received(data)
        if self.request is None:
            self._request_began_s = float("inf")
        elif self.request is not before:
            self._request_began_s = time.monotonic()
        if any(request.is_cut for request in list(self.requests)):
            self._is_cut = True  # never False: a thread of the pool may have cut it meanwhile

    def _linger(self) -> None:
        """Say that no more comes, and let the caller finish: closed at once, the answer would be lost on its way."""
        self.close_when_flushed = False
        self._linger_until_s = time.monotonic() + LINGER_S
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            self.will_close = True
