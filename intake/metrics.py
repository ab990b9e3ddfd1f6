"""What intake counts, for Prometheus."""

from prometheus_client import REGISTRY, Counter, Gauge, generate_latest

MESSAGES_SENT = Counter("ledger_messages_sent", "Messages put on lanes.")
COMMANDS_ANSWERED = Counter("ledger_commands_answered", "Commands that a worker answered.")
COMMANDS_SENT_AGAIN = Counter("ledger_commands_sent_again", "Commands that were sent again, unanswered for too long.")
TRANSACTIONS = Counter("ledger_transactions", "Transactions in which workers decided those commands.")
COMMANDS_PENDING = Gauge("ledger_commands_pending", "Commands on their way, unanswered yet.")


def page() -> bytes:
    """Return all of it in the Prometheus text format."""
    return generate_latest(REGISTRY)
