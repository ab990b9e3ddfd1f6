"""Opening and closing accounts."""

from ledger_core.commands import CloseAccount, OpenAccount
from ledger_core.errors import AccountClosed, AccountCodeTaken, AccountNotEmpty, AccountNotFound
from ledger_core.model import Account, AccountStatus


def open_account(
    command: OpenAccount, *, account_id: int, book_currency: str, code_owner: int | None, now: int
) -> Account:
    """Open an account, empty. `code_owner` is the account that has its code already.

    Raises:
        AccountCodeTaken: another account has the code.
    """
    if command.code is not None and code_owner is not None:
        raise AccountCodeTaken(command.code, code_owner)
    return Account(
        id=account_id,
        name=command.name,
        code=command.code,
        type=command.type,
        currency=command.currency or book_currency,
        overdraft_limit=command.overdraft_limit,
        metadata=command.metadata,
        created_at=now,
        closed_at=None,
        debits=0,
        credits=0,
        held=0,
        version=0,
    )


def close_account(command: CloseAccount, *, account: Account | None, now: int) -> Account:
    """Close an account, for good.

    Raises:
        AccountNotFound: there is none.
        AccountClosed: it is closed already.
        AccountNotEmpty: its balance or what it holds is not zero.
    """
    if account is None:
        raise AccountNotFound(command.account_id)
    if account.status is AccountStatus.CLOSED:
        raise AccountClosed(account.id)
    if account.total or account.held:
        raise AccountNotEmpty(account.id, account.total, account.held)
    return account._replace(closed_at=now)
