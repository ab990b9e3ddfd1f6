"""Posting and reversing entries: the one place where money moves."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from ledger_core.chain import entry_hash
from ledger_core.commands import PostEntry, ReverseEntry
from ledger_core.errors import (
    AccountClosed,
    AccountUnknown,
    BalanceOverflow,
    EntryAlreadyReversed,
    EntryNotFound,
    InsufficientFunds,
    UnbalancedEntry,
)
from ledger_core.limits import TOTAL_MAX
from ledger_core.model import Account, Entry, Line, Metadata
from ledger_core.money import Side


class Draft(NamedTuple):
    """A line before it is posted. The amount is in minor units."""

    account_id: int
    side: Side
    amount: int


class Slot(NamedTuple):
    """Where the next entry goes: its number, its instant, and the hash of the entry before it."""

    entry_id: int
    posted_at: int
    previous_hash: bytes


class Posting(NamedTuple):
    """A posted entry, and the accounts of its lines as they stand after it."""

    entry: Entry
    accounts: Mapping[int, Account]


def post_entry(command: PostEntry, *, accounts: Mapping[int, Account], slot: Slot) -> Posting:
    """Post an entry. `accounts` has those of its lines that exist.

    Raises:
        AccountUnknown, AccountClosed, UnbalancedEntry, BalanceOverflow, InsufficientFunds: in this order.
    """
    drafts = [Draft(line.account_id, line.direction, line.amount) for line in command.lines]
    check_accounts(drafts, accounts)
    check_balanced(drafts, accounts)
    return post(drafts, accounts, slot, command.description, command.idempotency_key, command.metadata)


def reverse_entry(
    command: ReverseEntry, *, entry: Entry | None, accounts: Mapping[int, Account], slot: Slot
) -> Posting:
    """Post an entry with the sides of another swapped. It is an entry like any other: funds are checked.

    Raises:
        EntryNotFound, AccountClosed, EntryAlreadyReversed, BalanceOverflow, InsufficientFunds: in this order.
    """
    if entry is None:
        raise EntryNotFound(command.entry_id)
    drafts = [Draft(line.account_id, line.side.other, line.amount) for line in entry.lines]
    check_accounts(drafts, accounts)
    if entry.reversed_by is not None:
        raise EntryAlreadyReversed(entry.id, entry.reversed_by)
    return post(drafts, accounts, slot, command.description, command.idempotency_key, {}, reverses=entry.id)


def check_accounts(drafts: Iterable[Draft], accounts: Mapping[int, Account]) -> None:
    """Check, in the order of the lines, first that all accounts exist and then that all are open.

    Raises:
        AccountUnknown: for the first that does not exist.
        AccountClosed: for the first that is closed.
    """
    for account_id, _, _ in drafts:
        if account_id not in accounts:
            raise AccountUnknown(account_id)
    for account_id, _, _ in drafts:
        if accounts[account_id].closed_at is not None:
            raise AccountClosed(account_id)


def check_balanced(drafts: Sequence[Draft], accounts: Mapping[int, Account]) -> None:
    """Check that debits equal credits in each currency.

    Raises:
        UnbalancedEntry: for the first currency, in the order of the lines, in which they do not.
    """
    sums: dict[str, list[int]] = {}
    credit = Side.CREDIT
    for account_id, side, amount in drafts:
        sides = sums.setdefault(accounts[account_id].currency, [0, 0])
        sides[side is credit] += amount
    for currency, (debits, credits) in sums.items():
        if debits != credits:
            raise UnbalancedEntry(currency, debits, credits)


def post(
    drafts: Sequence[Draft],
    accounts: Mapping[int, Account],
    slot: Slot,
    description: str | None,
    idempotency_key: str | None,
    metadata: Metadata,
    *,
    reverses: int | None = None,
    hold_id: int | None = None,
) -> Posting:
    """Post balanced lines to open accounts.

    Raises:
        BalanceOverflow: debits or credits of an account would pass 2^63 - 1.
        InsufficientFunds: for the first account, in the order of the lines, that has not got it.
    """
    lines, after = _post_lines(drafts, accounts)
    for account_id, account in after.items():
        if account.debits > TOTAL_MAX or account.credits > TOTAL_MAX:
            raise BalanceOverflow(account_id)
    for account_id, account in after.items():
        _check_funds(accounts[account_id], account)
    digest = entry_hash(
        slot.previous_hash,
        slot.entry_id,
        slot.posted_at,
        description,
        idempotency_key,
        metadata,
        reverses,
        hold_id,
        lines,
    )
    entry = Entry(
        slot.entry_id, slot.posted_at, description, idempotency_key, metadata, reverses, hold_id, lines, digest
    )
    return Posting(entry, after)


def _post_lines(
    drafts: Iterable[Draft], accounts: Mapping[int, Account]
) -> tuple[tuple[Line, ...], dict[int, Account]]:
    lines = []
    after: dict[int, Account] = {}
    debit = Side.DEBIT
    for account_id, side, amount in drafts:
        *who, debits, credits, held, version = after.get(account_id) or accounts[account_id]
        version += 1
        if side is debit:
            debits += amount
        else:
            credits += amount
        after[account_id] = Account._make((*who, debits, credits, held, version))
        lines.append(Line(account_id, side, amount, version, debits, credits))
    return tuple(lines), after


def _check_funds(before: Account, after: Account) -> None:
    """Check an account from which the whole entry takes, net. Putting in is never refused for what was wrong before.

    Without an overdraft limit a balance may go below zero, but what holds reserve is never spent.
    """
    limit, held = before.overdraft_limit, before.held
    if limit is None and not held:
        return
    total_before, total_after = before.total, after.total
    if total_after < total_before and total_after - held < -(limit or 0):
        raise InsufficientFunds(before.id, required=total_before - total_after, total=total_before, held=held)
