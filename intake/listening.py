"""Listening for answers: the server's loop reads them by itself, for those who wait are answered by it."""

import logging
from collections.abc import Callable

from intake.broker_watch import BrokerWatch
from wire import broker
from wire.envelope import Malformed, Reply, decode_reply
from wire.replies import Listener

logger = logging.getLogger("ledger.intake")


class Listening:
    """Takes in what comes on the reply list. But for `connect`, it is the affair of the server's thread."""

    def __init__(self, listener: Listener, watch: BrokerWatch, resolve: Callable[[Reply], None]) -> None:
        self._listener = listener
        self._watch = watch
        self._resolve = resolve

    def connect(self) -> bool:
        """Connect to the broker unless that is done; tell whether there is something to take in, or to give up.

        A name that is looked up may hold this up for long. Another thread calls it.

        Raises:
            redis.RedisError, OSError: the broker does not answer.
        """
        if self._listener.stands:
            return self._listener.is_overdue
        self._listener.connect()
        return True

    def take_in(self) -> None:
        """Take in the answers that are here."""
        try:
            texts = self._listener.received()
        except Exception as error:  # it must not reach whoever the loop deals with just now
            if not isinstance(error, broker.ERRORS):  # of those whoever watches the broker tells, once
                logger.exception("a bug in listening for answers")
            self._watch.suspect()
            return
        for text in texts:
            # Whoever waits for what is dropped sends the command again, and is told the outcome that is in the book.
            try:
                self._resolve(decode_reply(text))
            except Malformed as error:
                logger.error("dropped answers that can't be understood: %s", error)
            except Exception:
                logger.exception("a bug in handing over answers")
