"""What the ledger is measured beside: ceilings that do next to nothing, and the same work done another way."""
