"""Heavy messages are carried out in a thread of their own, so that the other orgs of their lanes need not wait.

A bulk is one transaction of tens of milliseconds. What else comes for its org meanwhile waits, for the order of an
org's writes is that of its lane.
"""

import logging
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from queue import Queue

UNDER_WAY_MAX = 8  # then the lane waits: what its worker took in is lost with it
SWITCH_S = 0.0002  # so long the thread may keep the worker's own from the interpreter, each time that it wants it

logger = logging.getLogger("ledger.workers")


class Heavy:
    """The heavy messages of a worker, each of one org: one at a time, in the order in which they came.

    But for the work itself, all is called by one thread.
    """

    def __init__(self) -> None:
        self._begun: Queue[tuple[str, Callable[[], object]]] = Queue(UNDER_WAY_MAX)
        self._changed = threading.Condition()
        self._orgs: Counter[str] = Counter()
        self._usual_s = sys.getswitchinterval()
        self._is_running = False

    def begin(self, org: str, work: Callable[[], object]) -> None:
        """Have an org's work done, after what was begun before; in this thread if there is no other."""
        if not self._is_running:
            self._start()
        if not self._is_running:
            work()
            return
        with self._changed:
            self._orgs[org] += 1
            sys.setswitchinterval(SWITCH_S)
        self._begun.put((org, work))

    def wait_for(self, orgs: Iterable[str]) -> None:
        """Wait until no work of these orgs is under way."""
        if self._orgs:
            wanted = set(orgs)
            with self._changed:
                self._changed.wait_for(lambda: wanted.isdisjoint(self._orgs))

    def finish(self) -> None:
        """Wait until none is under way."""
        self.wait_for(list(self._orgs))

    def _start(self) -> None:
        try:
            threading.Thread(target=self._keep_running, name="heavy", daemon=True).start()
            self._is_running = True
        except RuntimeError as error:  # the system gives no more
            logger.warning("heavy messages hold up their lanes: %s", error)

    def _keep_running(self) -> None:
        while True:
            org, work = self._begun.get()
            try:
                work()
            except BaseException:  # whatever ends the work, others wait for its end
                logger.exception("a bug in a heavy message")
            with self._changed:
                self._orgs[org] -= 1
                if not self._orgs[org]:
                    del self._orgs[org]
                if not self._orgs:
                    sys.setswitchinterval(self._usual_s)
                self._changed.notify_all()
