"""Publishing on lanes, and what a failure of it means: surely not sent, or perhaps sent."""

import itertools
import logging
import time
from collections import deque
from collections.abc import Callable
from typing import NamedTuple
from uuid import uuid4

import redis

from wire import broker
from wire.app import APPLY_TASK
from wire.celery_message import celery_message
from wire.lanes import queue_of
from wire.link import Link, Linked, Watches

logger = logging.getLogger("ledger.wire")

ANSWER_TIMEOUT_S = 1.0  # a broker that does not take a message within this is away
PROBE_KEY = "ledger.probe"  # never written: see `trouble`


class NotSent(Exception):
    """The broker did not get the message. Arguments: what is wrong with it, for callers; and in detail."""


class PerhapsSent(Exception):
    """The connection broke in mid-message: the broker may have it. Arguments as those of `NotSent`."""


Failed = Callable[[NotSent | PerhapsSent], None]


class Trouble(NamedTuple):
    """What is wrong with the broker: for callers, and in detail for the log."""

    cause: str
    detail: str = ""


class _Published(NamedTuple):
    """A message of which the broker has not said yet that it has it."""

    failed: Failed
    at_s: float


class Publisher:
    """Puts intake's messages on lanes, over one link. One thread uses it, which never waits, but for `trouble`.

    Publishing never connects, nor waits for it, since looking up a name may take longer than anybody waits: `trouble`
    does, which one other thread may call.
    """

    def __init__(self, url: str) -> None:
        self._prober = broker.connect(url, answer_timeout_s=broker.PROBE_TIMEOUT_S)
        self._linked = Linked(url, answer_timeout_s=ANSWER_TIMEOUT_S)
        self._published: deque[_Published] = deque()  # the oldest first
        self._on_lost: Callable[[], None] = lambda: None
        self._name = str(uuid4())
        self._count = itertools.count(1)

    def watched_by(self, watches: Watches, on_lost: Callable[[], None]) -> None:
        """Have `take_in` called by whoever watches the link, and something else when it turns out to be broken."""
        self._linked.watched_by(watches, self.take_in)
        self._on_lost = on_lost

    def publish(self, lane: int, text: str, failed: Failed, *, first: bool = False) -> None:
        """Put a message on a lane: behind those that lie there, or before them.

        `failed` is called, now or later, if that fails: with NotSent where there is no connection to the broker, or it
        refuses; with PerhapsSent where the connection broke, or no answer came, while the message was under way.
        """
        self.take_in()  # a link that the broker has closed takes what it is given, and loses it
        if self._link() is None:
            _tell(failed, NotSent("the broker does not answer", "there is no connection to it"))
            return
        name = f"{self._name}-{next(self._count)}"
        push = "RPUSH" if first else "LPUSH"  # whoever takes a message takes the last one of the list
        command = push, queue_of(lane), lane_message(lane, name, text)
        self._published.append(_Published(failed, time.monotonic()))
        try:
            self._linked.send(command)
        except Exception as error:  # whatever it is: nobody knows how much of it went
            self._lose(error)

    def take_in(self) -> None:
        """Take in what the broker says to what was published."""
        link = self._link()
        if link is None:
            return
        try:
            link.flush()
            for answer in link.received():
                published = self._published.popleft()
                if isinstance(answer, Exception):
                    told = broker.cause_of(answer), broker.detail_of(answer)
                    _tell(published.failed, NotSent(*told) if broker.is_refusal(answer) else PerhapsSent(*told))
            if self.is_overdue:
                raise redis.TimeoutError("no answer to a message")
        except Exception as error:  # also an answer to what nobody published: from then on none can be trusted
            self._lose(error)

    @property
    def is_overdue(self) -> bool:
        """Tell whether the broker owes an answer for too long: `take_in` gives it up. Any thread may ask."""
        try:
            return time.monotonic() - self._published[0].at_s > ANSWER_TIMEOUT_S
        except IndexError:
            return False

    def trouble(self) -> Trouble | None:
        """Tell what is wrong with the broker; None when a message can be published. Connects, if need be.

        It asks for a write that writes nothing, since a broker may answer and yet take no message: it is out of
        memory, or can't write its disk, or only follows another one.
        """
        try:
            self._prober.setrange(PROBE_KEY, 0, "")
            self._linked.make()
        except Exception as error:  # whatever it is: there is a broker to publish to, or there is not
            self._linked.condemn()
            return Trouble(broker.cause_of(error), broker.detail_of(error))
        return None

    def close(self) -> None:
        """Close the connections."""
        self._linked.close()
        self._prober.close()

    def _link(self) -> Link | None:
        """Return the link, if there is one; what was published on another one is forgotten.

        What became of that nobody knows, and that the broker was away was told.
        """
        link, is_new = self._linked.taken()
        if is_new:
            self._published.clear()
        return link

    def _lose(self, error: Exception) -> None:
        """Drop the link, and tell of those messages of which nobody knows now whether the broker has them."""
        self._linked.drop()
        published, self._published = self._published, deque()
        self._on_lost()
        for each in published:
            _tell(each.failed, PerhapsSent(broker.cause_of(error), broker.detail_of(error)))


def _tell(failed: Failed, error: NotSent | PerhapsSent) -> None:
    """Tell of a failure: a fault of whoever is told is nobody else's."""
    try:
        failed(error)
    except Exception:
        logger.exception("a bug in what is done about a message that failed")


def lane_message(lane: int, name: str, text: str) -> bytes:
    """Write a message of a lane as it is pushed on its queue. No two messages share a name."""
    return celery_message(APPLY_TASK, name, text, queue_of(lane), name)
