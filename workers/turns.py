"""A worker's turn: the commands of one message, each org's share of them in one transaction of its book."""

import logging
from collections.abc import Callable, Generator, Sequence
from enum import Enum
from itertools import islice

from ledger_core import ledger
from ledger_core.errors import OrgNotFound, OutcomeUnknown, StorageUnavailable, TooLate
from ledger_core.instants import now_us
from ledger_core.model import Outcome, Submission
from ledger_core.set_aside import Form, Item, SetAside, command_item
from wire import answers, envelope, problems
from wire.answers import Answer
from wire.log import about
from workers.books import Books
from workers.commits import Commits, error_of

logger = logging.getLogger("ledger.workers")


class Sender(Enum):
    """Who sent a command, which says whether it is told that it was set aside."""

    CALLER = True  # over HTTP: told, unless it was promised an outcome
    SERVICE = False  # over the queue: it has no result until there is an outcome


# A turn of one org's book: it yields the commit, which somebody runs, and returns the answers once it is told of it.
Turn = Generator[Callable[[], None], None, list[Answer | None]]


def _never() -> bool:
    return False


def _unavailable(submissions: Sequence[Submission]) -> list[Answer | None]:
    return [answers.of_problem(answers.STORAGE_UNAVAILABLE, s.command, s.request_id) for s in submissions]


def _ended(turn: Turn, error: BaseException | None) -> list[Answer | None]:
    """Tell a turn how its commit ended, and return the answers."""
    try:
        if error is None:
            next(turn)
        else:
            turn.throw(error)
    except StopIteration as done:
        return list(done.value)
    raise AssertionError("a turn commits once")


class Turns:
    """Carries out commands on the books of a data folder. One thread at a time may use it."""

    def __init__(self, books: Books, aside: SetAside, commits: Commits | None = None) -> None:
        self._books = books
        self._aside = aside
        self._commits = commits or Commits()
        self.transactions = 0

    def take(self, items: Sequence[envelope.Item], too_late: Callable[[], bool] = _never) -> list[tuple[int, Answer]]:
        """Carry out the commands of a message, and return the answer to each under its number.

        Commands of one org are applied in their order. What is answered as decided is on disk. What it is `too_late`
        for is not carried out: intake may have told its caller so.
        """
        shares: dict[str, list[envelope.Item]] = {}
        for item in items:
            shares.setdefault(item.org, []).append(item)
        if len(shares) == 1:  # as in most messages: another thread would only cost
            answered = {org: self._take_one(org, share, too_late) for org, share in shares.items()}
        else:
            answered = self._take_several(shares, too_late)
        return [
            (item.number, answer)
            for org, share in shares.items()
            for item, answer in zip(share, answered[org], strict=True)
            if answer is not None
        ]

    def apply(
        self,
        org: str,
        submissions: Sequence[Submission],
        too_late: Callable[[], bool] = _never,
        sender: Sender = Sender.CALLER,
    ) -> list[Answer | None]:
        """Apply commands to one org's book in one transaction, and answer each; None if there is no answer to give.

        A fault in one of them takes none of the others with it: they are halved until it is alone, and set aside.
        """
        turn = self._turn(org, submissions, too_late, sender)
        try:
            commit = next(turn)
        except StopIteration as done:
            return list(done.value)
        return _ended(turn, error_of(commit))

    def _take_one(self, org: str, share: Sequence[envelope.Item], too_late: Callable[[], bool]) -> list[Answer | None]:
        submissions = [item.submission for item in share]
        return _unavailable(submissions) if too_late() else self.apply(org, submissions, too_late)

    def _take_several(
        self, shares: dict[str, list[envelope.Item]], too_late: Callable[[], bool]
    ) -> dict[str, list[Answer | None]]:
        """Take the commands of several orgs: all are applied, so many at a time, and then committed at once.

        While a commit waits for the disk this thread does nothing else: the two would take the interpreter from each
        other at every statement.
        """
        answered: dict[str, list[Answer | None]] = {}
        left = iter(shares.items())
        while some := list(islice(left, self._commits.at_once)):
            turns: list[tuple[str, Turn]] = []
            commits: list[Callable[[], None]] = []
            for org, share in some:
                submissions = [item.submission for item in share]
                if too_late():
                    answered[org] = _unavailable(submissions)
                    continue
                turn = self._turn(org, submissions, too_late, Sender.CALLER)
                try:
                    commits.append(next(turn))
                    turns.append((org, turn))
                except StopIteration as done:
                    answered[org] = done.value
            for (org, turn), error in zip(turns, self._commits.run(commits), strict=True):
                answered[org] = _ended(turn, error)
        return answered

    def _turn(self, org: str, submissions: Sequence[Submission], too_late: Callable[[], bool], sender: Sender) -> Turn:
        try:
            with (
                self._books.lent(org) as book,
                ledger.applied(book, submissions, too_late=too_late) as applied,
            ):
                yield applied.commit
        except OrgNotFound as refusal:
            record = refusal.record("", None)
            return [answers.of_problem(problems.of_refusal(record), s.command, s.request_id) for s in submissions]
        except StorageUnavailable as error:
            if not isinstance(error, TooLate):
                logger.error("book of %s: %s", org, error, extra=about(submissions[0].request_id))
            if isinstance(error, OutcomeUnknown) and sender is Sender.CALLER:
                return [None for _ in submissions]  # it is sent again, and until then a 503 may be a lie
            return _unavailable(submissions)
        except Exception as error:
            if len(submissions) == 1:
                return [self._set_aside(org, submissions[0], error, sender)]
            half = len(submissions) // 2
            return [
                answer
                for part in (submissions[:half], submissions[half:])
                for answer in self.apply(org, part, too_late, sender)
            ]
        self.transactions += 1
        return [self._answer(org, *decided, sender) for decided in zip(submissions, applied.outcomes, strict=True)]

    def refuse(self, item: Item) -> None:
        """Keep what can't be carried out for an operator."""
        logger.error("set aside a %s: %s", item.form, item.cause)
        try:
            self._aside.keep(item)
        except StorageUnavailable as error:
            logger.error("can't keep what was set aside: %s: %s", error, item.body.decode(errors="backslashreplace"))

    def refuse_unreadable(self, unreadable: envelope.Unreadable) -> Answer:
        """Keep a command of a message that can't be read for an operator, and return the answer to it."""
        self.refuse(Item(Form.STRAY, unreadable.body, unreadable.cause, now_us(), is_told=True))
        return answers.of_unreadable()

    def _answer(self, org: str, submission: Submission, outcome: Outcome, sender: Sender) -> Answer | None:
        try:
            return answers.of_outcome(outcome)
        except Exception as error:  # it is in the book, so its caller may be told nothing else
            self._set_aside(org, submission, error, sender)
            return None

    def _set_aside(self, org: str, submission: Submission, error: Exception, sender: Sender) -> Answer:
        command = submission.command
        logger.exception("set aside a %s of %s", command.kind, org, extra=about(submission.request_id))
        cause = f"{type(error).__name__}: {error}"
        self.refuse(command_item(org, submission, cause, now_us(), is_told=sender.value))
        return answers.of_problem(answers.SET_ASIDE, command, submission.request_id)
