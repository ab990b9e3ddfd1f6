"""How FF Commerce reaches the ledger: it writes over the queue, and reads over HTTP."""

from typing import TypeVar

from kombu.exceptions import OperationalError
from pydantic import BaseModel

from ledger_client import LedgerClient
from ledger_client.problems import TryAgainLater, problem_of
from ledger_core.commands import Command
from wire import LedgerQueue

Record = TypeVar("Record", bound=BaseModel)

ATTEMPTS = 5
ANSWER_S = 5.0


class Unsettled(Exception):
    """No answer, however often we sent the write. Whoever makes the same call again finds out what became of it."""


class Books:
    """The books of one org of the ledger."""

    def __init__(self, org: str, queue: LedgerQueue, ledger: LedgerClient) -> None:
        self._org = org
        self._queue = queue
        self.read = ledger

    def write(self, command: Command, record: type[Record]) -> Record:
        """Have a command carried out, and return what it made. It is sent again, under its key, until it is answered.

        Raises:
            LedgerProblem: the ledger refused.
            Unsettled: there is no answer.
        """
        assert command.idempotency_key is not None, "without a key, sending again would be writing again"
        for _ in range(ATTEMPTS):
            try:
                told = self._queue.submit(self._org, command).get(timeout=ANSWER_S)
            except (TimeoutError, OperationalError):
                continue
            if told["error"] is None:
                return record.model_validate(told["result"])
            refused = problem_of(told["http_status"], told["error"])
            if not isinstance(refused, TryAgainLater):
                raise refused
        raise Unsettled(command.idempotency_key)
