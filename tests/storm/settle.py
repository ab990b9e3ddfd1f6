"""After the storm: what is open is asked for until it is known, and everything is asked for once more."""

import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from threading import local

from tests.storm.journal import Answer, Journal
from tests.storm.requests import HttpCaller, QueueCaller, is_decided
from tests.storm.stories import Story
from tests.storm.watch import poll

SETTLED_WITHIN_S = 90.0  # then something is lost
AUDITOR = "audit"  # the name of the callers here
REPEATED_WITHIN_S = 180.0  # far beyond what it takes
PAUSE_S = 0.1
THREADS = 6


class Settlement:
    """Asks, in several threads, by callers of its own."""

    def __init__(self, journal: Journal, http: Callable[[], HttpCaller], queue: Callable[[], QueueCaller]) -> None:
        self._journal = journal
        self._http = http
        self._queue = queue
        self._mine = local()
        self._give_up_at_s = 0.0

    def settle(self, stories: Iterable[Story]) -> None:
        """Ask for what became of each write that nobody was told of. Those that were turned away stay so."""
        self._give_up_at_s = time.monotonic() + SETTLED_WITHIN_S
        self._each(self._settle, (story for story in stories if story.outcome is None and not story.turned_away))

    def repeat(self, stories: Iterable[Story]) -> None:
        """Ask for everything that was decided once more."""
        self._give_up_at_s = time.monotonic() + REPEATED_WITHIN_S
        self._each(self._repeat, (story for story in stories if story.outcome is not None))

    def _each(self, ask: Callable[[Story], None], stories: Iterable[Story]) -> None:
        with ThreadPoolExecutor(THREADS) as threads:
            list(threads.map(ask, stories))

    def _settle(self, story: Story) -> None:
        while time.monotonic() < self._give_up_at_s:
            if story.promised is not None:
                found = poll(self._caller(), story.write, story.promised)
                if found is not None:
                    self._journal.append(found)
                    if found.status in ("applied", "refused"):
                        return
            else:
                told = self._writer(story).write(story.write, "sync")
                self._journal.append(told)
                if isinstance(told, Answer) and (is_decided(told.status) or told.status == 202):
                    story.answers.append(told)
                    if is_decided(told.status):
                        return
            time.sleep(PAUSE_S)

    def _repeat(self, story: Story) -> None:
        if time.monotonic() > self._give_up_at_s:  # then enough was found already
            return
        if story.write.key is not None:
            self._journal.append(self._caller().write(story.write, "sync"))
        elif story.decided is not None and story.decided.operation is not None:
            found = poll(self._caller(), story.write, story.decided.operation)
            if found is not None:
                self._journal.append(found)

    def _writer(self, story: Story) -> HttpCaller | QueueCaller:
        return self._caller() if story.write.key is not None else self._queue_caller()

    def _caller(self) -> HttpCaller:
        if not hasattr(self._mine, "http"):
            self._mine.http = self._http()
        found: HttpCaller = self._mine.http
        return found

    def _queue_caller(self) -> QueueCaller:
        if not hasattr(self._mine, "queue"):
            self._mine.queue = self._queue()
        found: QueueCaller = self._mine.queue
        return found
