"""Publishing on lanes, and what a failure of it means: surely not sent, or perhaps sent."""

import itertools
import logging
import threading
from typing import Any, NamedTuple
from uuid import uuid4

from wire import broker
from wire.app import APPLY_TASK
from wire.celery_message import celery_message
from wire.lanes import queue_of

logger = logging.getLogger("ledger.wire")

ANSWER_TIMEOUT_S = 1.0  # a broker that does not take a message within this is away
PROBE_KEY = "ledger.probe"  # never written: see `trouble`


class NotSent(Exception):
    """The broker did not get the message. Arguments: what is wrong with it, for callers; and in detail."""


class PerhapsSent(Exception):
    """The connection broke in mid-message: the broker may have it. Arguments as those of `NotSent`."""


class Trouble(NamedTuple):
    """What is wrong with the broker: for callers, and in detail for the log."""

    cause: str
    detail: str = ""


class Publisher:
    """Puts intake's messages on lanes, over one connection. Any thread may use it; one publishes at a time.

    Publishing never connects, nor waits for it, since looking up a name may take longer than anybody waits: `trouble`
    does, which one thread at a time may call.
    """

    def __init__(self, url: str) -> None:
        self._prober = broker.connect(url, answer_timeout_s=broker.PROBE_TIMEOUT_S)
        self._client = broker.connect(url, answer_timeout_s=ANSWER_TIMEOUT_S)
        self._lock = threading.Lock()
        self._connection: Any = None  # redis has no types for what it does
        self._name = str(uuid4())
        self._count = itertools.count(1)

    def publish(self, lane: int, text: str, *, first: bool = False) -> None:
        """Put a message on a lane: behind those that lie there, or before them.

        Raises:
            NotSent: there is no connection to the broker, or the broker refused.
            PerhapsSent: the connection broke, or the answer did not come, while the message was under way.
        """
        with self._lock:
            connection = self._connection
            if connection is None:
                raise NotSent("the broker does not answer", "there is no connection to it")
            if broker.is_closed(connection):
                self._disconnect()
                raise NotSent("the broker does not answer", "it has closed the connection")
            try:
                self._send(connection, lane, text, first=first)
            except Exception as error:  # whatever it is, the caller must know on which side of the line it left us
                self._disconnect()
                told = broker.cause_of(error), broker.detail_of(error)
                raise NotSent(*told) if broker.is_refusal(error) else PerhapsSent(*told) from error

    def trouble(self) -> Trouble | None:
        """Tell what is wrong with the broker; None when a message can be published. Connects, if need be.

        It asks for a write that writes nothing, since a broker may answer and yet take no message: it is out of
        memory, or can't write its disk, or only follows another one.
        """
        try:
            self._prober.setrange(PROBE_KEY, 0, "")
            self._drop_if_closed()
            if self._connection is None:
                self._connection = self._client.connection_pool.get_connection()  # without the lock: it may take long
        except Exception as error:  # whatever it is: there is a broker to publish to, or there is not
            with self._lock:
                self._disconnect()  # what a broker left behind when it went is of no use when it is back
            return Trouble(broker.cause_of(error), broker.detail_of(error))
        return None

    def close(self) -> None:
        """Close the connections."""
        with self._lock:
            self._disconnect()
        self._client.close()
        self._prober.close()

    def _send(self, connection: Any, lane: int, text: str, *, first: bool) -> None:
        queue, name = queue_of(lane), f"{self._name}-{next(self._count)}"
        push = "RPUSH" if first else "LPUSH"  # whoever takes a message takes the last one of the list
        connection.send_command(push, queue, celery_message(APPLY_TASK, name, text, queue, name))
        connection.read_response()

    def _drop_if_closed(self) -> None:
        """Close a connection that the broker closed, so that no message meets it; whoever publishes sees to its own."""
        if self._lock.acquire(blocking=False):
            try:
                if self._connection is not None and broker.is_closed(self._connection):
                    self._disconnect()
            finally:
                self._lock.release()

    def _disconnect(self) -> None:
        """Close the connection, if there is one. Called with the lock held."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.disconnect()
            self._client.connection_pool.release(connection)
