"""Messages that are lost, doubled, late, out of order, and back from long ago: a thief takes them from the lanes.

It waits for messages beside the workers, so it gets those that come when no worker waits, and some of the others.
"""

import threading
from contextlib import suppress

import redis

from tests.storm.faults.fault import Fault, Impossible
from tests.storm.system import Stolen
from wire.broker import ERRORS
from wire.lanes import LANES_DEFAULT, queue_of

LANES = [queue_of(lane) for lane in range(LANES_DEFAULT)]


class _Thief(Fault):
    """Takes messages until it is told to end. Workers take from the right end of a lane; the left one is new."""

    def begin(self) -> None:
        self.stolen: list[Stolen] = []
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._steal, name="thief", daemon=True)
        self._thread.start()

    def end(self) -> None:
        self._ending.set()
        self._thread.join()
        self.system.stolen.extend(self.stolen)
        self.give_back()

    def got(self, client: "redis.Redis", message: Stolen) -> None:
        self.stolen.append(message)

    def give_back(self) -> None:
        pass

    def push(self, messages: list[Stolen]) -> None:
        with suppress(*ERRORS):  # then they are lost, as they may be
            client = self.system.broker()
            for lane, message in messages:
                client.lpush(lane, message)

    def _steal(self) -> None:
        client = self.system.broker()
        while not self._ending.is_set():
            with suppress(*ERRORS):
                if found := client.brpop(LANES, timeout=0.1):
                    self.got(client, (found[0].decode(), found[1]))
                    continue
            self._ending.wait(0.02)


class DropMessages(_Thief):
    """What it takes is gone."""


class DelayMessages(_Thief):
    """What it takes comes when nobody expects it any more."""

    def give_back(self) -> None:
        self.push(self.stolen)


class ReorderMessages(_Thief):
    """What it takes comes the last first."""

    def give_back(self) -> None:
        self.push(self.stolen[::-1])


class DoubleMessages(_Thief):
    """What it takes comes at once, twice."""

    def got(self, client: "redis.Redis", message: Stolen) -> None:
        super().got(client, message)
        client.rpush(message[0], message[1], message[1])
        self._ending.wait(0.005)  # or it would steal them again


class RepeatOldMessages(Fault):
    """Everything that was ever stolen comes again, on whatever lane."""

    def begin(self) -> None:
        if not self.system.stolen:
            raise Impossible("nothing was stolen yet")
        try:
            client = self.system.broker()
            for number, (lane, message) in enumerate(list(self.system.stolen)):
                client.lpush(LANES[number % len(LANES)] if self.pick < 0.5 else lane, message)
        except ERRORS as error:
            raise Impossible("the broker is away") from error


class FlushBroker(Fault):
    """The broker loses everything that it has, and goes on."""

    def begin(self) -> None:
        try:
            self.system.broker().flushall()
        except ERRORS as error:
            raise Impossible("the broker is away") from error


FAULTS: dict[str, type[Fault]] = {
    "drop_messages": DropMessages,
    "delay_messages": DelayMessages,
    "reorder_messages": ReorderMessages,
    "double_messages": DoubleMessages,
    "repeat_old_messages": RepeatOldMessages,
    "flush_broker": FlushBroker,
}
