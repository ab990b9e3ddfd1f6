"""The orgs of a storm, their accounts, and what callers know of each: holds, entries and answered writes."""

import random
import threading
from collections import defaultdict, deque
from typing import Any

import orjson

from tests.storm.journal import Write
from tests.storm.plan import ORGS, Intent

CASH, WALLETS, FEES = 1, (2, 3, 4), 5
CHART = (
    {"name": "cash", "type": "asset"},
    *({"name": f"wallet-{number}", "type": "liability", "overdraft_limit": 0} for number in WALLETS),
    {"name": "fees", "type": "revenue"},
)
KNOWN_MAX = 40  # callers choose among so many: several of them are after the same hold at once


class Town:
    """What callers know. Any thread may use it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[tuple[str, str], deque[Any]] = defaultdict(lambda: deque(maxlen=KNOWN_MAX))

    def learn(self, write: Write, body: str) -> None:
        """Take note of what a write made."""
        made = orjson.loads(body)
        with self._lock:
            if write.kind == "entry" and write.key == write.tag:
                self._known[write.org, "write"].append(write)
            if write.kind in ("entry", "reversal", "hold", "account"):
                self._known[write.org, write.kind].append(made["id"])

    def writes(self, intent: Intent, caller: str, *, keyless: bool = False) -> list[Write]:
        """Turn what a caller sets out to do into writes, which go out together: most often one."""
        tag = f"{caller}-{intent.number}"
        if intent.kind == "bulk-each":
            rng = random.Random(intent.picks[0])
            parts = [_moved(rng.randint(1, 900), rng.choice(WALLETS), f"{tag}.{n}") for n in range(rng.randint(2, 12))]
            return [_write(fields["description"], intent.org, "entry", fields) for fields in parts]
        write = self._write(intent, tag)
        if keyless and write.kind in ("entry", "hold") and write.key == tag and intent.picks[2] < 0.4:
            write = write._replace(key=None)
        return [write]

    def _write(self, intent: Intent, tag: str) -> Write:
        wallet, amount = WALLETS[intent.parties[0]], intent.amount
        if intent.kind == "transfer":
            to = WALLETS[sum(intent.parties) % len(WALLETS)]
            return _write(tag, intent.org, "entry", _entry(wallet, to, amount, tag))
        if intent.kind == "overdraw":
            return _write(tag, intent.org, "entry", _entry(wallet, FEES, amount * 100_000, tag))
        if intent.kind == "bulk":
            return _write(tag, intent.org, "bulk", self._bulk(intent, tag))
        if intent.kind == "account":
            return _write(tag, intent.org, "account", {"name": tag, "type": "expense"})
        if intent.kind == "hold":
            fields = {"account_id": wallet, "amount": amount, "counter_account_id": FEES, "description": tag}
            if intent.picks[0] < 0.3:
                fields["expires_in_s"] = 1 + int(intent.picks[1] * 30)
            return _write(tag, intent.org, "hold", fields)
        return self._on_known(intent, tag) or _write(tag, intent.org, "entry", _moved(amount, wallet, tag))

    def _on_known(self, intent: Intent, tag: str) -> Write | None:
        noun = {"capture": "hold", "release": "hold", "reversal": "entry", "closure": "account", "reuse": "write"}
        with self._lock:
            known = list(self._known[intent.org, noun.get(intent.kind, "")])
        if not known:
            return None
        found = known[int(intent.picks[0] * len(known))]
        if intent.kind == "reuse":
            return _write(tag, intent.org, "entry", _moved(intent.amount, WALLETS[0], tag), key=found.key)
        fields: dict[str, Any] = {}
        if intent.kind in ("capture", "reversal"):
            fields["description"] = tag
        if intent.kind == "capture":
            fields["final"] = intent.picks[2] < 0.6
            if intent.picks[1] < 0.5:
                fields["amount"] = intent.amount
        return _write(tag, intent.org, intent.kind, fields, address=found)

    def _bulk(self, intent: Intent, tag: str) -> dict[str, Any]:
        rng = random.Random(intent.picks[0])
        count = rng.choice((2, 3, 5, 8, 12, 60))  # a heavy one now and then
        entries = [_moved(rng.randint(1, 900), rng.choice(WALLETS), f"{tag}.{n}") for n in range(count)]
        if intent.picks[1] < 0.3:
            entries[-1] = _entry(WALLETS[0], FEES, 10**9, f"{tag}.refused")
        return {"entries": [{**each, "idempotency_key": each["description"]} for each in entries]}


def founding() -> list[Write]:
    """Return the writes that open the accounts of every org and put money into its wallets."""
    opened = [
        _write(tag, org, "account", {**account, "name": tag})
        for org in ORGS
        for account in CHART
        for tag in [f"{org}/{account['name']}"]
    ]
    funded = [
        _write(f"{org}/fund-{n}", org, "entry", _moved(20_000, n, f"{org}/fund-{n}")) for org in ORGS for n in WALLETS
    ]
    return opened + funded


def _write(tag: str, org: str, kind: str, fields: Any, *, address: int | None = None, key: str | None = None) -> Write:
    return Write(tag, org, kind, fields, address, key or tag)


def _moved(amount: int, wallet: int, tag: str) -> dict[str, Any]:
    """Return the fields of a deposit."""
    return _entry(CASH, wallet, amount, tag)


def _entry(debit: int, credit: int, amount: int, tag: str) -> dict[str, Any]:
    return {
        "description": tag,
        "lines": [
            {"account_id": debit, "amount": amount, "direction": "debit"},
            {"account_id": credit, "amount": amount, "direction": "credit"},
        ],
    }
