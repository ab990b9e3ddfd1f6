"""A write whose wait ran out and which can't be accepted: nothing is said of it before it is known."""

from pathlib import Path
from typing import Any

import falcon
import falcon.testing
import pytest
from waitress.channel import ClientDisconnected

from intake import dispatch as dispatch_module
from intake import known
from intake import writes as module
from intake.app import _no_answer
from intake.begun import UNKNOWN_S_MAX, Withdrawing, Written
from intake.known import Known
from intake.prefer import Preference
from intake.readers import Readers
from intake.writes import NobodyKnows, Writes
from ledger_core import ledger
from ledger_core.errors import StorageUnavailable
from ledger_core.orgs import Registry
from ledger_core.store.book import Book
from tests.builders import NOW, ORG, opening
from tests.intake.sending import Clock, Sender
from wire import envelope
from wire.answers import Answer
from wire.envelope import MESSAGE_VALID_S


class NoInbox:
    """An inbox that can't be written."""

    def accept(self, items: object) -> None:
        raise StorageUnavailable("inbox: full")

    def fingerprints(self, operation_ids: object) -> dict[bytes, bytes]:
        return {}


class Shaky(Readers):
    """Readers of a book that can't be read now and then."""

    fails = False

    def take(self, org: str) -> Book:
        if self.fails:
            raise StorageUnavailable("the book can't be read")
        return super().take(org)


class Case:
    """A write that nobody answers, and what its caller is told."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        registry = Registry.open_writer(folder)
        registry.create_org(ORG, name=None, currency=None, now=NOW)
        registry.close()
        self.folder = folder
        self.clock = clock
        self.sender = Sender(clock)
        self.readers = Shaky(folder)
        inbox: Any = NoInbox()
        self.writes = Writes(self.sender.dispatch, inbox, Known(self.readers, inbox), wait_s=1)
        self.begun = self.writes.begin(ORG, [opening()], "a-request", Preference())

    def wait_ends(self) -> Withdrawing:
        """Let the wait run out."""
        self.clock.now_s += 1
        self.writes.end_waits(self.clock.now_s)
        withdrawing = self.writes.finish(self.begun)
        assert isinstance(withdrawing, Withdrawing)
        assert not withdrawing.ready
        return withdrawing

    def ready(self, withdrawing: Withdrawing) -> Written | Withdrawing:
        """Let the time pass until it is ready, and finish it."""
        self.clock.now_s = withdrawing.until_s
        self.writes.end_waits(self.clock.now_s)
        assert withdrawing.ready
        return self.writes.finish(withdrawing)


@pytest.fixture
def case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Case:
    clock = Clock()
    monkeypatch.setattr(dispatch_module, "time", clock)
    monkeypatch.setattr(module, "time", clock)
    monkeypatch.setattr(envelope, "time", clock)
    return Case(tmp_path, clock)


def _told(finished: Written | Withdrawing) -> int:
    assert isinstance(finished, Written)
    (result,) = finished.results
    assert isinstance(result.told, Answer)
    return result.told.http_status


def test_it_is_refused_once_no_message_can_carry_it_out_and_the_book_does_not_have_it(case: Case) -> None:
    began_s = case.clock.now_s

    withdrawing = case.wait_ends()

    assert withdrawing.until_s >= began_s + MESSAGE_VALID_S
    assert _told(case.ready(withdrawing)) == 503


def test_it_is_answered_with_its_outcome_when_the_book_has_it(case: Case) -> None:
    withdrawing = case.wait_ends()
    book = Book.open_writer(case.folder, ORG)
    ledger.apply(book, [withdrawing.late[0].submission])
    book.close()

    assert _told(case.ready(withdrawing)) == 201


def test_it_is_answered_with_its_outcome_while_another_request_misuses_its_key(case: Case) -> None:
    mine, other = (opening(name, idempotency_key="k") for name in ("Cash", "Till"))
    case.begun = case.writes.begin(ORG, [mine], "a-request", Preference())
    withdrawing = case.wait_ends()
    book = Book.open_writer(case.folder, ORG)
    ledger.apply(book, [withdrawing.late[0].submission])
    book.close()

    case.writes.begin(ORG, [other], "another-request", Preference())

    assert _told(case.ready(withdrawing)) == 201


def test_while_the_book_can_not_be_read_nothing_is_said(case: Case) -> None:
    withdrawing = case.wait_ends()
    case.readers.fails = True

    again = case.ready(withdrawing)
    assert isinstance(again, Withdrawing)
    case.readers.fails = False

    assert _told(case.ready(again)) == 503


def test_while_the_book_says_what_can_not_be_told_nothing_is_said(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(outcome: object) -> Answer:
        raise ValueError("of a kind that is not known here")

    withdrawing = case.wait_ends()
    book = Book.open_writer(case.folder, ORG)
    ledger.apply(book, [withdrawing.late[0].submission])
    book.close()
    with monkeypatch.context() as patched:
        patched.setattr(known.answers, "of_outcome", fails)
        again = case.ready(withdrawing)
    assert isinstance(again, Withdrawing)

    assert _told(case.ready(again)) == 201


def test_what_nobody_can_know_is_not_answered_at_all(case: Case) -> None:
    """An answer with an error status moved no money: this one may have."""
    withdrawing: Written | Withdrawing = case.wait_ends()
    case.readers.fails = True
    for _ in range(int(UNKNOWN_S_MAX / module.LOOK_EVERY_S)):
        assert isinstance(withdrawing, Withdrawing)
        withdrawing = case.ready(withdrawing)

    assert isinstance(withdrawing, Withdrawing)
    with pytest.raises(NobodyKnows):
        case.ready(withdrawing)


def test_what_is_not_answered_loses_its_connection() -> None:
    app: falcon.App[Any, Any] = falcon.App()
    app.add_error_handler(NobodyKnows, _no_answer)
    app.add_sink(_fail)
    with pytest.raises(ClientDisconnected):
        falcon.testing.TestClient(app).simulate_get("/")


def _fail(req: falcon.Request, resp: falcon.Response) -> None:
    req.context.request_id = "a-request"
    raise NobodyKnows("the book can't be read")
