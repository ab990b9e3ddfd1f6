"""Publishing on lanes, and what a failure of it means: surely not sent, or perhaps sent."""

import logging
from uuid import uuid4

import redis
from celery import Celery

from wire import broker
from wire.app import APPLY_TASK
from wire.lanes import queue_of

logger = logging.getLogger("ledger.wire")


class NotSent(Exception):
    """The broker did not get the message."""


class PerhapsSent(Exception):
    """The connection broke in mid-message: the broker may have it."""


class Publisher:
    """Puts intake's messages on lanes. Any thread may use it."""

    def __init__(self, app: Celery, url: str) -> None:
        self._app = app
        self._client = broker.connect(url, answer_timeout_s=1.0)

    def publish(self, lane: int, text: str) -> None:
        """Put a message on a lane.

        Raises:
            NotSent: there is no connection to the broker to be had, or the broker refused.
            PerhapsSent: the connection broke while the message was under way.
        """
        try:
            self._app.send_task(
                APPLY_TASK,
                (text,),
                queue=queue_of(lane),
                task_id=str(uuid4()),
                ignore_result=True,
                argsrepr="",  # not the message once more, for logs that nobody keeps
                kwargsrepr="",
            )
        except Exception as error:  # whatever it is, the caller must know on which side of the line it left us
            logger.warning("publish on lane %d: %s: %s", lane, type(error).__name__, error)
            raise NotSent if _surely_not_sent(error) else PerhapsSent from error

    def reachable(self) -> bool:
        """Tell whether the broker answers within a second."""
        try:
            return bool(self._client.ping())
        except (redis.RedisError, OSError):
            return False

    def close(self) -> None:
        """Close the connections."""
        self._client.close()
        self._app.close()


def _surely_not_sent(error: BaseException | None) -> bool:
    """Tell whether the broker can't have the message: it answered with an error, or was never reached."""
    while error is not None:
        if isinstance(error, redis.ResponseError | ConnectionRefusedError | FileNotFoundError):
            return True
        if isinstance(error, redis.ConnectionError) and "connecting to" in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False
