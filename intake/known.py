"""What is known of writes before they are accepted: what they came to, and whether their keys are another request's."""

from collections.abc import Sequence
from typing import TypeAlias

from intake.readers import Readers
from ledger_core import reads
from ledger_core.errors import IdempotencyKeyReused
from ledger_core.inbox import Accepted, Inbox
from ledger_core.model import Submission
from ledger_core.store.book import Book
from wire import answers
from wire.answers import Answer
from wire.problems import of_refusal

Answers: TypeAlias = dict[int, Answer]  # by submission


class Known:
    """Looks into books and the inbox. Any thread may use it."""

    def __init__(self, readers: Readers, inbox: Inbox) -> None:
        self._readers = readers
        self._inbox = inbox

    def of(self, org: str, items: Sequence[Accepted]) -> Answers:
        """Return the answers to those of an org's writes that were decided, or whose keys are taken.

        Raises:
            StorageUnavailable: the book or the inbox can't be read.
        """
        with self._readers.book(org) as book:
            return self._look_up(book, items)

    def decided(self, org: str, items: Sequence[Accepted]) -> Answers:
        """Return the answers to those of an org's writes that were decided: no other answer is final for one under way.

        Raises:
            StorageUnavailable: the book can't be read.
        """
        with self._readers.book(org) as book:
            return _decided(book, items)[1]

    def at_hand(self, org: str, items: Sequence[Accepted]) -> Answers | None:
        """Return the same without waiting for a book to be opened; None where that is needed, or where it fails."""
        book = self._readers.take_open(org)
        if book is None:
            return None
        try:
            known = self._look_up(book, items)
        except Exception:  # whatever it is: who looks it up anew hears of it, and others are not held up
            book.close()
            return None
        self._readers.give_back(book)
        return known

    def _look_up(self, book: Book, items: Sequence[Accepted]) -> Answers:
        if not items:
            return {}
        decided, told = _decided(book, items)
        pending = self._inbox.fingerprints({item.submission.operation_id for item in items} - decided)
        for item in items:
            if pending.get(item.submission.operation_id, item.fingerprint) != item.fingerprint:
                told[item.submission.submission] = key_reused(item.submission)
        return told


def _decided(book: Book, items: Sequence[Accepted]) -> tuple[set[bytes], Answers]:
    """Return which operations were decided, and the answers to the writes that name them."""
    with book.snapshot():
        decided = reads.which_decided(book, {item.submission.operation_id for item in items})
        found = [
            (item.submission.submission, reads.decided(book, item.submission, item.fingerprint))
            for item in items
            if item.submission.operation_id in decided
        ]
    return decided, {number: answers.of_outcome(outcome) for number, outcome in found if outcome is not None}


def key_reused(submission: Submission) -> Answer:
    """Return the answer to a command whose key belongs to another one that is pending."""
    command, request_id = submission.command, submission.request_id
    reused = of_refusal(IdempotencyKeyReused().record(request_id, command.address))
    return answers.of_problem(reused, command, request_id)
