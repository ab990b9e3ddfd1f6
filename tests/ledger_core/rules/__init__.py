"""Tests of what a book decides."""
