"""The accounting: what each thing that FF Commerce does is in the ledger. The chart of accounts is in the README.

Orders, parts of orders, and days are the keys: the same call made twice, by whomever, moves money once.
"""

from examples.commerce.books import Books
from ledger_client import AccountType, CaptureHold, LineBody, OpenAccount, PlaceHold, PostEntry, ReleaseHold, Side
from ledger_client.models import Account, Balance, Entry, Hold

FEE_PER_MILLE = 29  # of what is captured, rounded down; the merchant pays it


class NotCaptured(Exception):
    """That part of the payment was not captured, or for less than is to be refunded."""


class Commerce:
    """Payments of an org of the ledger. A payment's id is the id of its hold."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._bank = self._chart("1000", "Bank", AccountType.ASSET)
        self._fees = self._chart("4000", "Payment fees", AccountType.REVENUE)

    def open_buyer(self, name: str) -> int:
        """Open a buyer's account, which can't go below zero."""
        return self._chart(f"2000:{name}", f"Buyer {name}", AccountType.LIABILITY, overdraft_limit=0)

    def open_merchant(self, name: str) -> int:
        """Open a merchant's account. A refund after a settlement may take it below zero: then the merchant owes us."""
        return self._chart(f"2100:{name}", f"Merchant {name}", AccountType.LIABILITY)

    def top_up(self, buyer: str, amount: int, reference: str) -> Entry:
        """Book money of a buyer's that came in at our bank under a reference of the bank's."""
        account = self._account(f"2000:{buyer}")
        return self._post(self._bank, account, amount, f"top-up:{reference}", f"Top-up {reference}")

    def authorise(self, order: str, buyer: str, merchant: str, amount: int) -> Hold:
        """Reserve what an order will cost. An order is authorised once."""
        command = PlaceHold(
            account_id=self._account(f"2000:{buyer}"),
            counter_account_id=self._account(f"2100:{merchant}"),
            amount=amount,
            description=f"Order {order}",
            idempotency_key=f"order:{order}",
        )
        return self._books.write(command, Hold)

    def capture(self, payment: int, part: str, amount: int | None = None, *, final: bool = True) -> Entry:
        """Pay the merchant for a part of an order, all that is left by default, and take our fee.

        These are two writes. Who is interrupted between them calls again, with the same: each happens once.
        """
        command = CaptureHold(hold_id=payment, amount=amount, final=final, idempotency_key=f"capture:{part}")
        hold = self._books.write(command, Hold)
        captured = hold.captures[-1]  # an answer given again is as of its capture, whatever came later
        fee = captured.amount * FEE_PER_MILLE // 1000
        assert hold.counter_account_id is not None, "authorise names the merchant"
        if fee:
            key = f"fee:{payment}:{part}"
            self._post(hold.counter_account_id, self._fees, fee, key, f"Fee for {part} of payment {payment}")
        return self._books.read.get_entry(captured.entry_id)

    def void(self, payment: int) -> Hold:
        """Give back what a payment still reserves."""
        return self._books.write(ReleaseHold(hold_id=payment, idempotency_key="void"), Hold)

    def refund(self, payment: int, part: str, amount: int | None = None) -> Entry:
        """Give a buyer back what was captured for a part, or some of it, once for each part. We keep our fee.

        Raises:
            NotCaptured: it was not, or for less.
        """
        entries = self._books.read.iter_entries(hold_id=payment)
        paid = next((entry for entry in entries if entry.idempotency_key == f"capture:{part}"), None)
        if paid is None or (amount or 1) > paid.lines[0].amount:
            raise NotCaptured(part)
        lines = [
            LineBody(
                account_id=line.account_id,
                amount=line.amount if amount is None else amount,
                direction=line.direction.other,
            )
            for line in paid.lines
        ]
        about = f"Refund of {part} of payment {payment}"
        command = PostEntry(lines=lines, description=about, idempotency_key=f"refund:{payment}:{part}")
        return self._books.write(command, Entry)

    def settle(self, merchant: str, day: str) -> int:
        """Pay a merchant out what it has, once for each day, and return how much that was.

        The hold decides how much, and can't take more than there is, even if two of us settle at once.
        """
        account = self._account(f"2100:{merchant}")
        key = f"settle:{merchant}:{day}"
        holds = self._books.read.iter_holds(account_id=account, order="desc")
        hold = next((hold for hold in holds if hold.idempotency_key == key), None)
        if hold is None:
            amount = self._books.read.balance(account).available
            if amount <= 0:
                return 0
            about = f"Settlement of {day}"
            placing = PlaceHold(
                account_id=account,
                counter_account_id=self._bank,
                amount=amount,
                description=about,
                idempotency_key=key,
            )
            hold = self._books.write(placing, Hold)
        return self._books.write(CaptureHold(hold_id=hold.id, idempotency_key="pay-out"), Hold).captured_amount

    def buyer(self, name: str) -> Balance:
        """Read what a buyer has."""
        return self._books.read.balance(self._account(f"2000:{name}"))

    def merchant(self, name: str) -> Balance:
        """Read what we owe a merchant."""
        return self._books.read.balance(self._account(f"2100:{name}"))

    def _post(self, debit: int, credit: int, amount: int, key: str, about: str) -> Entry:
        lines = [
            LineBody(account_id=debit, amount=amount, direction=Side.DEBIT),
            LineBody(account_id=credit, amount=amount, direction=Side.CREDIT),
        ]
        return self._books.write(PostEntry(lines=lines, description=about, idempotency_key=key), Entry)

    def _chart(self, code: str, name: str, kind: AccountType, overdraft_limit: int | None = None) -> int:
        """Open an account of the chart, or find it as it was opened: its code is its key."""
        command = OpenAccount(
            name=name, type=kind, code=code, overdraft_limit=overdraft_limit, idempotency_key=f"open:{code}"
        )
        return self._books.write(command, Account).id

    def _account(self, code: str) -> int:
        found = self._books.read.list_accounts(code=code).data
        if not found:
            raise LookupError(f"nobody opened {code}")
        return found[0].id
