"""`Prefer`: what is understood, and what is ignored."""

import time

import pytest

from intake.prefer import Preference, parse_prefer

HEADERS: list[tuple[str | None, Preference]] = [
    (None, Preference()),
    ("", Preference()),
    (",,;", Preference()),
    ("respond-async", Preference(respond_async=True)),
    (" Respond-Async ; x=1", Preference(respond_async=True)),
    ("respond-async=1", Preference()),
    ("wait=0", Preference(wait_s=0)),
    ("wait=00", Preference(wait_s=0)),
    ("wait=7", Preference(wait_s=7)),
    ("WAIT = 7", Preference(wait_s=7)),
    ('wait="7"', Preference(wait_s=7)),
    ("wait=000000000000000000007", Preference(wait_s=7)),
    ("wait=30", Preference(wait_s=30)),
    ("wait=31", Preference(wait_s=30)),
    ("wait=1" + "0" * 10_000, Preference(wait_s=30)),
    ("wait=7, wait=8", Preference(wait_s=7)),
    ("wait=x, wait=8", Preference(wait_s=8)),
    ("wait=-1", Preference()),
    ("wait=1.5", Preference()),
    ("wait=\u0667", Preference()),
    ("wait", Preference()),
    ("await=7", Preference()),
    ("wait=7s", Preference()),
    ("return=minimal, wait=7, respond-async", Preference(respond_async=True, wait_s=7)),
]


@pytest.mark.parametrize(("header", "preference"), HEADERS)
def test_a_header_is_read_as_far_as_it_is_understood(header: str | None, preference: Preference) -> None:
    assert parse_prefer(header) == preference


@pytest.mark.parametrize(
    ("preference", "applied"),
    [
        (Preference(), None),
        (Preference(respond_async=True), "respond-async"),
        (Preference(wait_s=0), "wait=0"),
        (Preference(respond_async=True, wait_s=30), "respond-async, wait=30"),
    ],
)
def test_what_was_honoured_is_said(preference: Preference, applied: str | None) -> None:
    assert preference.applied == applied


@pytest.mark.parametrize("header", ["wait=" + "0" * 32_000 + "x", "wait" + " " * 32_000, "wait=" + "7," * 16_000])
def test_a_long_header_is_read_in_the_time_that_its_length_takes(header: str) -> None:
    """A quadratic reading of the first one took 8 s of processor time."""
    began_s = time.thread_time()

    parse_prefer(header)

    assert time.thread_time() - began_s < 1
