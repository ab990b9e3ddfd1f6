"""Reply lists: how a worker's answers reach the intake process that waits for them, one list for each."""

import secrets
import time
from collections.abc import Callable
from typing import Any

import redis

from wire import broker
from wire.envelope import REPLY_LIST_PREFIX, Reply, decode_reply, encode_reply
from wire.link import Linked, Watches

LIST_TTL_S = 60  # an intake that is gone leaves nothing behind
POLL_S = 1  # so long the broker waits for something to be put on the list before it says that there is nothing
ANSWER_TIMEOUT_S = 2.0  # so much longer, and the connection is taken for dead
ASKED_MAX = 8  # times the listener asks ahead: each time that it asks is a call of the system
ASKED_MIN = 2  # then it asks again


def new_list() -> str:
    """Return the name of a new reply list."""
    return REPLY_LIST_PREFIX + secrets.token_hex(8)


class Sender:
    """The sending end of reply lists, with a connection of its own. One thread at a time may use it."""

    def __init__(self, url: str) -> None:
        self._pool = broker.connect(url).connection_pool
        self._connection: Any = None  # redis has no types for what it does

    def send(self, reply_to: str, reply: Reply) -> None:
        """Put the answers to a message on the list on which they are awaited, in one round trip.

        Raises:
            redis.RedisError: nobody knows whether they are there.
        """
        connection = self._standing() or self._pool.get_connection()
        commands = ("RPUSH", reply_to, encode_reply(reply)), ("EXPIRE", reply_to, LIST_TTL_S)
        try:
            connection.send_packed_command(connection.pack_commands(commands))
            for _ in commands:
                connection.read_response()
        except BaseException:
            connection.disconnect()
            self._pool.release(connection)
            raise
        self._connection = connection

    def _standing(self) -> Any:
        """Return the connection, if there is one that the broker has not closed: such a one loses what it takes."""
        connection, self._connection = self._connection, None
        if connection is None or not broker.is_closed(connection):
            return connection
        connection.disconnect()
        self._pool.release(connection)
        return None


class Listener:
    """The receiving end of a reply list, over one link. One thread uses it, which never waits, but for `connect`."""

    def __init__(self, url: str, name: str) -> None:
        self.name = name
        self._linked = Linked(url, answer_timeout_s=ANSWER_TIMEOUT_S)
        self._asked = 0  # so many answers of the broker are awaited, the next one for a second at most
        self._heard_at_s = 0.0

    def watched_by(self, watches: Watches, come: Callable[[], None]) -> None:
        """Have something called by whoever watches the link, when there may be something to take in."""
        self._linked.watched_by(watches, come)

    @property
    def stands(self) -> bool:
        """Tell whether there is a link, as far as is known. Any thread may ask."""
        return self._linked.stands

    @property
    def is_overdue(self) -> bool:
        """Tell whether the broker owes an answer for too long: `received` gives it up. Any thread may ask."""
        return self._linked.stands and time.monotonic() - self._heard_at_s > POLL_S + ANSWER_TIMEOUT_S

    def connect(self) -> None:
        """Connect to the broker unless that is done. Whoever uses it calls `received` then. Another thread may call it.

        Raises:
            redis.RedisError, OSError: the broker does not answer.
        """
        self._linked.make()

    def received(self) -> list[bytes]:
        """Return what was put on the list and is here by now, the oldest first, and ask for more.

        Raises:
            redis.RedisError, OSError: the broker does not answer; the link is dropped.
        """
        link, is_new = self._linked.taken()
        if link is None:
            return []
        if is_new:
            self._asked, self._heard_at_s = 0, time.monotonic()
        try:
            link.flush()
            answers = link.received()
            errors = [answer for answer in answers if isinstance(answer, Exception)]
            texts = [answer[1] for answer in answers if isinstance(answer, list)]  # None: nothing came
            if errors and not texts:
                raise errors[0]
            if answers:
                self._heard_at_s = time.monotonic()
                self._asked -= len(answers)
            elif self.is_overdue:
                raise redis.TimeoutError("no answer from the reply list")
            if errors:
                self._linked.drop()  # but what came with them is not lost
            elif self._asked <= ASKED_MIN:
                self._linked.send(*[("BLPOP", self.name, POLL_S)] * (ASKED_MAX - self._asked))
                self._asked = ASKED_MAX
        except Exception:
            self._linked.drop()
            raise
        return texts

    def close(self) -> None:
        """Close the connection."""
        self._linked.close()


def receive(client: "redis.Redis", name: str) -> Reply | None:
    """Wait a second at most for the answers to one message on a reply list.

    Raises:
        redis.RedisError: the broker does not answer.
        Malformed: there are answers, and they can't be understood; they are off the list.
    """
    found = client.blpop([name], timeout=POLL_S)
    return None if found is None else decode_reply(found[1])
