"""The callers of a storm: each sets out to do one thing after the other, and retries honestly, under the same key."""

import json
import random
import threading
from collections.abc import Sequence

from tests.storm.journal import Answer, Journal, Read, Write
from tests.storm.plan import Intent, intents
from tests.storm.requests import HttpCaller, QueueCaller, Told, is_decided
from tests.storm.town import Town
from tests.storm.watch import Watcher

PAUSE_S = 0.004  # between two writes: the load is to be steady, not as high as it can be
RETRY_S = (0.02, 0.4)
GIVES_UP = 0.12  # after an attempt that told nothing; the audit resolves what is left open
READS = 0.1  # what was just written
REPEATS = 0.08  # of what was answered, to see the same answer again
TIMEOUTS_S = (1.5, 11.0)  # impatient callers, and those who wait longer than the server's own bound


class Caller:
    """One caller, in a thread of its own, until told to stop."""

    def __init__(
        self, seed: int, by: HttpCaller | QueueCaller, journal: Journal, town: Town, watcher: Watcher | None = None
    ) -> None:
        self.name = by.name
        self._by = by
        self._rng = random.Random(f"{seed}/{by.name}/patience")
        self._intents = intents(seed, by.name)
        self._journal = journal
        self._town = town
        self._watcher = watcher
        self._stopping = threading.Event()
        self.error: BaseException | None = None
        self.thread = threading.Thread(target=self._work, name=by.name, daemon=True)

    def stop(self) -> None:
        """Let it end after the attempt that it is at."""
        self._stopping.set()

    def join(self, timeout_s: float) -> str | None:
        """Wait until it has ended; return what went wrong."""
        self.thread.join(timeout_s)
        if self.thread.is_alive():
            return f"hangs in a call for more than {timeout_s} s"
        return None if self.error is None else repr(self.error)

    def _work(self) -> None:
        try:
            for intent in self._intents:
                if self._stopping.wait(PAUSE_S):
                    break
                self._carry_out(intent)
        except BaseException as error:
            self.error = error
        finally:
            self._by.close()

    def _carry_out(self, intent: Intent) -> None:
        writes = self._town.writes(intent, self.name, keyless=isinstance(self._by, QueueCaller))
        for write in writes:
            self._journal.append(write)
        left = writes
        while left:
            told = self._send(left, intent.way)
            left = [write for write, each in zip(left, told, strict=True) if not self._is_over(write, each)]
            if left and (self._rng.random() < GIVES_UP or self._stopping.wait(self._rng.uniform(*RETRY_S))):
                return

    def _send(self, writes: Sequence[Write], way: str) -> Sequence[Told]:
        if len(writes) > 1 and isinstance(self._by, HttpCaller):
            told: Sequence[Told] = self._by.write_each(list(writes), way)
        else:
            told = [self._by.write(write, way) for write in writes]
        for each in told:
            self._journal.append(each)
        return told

    def _is_over(self, write: Write, told: Told) -> bool:
        if not isinstance(told, Answer):
            return False
        if told.status == 202:
            assert self._watcher is not None
            assert told.operation is not None
            self._watcher.promised(write, told.operation)
            return True
        if not is_decided(told.status):
            return False
        if told.status < 300:
            self._town.learn(write, told.body)
            if self._rng.random() < READS and isinstance(self._by, HttpCaller):
                self._read(self._by, write, told)
        if self._rng.random() < REPEATS:
            self._send([write], "sync")
        return True

    def _read(self, by: HttpCaller, write: Write, told: Answer) -> None:
        """Read what was just answered: it must be there already."""
        if write.kind not in ("entry", "reversal"):
            return
        found = by.get(write.tag, f"/v1/entries/{json.loads(told.body)['id']}", write.org)
        if isinstance(found, Answer) and found.status < 500:
            self._journal.append(Read(write.tag, found.status, found.body))
