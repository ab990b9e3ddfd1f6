"""Reply lists: how a worker's answers reach the intake process that waits for them, one list for each."""

import secrets
from typing import Any

from wire import broker
from wire.envelope import REPLY_LIST_PREFIX, Reply, decode_reply, encode_reply

LIST_TTL_S = 60  # an intake that is gone leaves nothing behind
POLL_S = 1  # how long the listener waits in one round trip
ANSWER_TIMEOUT_S = 2.0  # so much longer, and the connection is taken for dead


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
    """The receiving end of a reply list, with a connection of its own."""

    def __init__(self, url: str, name: str) -> None:
        self.name = name
        self._client = broker.connect(url, answer_timeout_s=POLL_S + ANSWER_TIMEOUT_S)

    def receive(self) -> Reply | None:
        """Wait a second at most for the answers to one message.

        Raises:
            redis.RedisError: the broker does not answer.
            Malformed: there are answers, and they can't be understood; they are off the list.
        """
        found = self._client.blpop([self.name], timeout=POLL_S)
        return None if found is None else decode_reply(found[1])

    def close(self) -> None:
        """Close the connection."""
        self._client.close()
