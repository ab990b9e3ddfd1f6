"""Tests of the client, against a ledger that answers as it is told to. Those against a real one are in system."""
