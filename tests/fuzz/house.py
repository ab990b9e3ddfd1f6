"""A whole ledger in this process: every part is the real one, but messages go straight to the worker's turn."""

import atexit
import shutil
import tempfile
import threading
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import falcon
from celery import Celery

from intake.acceptance import Acceptance
from intake.app import Parts, make_app
from intake.aside import Aside
from intake.auth import Doorkeeper
from intake.broker_watch import BrokerWatch
from intake.dispatch import Dispatch
from intake.health import Health
from intake.known import Known
from intake.operations import Operations
from intake.readers import Readers
from intake.writes import Writes
from ledger_core.inbox import Inbox
from ledger_core.orgs import Registry
from ledger_core.set_aside import SetAside
from ledger_core.store.book import Book
from ledger_core.verify import verify
from tests.builders import NOW
from wire.envelope import Reply, decode_message, decode_reply, encode_reply
from wire.publisher import Failed
from workers import tasks
from workers.books import Books
from workers.outages import Outages
from workers.turns import Turns

ORG = "acme"
LANES = 4


class Straight:
    """In place of the broker: a message is read and applied where it is published, and the answer read and handed over.

    Whatever goes wrong in it is kept, since the worker's loop would only log it.
    """

    def __init__(self, turns: Turns) -> None:
        self._turns = turns
        self.dispatch: Dispatch

    def publish(self, lane: int, text: str, failed: Failed, *, first: bool = False) -> None:
        message = decode_message(text)
        told = self._turns.take(message.items, message.deadline.passed)
        self.dispatch.resolve(decode_reply(encode_reply(Reply(message.message_id, 1, told))))

    def trouble(self) -> None:
        return None


class House:
    """A data folder with one org, its key, the HTTP application and the tasks of a worker."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="ledger-fuzz-"))
        atexit.register(shutil.rmtree, self.folder, ignore_errors=True)
        registry = Registry.open_writer(self.folder)
        self.api_key = registry.create_org(ORG, name=None, currency=None, now=NOW).api_key
        registry.close()
        self.inbox = Inbox.open(self.folder)
        self.aside = SetAside(self.folder)
        turns = self.turns = Turns(Books(self.folder, Outages(self.folder, self.aside)), self.aside)
        broker = Straight(turns)
        readers = Readers(self.folder)
        known = Known(readers, self.inbox)
        acceptance = Acceptance(self.inbox, known)
        watch = BrokerWatch(broker)
        dispatch = broker.dispatch = Dispatch(
            broker,
            watch,
            "ledger.replies.x",
            lanes=LANES,
            pending_per_org_max=5_000,
            pending_max=50_000,
            pending_bytes_max=256 * 1024 * 1024,
            on_settled=acceptance.settle,
        )
        doorkeeper = Doorkeeper(self.folder)
        aside = Aside(self.aside)
        acceptance.on_told = dispatch.send_due
        writes = Writes(dispatch, acceptance, known, wait_s=10)
        operations = Operations(dispatch, acceptance, readers, aside)
        health = Health(watch, doorkeeper, self.folder, LANES, acceptance, aside)
        self.app: falcon.App[Any, Any] = make_app(Parts(doorkeeper, readers, writes, operations, health))
        self.celery = Celery("fuzz", set_as_current=False)
        tasks.register(self.celery, turns, None)  # type: ignore[arg-type]  # only intake's messages are replied to
        for turn in (acceptance.commit_once, acceptance.look_up_once):
            threading.Thread(target=_for_ever, args=(turn,), daemon=True).start()

    def check_books(self) -> None:
        """The org's book proves itself."""
        book = Book.open_reader(self.folder, ORG)
        try:
            assert verify(book).findings == []
        finally:
            book.close()


def _for_ever(turn: Callable[[], None]) -> None:
    while True:
        turn()


@cache
def house() -> House:
    """Return the ledger of this process."""
    return House()
