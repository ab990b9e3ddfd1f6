"""Examples of services on this ledger: small, and run by the tests. Each has a README beside it."""
