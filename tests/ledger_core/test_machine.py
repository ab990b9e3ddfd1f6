"""Any commands in any order, on the ledger and on a naive one: the same outcomes, the same figures, proven books."""

import hashlib
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, MultipleResults, RuleBasedStateMachine, initialize, invariant, multiple, rule

from ledger_core import reports
from ledger_core.instants import format_instant
from ledger_core.model import Bulk, Outcome, Submission
from tests.ledger_core.builders import Ledger, answer, lines
from tests.ledger_core.naive import NaiveLedger
from tests.machines import run_for

TYPES = ["asset", "liability", "equity", "revenue", "expense"]
CURRENCIES = [None, None, "USD", "EUR", "PTS"]
MOST = 2**53 - 1
amounts = st.one_of(st.integers(1, 20), st.integers(1, 200), st.integers(1, 200), st.sampled_from([MOST - 1, MOST]))
sides = st.sampled_from(["debit", "credit"])
keys = st.one_of(st.none(), st.none(), st.sampled_from(["k1", "k2", "k3"]))
limits = st.sampled_from([None, 0, 50, MOST])
ids = st.integers(1, 9)  # of what may exist
drafts = st.lists(st.tuples(ids, st.integers(1, 3), sides), min_size=2, max_size=6)


def balanced(first: int, second: int, amount: int, side: str) -> list[dict[str, Any]]:
    return lines((first, amount, side), (second, amount, "credit" if side == "debit" else "debit"))


pairs = st.builds(balanced, ids, ids, amounts, sides)
postings = st.one_of(pairs, pairs, pairs, st.builds(lambda sides: lines(*sides), drafts))


def fields(**named: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({**named, "idempotency_key": keys})


ENTRY = fields(lines=postings)
BULK = fields(entries=st.lists(ENTRY, min_size=1, max_size=4))
CAPTURE = fields(hold_id=ids, amount=st.none() | amounts, counter_account_id=st.none() | ids, final=st.booleans())
ANYTHING = st.one_of(
    st.tuples(st.just("account"), fields(name=st.just("A"), type=st.sampled_from(TYPES), overdraft_limit=limits)),
    st.tuples(st.just("closure"), fields(account_id=ids)),
    st.tuples(st.just("entry"), ENTRY),
    st.tuples(st.just("entry"), ENTRY),
    st.tuples(st.just("bulk"), BULK),
    st.tuples(st.just("reversal"), fields(entry_id=ids)),
    st.tuples(st.just("hold"), fields(account_id=ids, amount=amounts)),
    st.tuples(st.just("capture"), CAPTURE),
    st.tuples(st.just("release"), fields(hold_id=ids)),
)


def given(values: dict[str, Any]) -> dict[str, Any]:
    """Return the fields that have a value, in a bulk's entries too."""
    kept = {name: value for name, value in values.items() if value is not None}
    if "entries" in kept:
        kept["entries"] = [given(entry) for entry in kept["entries"]]
    return kept


class Books(RuleBasedStateMachine):
    """Each rule does one thing to both ledgers."""

    accounts, entries, holds, writes = Bundle("accounts"), Bundle("entries"), Bundle("holds"), Bundle("writes")

    @initialize(target=accounts)
    def open_books(self) -> MultipleResults[int]:
        return multiple(*self.start())

    def start(self) -> list[int]:
        """Open both, with a few accounts; return their ids."""
        self.folder = Path(tempfile.mkdtemp())
        self.ledger, self.naive = Ledger(self.folder), NaiveLedger()
        self.last_at = 0
        self.chained, self.hash = 0, bytes(32)
        self.present: tuple[int, list[tuple[int, int]]] = (0, [])
        self.past: list[tuple[int, list[tuple[int, int]]]] = []
        for type_, currency, limit in (
            ("asset", "USD", None),
            ("liability", "USD", 0),
            ("liability", "USD", None),
            ("revenue", "USD", 50),
            ("asset", "EUR", None),
            ("equity", "EUR", 0),
        ):
            self.send("account", name="A", type=type_, currency=currency, overdraft_limit=limit)
        self.send("entry", lines=lines((1, 300, "debit"), (2, 200, "credit"), (3, 100, "credit")))
        return [1, 2, 3, 4, 5, 6]

    def teardown(self) -> None:
        if not hasattr(self, "ledger"):
            return
        try:
            self.ledger.reopen()
            for at, figures in self.past:
                assert self.figures_at(at)[: len(figures)] == figures
            assert self.ledger.findings() == []
        finally:
            self.ledger.close()
            shutil.rmtree(self.folder)

    # What the rules are made of

    def send(self, kind: str, **values: Any) -> tuple[Submission, Outcome]:
        return self.send_together((kind, values))[0]

    def send_together(self, *commands: tuple[str, dict[str, Any]]) -> list[tuple[Submission, Outcome]]:
        """Send commands in one transaction; the naive ledger takes them one by one."""
        submissions = [self.ledger.submission(kind, given(values)) for kind, values in commands]

        outcomes = self.ledger.apply(*submissions)

        for (kind, values), outcome in zip(commands, outcomes, strict=True):
            expected = self.naive.write(kind, given(values), self.ledger.now)
            assert (outcome.refusal.code if outcome.refusal else "ok") == expected, (kind, values)
            if not outcome.replayed and expected != "idempotency_key_reused":
                assert outcome.finished_at >= self.last_at
                self.last_at = outcome.finished_at
        return list(zip(submissions, outcomes, strict=True))

    @staticmethod
    def made(sent: tuple[Submission, Outcome]) -> MultipleResults[int]:
        """Return the ids of what a write made, for the bundle of its kind."""
        resource = sent[1].resource
        if resource is None:
            return multiple()
        return multiple(*[item.entry.id for item in resource.items] if isinstance(resource, Bulk) else [resource.id])

    # Time, restarts, retries

    @rule(ago=st.sampled_from([1, 1, 5, 30, -10]))
    def pass_time(self, ago: int) -> None:
        self.ledger.pass_s(ago)

    @rule()
    def restart(self) -> None:
        self.ledger.reopen()

    @rule(target=writes, command=ANYTHING)
    def send_anything(self, command: tuple[str, dict[str, Any]]) -> tuple[Submission, Outcome]:
        return self.send(command[0], **command[1])

    @rule(target=writes, commands=st.lists(ANYTHING, min_size=2, max_size=6))
    def send_many_in_one_transaction(
        self, commands: list[tuple[str, dict[str, Any]]]
    ) -> MultipleResults[tuple[Submission, Outcome]]:
        return multiple(*self.send_together(*commands))

    @rule(sent=writes, again=st.integers(1, 3))
    def deliver_again(self, sent: tuple[Submission, Outcome], again: int) -> None:
        """The broker brings a message twice: nothing is told from the first time."""
        submission, first = sent
        before = self.ledger.dump()

        for outcome in self.ledger.apply(*[submission] * again):
            assert answer(outcome) == answer(first)
            assert outcome.replayed == first.replayed

        self.only_time_passed(before)

    @rule(sent=writes)
    def try_again(self, sent: tuple[Submission, Outcome]) -> None:
        """A caller sends the same request again, under its key."""
        submission, first = sent
        before = self.ledger.dump()

        (outcome,) = self.ledger.apply(submission._replace(submission=2**62 + len(self.past), request_id="again"))

        reused = first.refusal is not None and first.refusal.code == "idempotency_key_reused"
        assert answer(outcome)[0] == answer(first)[0]
        assert reused or answer(outcome) == answer(first)
        assert outcome.replayed or reused
        self.only_time_passed(before)

    def only_time_passed(self, before: dict[str, Any]) -> None:
        """A transaction that decided nothing new wrote at most that holds have expired."""
        after = self.ledger.dump()
        if before["hold_events"] == after["hold_events"]:
            assert after == before
        else:
            self.naive.now = max(self.naive.now, self.ledger.now)
            assert after["lines"] == before["lines"]

    # Commands about what exists

    @rule(target=accounts, type_=st.sampled_from(TYPES), limit=limits, currency=st.sampled_from(CURRENCIES),
          code=st.sampled_from([None, None, "a", "b"]), key=keys)  # fmt: skip
    def open_account(
        self, type_: str, limit: int | None, currency: str | None, code: str | None, key: str | None
    ) -> MultipleResults[int]:
        values = {"type": type_, "code": code, "currency": currency, "overdraft_limit": limit}
        return self.made(self.send("account", name="A", **values, idempotency_key=key))

    @rule(account=accounts, key=keys)
    def close_account(self, account: int, key: str | None) -> None:
        self.send("closure", account_id=account, idempotency_key=key)

    @rule(target=entries, first=accounts, second=accounts, amount=amounts, side=sides, key=keys)
    def post(self, first: int, second: int, amount: int, side: str, key: str | None) -> MultipleResults[int]:
        return self.made(self.send("entry", lines=balanced(first, second, amount, side), idempotency_key=key))

    @rule(target=entries, first=accounts, second=accounts, amount=amounts, times=st.sampled_from([2, 40, 250]))
    def post_many_lines(self, first: int, second: int, amount: int, times: int) -> MultipleResults[int]:
        return self.made(self.send("entry", lines=balanced(first, second, amount, "debit") * times))

    @rule(target=entries, dollars=amounts, euros=amounts)
    def exchange(self, dollars: int, euros: int) -> MultipleResults[int]:
        sides = [(5, euros, "debit"), (6, euros, "credit"), (1, dollars, "credit"), (3, dollars, "debit")]
        return self.made(self.send("entry", lines=lines(*sides)))

    @rule(target=entries, first=accounts, second=accounts, amounts=st.lists(amounts, min_size=1, max_size=5), key=keys)
    def post_bulk(self, first: int, second: int, amounts: list[int], key: str | None) -> MultipleResults[int]:
        entries = [{"lines": balanced(first, second, amount, "debit")} for amount in amounts]
        return self.made(self.send("bulk", entries=entries, idempotency_key=key))

    @rule(target=entries, entry=entries, key=keys)
    def reverse(self, entry: int, key: str | None) -> MultipleResults[int]:
        return self.made(self.send("reversal", entry_id=entry, idempotency_key=key))

    @rule(target=holds, account=accounts, amount=amounts, counter=st.none() | accounts, key=keys,
          seconds=st.sampled_from([None, None, 1, 2, 6, 40]), at=st.booleans())  # fmt: skip
    def place(
        self, account: int, amount: int, counter: int | None, key: str | None, seconds: int | None, at: bool
    ) -> MultipleResults[int]:
        counter = None if counter == account else counter
        expiry: dict[str, Any] = {"expires_in_s": seconds}
        if at and seconds is not None:
            expiry = {"expires_at": format_instant(self.ledger.now + seconds * 1_000_000)}
        values = {"account_id": account, "amount": amount, "counter_account_id": counter, **expiry}
        return self.made(self.send("hold", **values, idempotency_key=key))

    @rule(hold=holds, amount=st.none() | amounts, counter=st.none() | accounts, final=st.booleans(), key=keys)
    def capture(self, hold: int, amount: int | None, counter: int | None, final: bool, key: str | None) -> None:
        values = {"hold_id": hold, "amount": amount, "counter_account_id": counter, "final": final}
        self.send("capture", **values, idempotency_key=key)

    @rule(hold=holds, amount=st.integers(1, 3), key=keys)
    def capture_a_part(self, hold: int, amount: int, key: str | None) -> None:
        self.send("capture", hold_id=hold, amount=amount, counter_account_id=1, final=False, idempotency_key=key)

    @rule(hold=holds, key=keys)
    def release(self, hold: int, key: str | None) -> None:
        self.send("release", hold_id=hold, idempotency_key=key)

    # What holds after each of them

    @invariant()
    def figures_agree(self) -> None:
        if not hasattr(self, "ledger"):
            return
        written, self.naive.now = self.naive.now, max(self.naive.now, self.ledger.now)
        for id_ in range(1, len(self.naive.accounts) + 1):
            total, held, balance = self.naive.total(id_), self.naive.held(id_), self.ledger.balance(id_)
            assert (balance.total, balance.held, balance.available) == (total, held, total - held)
            assert (balance.debits, balance.credits, balance.version) == self.naive.sums(id_)
        for id_ in range(1, len(self.naive.holds) + 1):
            hold = self.ledger.read_hold(id_)
            assert (hold.status, hold.captured, hold.remaining) == (
                self.naive.status(id_),
                self.naive.captured(id_),
                self.naive.remaining(id_),
            )
        self.naive.now = written

    @invariant()
    def ids_have_no_gaps(self) -> None:
        if not hasattr(self, "ledger"):
            return
        for table in ("accounts", "entries", "holds"):
            sql = f"select count(*), coalesce(max(id), 0) from {table}"
            count = len(getattr(self.naive, table))
            assert self.ledger.reader.connection.execute(sql).fetchone() == (count, count)

    @invariant()
    def books_balance_and_prove_themselves(self) -> None:
        if not hasattr(self, "ledger"):
            return
        trial = reports.trial_balance(self.ledger.reader, self.ledger.now, None)
        for totals in trial.totals:
            assert totals.debits == totals.credits
            assert totals.debit_balance == totals.credit_balance
        assert self.ledger.findings() == []

    @invariant()
    def entries_are_chained_in_time(self) -> None:
        """The chain is followed here by what its documentation says, and not by its own code."""
        if not hasattr(self, "ledger"):
            return
        posted_at = 0
        for id_ in range(self.chained + 1, len(self.naive.entries) + 1):
            entry = self.ledger.read_entry(id_)
            head = [id_, entry.posted_at, entry.description, entry.idempotency_key, entry.metadata]
            content = [*head, entry.reverses, entry.hold_id, entry.lines]
            text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
            self.hash = hashlib.sha256(self.hash + text.encode()).digest()
            assert entry.hash == self.hash
            assert entry.posted_at >= posted_at
            self.chained, posted_at = id_, entry.posted_at

    @invariant()
    def the_past_is_as_it_was(self) -> None:
        """Once something was written later, what accounts stood at at an instant never changes."""
        if not hasattr(self, "ledger"):
            return
        at, figures = self.present
        if self.naive.now > at:
            self.past.append((at, figures))
        ids = range(1, len(self.naive.accounts) + 1)
        self.present = self.naive.now, [(self.naive.total(id_), self.naive.held(id_)) for id_ in ids]
        for at, figures in self.past[-1:]:
            assert self.figures_at(at)[: len(figures)] == figures

    def figures_at(self, at: int) -> list[tuple[int, int]]:
        """Return total and held of each account at an instant."""
        return [self.ledger.figures(id_, at)[:2] for id_ in range(1, len(self.naive.accounts) + 1)]


class NearlyFull(Books):
    """The same in books with two accounts whose totals can take just 100 more."""

    def start(self) -> list[int]:
        """Fill two more accounts; return their ids only."""
        super().start()
        big, full = (self.send("account", name="A", type=type_)[1].resource for type_ in ("asset", "equity"))
        assert big is not None
        assert full is not None
        for times, more in ((250, 0),) * 4 + ((24, 923),):
            sides = [(big.id, MOST, "debit"), (full.id, MOST, "credit")] * times
            rest = [(big.id, more, "debit"), (full.id, more, "credit")] if more else []
            self.send("entry", lines=lines(*sides, *rest))
        return [big.id, full.id]


TestBooks, TestNearlyFull = Books.TestCase, NearlyFull.TestCase
TestBooks.settings, TestNearlyFull.settings = run_for(40), run_for(8, steps=20)
