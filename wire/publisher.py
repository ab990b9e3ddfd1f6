"""Publishing on lanes, and what a failure of it means: surely not sent, or perhaps sent."""

import logging
import threading
from typing import Any
from uuid import uuid4

import redis
from celery import Celery

from wire import broker
from wire.app import APPLY_TASK
from wire.lanes import queue_of

logger = logging.getLogger("ledger.wire")

PROBE_KEY = "ledger.probe"  # never written: see `trouble`


class NotSent(Exception):
    """The broker did not get the message. Arguments: what is wrong with it, for callers; and in detail."""


class PerhapsSent(Exception):
    """The connection broke in mid-message: the broker may have it. Arguments as those of `NotSent`."""


class Publisher:
    """Puts intake's messages on lanes, over one connection. Any thread may use it; one publishes at a time.

    Publishing never connects, since looking up a name may take longer than anybody waits: `trouble` does.
    """

    def __init__(self, app: Celery, url: str) -> None:
        self._app = app
        self._client = broker.connect(url, answer_timeout_s=broker.PROBE_TIMEOUT_S)
        self._lock = threading.Lock()
        self._producer: Any = None  # Celery has no types

    def publish(self, lane: int, text: str) -> None:
        """Put a message on a lane.

        Raises:
            NotSent: there is no connection to the broker, or the broker refused.
            PerhapsSent: the connection broke, or the answer did not come, while the message was under way.
        """
        with self._lock:
            producer = self._producer
            if producer is None:
                raise NotSent("the broker does not answer")
            try:
                self._send(producer, lane, text)
            except Exception as error:  # whatever it is, the caller must know on which side of the line it left us
                self._disconnect()
                told = broker.cause_of(error), f"{type(error).__name__}: {error}"
                raise NotSent(*told) if broker.is_refusal(error) else PerhapsSent(*told) from error

    def trouble(self) -> str | None:
        """Tell what is wrong with the broker; None when a message can be published. Connects, if need be.

        It asks for a write that writes nothing, since a broker may answer and yet take no message: it is out of
        memory, or can't write its disk, or only follows another one.
        """
        try:
            self._client.setrange(PROBE_KEY, 0, "")
            with self._lock:
                if self._producer is None:
                    self._producer = self._connected()
        except Exception as error:  # kombu wraps what it likes; there is a broker to publish to, or there is not
            with self._lock:
                self._disconnect()  # what a broker left behind when it went is of no use when it is back
            logger.debug("broker: %s: %s", type(error).__name__, error)
            return broker.cause_of(error)
        return None

    def close(self) -> None:
        """Close the connections."""
        with self._lock:
            self._disconnect()
        self._client.close()
        self._app.close()

    def _send(self, producer: Any, lane: int, text: str) -> None:
        self._app.send_task(
            APPLY_TASK,
            (text,),
            queue=queue_of(lane),
            task_id=str(uuid4()),
            ignore_result=True,
            producer=producer,
            argsrepr="",  # not the message once more, for logs that nobody keeps
            kwargsrepr="",
        )

    def _connected(self) -> Any:
        connection = self._app.connection_for_write()
        try:
            connection.connect()
            return self._app.amqp.Producer(connection.channel(), auto_declare=False)
        except BaseException:
            connection.release()
            raise

    def _disconnect(self) -> None:
        """Close the connection, if there is one. Called with the lock held."""
        producer, self._producer = self._producer, None
        if producer is not None:
            try:
                producer.connection.release()
            except (redis.RedisError, OSError) as error:
                logger.debug("closing: %s", error)
