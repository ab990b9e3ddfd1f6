"""The broker: connections to Redis or Valkey, by one URL for Celery and for our own commands."""

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

CONNECT_TIMEOUT_S = 1.0
ANSWER_TIMEOUT_S = 5.0
ERRORS = (redis.RedisError, OSError)  # what a broker that can't be reached raises
REFUSALS = (redis.AuthenticationError, redis.exceptions.NoPermissionError)  # what waiting does not help against


def connect(url: str, *, answer_timeout_s: float = ANSWER_TIMEOUT_S) -> "redis.Redis":
    """Return a client of the broker that fails within its timeouts and never sends twice by itself.

    `url` is Celery's: redis://, rediss:// or redis+socket:///path. Nothing is connected yet.
    """
    return redis.Redis.from_url(
        _plain_url(url),
        socket_timeout=answer_timeout_s,
        socket_connect_timeout=CONNECT_TIMEOUT_S,
        retry=Retry(NoBackoff(), 0),
    )


def _plain_url(url: str) -> str:
    """Return the URL as the Redis client writes it: only that of a socket differs from Celery's."""
    return "unix" + url.removeprefix("redis+socket") if url.startswith("redis+socket:") else url
