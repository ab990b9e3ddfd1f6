"""The broker: connections to Redis or Valkey, by one URL for Celery and for our own commands."""

from collections.abc import Iterator
from typing import Any

import redis
from redis import exceptions
from redis.backoff import NoBackoff
from redis.retry import Retry

CONNECT_TIMEOUT_S = 1.0
ANSWER_TIMEOUT_S = 5.0
PROBE_TIMEOUT_S = 0.75  # a broker that does not answer a single small command for so long is away
ERRORS = (redis.RedisError, OSError)  # what a broker that can't be reached raises
REFUSALS = (redis.AuthenticationError, redis.exceptions.NoPermissionError)  # what waiting does not help against

CAUSES = (
    (exceptions.OutOfMemoryError, "the broker is out of memory"),
    (exceptions.ReadOnlyError, "the broker takes no writes: it follows another one"),
    (exceptions.BusyLoadingError, "the broker is still loading its data"),
    (exceptions.AuthenticationError, "the broker refuses our password"),
    (exceptions.NoPermissionError, "the broker does not let us write"),
    (exceptions.ResponseError, "the broker refuses our commands"),
)
SURELY_NOT_TAKEN = (
    exceptions.ResponseError,
    exceptions.AuthenticationError,
    exceptions.BusyLoadingError,
    ConnectionRefusedError,
    FileNotFoundError,  # of a Unix socket
)


def connect(url: str, *, answer_timeout_s: float = ANSWER_TIMEOUT_S) -> "redis.Redis":
    """Return a client of the broker that fails within its timeouts and never sends twice by itself.

    `url` is Celery's: redis://, rediss:// or redis+socket:///path. Nothing is connected yet.
    """
    return redis.Redis.from_url(
        _plain_url(url),
        socket_timeout=answer_timeout_s,
        socket_connect_timeout=CONNECT_TIMEOUT_S,
        retry=Retry(NoBackoff(), 0),
        protocol=2,  # in which a broker says nothing that it was not asked for
    )


def is_closed(connection: Any) -> bool:
    """Tell whether the broker has closed a connection on which nothing is awaited: what it takes then is lost."""
    try:
        return bool(connection.can_read())
    except ERRORS:
        return True


def cause_of(error: BaseException) -> str:
    """Say what an error of the broker means, to whoever may read it: no address, no command, no trace."""
    for each in _chain(error):
        for kind, cause in CAUSES:
            if isinstance(each, kind):
                return "the broker wants a password" if "NOAUTH" in str(each) else cause
    return "the broker does not answer"


def detail_of(error: BaseException) -> str:
    """Say what an error of the broker is, for the log: its type, and what it says if it says anything."""
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def is_refusal(error: BaseException) -> bool:
    """Tell whether the broker can't have taken what it was sent: it answered with an error, or was never reached."""
    return any(
        isinstance(each, SURELY_NOT_TAKEN) or (isinstance(each, redis.ConnectionError) and "connecting to" in str(each))
        for each in _chain(error)
    )


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _plain_url(url: str) -> str:
    """Return the URL as the Redis client writes it: only that of a socket differs from Celery's."""
    return "unix" + url.removeprefix("redis+socket") if url.startswith("redis+socket:") else url
