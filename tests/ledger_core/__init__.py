"""Tests of the ledger itself, on real SQLite files, with no clock but the one that they set."""
