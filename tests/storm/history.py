"""A short true history for tests of the audit: what callers asked and were answered, and the book that came of it."""

from pathlib import Path
from typing import Any

from tests.ledger_core.builders import Ledger, answer, lines
from tests.storm.journal import Answer, Poll, Write
from tests.storm.observe import Observed, of_file
from tests.storm.stories import Story
from wire.resources import account_json, balance_json, entry_json, hold_json

ORG = "ant"
CASH, WALLET, FEES = 1, 2, 3


class History:
    """Writes with their answers. `observed` is what there is at the moment that it is asked for."""

    def __init__(self, folder: Path) -> None:
        self.ledger = Ledger(folder, ORG)
        self.stories: dict[str, Story] = {}
        self.write("cash", "account", name="cash", type="asset")
        self.write("wallet", "account", name="wallet", type="liability", overdraft_limit=0)
        self.write("fees", "account", name="fees", type="revenue")
        self.post("deposit", CASH, WALLET, 1_000)
        self.write("hold", "hold", account_id=WALLET, amount=300, counter_account_id=FEES, description="hold")
        self.write("capture", "capture", address=1, amount=100, final=False, description="capture")
        self.post("overdraw", WALLET, FEES, 900)
        self.post("small", WALLET, FEES, 700)
        self.write("reversal", "reversal", address=3, description="reversal")
        self.turned_away("busy", CASH, WALLET, 5)

    def write(self, tag: str, kind: str, *, address: int | None = None, **fields: Any) -> None:
        """Carry out a write, and note its answer."""
        story = self._ask(Write(tag, ORG, kind, fields, address, tag))
        named = {"reversal": "entry_id", "capture": "hold_id", "release": "hold_id"}
        addressed = {named[kind]: address} if kind in named else {}
        status, body = answer(self.ledger.write(kind, idempotency_key=tag, **fields, **addressed))
        story.answers.append(told(tag, status, body.decode()))

    def post(self, tag: str, debit: int, credit: int, amount: int) -> None:
        """Post an entry of two lines, or have it refused."""
        self.write(tag, "entry", description=tag, lines=lines((debit, amount, "debit"), (credit, amount, "credit")))

    def turned_away(self, tag: str, debit: int, credit: int, amount: int) -> None:
        """Note an entry that was told `503`, and never got to the book."""
        fields = {"description": tag, "lines": lines((debit, amount, "debit"), (credit, amount, "credit"))}
        self._ask(Write(tag, ORG, "entry", fields, None, tag)).answers.append(told(tag, 503, "{}"))

    def poll(self, tag: str, status: str, http_status: int | None, body: str | None) -> None:
        """Note what the operation of a write was said to be."""
        self.stories[tag].polls.append(Poll(tag, "an-operation", status, http_status, body))

    def observed(self) -> Observed:
        """Return what there is."""
        ledger = self.ledger
        rows, events = of_file(ledger.path)
        accounts = [ledger.read_account(id_) for id_ in (CASH, WALLET, FEES)]
        return Observed(
            org=ORG,
            accounts=[dict(account_json(account)) for account in accounts],
            balances={account.id: dict(balance_json(ledger.balance(account.id))) for account in accounts},
            entries=[dict(entry_json(ledger.read_entry(row.entry_id))) for row in rows],
            holds=[dict(hold_json(ledger.read_hold(1)))],
            rows=rows,
            events=events,
            findings=[f"{each.subject}: {each.problem}" for each in ledger.findings()],
        )

    def _ask(self, write: Write) -> Story:
        self.stories[write.tag] = Story(write)
        return self.stories[write.tag]


def told(tag: str, status: int, body: str, *, replayed: bool = False) -> Answer:
    """Return an answer."""
    return Answer(tag, "somebody", status, body, replayed, "an-operation", 0.1, 1.0)
