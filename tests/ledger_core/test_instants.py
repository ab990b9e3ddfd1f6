"""Instants: microseconds in the code, RFC 3339 in UTC on the wire."""

import pytest

from ledger_core.instants import format_instant, now_us, parse_instant
from tests.ledger_core.builders import NOON


@pytest.mark.parametrize(
    ("micros", "text"),
    [
        (0, "2026-03-18T12:00:00Z"),
        (500_000, "2026-03-18T12:00:00.500Z"),
        (1_000, "2026-03-18T12:00:00.001Z"),
        (1, "2026-03-18T12:00:00.000001Z"),
        (999_999, "2026-03-18T12:00:00.999999Z"),
        (500_010, "2026-03-18T12:00:00.500010Z"),
    ],
)
def test_an_instant_is_written_with_a_fraction_only_where_there_is_one(micros: int, text: str) -> None:
    assert format_instant(NOON + micros) == text
    assert parse_instant(text) == NOON + micros


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-18T12:00:00z",
        "2026-03-18t12:00:00Z",
        "2026-03-18T12:00:00.0Z",
        "2026-03-18T12:00:00+00:00",
        "2026-03-18T12:00:00-00:00",
        "2026-03-18T14:30:00+02:30",
        "2026-03-17T12:01:00-23:59",
        "2026-03-19T11:59:00+23:59",
    ],
)
def test_an_instant_is_read_with_any_offset(text: str) -> None:
    assert parse_instant(text) == NOON


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-03-18",
        "2026-03-18T12:00Z",
        "2026-03-18T12:00:00",
        "2026-03-18 12:00:00Z",
        "2026-03-18T12:00:00Z ",
        "2026-03-18T12:00:00Z\n",
        "2026-03-18T12:00:00.Z",
        "2026-03-18T12:00:00.1234567Z",
        "2026-03-18T12:00:00,5Z",
        "2026-03-18T12:00:00+0200",
        "2026-03-18T12:00:00+24:00",
        "2026-03-18T12:00:00+02:60",
        "2026-02-29T12:00:00Z",
        "2026-13-01T12:00:00Z",
        "2026-03-18T24:00:00Z",
        "2026-03-18T12:60:00Z",
        "2026-03-18T12:00:60Z",
        "0000-01-01T00:00:00Z",
        "1969-12-31T23:59:59Z",
        "1970-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
        "٢٠٢٦-03-18T12:00:00Z",
        "1773835200",
    ],
)
def test_what_is_no_instant_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must "):
        parse_instant(text)


@pytest.mark.parametrize("text", ["1970-01-01T00:00:00Z", "2024-02-29T00:00:00Z", "9999-12-31T23:59:59.999999Z"])
def test_an_instant_comes_back_as_it_was_written(text: str) -> None:
    assert format_instant(parse_instant(text)) == text


def test_the_clock_counts_microseconds() -> None:
    assert parse_instant("2020-01-01T00:00:00Z") < now_us() < parse_instant("2100-01-01T00:00:00Z")
