"""Turns of a busy book: all kinds of commands, what is refused among them, and what is sent again."""

import random
from typing import Any

from ledger_core.model import Account, Entry, Hold, Outcome, Submission
from tests.ledger_core.builders import Ledger, posting

ACCOUNTS_MIN = 6
COMMANDS_PER_TURN_MAX = 6


class Turns:
    """Draws the turns of a book, from what its answers say that is in it."""

    def __init__(self, driver: Ledger, seed: int) -> None:
        self._driver = driver
        self._dice = random.Random(f"turns/{seed}")
        self._accounts = self._entries = 0
        self._holds: list[int] = []
        self._sent: list[Submission] = []
        self._keys = 0

    def next(self) -> list[Submission]:
        """Return the commands of a turn."""
        if self._accounts < ACCOUNTS_MIN:
            return [self._account() for _ in range(ACCOUNTS_MIN)]
        return [self._one() for _ in range(self._dice.randint(1, COMMANDS_PER_TURN_MAX))]

    def learn(self, sent: list[Submission], outcomes: list[Outcome]) -> None:
        """Take in what became of a turn."""
        self._sent += sent
        for outcome in outcomes:
            match outcome.resource:
                case Account(id=id_):
                    self._accounts = max(self._accounts, id_)
                case Entry(id=id_):
                    self._entries = max(self._entries, id_)
                case Hold(id=id_):
                    self._holds = [*(hold for hold in self._holds if hold != id_), id_][-4:]

    def _one(self) -> Submission:
        draw = self._dice.random()
        if draw < 0.1:
            first = self._dice.choice(self._sent)  # an honest retry
            return first._replace(submission=self._dice.getrandbits(62))
        if draw < 0.45:
            return self._new("entry", **self._posting())
        if draw < 0.52:
            return self._new("bulk", entries=[self._posting() for _ in range(self._dice.randint(1, 12))])
        if draw < 0.57:
            return self._account()
        if draw < 0.6:
            return self._new("closure", account_id=self._dice.randint(1, self._accounts + 1))
        if draw < 0.68:
            return self._new("reversal", entry_id=self._dice.randint(1, self._entries + 2))
        if draw < 0.8 or not self._holds:
            return self._hold()
        hold_id = self._dice.choice(self._holds)
        if draw < 0.96:
            return self._new(
                "capture", hold_id=hold_id, amount=self._dice.randint(1, 60), final=self._dice.random() < 0.3
            )
        return self._new("release", hold_id=hold_id)

    def _new(self, kind: str, **fields: Any) -> Submission:
        self._keys += 1
        key = {"idempotency_key": f"k{self._keys}"} if self._dice.random() < 0.7 and kind != "closure" else {}
        operation = None if key else self._dice.randbytes(16)
        return self._driver.submission(kind, {**fields, **key}, operation=operation, request=f"r{self._keys}")

    def _account(self) -> Submission:
        type_ = self._dice.choice(["asset", "liability", "equity", "revenue", "expense"])
        limit = self._dice.choice([None, 0, 5_000, 5_000])
        return self._new("account", name="An account", type=type_, overdraft_limit=limit)

    def _posting(self) -> dict[str, Any]:
        debit, credit = self._dice.sample(range(1, self._accounts + 1), 2)
        amount = self._dice.randint(1, 300)
        off = self._dice.random() < 0.05  # out of balance
        text = "x" * self._dice.choice([0, 0, 20, 900])
        return {**posting((debit, amount, "debit"), (credit, amount + off, "credit")), "description": text or None}

    def _hold(self) -> Submission:
        account, counter = self._dice.sample(range(1, self._accounts + 1), 2)
        expiry = {"expires_in_s": self._dice.randint(1, 60)} if self._dice.random() < 0.4 else {}
        return self._new(
            "hold", account_id=account, counter_account_id=counter, amount=self._dice.randint(1, 200), **expiry
        )
