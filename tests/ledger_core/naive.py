"""A ledger in plain dicts and lists that sums everything anew each time: slow, and simple enough to be right."""

from datetime import datetime
from typing import Any, NamedTuple

NORMAL = {"asset": 1, "expense": 1, "liability": -1, "equity": -1, "revenue": -1}  # what a debit adds
TOTAL_MAX = 2**63 - 1
SIGN = {"debit": 1, "credit": -1}
ADDRESSES = {"closure": "account_id", "reversal": "entry_id", "capture": "hold_id", "release": "hold_id"}


class Refused(Exception):
    """The naive ledger's refusal; its argument is the code."""


def _key(kind: str, fields: dict[str, Any]) -> tuple[Any, ...]:
    return (kind, fields.get(ADDRESSES.get(kind, "")), fields.get("idempotency_key"))


class NaiveHold(NamedTuple):
    account_id: int
    counter_account_id: int | None
    amount: int
    expires_at: int | None


class NaiveLedger:
    """Lists of what happened; every figure is worked out from them."""

    def __init__(self) -> None:
        self.now = 0
        self.accounts: list[dict[str, Any]] = []
        self.entries: list[dict[str, Any]] = []  # lines, reverses
        self.holds: list[NaiveHold] = []
        self.taken: list[tuple[int, int]] = []  # hold id, captured amount
        self.ended: dict[int, str] = {}
        self.answers: dict[tuple[Any, ...], tuple[Any, str]] = {}

    def write(self, kind: str, fields: dict[str, Any], now: int) -> str:
        """Return the code of the refusal, or "ok"."""
        before, self.now = self.now, max(self.now, now)
        if self._before(kind, fields):
            due = (
                before < (hold.expires_at or 0) <= self.now
                for n, hold in enumerate(self.holds, 1)
                if n not in self.ended
            )
            if not any(due):
                self.now = before  # nothing was written, so a clock that goes back is believed
        return self._decide(kind, fields)

    def _decide(self, kind: str, fields: dict[str, Any]) -> str:
        before = self._before(kind, fields)
        if before:
            first, answer = before
            return answer if first == fields else "idempotency_key_reused"
        try:
            getattr(self, kind)(**{name: value for name, value in fields.items() if name != "idempotency_key"})
            answer = "ok"
        except Refused as refused:
            answer = str(refused)
        self.answers[_key(kind, fields)] = (fields, answer)
        return answer

    def _before(self, kind: str, fields: dict[str, Any]) -> tuple[Any, str] | None:
        return self.answers.get(_key(kind, fields)) if "idempotency_key" in fields else None

    # Figures

    def total(self, account_id: int) -> int:
        normal = NORMAL[self.accounts[account_id - 1]["type"]]
        return sum(normal * SIGN[side] * n for e in self.entries for id_, n, side in e["lines"] if id_ == account_id)

    def sums(self, account_id: int) -> tuple[int, int, int]:
        """Return debits, credits, and how many lines there are."""
        lines = [(n, side) for e in self.entries for id_, n, side in e["lines"] if id_ == account_id]
        return sum(n for n, s in lines if s == "debit"), sum(n for n, s in lines if s == "credit"), len(lines)

    def held(self, account_id: int) -> int:
        active = (n for n, hold in enumerate(self.holds, start=1) if hold.account_id == account_id)
        return sum(self.remaining(n) for n in active)

    def remaining(self, hold_id: int) -> int:
        return 0 if self.status(hold_id) != "active" else self.holds[hold_id - 1].amount - self.captured(hold_id)

    def captured(self, hold_id: int) -> int:
        return sum(amount for id_, amount in self.taken if id_ == hold_id)

    def status(self, hold_id: int) -> str:
        expires_at = self.holds[hold_id - 1].expires_at
        expired = expires_at is not None and expires_at <= self.now
        return self.ended.get(hold_id, "expired" if expired else "active")

    # Commands

    def account(
        self, name: str, type: str, code: str | None = None, currency: str = "USD", overdraft_limit: int | None = None
    ) -> None:
        self._refuse_if("account_code_taken", code is not None and code in [a["code"] for a in self.accounts])
        self.accounts.append({"type": type, "code": code, "currency": currency, "limit": overdraft_limit, "open": True})

    def closure(self, account_id: int) -> None:
        self._check([account_id])
        self._refuse_if("account_not_empty", self.total(account_id) != 0 or self.held(account_id) != 0)
        self.accounts[account_id - 1]["open"] = False

    def entry(self, lines: list[dict[str, Any]]) -> None:
        sides = [(line["account_id"], line["amount"], line["direction"]) for line in lines]
        self._check([id_ for id_, _, _ in sides])
        for currency in {account["currency"] for account in self.accounts}:
            net = sum(SIGN[side] * n for id_, n, side in sides if self.accounts[id_ - 1]["currency"] == currency)
            self._refuse_if("unbalanced_entry", net != 0)
        self._post(sides)

    def bulk(self, entries: list[dict[str, Any]]) -> None:
        before = self.entries[:], dict(self.answers)
        for fields in entries:
            answer = self._decide("entry", fields)
            if answer != "ok":
                self.entries, self.answers = before
                raise Refused(answer)

    def reversal(self, entry_id: int) -> None:
        self._refuse_if("entry_not_found", entry_id > len(self.entries))
        swapped = [
            (id_, n, "credit" if side == "debit" else "debit") for id_, n, side in self.entries[entry_id - 1]["lines"]
        ]
        self._check([id_ for id_, _, _ in swapped])
        self._refuse_if("entry_already_reversed", entry_id in [entry["reverses"] for entry in self.entries])
        self._post(swapped, reverses=entry_id)

    def hold(
        self,
        account_id: int,
        amount: int,
        counter_account_id: int | None = None,
        expires_in_s: int | None = None,
        expires_at: str | None = None,
    ) -> None:
        ends_at = self.now + expires_in_s * 1_000_000 if expires_in_s else None
        if expires_at is not None:
            ends_at = int(datetime.fromisoformat(expires_at).timestamp()) * 1_000_000
            self._refuse_if("invalid_request", ends_at <= self.now)
        self._check([account_id, counter_account_id] if counter_account_id else [account_id])
        self._same_currency(account_id, counter_account_id or account_id)
        self._refuse_if("balance_overflow", self.held(account_id) + amount > TOTAL_MAX)
        free = self.total(account_id) - self.held(account_id) + (self.accounts[account_id - 1]["limit"] or 0)
        self._refuse_if("insufficient_funds", free < amount)
        self.holds.append(NaiveHold(account_id, counter_account_id, amount, ends_at))

    def capture(
        self, hold_id: int, amount: int | None = None, counter_account_id: int | None = None, final: bool = True
    ) -> None:
        self._refuse_if("hold_not_found", hold_id > len(self.holds))
        hold = self.holds[hold_id - 1]
        counter = counter_account_id or hold.counter_account_id
        self._refuse_if("invalid_request", counter is None or counter == hold.account_id)
        self._check([hold.account_id, counter])
        self._refuse_if("hold_not_active", self.status(hold_id) != "active")
        self._same_currency(hold.account_id, counter)
        amount = amount or self.remaining(hold_id)
        self._refuse_if("capture_exceeds_hold", amount > self.remaining(hold_id))
        side, other = (
            ("credit", "debit") if NORMAL[self.accounts[hold.account_id - 1]["type"]] == 1 else ("debit", "credit")
        )
        self._post([(hold.account_id, amount, side), (counter, amount, other)], spares=hold.account_id)
        self.taken.append((hold_id, amount))
        if final or self.remaining(hold_id) == 0:
            self.ended[hold_id] = "captured"

    def release(self, hold_id: int) -> None:
        self._refuse_if("hold_not_found", hold_id > len(self.holds))
        self._refuse_if("hold_not_active", self.status(hold_id) != "active")
        self.ended[hold_id] = "released"

    # What they share

    def _refuse_if(self, code: str, wrong: bool) -> None:
        if wrong:
            raise Refused(code)

    def _check(self, account_ids: list[Any]) -> None:
        self._refuse_if("account_not_found", any(id_ > len(self.accounts) for id_ in account_ids))
        self._refuse_if("account_closed", not all(self.accounts[id_ - 1]["open"] for id_ in account_ids))

    def _same_currency(self, first: int, second: int) -> None:
        self._refuse_if(
            "currency_mismatch", self.accounts[first - 1]["currency"] != self.accounts[second - 1]["currency"]
        )

    def _post(self, sides: list[tuple[int, int, str]], reverses: int | None = None, spares: int | None = None) -> None:
        before = {id_: self.total(id_) for id_, _, _ in sides}
        self.entries.append({"lines": sides, "reverses": reverses})
        if max(max(self.sums(id_)[:2]) for id_ in before) > TOTAL_MAX:
            self.entries.pop()
            raise Refused("balance_overflow")
        for id_, total in before.items():
            held, limit = self.held(id_), self.accounts[id_ - 1]["limit"]
            bounded = limit is not None or held > 0
            if id_ != spares and self.total(id_) < total and bounded and self.total(id_) - held < -(limit or 0):
                self.entries.pop()
                raise Refused("insufficient_funds")
