"""Finding the broker again: soon after it is back, for as often as it takes, and with one line in the log.

Celery waits up to 30 seconds between two attempts, and tells of each.
"""

import logging
import time
import warnings
from queue import Empty
from typing import Any

from celery.exceptions import CPendingDeprecationWarning
from celery.worker.consumer import Consumer
from celery.worker.state import maybe_shutdown
from kombu.transport import virtual
from kombu.transport.redis import Channel, QoS
from redis.exceptions import ResponseError

from wire.app import APPLY_TASK
from wire.broker import ERRORS, cause_of

logger = logging.getLogger("ledger.workers")

RETRY_S = 0.5


class ReturningConsumer(Consumer):  # type: ignore[misc]  # Celery has no types
    """The consumer of a worker that outlives its broker."""

    def ensure_connected(self, conn: Any) -> Any:
        """Connect, however often that has to be tried."""
        failures: list[str] = []

        def tell(error: Exception, _: float) -> None:
            cause = cause_of(error)
            if cause not in failures:
                failures.append(cause)
                logger.error("%s; trying again every %.1f s", cause, RETRY_S)

        conn.ensure_connection(
            tell, None, interval_start=RETRY_S, interval_step=0, interval_max=RETRY_S, callback=maybe_shutdown
        )
        if failures:
            logger.warning("the broker is back")
        self.first_connection_attempt = False
        return conn

    def on_connection_error_after_connected(self, exc: Exception) -> None:
        """Let go of the connection, without being warned of a choice that was made: see `wire.app`."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", CPendingDeprecationWarning)
            super().on_connection_error_after_connected(exc)


class _Deliveries(QoS):  # type: ignore[misc]  # kombu has no types
    """The messages that a worker holds, where the broker may be away, or take no writes, at any moment.

    The broker notes those of other services, so that it brings them again when their worker dies. Intake sends its own
    again by itself, long before the broker would: noting them would cost a worker more than carrying them out.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._unnoted: set[str] = set()

    def ack(self, delivery_tag: str) -> None:
        """Acknowledge a message that is done.

        One that the broker can't be told of is let go all the same: it would count as held for ever, and with one
        message held at a time the worker would never take another one. When it comes again, it changes nothing.
        """
        if self._was_unnoted(delivery_tag):
            return
        try:
            super().ack(delivery_tag)
        except ERRORS as error:
            logger.warning("%s; a message that is done will come again", cause_of(error))
            virtual.QoS.ack(self, delivery_tag)

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:
        """Give a message up, or back; let go of it in any case, like `ack`."""
        if self._was_unnoted(delivery_tag):
            return
        try:
            super().reject(delivery_tag, requeue)
        except ERRORS as error:
            logger.warning("%s; a message that was given up will come again", cause_of(error))
            virtual.QoS.ack(self, delivery_tag)

    def append(self, message: Any, delivery_tag: str) -> None:
        """Note a message that was given out: one that the broker can't note must not be lost for that."""
        headers = message.headers
        if type(headers) is dict and headers.get("task") == APPLY_TASK:
            self._unnoted.add(delivery_tag)
            virtual.QoS.append(self, message, delivery_tag)
            return
        try:
            super().append(message, delivery_tag)
        except ResponseError as error:
            logger.warning("%s; a message is applied that it could not note as given out", cause_of(error))
            virtual.QoS.append(self, message, delivery_tag)

    @property
    def held(self) -> set[str]:
        """The messages that were given out and not let go of, by their tags."""
        found: set[str] = set(self._delivered) - self._dirty  # kombu has no types
        return found

    def let_go(self, delivery_tag: str) -> None:
        """Hold a message no longer, and leave it to the broker to bring it again."""
        self._unnoted.discard(delivery_tag)
        virtual.QoS.ack(self, delivery_tag)

    def _was_unnoted(self, delivery_tag: str) -> bool:
        """Let go of a message, if the broker knows nothing of it; tell whether that was all."""
        if delivery_tag not in self._unnoted:
            return False
        self._unnoted.discard(delivery_tag)
        virtual.QoS.ack(self, delivery_tag)
        return True

    def restore_visible(self, *arguments: Any, **options: Any) -> None:
        """Have messages come again that nobody acknowledged, once the broker takes writes again."""
        try:
            super().restore_visible(*arguments, **options)
        except ResponseError as error:
            logger.debug("can't look for messages that nobody acknowledged: %s", cause_of(error))


class SteadyChannel(Channel):  # type: ignore[misc]  # kombu has no types
    """A channel that goes on while the broker takes no writes."""

    QoS = _Deliveries

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self._clients: dict[Any, Any] = {}  # by the pool of their connections; kombu makes one for each command
        super().__init__(*arguments, **options)

    def _create_client(self, asynchronous: bool = False) -> Any:
        """Return a client of the broker: the one that there is, unless its connections are to be read in turns."""
        if asynchronous:
            return super()._create_client(asynchronous)
        client = self._clients.get(self.pool)
        if client is None:
            self._clients.clear()
            client = self._clients[self.pool] = super()._create_client()
        return client

    def _brpop_read(self, **options: Any) -> Any:
        """Take in a message; a broker that may give out none, since that is a write too, is asked again.

        One that gave out a message may refuse what Celery then says of its task, which fails in here as well. The write
        is done by then; held for ever, the message would be the last one that the worker takes.
        """
        before = self.qos.held
        try:
            return super()._brpop_read(**options)
        except ResponseError as error:
            taken = self.qos.held - before
            for delivery_tag in taken:
                self.qos.let_go(delivery_tag)
            lost = "the result of a task is not kept, and it will come again" if taken else "no message is given out"
            logger.warning("%s; %s", cause_of(error), lost)
            time.sleep(RETRY_S)  # a worker that is given no work has no other
            raise Empty from None
