"""A world for intake's state machine: real books, inbox, worker and writes; the broker and the clock are toys."""

import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple
from unittest import mock

from intake import broker_watch, dispatch, writes
from intake.acceptance import Acceptance, Sweeper
from intake.aside import Aside
from intake.begun import Accepting, Pending, Waiting, Withdrawing
from intake.broker_watch import BrokerWatch
from intake.dispatch import Dispatch
from intake.known import Known
from intake.prefer import Preference
from intake.problems import Rejected
from intake.readers import Readers
from intake.tickets import Readiness
from intake.writes import Writes
from ledger_core import reads
from ledger_core.commands import Command
from ledger_core.errors import StorageUnavailable
from ledger_core.inbox import Accepted, Inbox
from ledger_core.model import Outcome, Submission
from ledger_core.operations import operation_id_of
from ledger_core.orgs import Registry
from ledger_core.set_aside import SetAside
from ledger_core.store import load
from ledger_core.store.load import OperationRow
from ledger_core.verify import verify
from tests.builders import NOW, opening, submission
from wire import envelope
from wire.answers import Answer, of_outcome
from wire.app import VISIBILITY_TIMEOUT_S
from wire.envelope import COMMANDS_PER_MESSAGE_MAX, Reply, decode_message, decode_reply, encode_reply
from wire.publisher import Failed, NotSent, PerhapsSent, Trouble
from workers.books import Books
from workers.outages import Outages
from workers.tasks import _Answered
from workers.turns import Turns

ORGS = ("acme", "globex", "initech")
LANES = 2
PENDING_PER_ORG_MAX, PENDING_MAX = 6, 10


class Clock:
    """A clock that moves when it is told to, or when somebody sleeps."""

    def __init__(self) -> None:
        self.now_s = 1_000.0

    def monotonic(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds


class Broker:
    """A broker that keeps messages, takes none, or fails in the middle of one."""

    def __init__(self) -> None:
        self.messages: list[str] = []
        self.mode = "up"

    def publish(self, lane: int, text: str, failed: Failed, *, first: bool = False) -> None:
        assert len(decode_message(text).items) <= COMMANDS_PER_MESSAGE_MAX
        if self.mode in ("up", "takes it and fails"):
            self.messages.append(text)
        if self.mode == "down":
            failed(NotSent("away"))
        elif self.mode != "up":
            failed(PerhapsSent("away"))

    def trouble(self) -> Trouble | None:
        return None if self.mode == "up" else Trouble("away")


class ToyInbox(Inbox):
    """The inbox, on a disk that may be full."""

    full = False

    def accept(self, accepted: Sequence[Accepted], settled: Sequence[Submission] = ()) -> None:
        if self.full:
            raise StorageUnavailable("inbox: full")
        super().accept(accepted, settled)


class Asked(NamedTuple):
    """One write of a request, and what its caller was told: nothing yet, a status without outcome, or an answer."""

    org: str
    command: Command
    operation_id: bytes
    told: list[int | Answer]
    submission: int = 0  # of one that was let in


class Request(NamedTuple):
    """A request whose caller waits."""

    begun: Accepting | Waiting | Withdrawing
    asked: Sequence[Asked]

    @property
    def is_ready(self) -> bool:
        if isinstance(self.begun, Readiness):
            return self.begun.ready
        return all(ticket.ready for ticket in self.begun.tickets)


class World:
    """A data folder, a worker, a broker, and one intake process after the other."""

    def __init__(self) -> None:
        self.clock, self.broker = Clock(), Broker()
        self._patches = [
            mock.patch.object(module, "time", self.clock) for module in (dispatch, writes, broker_watch, envelope)
        ]
        for patch in self._patches:
            patch.start()
        self.folder = Path(tempfile.mkdtemp())
        registry = Registry.open_writer(self.folder)
        for org in ORGS:
            registry.create_org(org, name=None, currency=None, now=NOW)
        registry.close()
        self.inbox = ToyInbox.open(self.folder)
        assert isinstance(self.inbox, ToyInbox)
        self.aside = SetAside(self.folder)
        self.books = Books(self.folder, Outages(self.folder, self.aside))
        self.turns = Turns(self.books, self.aside)
        for org in ORGS:
            self.turns.apply(org, [submission(opening(name), org) for name in ("Cash", "Till")])
        self.answered = _Answered()
        self.unacknowledged: list[tuple[float, str]] = []
        self.readers = Readers(self.folder)
        self.replies: list[tuple[str, bytes]] = []
        self.asked: list[Asked] = []
        self.requests: list[Request] = []
        self._starts = 0
        self.start()

    # Intake

    def start(self) -> None:
        """Start an intake process."""
        self._starts += 1
        self.reply_to = f"ledger.replies.{self._starts}"
        self.known = Known(self.readers, self.inbox)
        self.acceptance = Acceptance(self.inbox, self.known)
        self.watch = BrokerWatch(self.broker)
        self.dispatch = Dispatch(
            self.broker,
            self.watch,
            self.reply_to,
            lanes=LANES,
            pending_per_org_max=PENDING_PER_ORG_MAX,
            pending_max=PENDING_MAX,
            pending_bytes_max=2**30,  # never reached here
            on_settled=self.acceptance.settle,
        )
        self.acceptance.on_told = self.dispatch.send_due
        self.writes = Writes(self.dispatch, self.acceptance, self.known, wait_s=10)
        self.sweeper = Sweeper(self.folder, self.inbox, self.readers, self.dispatch, Aside(self.aside))
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=_until, args=(turn, self._stopping), daemon=True)
            for turn in (self.acceptance.commit_once, self.acceptance.look_up_once)
        ]
        for thread in self._threads:
            thread.start()
        self.watch.ask_once()

    def kill(self) -> None:
        """Kill the intake process: whoever waits is told nothing."""
        self.requests.clear()
        self._stopping.set()
        self.acceptance.accept_soon("", [], lambda error, known: None, look_up=False)
        self.acceptance._far.put([])
        for thread in self._threads:
            thread.join()
        os.close(self.sweeper._lock)  # as the end of a process does

    def ask(self, org: str, commands: Sequence[Command], preference: Preference) -> None:
        """Send a request with writes."""
        asked = [Asked(org, command, operation_id_of(org, command), []) for command in commands]
        self.asked += asked
        try:
            begun = self.writes.begin(org, commands, "a-request", preference)
        except (Rejected, StorageUnavailable) as refused:
            self._refuse(asked, refused)
            return
        # A key-less command has an operation of its own, which only its answer names.
        for n, item in enumerate(begun.submissions):
            asked[n] = self.asked[n - len(asked)] = asked[n]._replace(
                operation_id=item.operation_id, submission=item.submission
            )
        if isinstance(begun, Accepting):
            begun.wait()  # the thread of the inbox is a real one
        self.requests.append(Request(begun, asked))
        if isinstance(begun, Accepting) and begun.known:
            self._finish(self.requests[-1])  # what was known at once is told at once: later it may not be so

    def finish(self) -> None:
        """Tell those who are ready what their writes came to."""
        for request in [request for request in self.requests if request.is_ready]:
            self._finish(request)

    def _finish(self, request: Request) -> None:
        self.requests.remove(request)
        try:
            written = self.writes.finish(request.begun)
        except (Rejected, StorageUnavailable) as refused:
            self._refuse(request.asked, refused)
            return
        if isinstance(written, Withdrawing):
            self.requests.append(Request(written, request.asked))
            return
        for asked, result in zip(request.asked, written.results, strict=True):
            assert result.operation_id == asked.operation_id
            asked.told.append(202 if isinstance(result.told, Pending) else result.told)

    @staticmethod
    def _refuse(asked: Sequence[Asked], refused: Rejected | StorageUnavailable) -> None:
        status = refused.problem.status if isinstance(refused, Rejected) else 503
        assert status in (429, 503)
        for each in asked:
            each.told.append(status)

    def later(self, seconds: float) -> None:
        """Let time pass, and do what is due then."""
        self.clock.now_s += seconds
        due = [text for back_at_s, text in self.unacknowledged if back_at_s <= self.clock.now_s]
        self.unacknowledged = [each for each in self.unacknowledged if each[1] not in due]
        self.broker.messages += due
        self.watch.ask_once()
        self.dispatch.tick()
        self.dispatch.turn_away()
        self.writes.end_waits(self.clock.now_s)

    # The worker and the broker

    def work(self, place: int, *, keep: bool = False, storage: bool = True) -> None:
        """Have the worker take a message, as `ledger.apply` does; `keep`: the broker will bring it again."""
        if not self.broker.messages:
            return
        place %= len(self.broker.messages)
        text = self.broker.messages[place] if keep else self.broker.messages.pop(place)
        message = decode_message(text)
        if message.deadline.passed() or self.answered.before(message):
            return
        told = self.turns.take(message.items, message.deadline.passed if storage else lambda: True)
        self.replies.append((message.reply_to, encode_reply(Reply(message.message_id, 1, told))))

    def kill_worker(self) -> None:
        """Kill the worker: what it did not acknowledge comes again, once the broker gives it up for lost."""
        back_at_s = self.clock.now_s + VISIBILITY_TIMEOUT_S
        self.unacknowledged += [(back_at_s, text) for text in self.broker.messages if self._is_answered(text)]
        self.broker.messages = [text for text in self.broker.messages if not self._is_answered(text)]
        self.answered = _Answered()

    def _is_answered(self, text: str) -> bool:
        message = decode_message(text)
        return (message.reply_to, message.message_id) in self.answered._names

    def answer(self, place: int, *, keep: bool = False) -> None:
        """Have intake take in the answers to a message; `keep`: they come again."""
        if not self.replies:
            return
        place %= len(self.replies)
        reply_to, raw = self.replies[place] if keep else self.replies.pop(place)
        if reply_to == self.reply_to:
            self.dispatch.resolve(decode_reply(raw))

    # What is so

    def outcome(self, asked: Asked) -> Outcome | None:
        with self.readers.book(asked.org) as book:
            return reads.operation(book, asked.operation_id)

    def row(self, asked: Asked) -> OperationRow | None:
        """Return what its book has under an operation's id: whose request that was, and whose sending of it."""
        with self.readers.book(asked.org) as book:
            return load.operation(book.connection, asked.operation_id)

    def answer_of(self, asked: Asked) -> Answer | None:
        outcome = self.outcome(asked)
        return None if outcome is None else of_outcome(outcome)

    def cash(self, org: str) -> int:
        with self.readers.book(org) as book:
            return reads.balance(book, 1, NOW).total

    def close(self) -> None:
        """Check that every book proves itself, and leave nothing behind."""
        try:
            for org in ORGS:
                with self.readers.book(org) as book:
                    assert verify(book).findings == []
        finally:
            self.kill()
            for patch in self._patches:
                patch.stop()
            self.readers.close()
            self.books.close()
            self.inbox.close()
            shutil.rmtree(self.folder)


def _until(turn: Callable[[], None], stopping: threading.Event) -> None:
    while not stopping.is_set():
        turn()
