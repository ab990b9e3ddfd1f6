"""Placing, capturing, releasing and expiring holds."""

from collections.abc import Mapping
from typing import NamedTuple

from ledger_core.commands import CaptureHold, PlaceHold, ReleaseHold
from ledger_core.errors import (
    AccountClosed,
    AccountUnknown,
    BalanceOverflow,
    CaptureExceedsHold,
    Complaint,
    CurrencyMismatch,
    HoldNotActive,
    HoldNotFound,
    InsufficientFunds,
    InvalidRequest,
)
from ledger_core.limits import INSTANT_US_MAX, TOTAL_MAX
from ledger_core.model import Account, Capture, Entry, Hold, HoldEvent, HoldEventKind, HoldStatus
from ledger_core.rules.entries import Draft, Slot, check_accounts, post


class Held(NamedTuple):
    """A hold as it stands after an event, the event, the accounts that it moved, and the entry that it posted."""

    hold: Hold
    event: HoldEvent
    accounts: Mapping[int, Account]
    entry: Entry | None = None


def place_hold(command: PlaceHold, *, accounts: Mapping[int, Account], hold_id: int, now: int) -> Held:
    """Reserve funds on an account. `accounts` has those of the command's that exist.

    Raises:
        InvalidRequest: it would have expired already, or after the year 9999.
        AccountUnknown, AccountClosed, CurrencyMismatch, BalanceOverflow, InsufficientFunds: in this order.
    """
    expires_at = _expiry(command, now)
    account = _two_accounts(command.account_id, command.counter_account_id, accounts)
    held = account.held + command.amount
    if held > TOTAL_MAX:
        raise BalanceOverflow(account.id)
    if account.total - held < -(account.overdraft_limit or 0):
        raise InsufficientFunds(account.id, required=command.amount, total=account.total, held=account.held)
    hold = Hold(
        id=hold_id,
        account_id=account.id,
        counter_account_id=command.counter_account_id,
        amount=command.amount,
        currency=account.currency,
        description=command.description,
        metadata=command.metadata,
        idempotency_key=command.idempotency_key,
        expires_at=expires_at,
        created_at=now,
        captured=0,
        released=0,
        status=HoldStatus.ACTIVE,
        version=1,
        captures=(),
    )
    event = HoldEvent(hold_id, 1, account.id, HoldEventKind.PLACED, 0, 0, held, now, None)
    return Held(hold, event, {account.id: account._replace(held=held)})


def capture_hold(command: CaptureHold, *, hold: Hold | None, accounts: Mapping[int, Account], slot: Slot) -> Held:
    """Post an entry that takes what a hold reserves, or a part of it; the rest goes back if the capture is final.

    Raises:
        HoldNotFound: there is none.
        InvalidRequest: no counter account is known, or it is the held account.
        AccountUnknown, AccountClosed, HoldNotActive, CurrencyMismatch, CaptureExceedsHold, BalanceOverflow,
        InsufficientFunds: in this order; the last only on the counter account.
    """
    if hold is None:
        raise HoldNotFound(command.hold_id)
    counter_id = _counter(command, hold)
    account = accounts[hold.account_id]
    amount = hold.remaining if command.amount is None else command.amount
    side = account.normal_side.other
    drafts = [Draft(account.id, side, amount), Draft(counter_id, side.other, amount)]
    check_accounts(drafts, accounts)
    _check_active(hold)
    _check_currency(accounts[counter_id], account)
    if amount > hold.remaining:
        raise CaptureExceedsHold(hold.id, amount, hold.remaining)
    released = hold.remaining - amount if command.final else 0
    unreserved = account._replace(held=account.held - amount - released)
    posting = post(
        drafts,
        {counter_id: accounts[counter_id], account.id: unreserved},
        slot,
        hold.description if command.description is None else command.description,
        command.idempotency_key,
        {},
        hold_id=hold.id,
    )
    event = _event(hold, unreserved, HoldEventKind.CAPTURED, amount, released, slot.posted_at, slot.entry_id)
    return Held(follow(hold, event), event, posting.accounts, posting.entry)


def release_hold(command: ReleaseHold, *, hold: Hold | None, account: Account | None, now: int) -> Held:
    """Give back what a hold still reserves.

    Raises:
        HoldNotFound: there is none.
        HoldNotActive: it is captured, released or expired.
    """
    if hold is None:
        raise HoldNotFound(command.hold_id)
    _check_active(hold)
    assert account is not None, "a hold's account exists"
    return _give_back(hold, account, HoldEventKind.RELEASED, now)


def expire_hold(hold: Hold, account: Account) -> Held:
    """Give back what an expired hold still reserves, as of the instant at which it expired."""
    assert hold.expires_at is not None
    return _give_back(hold, account, HoldEventKind.EXPIRED, hold.expires_at)


def follow(hold: Hold, event: HoldEvent) -> Hold:
    """Return a hold as it stands after one more event: what it is now, and what it was at any version."""
    captured, released = hold.captured + event.captured, hold.released + event.released
    captures = hold.captures
    if event.kind is HoldEventKind.CAPTURED:
        assert event.entry_id is not None
        captures = (*captures, Capture(event.entry_id, event.captured, event.at))
    done = captured + released == hold.amount
    return hold._replace(
        captured=captured,
        released=released,
        status=HoldStatus(event.kind.value) if done else HoldStatus.ACTIVE,
        version=event.version,
        captures=captures,
    )


def _give_back(hold: Hold, account: Account, kind: HoldEventKind, at: int) -> Held:
    released = hold.remaining
    account = account._replace(held=account.held - released)
    event = _event(hold, account, kind, 0, released, at, None)
    return Held(follow(hold, event), event, {account.id: account})


def _event(
    hold: Hold, account: Account, kind: HoldEventKind, captured: int, released: int, at: int, entry_id: int | None
) -> HoldEvent:
    return HoldEvent(hold.id, hold.version + 1, account.id, kind, captured, released, account.held, at, entry_id)


def _expiry(command: PlaceHold, now: int) -> int | None:
    if command.expires_in_s is not None:
        expires_at = now + command.expires_in_s * 1_000_000
        if expires_at > INSTANT_US_MAX:
            raise InvalidRequest([Complaint("/expires_in_s", "must end before the year 10000")])
        return expires_at
    if command.expires_at is not None and command.expires_at <= now:
        raise InvalidRequest([Complaint("/expires_at", "must lie in the future")])
    return command.expires_at


def _two_accounts(account_id: int, counter_id: int | None, accounts: Mapping[int, Account]) -> Account:
    ids = [account_id] if counter_id is None else [account_id, counter_id]
    for named in ids:
        if named not in accounts:
            raise AccountUnknown(named)
    for named in ids:
        if accounts[named].closed_at is not None:
            raise AccountClosed(named)
    if counter_id is not None:
        _check_currency(accounts[counter_id], accounts[account_id])
    return accounts[account_id]


def _counter(command: CaptureHold, hold: Hold) -> int:
    counter_id = command.counter_account_id or hold.counter_account_id
    if counter_id is None:
        raise InvalidRequest([Complaint("/counter_account_id", "is required, since the hold names none")])
    if counter_id == hold.account_id:
        raise InvalidRequest([Complaint("/counter_account_id", "must be another account than the held one")])
    return counter_id


def _check_active(hold: Hold) -> None:
    if hold.status is not HoldStatus.ACTIVE:
        raise HoldNotActive(hold.id, hold.status)


def _check_currency(account: Account, expected: Account) -> None:
    if account.currency != expected.currency:
        raise CurrencyMismatch(account.id, account.currency, expected.currency)
