"""Fuzzing: what comes from outside, as bytes, and what must hold whatever they are.

A target is a plain function of bytes that raises when something does not hold. `make fuzz` leads it with libFuzzer;
the corpus that this found is replayed by `test_corpus.py`, which needs nothing but pytest.
"""
