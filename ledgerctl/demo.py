"""The demo org of `make run`: a small chart of accounts, and a curl line that can be pasted as it is."""

from contextlib import closing, suppress
from pathlib import Path

from ledger_core import ledger
from ledger_core.commands import Kind, parse_command
from ledger_core.errors import OrgNotFound
from ledger_core.instants import now_us
from ledger_core.model import Submission
from ledger_core.operations import new_submission, operation_id_of
from ledger_core.orgs import KeyNotFound, NewKey, Registry, Scope
from ledger_core.store.book import Book

SLUG = "demo"
KEY_ID = "demo-key-id"  # in the data folder: of the last run's key, which is no secret
CHART: tuple[dict[str, object], ...] = (
    {"name": "Cash", "code": "1000", "type": "asset"},
    {"name": "Customer balances", "code": "2000", "type": "liability", "overdraft_limit": 0},
    {"name": "Fees earned", "code": "4000", "type": "revenue"},
    {"name": "Processing costs", "code": "5000", "type": "expense"},
)


def invitation(data: Path, base_url: str) -> str:
    """Return a few lines that lead to a first entry, with this run's key."""
    with closing(Registry.open_writer(data)) as registry:
        new = _new_key(registry, data / KEY_ID)
    _open_chart(data)
    return f"""
The org "{SLUG}" has a small chart of accounts. Post a first entry:

curl -sS {base_url}/v1/entries -H 'X-Org-Slug: {SLUG}' -H 'X-Api-Key: {new.api_key}' \\
  -H 'Content-Type: application/json' -d '{{"idempotency_key": "deposit-123", "description": "Customer deposit",
  "lines": [{{"account_id": 1, "amount": 50000, "direction": "debit"}},
            {{"account_id": 2, "amount": 50000, "direction": "credit"}}]}}'

The key works until the next run, which shows another one in its place; no key is kept.
Ctrl-C ends everything; the data stays in {data}.
For ledgerctl in another shell: export LEDGER_DATA={data}
"""


def _new_key(registry: Registry, kept: Path) -> NewKey:
    """Return a key in the place of the last run's, which can't be shown again."""
    try:
        new = registry.create_key(SLUG, Scope.FULL, now=now_us())
    except OrgNotFound:
        new = registry.create_org(SLUG, name="Demo", currency=None, now=now_us())
    last = kept.read_text(encoding="utf-8") if kept.exists() else None
    kept.touch(mode=0o600)
    kept.write_text(new.key_id, encoding="utf-8")
    if last is not None:
        with suppress(KeyNotFound):  # somebody revoked it, or the registry is an older one
            registry.revoke_key(SLUG, last, now=now_us())
    return new


def _open_chart(data: Path) -> None:
    """Open the accounts, each once however often this runs."""
    book = Book.open_writer(data, SLUG)
    try:
        ledger.apply(book, [_opening(fields) for fields in CHART])
    finally:
        book.close()


def _opening(fields: dict[str, object]) -> Submission:
    command = parse_command(Kind.ACCOUNT, {**fields, "idempotency_key": f"demo-{fields['code']}"})
    return Submission(operation_id_of(SLUG, command), new_submission(), command, "demo", now_us())
