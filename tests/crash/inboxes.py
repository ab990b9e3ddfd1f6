"""An inbox that loses its power: what was accepted waits in it, and what was dropped may only come back in between."""

import random
from pathlib import Path

from ledger_core.inbox import Accepted, Inbox
from tests.crash.disk import Answered, Submitted
from tests.crash.recording import Recording
from tests.ledger_core.test_inbox import accepted

Seen = list[Accepted]
RESTART_EVERY = 13


class BusyInbox:
    """Accepts, settles and drops, and knows what waited after each step. Step 0: an empty inbox."""

    def __init__(self, seed: int) -> None:
        self._dice = random.Random(f"inbox/{seed}")
        self._items = iter(accepted(description="x" * (number * 37 % 900)) for number in range(1 << 20))
        self.seen: list[Seen] = []

    def run(self, record: Recording, steps: int) -> None:
        """Do it, with restarts in between."""
        record.note(Submitted(0))
        inbox = self._open(record.root)
        self._answered(record, inbox)
        for step in range(1, steps + 1):
            if step % RESTART_EVERY == 0:
                inbox.close()
                inbox = self._open(record.root)
            record.note(Submitted(step))
            self._one(inbox)
            self._answered(record, inbox)
        inbox.close()

    def check(self, folder: Path, answered: int, submitted: int) -> None:
        """Check what power loss left: it is as after a step between those two, and takes more."""
        inbox = Inbox.open(folder)
        try:
            now = _seen(inbox)
            assert now in self.seen[max(answered, 0) : submitted + 1], "the inbox is as it never was"
            for item in now:
                assert inbox.find(item.submission.operation_id) == item
            more = next(self._items)
            inbox.accept([more])
            assert inbox.find(more.submission.operation_id) == more
        finally:
            inbox.close()

    def _one(self, inbox: Inbox) -> None:
        waiting = self.seen[-1]
        draw = self._dice.random()
        if draw < 0.65 or not waiting:
            settled = self._dice.sample(waiting, self._dice.randint(0, len(waiting)))
            new = [next(self._items) for _ in range(self._dice.randint(1, 8))]
            inbox.accept(new, [item.submission for item in settled])
        else:
            inbox.drop(self._dice.choice(waiting).submission.operation_id)

    def _open(self, folder: Path) -> Inbox:
        inbox = Inbox.open(folder)
        with inbox._writer.connection() as connection:
            connection.execute("pragma wal_autocheckpoint = 10")  # folded in often, as over a long life
        return inbox

    def _answered(self, record: Recording, inbox: Inbox) -> None:
        self.seen.append(_seen(inbox))
        record.note(Answered(len(self.seen) - 1))


def _seen(inbox: Inbox) -> Seen:
    return list(inbox.waiting())
