"""FF Banking: wallets, deposits, withdrawals and transfers, as an HTTP service on the ledger."""
