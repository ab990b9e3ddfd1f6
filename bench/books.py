"""Books for the benchmark: making orgs with accounts and entries in them, and counting what lies in their books."""

import random
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from bench.failures import Failure
from bench.load import Org
from ledger_core import ledger
from ledger_core.commands import Command, Kind, parse_command
from ledger_core.instants import now_us
from ledger_core.model import Submission
from ledger_core.operations import new_submission, operation_id_of
from ledger_core.orgs import Registry
from ledger_core.store.book import Book

BATCH = 500
FUNDS = 10**12  # minor units on each funded account: more than all holds of a run take
SETTLE_S_MAX = 120.0  # for what was accepted to be applied
STILL_S = 0.1  # a book in which nothing came for so long, or for as long as an answer takes, has got all there is

ENTRIES = "select coalesce(max(id), 0) from entries"
HOLDS = "select coalesce(max(id), 0) from holds"
RELEASED = "select count(*) from holds where status = 'released'"


def make_org(data: Path, slug: str, *, accounts: int = 1_000, entries: int = 0, funds: int = 0) -> Org:
    """Make an org with accounts, all of them assets, and entries between them; `funds` on each if told so."""
    registry = Registry.open_writer(data)
    try:
        new = registry.create_org(slug, name=None, currency=None, now=now_us())
    finally:
        registry.close()
    book = Book.open_writer(data, slug)
    try:
        write(book, openings(accounts))
        if funds:
            write(book, [parse_command(Kind.ACCOUNT, {"name": "Owners", "type": "equity"})])
            write(book, [entry((number, accounts + 1), funds, None) for number in range(1, accounts + 1)])
        write(book, [entry(pair, 50_000, None) for pair in pairs(accounts, entries)])
    finally:
        book.close()
    return Org(slug, new.api_key)


def place_holds(data: Path, slug: str, accounts: int, count: int) -> None:
    """Place holds on the accounts of an org, in turn."""
    book = Book.open_writer(data, slug)
    fields = {"amount": 2_500, "description": "Customer order"}
    try:
        for first in range(0, count, BATCH):
            turn = [1 + number % (accounts - 1) for number in range(first, min(first + BATCH, count))]
            write(
                book,
                [
                    parse_command(Kind.HOLD, {**fields, "account_id": each, "counter_account_id": each + 1})
                    for each in turn
                ],
            )
    finally:
        book.close()


def openings(accounts: int) -> list[Command]:
    """Return the commands that open so many accounts."""
    return [parse_command(Kind.ACCOUNT, {"name": f"Account {n}", "type": "asset"}) for n in range(1, accounts + 1)]


def pairs(accounts: int, count: int, seed: int = 1) -> Iterator[tuple[int, int]]:
    """Yield so many pairs of accounts."""
    draw = random.Random(seed)
    for _ in range(count):
        debit, credit = draw.sample(range(1, accounts + 1), 2)
        yield debit, credit


def entry_fields(pair: tuple[int, int], amount: int, key: str | None) -> dict[str, Any]:
    """Return the body of an entry of two lines."""
    sides = zip(pair, ("debit", "credit"), strict=True)
    lines = [{"account_id": account, "amount": amount, "direction": side} for account, side in sides]
    return {"idempotency_key": key, "description": "Customer deposit by bank card", "lines": lines}


def entry(pair: tuple[int, int], amount: int, key: str | None) -> Command:
    """Return the command that posts an entry of two lines."""
    return parse_command(Kind.ENTRY, entry_fields(pair, amount, key))


def submitted(org: str, commands: Sequence[Command]) -> list[Submission]:
    """Return commands as they come to a book."""
    now = now_us()
    return [Submission(operation_id_of(org, each), new_submission(), each, "bench", now) for each in commands]


def write(book: Book, commands: Sequence[Command], clock: Callable[[], int] = now_us) -> None:
    """Write to a book, some hundreds of commands in a commit."""
    for first in range(0, len(commands), BATCH):
        outcomes = ledger.apply(book, submitted(book.org, commands[first : first + BATCH]), clock)
        assert all(outcome.refusal is None for outcome in outcomes)


def count(data: Path, slugs: Sequence[str], question: str) -> int:
    """Return how many there are in the books of some orgs."""
    total = 0
    for slug in slugs:
        book = Book.open_reader(data, slug)
        try:
            row = book.connection.execute(question).fetchone()
            assert row is not None
            total += int(row[0])
        finally:
            book.close()
    return total


def settled(data: Path, slugs: Sequence[str], question: str, at_least: int, answer_s: float) -> int:
    """Wait until there are so many, and no more come; return how many there are. `answer_s`: what an answer takes.

    Raises:
        Failure: there never are.
    """
    give_up_at = time.monotonic() + SETTLE_S_MAX
    before = count(data, slugs, question)
    while True:
        time.sleep(max(STILL_S, answer_s))
        now = count(data, slugs, question)
        if now == before and now >= at_least:
            return now
        if time.monotonic() > give_up_at:
            raise Failure(f"{slugs[0]}: {at_least} were answered, and {now} are in the book")
        before = now
