"""Serving HTTP: the socket, waitress with each setting's reason, and an end that cuts nobody off."""

import socket
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from waitress import wasyncore

from intake.connections import Limits
from intake.links import Links
from intake.server import LOOK_EVERY_S, NoneIsQuick, Tells, server_on
from ledger_core.limits import BODY_BYTES_MAX

HEADER_BYTES_MAX = 32 * 1024
BACKLOG = 1_024
IDLE_S = 0.25  # a connection on which nothing came for so long is closed when the server ends


def listening(host: str, port: int) -> socket.socket:
    """Return a socket that listens there.

    Raises:
        OSError: somebody else does, or there is no such address.
    """
    found = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    found.bind((host, port))
    found.listen(BACKLOG)
    return found


def waitress_options(threads: int, limits: Limits) -> dict[str, Any]:
    """Return what waitress is told, each option with its reason."""
    return {
        "threads": threads,
        "connection_limit": 2 * limits.connections_max,  # where none of them is idle, so that none can make room
        "asyncore_use_poll": True,  # of waitress as it comes, whose select() dies above 1,023 descriptors
        "cleanup_interval": LOOK_EVERY_S,
        "channel_request_lookahead": 1,  # notices a caller that sends no more
        "max_request_header_size": HEADER_BYTES_MAX,
        "max_request_body_size": BODY_BYTES_MAX + 1,  # of what is more the app never sees the body
        "inbuf_overflow": BODY_BYTES_MAX + 1,  # a body stays in memory: a disk that is full must stop nobody
        "ident": "ff-ledger",
        "clear_untrusted_proxy_headers": True,
    }


class Server:
    """Waitress for a WSGI app, on a socket that listens already: perhaps one that other processes accept from too.

    Requests that are `quick` are served by the thread of `run`; `on_end` is called when some of them were.
    """

    def __init__(
        self,
        app: Any,
        socket_: socket.socket,
        *,
        threads: int,
        limits: Limits,
        quick: Tells | None = None,
        on_end: Callable[[], None] = lambda: None,
    ) -> None:
        self._server = server_on(
            socket_,
            app,
            limits=limits,
            quick=quick or NoneIsQuick(),
            on_end=on_end,
            **waitress_options(threads, limits),
        )
        self._quiet: dict[Any, tuple[float, float]] = {}  # by connection: its last activity, and when it was seen
        self.address = f"{self._server.effective_host} port {self._server.effective_port}"

    def gathered(self) -> AbstractContextManager[None]:
        """Have all requests that a thread readies in a block answered together, at its end."""
        return self._server.gathered()

    @property
    def links(self) -> Links:
        """What watches links to the broker in the loop."""
        return self._server.links

    def between(self, call: Callable[[], None]) -> None:
        """Have something called in the loop after every few callers, which nothing may hold up."""
        self._server.between = call

    def wake(self) -> None:
        """Have the loop take its next turn now, if it waits. Any thread may call it."""
        self._server.wake()

    def run(self) -> None:
        """Serve, in this thread, until `end` is called."""
        self._server.run()

    def end(self) -> None:
        """Have `run` return. Any thread may call it, and a signal handler."""
        self._server.end()

    def drain(self) -> None:
        """Take on no new connection, and end each that there is with its next answer. Any thread may call it, once."""
        self._server.draining = True
        self._server.trigger.pull_trigger(self._close_listener)

    def close_idle(self) -> bool:
        """Close the connections on which nothing comes; tell whether none is left. Any thread may call it."""
        now_s = time.monotonic()
        channels = list(self._server.active_channels.values())
        for channel in channels:
            last, since_s = self._quiet.get(channel, (None, now_s))
            under_way = channel.requests or channel.request is not None or channel.total_outbufs_len
            if under_way or last != channel.last_activity:
                self._quiet[channel] = channel.last_activity, now_s
            elif now_s - since_s > IDLE_S:
                channel.will_close = True
        self._server.pull_trigger()
        return not channels

    def _close_listener(self) -> None:
        """Take in whoever is connected already, then leave the socket to others. The server's own thread runs it."""
        while True:
            before = len(self._server.active_channels)
            self._server.handle_accept()
            if len(self._server.active_channels) == before:
                break
        wasyncore.dispatcher.close(self._server)
