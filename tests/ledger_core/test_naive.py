"""Random commands, on the ledger and on a naive one: the same outcomes, the same figures, and a proof at the end."""

import shutil
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.ledger_core.builders import Ledger, lines
from tests.ledger_core.naive import NaiveLedger

TYPES = ["asset", "liability", "equity", "revenue", "expense"]
account_ids, other_ids = st.integers(1, 7), st.integers(1, 6)
amounts = st.one_of(st.integers(1, 20), st.integers(1, 200))
sides = st.sampled_from(["debit", "credit"])
keys = st.one_of(st.none(), st.none(), st.sampled_from(["k1", "k2", "k3"]))
limits = st.sampled_from([None, 0, 50])


class Comparison(RuleBasedStateMachine):
    """Each rule sends one command to both ledgers."""

    @initialize()
    def open_books(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.ledger, self.naive = Ledger(self.folder), NaiveLedger()
        for type_, currency, limit in (
            ("asset", "USD", None),
            ("liability", "USD", 0),
            ("liability", "USD", None),
            ("revenue", "USD", 50),
            ("asset", "EUR", None),
            ("equity", "EUR", 0),
        ):
            self.send("account", None, name="A", type=type_, currency=currency, overdraft_limit=limit)
        self.send("entry", None, lines=lines((1, 300, "debit"), (2, 200, "credit"), (3, 100, "credit")))

    def teardown(self) -> None:
        if not hasattr(self, "ledger"):
            return
        try:
            assert self.ledger.findings() == []
        finally:
            self.ledger.close()
            shutil.rmtree(self.folder)

    def send(self, kind: str, key: str | None, **fields: Any) -> None:
        fields = {name: value for name, value in fields.items() if value is not None}
        if key is not None:
            fields["idempotency_key"] = key

        expected = self.naive.write(kind, fields, self.ledger.now)
        outcome = self.ledger.write(kind, **fields)

        assert (outcome.refusal.code if outcome.refusal else "ok") == expected, (kind, fields)

    @rule(ago=st.sampled_from([1, 1, 5, 30, -10]))
    def pass_time(self, ago: int) -> None:
        self.ledger.pass_s(ago)

    @rule()
    def restart(self) -> None:
        self.ledger.reopen()

    @rule(type_=st.sampled_from(TYPES), limit=limits, code=st.sampled_from([None, "a", "b"]), key=keys)
    def open_account(self, type_: str, limit: int | None, code: str | None, key: str | None) -> None:
        self.send("account", key, name="A", type=type_, code=code, overdraft_limit=limit)

    @rule(account_id=st.integers(4, 9), key=keys)
    def close_account(self, account_id: int, key: str | None) -> None:
        self.send("closure", key, account_id=account_id)

    @rule(first=other_ids, second=other_ids, amount=amounts, side=sides, key=keys)
    def post(self, first: int, second: int, amount: int, side: str, key: str | None) -> None:
        other = "credit" if side == "debit" else "debit"
        self.send("entry", key, lines=lines((first, amount, side), (second, amount, other)))

    @rule(drafts=st.lists(st.tuples(account_ids, st.integers(1, 3), sides), min_size=2, max_size=5), key=keys)
    def post_anything(self, drafts: list[tuple[int, int, str]], key: str | None) -> None:
        self.send("entry", key, lines=lines(*drafts))

    @rule(dollars=amounts, euros=amounts)
    def exchange(self, dollars: int, euros: int) -> None:
        self.send(
            "entry", None,
            lines=lines((5, euros, "debit"), (6, euros, "credit"), (1, dollars, "credit"), (3, dollars, "debit")),
        )  # fmt: skip

    @rule(entry_id=st.integers(1, 15), key=keys)
    def reverse(self, entry_id: int, key: str | None) -> None:
        self.send("reversal", key, entry_id=entry_id)

    @rule(
        account_id=other_ids,
        amount=amounts,
        counter=st.one_of(st.none(), account_ids),
        seconds=st.sampled_from([None, 1, 2, 6, 40]),
        key=keys,
    )
    def place(self, account_id: int, amount: int, counter: int | None, seconds: int | None, key: str | None) -> None:
        counter = None if counter == account_id else counter
        self.send("hold", key, account_id=account_id, amount=amount, counter_account_id=counter, expires_in_s=seconds)

    @rule(
        hold_id=st.integers(1, 6),
        amount=st.one_of(st.none(), amounts),
        counter=st.one_of(st.none(), other_ids),
        final=st.booleans(),
        key=keys,
    )
    def capture(self, hold_id: int, amount: int | None, counter: int | None, final: bool, key: str | None) -> None:
        self.send("capture", key, hold_id=hold_id, amount=amount, counter_account_id=counter, final=final)

    @rule(hold_id=st.integers(1, 6), key=keys)
    def release(self, hold_id: int, key: str | None) -> None:
        self.send("release", key, hold_id=hold_id)

    @invariant()
    def figures_agree(self) -> None:
        if not hasattr(self, "ledger"):
            return
        written, self.naive.now = self.naive.now, max(self.naive.now, self.ledger.now)
        for id_ in range(1, len(self.naive.accounts) + 1):
            total, held = self.naive.total(id_), self.naive.held(id_)
            assert self.ledger.figures(id_) == (total, held, total - held)
        for id_ in range(1, len(self.naive.holds) + 1):
            hold = self.ledger.read_hold(id_)
            assert (hold.status, hold.captured, hold.remaining) == (
                self.naive.status(id_),
                self.naive.captured(id_),
                self.naive.remaining(id_),
            )
        self.naive.now = written


TestComparison = Comparison.TestCase
TestComparison.settings = settings(
    max_examples=60,
    stateful_step_count=40,
    deadline=None,
    derandomize=True,  # the same sequences each time: a red run is one to look into, not to repeat
    database=None,
    suppress_health_check=list(HealthCheck),
)
