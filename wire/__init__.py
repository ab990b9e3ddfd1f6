"""What travels between callers, intake and workers: lanes, messages, answers. `LedgerQueue` is for other services."""
