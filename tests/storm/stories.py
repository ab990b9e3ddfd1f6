"""The journal put in order: for each write, everything that was ever said of it."""

from collections.abc import Iterable

from tests.storm.journal import Answer, Fault, Lost, Poll, Read, Record, Write
from tests.storm.requests import is_decided


class Story:
    """What was said of one write, in the order in which it was said."""

    def __init__(self, write: Write) -> None:
        self.write = write
        self.answers: list[Answer] = []
        self.losses: list[Lost] = []
        self.polls: list[Poll] = []
        self.reads: list[Read] = []

    @property
    def reuses_a_key(self) -> bool:
        """Whether it took the key of another write, and so had to be refused."""
        return self.write.key is not None and self.write.key != self.write.tag

    @property
    def decided(self) -> Answer | None:
        """The first answer that said for ever what became of it."""
        return next((answer for answer in self.answers if is_decided(answer.status)), None)

    @property
    def promised(self) -> str | None:
        """The operation that a `202` promised an outcome for."""
        return next((answer.operation for answer in self.answers if answer.status == 202), None)

    @property
    def outcome(self) -> tuple[int, str] | None:
        """HTTP status and body of what became of it, by an answer or by its operation."""
        if self.decided is not None:
            return self.decided.status, self.decided.body
        final = (poll for poll in self.polls if poll.status in ("applied", "refused"))
        return next(((poll.http_status or 0, poll.body or "") for poll in final), None)

    @property
    def turned_away(self) -> bool:
        """Whether every attempt was told that it was not accepted: then nothing may ever come of it."""
        return bool(self.answers) and not self.losses and all(a.status in (429, 503) for a in self.answers)


class Storybook:
    """Every write of a journal, and the faults that struck."""

    def __init__(self, records: Iterable[Record]) -> None:
        self.stories: dict[str, Story] = {}
        self.faults: list[Fault] = []
        for record in records:
            match record:
                case Write():
                    self.stories[record.tag] = Story(record)
                case Answer():
                    self.stories[record.tag].answers.append(record)
                case Lost():
                    self.stories[record.tag].losses.append(record)
                case Poll():
                    self.stories[record.tag].polls.append(record)
                case Read():
                    self.stories[record.tag].reads.append(record)
                case Fault():
                    self.faults.append(record)
