"""Links: connections to the broker that never wait, for the thread that serves everybody.

What the broker does not take at once goes later, and what it says is read as it comes, be it half an answer.
"""

import ssl
import threading
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import hiredis
import redis

from wire import broker

RECEIVED_BYTES = 65_536  # in one call of the system

_NOT_NOW = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)
_NOT_WHOLE = object()


class Link:
    """A connection to the broker. Whoever makes it may have to wait; whoever uses it, one thread at a time, does not.

    Its errors are `broker.ERRORS`: then it is of no use any more.
    """

    def __init__(self, client: "redis.Redis") -> None:
        self._pool = client.connection_pool
        self._connection: Any = self._pool.get_connection()  # redis has no types for what it does
        connected = self._connection._get_socket()
        assert connected is not None, "who gets a connection gets a connected one"
        self._socket = connected
        self._socket.setblocking(False)
        self._reader = hiredis.Reader(
            protocolError=redis.InvalidResponse,
            replyError=self._connection._parser.parse_error,
            notEnoughData=_NOT_WHOLE,
        )
        self._unsent = bytearray()
        self._broken: Exception | None = None

    def fileno(self) -> int:
        """Return its descriptor, for whoever waits for something to come on it."""
        return int(self._socket.fileno())

    @property
    def has_unsent(self) -> bool:
        """Tell whether the broker did not take all of it yet: `flush` again when it takes more."""
        return bool(self._unsent)

    def send(self, *commands: Sequence[object]) -> None:
        """Send commands; what the broker does not take now, later."""
        for piece in self._connection.pack_commands(commands):
            self._unsent += piece
        self.flush()

    def flush(self) -> None:
        """Send what was left, as far as the broker takes it."""
        while self._unsent:
            try:
                sent = self._socket.send(self._unsent)
            except _NOT_NOW:
                return
            del self._unsent[:sent]

    def received(self) -> list[Any]:
        """Return the answers that are here by now, in the order of their commands; errors of the broker as such.

        What came before the link broke is returned first; the next call says that it broke.
        """
        if self._broken is None:
            try:
                self._read()
            except broker.ERRORS as error:
                self._broken = error
        answers = self._whole()
        if self._broken is not None and not answers:
            raise self._broken
        return answers

    def _read(self) -> None:
        is_all_here = False
        while not is_all_here:
            try:
                data = self._socket.recv(RECEIVED_BYTES)
            except _NOT_NOW:
                return
            if not data:
                raise redis.ConnectionError("Connection closed by server.")
            self._reader.feed(data)
            is_all_here = len(data) < RECEIVED_BYTES and not isinstance(self._socket, ssl.SSLSocket)

    def _whole(self) -> list[Any]:
        answers: list[Any] = []
        try:
            while (answer := self._reader.gets()) is not _NOT_WHOLE:
                if not isinstance(answer, hiredis.PushNotification):  # which answers nothing
                    answers.append(answer)
        except broker.ERRORS as error:  # what came is no answer of a broker's
            self._broken = error
        return answers

    def close(self) -> None:
        """Close it."""
        self._connection.disconnect()
        self._pool.release(self._connection)


class Watches(Protocol):
    """Who waits, in the thread that uses a link, for something to happen on it."""

    def watch(self, link: Link, come: Callable[[], None]) -> None:
        """Have something called whenever there are answers, and when the broker takes more of what is unsent."""

    def look_at(self, link: Link) -> None:
        """Note that something of it is unsent."""

    def forget(self, link: Link) -> None:
        """Watch it no more; it is closed after this."""


class Linked:
    """A link that is made by one thread, which may wait for it, and used by another one, which may not."""

    def __init__(self, url: str, *, answer_timeout_s: float) -> None:
        self._client = broker.connect(url, answer_timeout_s=answer_timeout_s)
        self._lock = threading.Lock()
        self._fresh: Link | None = None  # made, and not used yet
        self._link: Link | None = None
        self._stands = False
        self._watches: Watches | None = None
        self._come: Callable[[], None] = lambda: None

    def watched_by(self, watches: Watches, come: Callable[[], None]) -> None:
        """Have something called by whoever watches links when something happened to this one."""
        self._watches, self._come = watches, come

    @property
    def stands(self) -> bool:
        """Tell whether there is one, as far as is known. Any thread may ask."""
        return self._stands

    def make(self) -> None:
        """Make it unless it stands; a name that is looked up may hold this up for long. The maker's.

        Raises:
            redis.RedisError, OSError: it can't be made.
        """
        if not self._stands:
            fresh = Link(self._client)
            with self._lock:
                unused, self._fresh, self._stands = self._fresh, fresh, True
            if unused is not None:
                unused.close()

    def condemn(self) -> None:
        """Have its user drop it: what a broker left behind when it went is of no use when it is back. The maker's."""
        with self._lock:
            unused, self._fresh, self._stands = self._fresh, None, False
        if unused is not None:
            unused.close()

    def taken(self) -> tuple[Link | None, bool]:
        """Return it, if there is one, and whether it is another one than before. The user's."""
        if self._fresh is None and (self._stands or self._link is None):
            return self._link, False  # at the least cost: it is the usual way
        with self._lock:
            before, self._link, self._fresh = self._link, self._fresh, None
        self._close(before)
        if self._link is not None and self._watches is not None:
            self._watches.watch(self._link, self._come)
        return self._link, True

    def send(self, *commands: Sequence[object]) -> None:
        """Send commands on the link; what the broker does not take now goes when it takes more. The user's."""
        if self._link is None:
            raise redis.ConnectionError("no link to the broker")
        self._link.send(*commands)
        if self._link.has_unsent and self._watches is not None:
            self._watches.look_at(self._link)

    def drop(self) -> None:
        """Close it: it is of no use any more. The user's."""
        with self._lock:
            link, self._link = self._link, None
            self._stands = self._fresh is not None
        self._close(link)

    def close(self) -> None:
        """Close it, and whatever it was made of."""
        self.taken()
        self.drop()
        self._client.close()

    def _close(self, link: Link | None) -> None:
        if link is not None:
            if self._watches is not None:
                self._watches.forget(link)
            link.close()
