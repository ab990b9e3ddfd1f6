"""What wrk says is read, and nothing that went wrong is let pass."""

import pytest

from bench.failures import Failure
from bench.load import Load, parsed

RIGHT = """Running 4s test @ http://127.0.0.1:8080
  1 threads and 64 connections
  10000 requests in 4.00s, 3.00MB read
Requests/sec:   2500.00
figures answers=10000 us=4000000 p50_us=21500 p99_us=48250 connect=0 read=0 write=0 status=0 timeout=0 wrong=0
"""


def test_the_figures_of_a_run_are_read() -> None:
    assert parsed(RIGHT) == Load(answers=10_000, rate=2_500.0, p50_ms=21.5, p99_ms=48.25)


@pytest.mark.parametrize("what", ["connect", "read", "write", "status", "timeout", "wrong"])
def test_a_run_with_anything_wrong_fails_and_shows_what_wrk_said(what: str) -> None:
    said = RIGHT.replace(f"{what}=0", f"{what}=3") + "example 429 too_many_pending\n"

    with pytest.raises(Failure, match="429 too_many_pending"):
        parsed(said)


def test_a_run_without_an_answer_fails() -> None:
    with pytest.raises(Failure, match="no answer"):
        parsed(RIGHT.replace("answers=10000", "answers=0"))


def test_a_run_without_figures_fails() -> None:
    with pytest.raises(Failure, match="unable to connect"):
        parsed("unable to connect to 127.0.0.1:8080 Connection refused\n")
