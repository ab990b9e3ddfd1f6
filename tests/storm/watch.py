"""Asking for an operation, and going on asking for every one that was promised an outcome."""

import threading
from collections import deque

import orjson

from tests.storm.journal import Answer, Journal, Poll, Write
from tests.storm.requests import HttpCaller
from tests.storm.town import Town

POLL_EVERY_S = 0.01


def poll(caller: HttpCaller, write: Write, operation: str) -> Poll | None:
    """Ask for an operation once; None when nobody could tell."""
    told = caller.get(write.tag, f"/v1/operations/{operation}", write.org)
    if not isinstance(told, Answer) or told.status >= 500:
        return None
    if told.status != 200:
        return Poll(write.tag, operation, "unknown", told.status, told.body)
    found = orjson.loads(told.body)
    said = found["error"] if found["result"] is None else found["result"]
    body = None if said is None else orjson.dumps(said).decode()
    return Poll(write.tag, operation, found["status"], found["http_status"], body)


class Watcher:
    """Asks for promised operations in turn, decided ones too: what is final must stay so."""

    def __init__(self, caller: HttpCaller, journal: Journal, town: Town) -> None:
        self._caller = caller
        self._journal = journal
        self._town = town
        self._learned: set[str] = set()
        self._promised: deque[tuple[Write, str]] = deque(maxlen=500)
        self._stopping = threading.Event()
        self.thread = threading.Thread(target=self._watch, name="watcher", daemon=True)

    def promised(self, write: Write, operation: str) -> None:
        """Take note of an operation that was answered `202`."""
        self._promised.append((write, operation))

    def stop(self) -> None:
        """Let it end."""
        self._stopping.set()

    def _watch(self) -> None:
        while not self._stopping.wait(POLL_EVERY_S):
            if self._promised:
                self._promised.rotate(-1)
                write, operation = self._promised[-1]
                found = poll(self._caller, write, operation)
                if found is not None:
                    self._take(write, found)
        self._caller.close()

    def _take(self, write: Write, found: Poll) -> None:
        self._journal.append(found)
        if found.status == "applied" and found.body is not None and write.tag not in self._learned:
            self._learned.add(write.tag)
            self._town.learn(write, found.body)
