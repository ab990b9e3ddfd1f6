"""What intake counts, for Prometheus."""

import os
from pathlib import Path

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, generate_latest, multiprocess

MESSAGES_SENT = Counter("ledger_messages_sent", "Messages put on lanes.")
COMMANDS_ANSWERED = Counter("ledger_commands_answered", "Commands that a worker answered.")
COMMANDS_SENT_AGAIN = Counter("ledger_commands_sent_again", "Commands that were sent again, unanswered for too long.")
INBOX_SWEEPS = Counter("ledger_inbox_sweeps", "How often this process went through the inbox.")
TRANSACTIONS = Counter("ledger_transactions", "Transactions in which workers decided those commands.")
ORGS_SET_ASIDE = Gauge("ledger_orgs_set_aside", "Orgs whose books can't be used now.", multiprocess_mode="mostrecent")
ITEMS_SET_ASIDE = Gauge(
    "ledger_items_set_aside", "Commands and messages that wait for an operator.", multiprocess_mode="mostrecent"
)
TURNED_AWAY = Counter("ledger_requests_turned_away", "Requests whose key does not work, or may not write.", ["code"])
COMMANDS_PENDING = Gauge(
    "ledger_commands_pending", "Commands on their way, unanswered yet.", multiprocess_mode="livesum"
)


def page() -> bytes:
    """Return all of it in the Prometheus text format: this process's, or, where several serve, theirs together."""
    folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    if folder is None:
        return generate_latest(REGISTRY)
    for file in Path(folder).glob("gauge_live*.db"):
        _forget_if_dead(int(file.stem.rpartition("_")[2]), folder)
    together = CollectorRegistry()
    multiprocess.MultiProcessCollector(together, folder)  # type: ignore[no-untyped-call]
    return generate_latest(together)


def _forget_if_dead(pid: int, folder: str) -> None:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        multiprocess.mark_process_dead(pid, folder)  # type: ignore[no-untyped-call]
