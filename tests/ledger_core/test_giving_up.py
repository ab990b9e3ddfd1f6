"""Giving up a command that was accepted: it is refused for good, and nothing moves."""

from ledger_core import ledger, reads
from tests.ledger_core.builders import CASH, CUSTOMERS, Ledger, posting


def test_what_is_given_up_is_refused_and_moves_nothing(funded: Ledger) -> None:
    sent = funded.submission("entry", {**posting((CASH, 5, "debit"), (CUSTOMERS, 5, "credit")), "idempotency_key": "k"})
    entries = funded.book.connection.execute("select count(*) from entries").get

    outcome = ledger.give_up(funded.book, sent)

    assert outcome.refusal is not None
    assert outcome.refusal.code == "internal_error"
    assert funded.book.connection.execute("select count(*) from entries").get == entries
    assert reads.operation(funded.reader, sent.operation_id) == outcome._replace(replayed=False)
    (again,) = funded.apply(sent)
    assert again.refusal == outcome.refusal
    assert funded.findings() == []


def test_what_was_decided_is_not_given_up(funded: Ledger) -> None:
    sent = funded.submission("entry", posting((CASH, 5, "debit"), (CUSTOMERS, 5, "credit")))
    (applied,) = funded.apply(sent)
    before = funded.dump()

    outcome = ledger.give_up(funded.book, sent)

    assert outcome.resource == applied.resource
    assert funded.dump() == before
