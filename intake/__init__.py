"""Intake: HTTP for the ledger. It parses, submits and renders; what is decided is decided in `ledger_core`."""
