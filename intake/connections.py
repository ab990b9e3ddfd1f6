"""Connections that cost little, however their callers behave: slow, silent, gone, or far too many.

All here belongs to the server's own thread, but for `service`, which a thread of the pool calls for one request of a
connection at a time.
"""

import socket
import time
from collections import OrderedDict
from typing import Any, NamedTuple

from waitress.adjustments import Adjustments
from waitress.server import TcpWSGIServer
from waitress.task import ThreadedTaskDispatcher
from waitress.utilities import RequestEntityTooLarge

from intake.framing import StrictParser
from intake.parking import ParkingChannel
from intake.turns import Turns

ACCEPTS_PER_TURN = 64  # a crowd must not take a turn of the loop for each
LOOK_EVERY_S = 1  # for any of these
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


class BoundedParser(StrictParser):
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

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self._has_ended = False  # the caller sends no more; it may still read
        self._is_cut = False  # the rest of a body that was refused is thrown away
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
        return bool(super().writable())

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
        with self.outbuf_lock:
            self._is_held = bool(self.connected and self.total_outbufs_len > SENT_AHEAD_BYTES_MAX)
            if self._is_held:
                self.server.pull_trigger()
                return
        super().service()
        self._active_s = time.monotonic()
        self.server.was_served(self)

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

    def send(self, data: bytes, do_close: bool = True) -> int:
        """Send what the caller takes, and return how much that was."""
        sent: int = super().send(data, do_close)
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
        self._is_cut = any(request.is_cut for request in list(self.requests))

    def _linger(self) -> None:
        """Say that no more comes, and let the caller finish: closed at once, the answer would be lost on its way."""
        self.close_when_flushed = False
        self._linger_until_s = time.monotonic() + LINGER_S
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            self.will_close = True


class BoundedServer(TcpWSGIServer):  # type: ignore[misc]  # waitress has no types
    """Waitress's server, with room for a newcomer at any time: whoever was idle for the longest makes way."""

    channel_class = BoundedChannel

    def __init__(self, *arguments: Any, limits: Limits, **options: Any) -> None:
        self.limits = limits
        self._by_use: OrderedDict[BoundedChannel, None] = OrderedDict()  # the one served the longest ago first
        super().__init__(*arguments, **options)

    def handle_accept(self) -> None:
        """Take in those who knock."""
        for _ in range(ACCEPTS_PER_TURN):
            before = len(self.active_channels)
            super().handle_accept()
            if len(self.active_channels) == before:
                return

    def was_opened(self, channel: BoundedChannel) -> None:
        """Take note of a new connection, and have another one make room for it."""
        if len(self._by_use) >= self.limits.connections_max:
            idle = next((known for known in list(self._by_use) if known.is_idle() and not known.will_close), None)
            if idle is not None:
                idle.will_close = True
                self._by_use.pop(idle, None)
        self._by_use[channel] = None

    def was_served(self, channel: BoundedChannel) -> None:
        """Note that a connection was of use just now. Any thread may call it."""
        try:
            self._by_use.move_to_end(channel)
        except KeyError:  # it was closed
            return

    def was_closed(self, channel: BoundedChannel) -> None:
        """Forget a connection."""
        self._by_use.pop(channel, None)

    def maintenance(self, now: float) -> None:
        """Close the connections whose callers kept us waiting: at once, since one who reads nothing is never ready."""
        now_s = time.monotonic()
        for channel in [known for known in self.active_channels.values() if known.is_overdue(now_s)]:
            channel.handle_close()


def server_on(socket_: socket.socket, app: Any, *, limits: Limits, threads: int, **options: Any) -> BoundedServer:
    """Return a server for a WSGI app on a socket that listens. The other options are waitress's."""
    adjustments = Adjustments(sockets=[socket_], threads=threads, **options)
    pool = ThreadedTaskDispatcher()
    pool.queue = Turns()
    pool.set_thread_count(threads)
    return BoundedServer(
        app,
        {},
        True,
        socket_,
        dispatcher=pool,
        adj=adjustments,
        sockinfo=(socket_.family, socket_.type, socket_.proto, socket_.getsockname()),
        bind_socket=False,
        limits=limits,
    )
