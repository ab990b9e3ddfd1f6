"""The accounting: what each thing that FF Banking does is in the ledger. The chart of accounts is in the README.

Every method takes its caller's key and derives the ledger's keys from it, so the same call made twice moves money once.
"""

from typing import NamedTuple

from examples.banking.payouts import PayoutRefused, Payouts
from ledger_client import (
    AccountType,
    CaptureHold,
    LedgerClient,
    LineBody,
    OpenAccount,
    PlaceHold,
    PostEntry,
    ReleaseHold,
    Side,
)
from ledger_client.models import Account, Balance

TRANSFER_FEE = 25  # minor units. A transfer that is tried again after this has changed is another request to the ledger


class NoSuchWallet(Exception):
    """Nobody opened a wallet of that name."""


class Receipt(NamedTuple):
    """An entry that was posted for a caller."""

    entry_id: int
    amount: int
    fee: int = 0


class Wallets:
    """Wallets of an org of the ledger. Any thread may use it."""

    def __init__(self, ledger: LedgerClient, payouts: Payouts) -> None:
        self._ledger = ledger
        self._payouts = payouts
        self._bank = self._chart("1000", "Bank", AccountType.ASSET).id
        self._fees = self._chart("4000", "Transfer fees", AccountType.REVENUE).id
        self._known: dict[str, int] = {}

    def open(self, name: str) -> int:
        """Open a wallet, which can't go below zero, and return its account. Its name is its key."""
        return self._chart(f"2000:{name}", f"Wallet of {name}", AccountType.LIABILITY, overdraft_limit=0).id

    def balance(self, name: str) -> Balance:
        """Read what a wallet has."""
        return self._ledger.balance(self._wallet(name))

    def deposit(self, name: str, amount: int, key: str) -> Receipt:
        """Book money that came in at our bank: we have more, and owe the wallet more."""
        lines = [_debit(self._bank, amount), _credit(self._wallet(name), amount)]
        entry = PostEntry(lines=lines, description=f"Deposit to {name}", idempotency_key=f"deposit:{name}:{key}")
        return Receipt(self._ledger.post_entry(entry).id, amount)

    def transfer(self, sender: str, receiver: str, amount: int, key: str) -> Receipt:
        """Move money between wallets; the sender pays our fee on top. One entry: both happen, or neither."""
        lines = [
            _debit(self._wallet(sender), amount + TRANSFER_FEE),
            _credit(self._wallet(receiver), amount),
            _credit(self._fees, TRANSFER_FEE),
        ]
        about = f"Transfer from {sender} to {receiver}"
        entry = PostEntry(lines=lines, description=about, idempotency_key=f"transfer:{sender}:{key}")
        return Receipt(self._ledger.post_entry(entry).id, amount, TRANSFER_FEE)

    def withdraw(self, name: str, amount: int, key: str) -> Receipt:
        """Pay money out: reserve it, have the bank pay, then book it, or give it back if the bank refuses.

        Wherever this breaks off, the money stays reserved, and the same call again goes on from there: the ledger
        answers with the same hold, and the bank pays once for each reference.

        Raises:
            PayoutRefused: the money is the wallet's again.
            PayoutUnknown: nobody knows whether the bank paid; the money stays reserved until a call finds out.
        """
        reference = f"withdrawal:{name}:{key}"
        hold = self._ledger.place_hold(
            PlaceHold(
                account_id=self._wallet(name),
                counter_account_id=self._bank,
                amount=amount,
                description=f"Withdrawal of {name}",
                idempotency_key=reference,
            )
        )
        try:
            self._payouts.pay(reference, amount)
        except PayoutRefused:
            self._ledger.release_hold(ReleaseHold(hold_id=hold.id, idempotency_key="refused"))
            raise
        captured = self._ledger.capture_hold(CaptureHold(hold_id=hold.id, idempotency_key="paid"))
        return Receipt(captured.captures[0].entry_id, amount)

    def _chart(self, code: str, name: str, kind: AccountType, overdraft_limit: int | None = None) -> Account:
        """Open an account of the chart, or find it as it was opened: its code is its key."""
        command = OpenAccount(
            name=name, type=kind, code=code, overdraft_limit=overdraft_limit, idempotency_key=f"open:{code}"
        )
        return self._ledger.open_account(command)

    def _wallet(self, name: str) -> int:
        """Return a wallet's account, which is looked up once, since it never changes."""
        if name not in self._known:
            found = self._ledger.list_accounts(code=f"2000:{name}").data
            if not found:
                raise NoSuchWallet(name)
            self._known[name] = found[0].id
        return self._known[name]


def _debit(account_id: int, amount: int) -> LineBody:
    return LineBody(account_id=account_id, amount=amount, direction=Side.DEBIT)


def _credit(account_id: int, amount: int) -> LineBody:
    return LineBody(account_id=account_id, amount=amount, direction=Side.CREDIT)
