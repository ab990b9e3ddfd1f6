"""A ledger of a few dozen lines, which shares nothing with the real one. It is fed what callers asked for.

The order is the book's: entries by their ids, holds by their events. Between one entry and one event of the same
instant the book tells no order; then either may come first, whichever is allowed.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from tests.storm.observe import Event, Observed
from tests.storm.stories import Story

Side = tuple[int, int, int]  # account, debit, credit
DEBIT_NORMAL = ("asset", "expense")


class Wrong(Exception):
    """The model does not allow what the ledger did, or comes to another figure."""


class Model:
    """Accounts and holds in plain dicts, amounts towards each account's normal side."""

    def __init__(self) -> None:
        self.sign: dict[int, int] = {}
        self.limit: dict[int, int | None] = {}
        self.total: dict[int, int] = {}
        self.debits: dict[int, int] = {}
        self.credits: dict[int, int] = {}
        self.versions: dict[int, int] = {}
        self.held: dict[int, int] = {}
        self.holds: dict[int, dict[str, Any]] = {}

    def open(self, account_id: int, fields: Mapping[str, Any]) -> None:
        """Open an account."""
        if account_id != len(self.sign) + 1:
            raise Wrong(f"account {account_id} is not the next one")
        self.sign[account_id] = 1 if fields["type"] in DEBIT_NORMAL else -1
        self.limit[account_id] = fields.get("overdraft_limit")
        for figures in (self.total, self.held, self.debits, self.credits, self.versions):
            figures[account_id] = 0

    def allows(self, lines: list[Side], *, of_hold: int | None = None) -> bool:
        """Tell whether lines of (account, debit, credit) may be posted."""
        if sum(debit - credit for _, debit, credit in lines) != 0:
            raise Wrong(f"lines {lines} do not balance")
        change: dict[int, int] = {}
        for account, debit, credit in lines:
            change[account] = change.get(account, 0) + self.sign[account] * (debit - credit)
        for account, moved in change.items():
            bounded = self.limit[account] is not None or self.held[account] > 0
            floor = self.held[account] - (self.limit[account] or 0)
            if moved < 0 and bounded and account != of_hold and self.total[account] + moved < floor:
                return False
        return True

    def post(self, lines: list[Side]) -> None:
        """Post lines."""
        for account, debit, credit in lines:
            self.total[account] += self.sign[account] * (debit - credit)
            self.debits[account] += debit
            self.credits[account] += credit
            self.versions[account] += 1

    def place(self, hold_id: int, fields: Mapping[str, Any], at: int) -> bool:
        """Place a hold, if there is enough for it. `at` is in microseconds."""
        account, amount = fields["account_id"], fields["amount"]
        if hold_id != len(self.holds) + 1:
            raise Wrong(f"hold {hold_id} is not the next one")
        if self.total[account] - self.held[account] + (self.limit[account] or 0) < amount:
            return False
        self.held[account] += amount
        until = at + fields["expires_in_s"] * 1_000_000 if "expires_in_s" in fields else None
        self.holds[hold_id] = {**fields, "left": amount, "captured": 0, "status": "active", "until": until}
        return True

    def capture(self, hold_id: int, fields: Mapping[str, Any], at: int) -> list[Side]:
        """Capture a hold, and return the lines that it posts."""
        hold = self._active(hold_id, at)
        amount = fields.get("amount", hold["left"])
        if amount > hold["left"]:
            raise Wrong(f"hold {hold_id} is captured beyond what it reserves")
        self._take(hold, amount)
        hold["captured"] += amount
        if fields.get("final", True) or not hold["left"]:
            self._take(hold, hold["left"])
            hold["status"] = "captured"
        account, counter = hold["account_id"], hold["counter_account_id"]
        lines = [(account, amount, 0), (counter, 0, amount)]
        return lines if self.sign[account] < 0 else [(id_, credit, debit) for id_, debit, credit in lines]

    def end(self, hold_id: int, status: str, at: int) -> None:
        """Release a hold, or let it expire."""
        hold = self._active(hold_id, None if status == "expired" else at)
        if status == "expired" and (hold["until"] is None or hold["until"] > at):
            raise Wrong(f"hold {hold_id} expired too early")
        self._take(hold, hold["left"])
        hold["status"] = status

    def _active(self, hold_id: int, at: int | None) -> dict[str, Any]:
        hold = self.holds.get(hold_id)
        expired = hold is not None and at is not None and hold["until"] is not None and hold["until"] <= at
        if hold is None or expired or hold["status"] != "active":
            raise Wrong(f"hold {hold_id} is not active")
        return hold

    def _take(self, hold: dict[str, Any], amount: int) -> None:
        hold["left"] -= amount
        self.held[hold["account_id"]] -= amount


def disagreements(observed: Observed, stories: Mapping[str, Story]) -> Iterator[str]:
    """Yield where the model, fed with what callers asked for, comes to something else than the ledger."""
    replay = _Replay(observed, stories)
    try:
        replay.run()
    except (Wrong, KeyError) as wrong:
        yield f"{observed.org}: {type(wrong).__name__}: {wrong}"
        return
    model = replay.model
    for id_, balance in observed.balances.items():
        now = (model.total[id_], model.debits[id_], model.credits[id_], model.versions[id_], model.held[id_])
        said = tuple(balance[name] for name in ("total", "debits", "credits", "version", "held"))
        if said != now and not (said[:4] == now[:4] and replay.may_have_expired(id_, said[4])):
            yield f"{observed.org}: account {id_} stands at {said}, and should at {now}"
    for hold in observed.holds:
        mine = model.holds[hold["id"]]
        due = hold["status"] == "expired" and mine["status"] == "active" and mine["until"] is not None
        if (hold["status"], hold["captured_amount"]) != (mine["status"], mine["captured"]) and not due:
            yield f"{observed.org}: hold {hold['id']} is {hold['status']}, and should be {mine['status']}"


class _Replay:
    """One org's history, from the beginning."""

    def __init__(self, observed: Observed, stories: Mapping[str, Story]) -> None:
        self.model = Model()
        self._observed = observed
        self._writes = stories
        self._rows = {row.entry_id: row for row in observed.rows}
        self._tags = {hold["id"]: hold["description"] for hold in observed.holds}

    def may_have_expired(self, account_id: int, held: int) -> bool:
        """Tell whether the rest can be holds that ran out since anybody wrote to the book."""
        expiring = [
            hold["left"]
            for hold in self.model.holds.values()
            if hold["account_id"] == account_id and hold["status"] == "active" and hold["until"] is not None
        ]
        return 0 <= self.model.held[account_id] - held <= sum(expiring)

    def run(self) -> None:
        for account in self._observed.accounts:
            self.model.open(account["id"], self._fields(account["name"]))
        captures = {event.entry_id for event in self._observed.events if event.entry_id is not None}
        entries = [row for row in self._observed.rows if row.entry_id not in captures]
        events = list(self._observed.events)
        posted = 0
        while entries or events:
            if entries and entries[0].entry_id == posted + 1 and self._post(entries[0].entry_id, events):
                posted += 1
                entries.pop(0)
            elif events and (events[0].entry_id in (None, posted + 1)) and self._happen(events[0], entries):
                posted += events.pop(0).entry_id is not None
            else:
                raise Wrong(f"after entry {posted} neither {entries[:1]} nor {events[:1]} is allowed")

    def _post(self, entry_id: int, events: list[Event]) -> bool:
        row = self._rows[entry_id]
        if events and events[0].at < row.posted_at:
            return False
        lines = self._asked_lines(row.description or "")
        if not self.model.allows(lines):
            return False
        self._carry_over(entry_id, lines)
        return True

    def _happen(self, event: Event, entries: list[Any]) -> bool:
        if entries and entries[0].posted_at < event.at and event.entry_id is None:
            return False
        if event.kind == "placed":
            return self.model.place(event.hold_id, self._fields(self._tags[event.hold_id]), event.at)
        if event.kind != "captured":
            self.model.end(event.hold_id, event.kind, event.at)
            return True
        assert event.entry_id is not None
        asked = self._writes[self._rows[event.entry_id].description or ""].write
        if asked.kind != "capture" or asked.address != event.hold_id:
            raise Wrong(f"entry {event.entry_id} captures hold {event.hold_id}, and nobody asked for that")
        self._carry_over(event.entry_id, self.model.capture(event.hold_id, asked.fields, event.at))
        return True

    def _carry_over(self, entry_id: int, lines: list[Side]) -> None:
        """Post what was asked for, which must be what the book says."""
        if lines != self._rows[entry_id].lines:
            raise Wrong(f"entry {entry_id} is {self._rows[entry_id].lines}, and {lines} was asked for")
        self.model.post(lines)

    def _asked_lines(self, tag: str) -> list[Side]:
        write = self._writes[tag].write if tag in self._writes else None
        if write is not None and write.kind == "reversal":
            assert write.address is not None
            return [(id_, credit, debit) for id_, debit, credit in self._rows[write.address].lines]
        return [
            (line["account_id"], *((line["amount"], 0) if line["direction"] == "debit" else (0, line["amount"])))
            for line in self._fields(tag)["lines"]
        ]

    def _fields(self, tag: str) -> Mapping[str, Any]:
        """Return what was asked for under a tag; `bulk.3` is an entry of `bulk`."""
        if tag in self._writes:
            return self._writes[tag].write.fields
        entries = self._writes[tag.rpartition(".")[0]].write.fields["entries"]
        return next(each for each in entries if each["description"] == tag)
