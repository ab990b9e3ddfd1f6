"""Complaints: all of them while they are few, and little work when a request is wrong in a million places."""

import time
import tracemalloc
from typing import Any

import pytest

from ledger_core.commands import Kind, parse_command
from ledger_core.errors import InvalidRequest
from ledger_core.limits import COMPLAINTS_MAX, FIELDS_MAX, LINES_PER_ENTRY_MAX
from tests.ledger_core.builders import complaints, posting, request

SOUND = posting((1, 5, "debit"), (2, 5, "credit"))
UNKNOWN = {f"field-{number}": 1 for number in range(50_000)}
WRONG_IN_A_MILLION_PLACES: dict[str, tuple[str, Any]] = {
    "entries of empty lines": ("bulk", {"entries": [{"lines": [{}] * 330}] * 1_000}),
    "entries of lines that are none": ("bulk", {"entries": [{"lines": [1] * 500}] * 1_000}),
    "entries of unknown fields": ("bulk", {"entries": [dict(list(UNKNOWN.items())[:120])] * 1_000}),
    "entries that are none": ("bulk", {"entries": [1] * 500_000}),
    "lines that are none": ("entry", {"lines": [1] * 500_000}),
    "lines of unknown fields": ("entry", {"lines": [UNKNOWN] * 2}),
    "unknown fields": ("account", UNKNOWN),
    "metadata of numbers": ("account", request("account", metadata=UNKNOWN)),
}


@pytest.mark.parametrize("what", WRONG_IN_A_MILLION_PLACES)
def test_what_is_wrong_in_a_million_places_costs_little(what: str) -> None:
    """The first of these took 6 s and 1.2 GB, and was answered with 69 MB."""
    kind, fields = WRONG_IN_A_MILLION_PLACES[what]
    tracemalloc.start()
    began_s = time.thread_time()

    with pytest.raises(InvalidRequest) as invalid:
        parse_command(Kind(kind), fields)

    took_s, (_, peak_bytes) = time.thread_time() - began_s, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    errors = invalid.value.facts["errors"]
    assert isinstance(errors, list)
    assert 1 <= len(errors) <= COMPLAINTS_MAX
    assert took_s < 2
    assert peak_bytes < 20_000_000


def test_a_hundred_complaints_come_at_once() -> None:
    found = complaints("entry", {"lines": [{"account_id": 1, "amount": 1}] * COMPLAINTS_MAX})

    assert list(found) == [f"/lines/{place}/direction" for place in range(COMPLAINTS_MAX)]


def test_of_more_than_a_hundred_the_first_are_told_and_that_there_are_more() -> None:
    with pytest.raises(InvalidRequest) as invalid:
        parse_command(Kind.ENTRY, {"lines": [{"account_id": 1, "amount": 1}] * LINES_PER_ENTRY_MAX})

    errors: Any = invalid.value.facts["errors"]
    assert [error["pointer"] for error in errors] == [f"/lines/{place}/direction" for place in range(COMPLAINTS_MAX)]
    assert invalid.value.detail == "/lines/0/direction: is required (and at least 99 more)"


def test_complaints_about_many_entries_of_a_bulk_come_at_once() -> None:
    found = complaints("bulk", {"entries": [SOUND, {}, SOUND, {"lines": []}, {**SOUND, "memo": "x"}], "memo": "y"})

    assert set(found) == {"/entries/1/lines", "/entries/3/lines", "/entries/4/memo", "/memo"}


def test_a_list_that_is_too_long_is_complained_of_however_wrong_its_items_are() -> None:
    assert list(complaints("entry", {"lines": [1] * 501})) == ["/lines"]


@pytest.mark.parametrize("pointer", ["", "/lines/0", "/entries/0"])
def test_an_object_with_too_many_fields_is_one_complaint(pointer: str) -> None:
    many = {f"field-{number}": 1 for number in range(FIELDS_MAX + 1)}
    kind, fields = {
        "": ("entry", many),
        "/lines/0": ("entry", {"lines": [many, SOUND["lines"][1]]}),
        "/entries/0": ("bulk", {"entries": [many]}),
    }[pointer]

    assert complaints(kind, fields) == {pointer: f"must not have more than {FIELDS_MAX} fields"}


@pytest.mark.parametrize(("pairs", "wrong"), [(50, []), (51, ["/metadata"])])
def test_metadata_has_fifty_pairs_at_most(pairs: int, wrong: list[str]) -> None:
    assert list(complaints("account", request("account", metadata={str(n): "" for n in range(pairs)}))) == wrong
