"""A worker's turn: the commands of one message, each org's share of them in one transaction of its book."""

import logging
from collections.abc import Callable, Sequence

from ledger_core import ledger
from ledger_core.errors import OrgNotFound, StorageUnavailable
from ledger_core.inbox import Inbox, SetAside
from ledger_core.instants import now_us
from ledger_core.model import Submission
from wire import answers, problems
from wire.answers import Answer
from wire.envelope import CAUSE_CHARS_MAX, Item
from wire.log import about
from workers.books import Books

logger = logging.getLogger("ledger.workers")


KEPT_CHARS_MAX = 1024 * 1024  # of a stray message: what no operator would read must not fill the disk


def _never() -> bool:
    return False


def _unavailable(submissions: Sequence[Submission]) -> list[Answer]:
    return [answers.of_problem(answers.STORAGE_UNAVAILABLE, s.command, s.request_id) for s in submissions]


class Turns:
    """Carries out commands on the books of a data folder. One thread at a time may use it."""

    def __init__(self, books: Books, inbox: Inbox) -> None:
        self._books = books
        self._inbox = inbox
        self.transactions = 0

    def take(self, items: Sequence[Item], too_late: Callable[[], bool] = _never) -> list[tuple[int, Answer]]:
        """Carry out the commands of a message, and return the answer to each under its number.

        Commands of one org are applied in their order. What is answered as decided is on disk. What it is `too_late`
        for is not carried out: intake may have told its caller so.
        """
        shares: dict[str, list[Item]] = {}
        for item in items:
            shares.setdefault(item.org, []).append(item)
        told: list[tuple[int, Answer]] = []
        for org, share in shares.items():
            submissions = [item.submission for item in share]
            answered = _unavailable(submissions) if too_late() else self.apply(org, submissions, too_late)
            told.extend(zip((item.number for item in share), answered, strict=True))
        return told

    def apply(self, org: str, submissions: Sequence[Submission], too_late: Callable[[], bool] = _never) -> list[Answer]:
        """Apply commands to one org's book in one transaction, and answer each.

        A fault in one of them takes none of the others with it: each is then applied alone, and that one set aside.
        """
        try:
            outcomes = ledger.apply(self._books.book(org), submissions, too_late=too_late)
        except OrgNotFound as refusal:
            record = refusal.record("", None)
            return [answers.of_problem(problems.of_refusal(record), s.command, s.request_id) for s in submissions]
        except StorageUnavailable as error:
            self._books.drop(org)
            logger.error("book of %s: %s", org, error, extra=about(submissions[0].request_id))
            return _unavailable(submissions)
        except Exception as error:
            self._books.drop(org)
            if len(submissions) > 1:
                return [self.apply(org, [submission], too_late)[0] for submission in submissions]
            return [self._set_aside(org, submissions[0], error)]
        self.transactions += 1
        return [answers.of_outcome(outcome) for outcome in outcomes]

    def refuse(self, message: str, cause: str) -> None:
        """Keep a message that can't be understood for an operator; of a very long one its beginning."""
        cause = cause[:CAUSE_CHARS_MAX]  # which may quote from the message
        logger.error("set aside a message that can't be understood: %s", cause)
        self._keep(SetAside(None, message[:KEPT_CHARS_MAX], cause, now_us()))

    def _set_aside(self, org: str, submission: Submission, error: Exception) -> Answer:
        command = submission.command
        logger.exception("set aside a %s of %s", command.kind, org, extra=about(submission.request_id))
        message = f'{{"kind":"{command.kind}","command":{command.fields().decode()}}}'
        self._keep(SetAside(org, message, f"{type(error).__name__}: {error}", now_us()))
        return answers.of_problem(answers.SET_ASIDE, command, submission.request_id)

    def _keep(self, item: SetAside) -> None:
        try:
            self._inbox.set_aside(item)
        except StorageUnavailable as error:
            logger.error("can't keep what was set aside: %s: %s", error, item.message)
