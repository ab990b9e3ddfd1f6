"""FF Commerce: payments, refunds, fees and settlements of several merchants, over the ledger's queue."""
