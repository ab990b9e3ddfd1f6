"""Reply lists: how a worker's answers reach the intake process that waits for them, one list for each."""

import secrets

import redis

from wire import broker
from wire.envelope import REPLY_LIST_PREFIX, Reply, decode_reply, encode_reply

LIST_TTL_S = 60  # an intake that is gone leaves nothing behind
POLL_S = 1  # how long the listener waits in one round trip
ANSWER_TIMEOUT_S = 2.0  # so much longer, and the connection is taken for dead


def new_list() -> str:
    """Return the name of a new reply list."""
    return REPLY_LIST_PREFIX + secrets.token_hex(8)


def send(client: "redis.Redis", reply_to: str, reply: Reply) -> None:
    """Put the answers to a message on the list on which they are awaited, in one round trip."""
    pipeline = client.pipeline(transaction=False)
    pipeline.rpush(reply_to, encode_reply(reply))
    pipeline.expire(reply_to, LIST_TTL_S)
    pipeline.execute()


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
