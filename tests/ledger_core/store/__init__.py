"""Tests of the SQLite files: how they defend themselves, how they are found, and how they are opened."""
