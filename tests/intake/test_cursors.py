"""Cursors: good for their own list, unchanged, and for nothing else."""

import pytest

from intake.cursors import format_cursor, parse_cursor

LIST = ("acme", "/v1/entries", "asc", ("account_id", 1))
OTHER_LISTS = [
    ("acme-2", "/v1/entries", "asc", ("account_id", 1)),
    ("acme", "/v1/holds", "asc", ("account_id", 1)),
    ("acme", "/v1/entries", "desc", ("account_id", 1)),
    ("acme", "/v1/entries", "asc", ("account_id", 2)),
    ("acme", "/v1/entries", "asc"),
    ("acme", "/v1/entries", "asc", ("account_id", "1")),
]


@pytest.mark.parametrize("last_id", [1, 2, 255, 256, 2**53, 2**63 - 1])
def test_a_cursor_says_where_its_list_goes_on(last_id: int) -> None:
    assert parse_cursor(format_cursor(last_id, LIST), LIST) == last_id


def test_a_cursor_is_plain_in_a_url() -> None:
    assert all(format_cursor(number, LIST).replace("-", "").replace("_", "").isalnum() for number in range(1, 200))


@pytest.mark.parametrize("other", OTHER_LISTS)
def test_a_cursor_of_another_list_is_refused(other: tuple[object, ...]) -> None:
    with pytest.raises(ValueError, match="next_cursor"):
        parse_cursor(format_cursor(7, other), LIST)


SOUND = format_cursor(7, LIST)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "=",
        "A",
        "AAAA",
        "%",
        "ü",
        "\x00",
        SOUND[:-1],
        SOUND + "A",
        SOUND + "==",
        SOUND.lower(),
        " " + SOUND,
        SOUND * 2,
    ],
)
def test_what_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="next_cursor"):
        parse_cursor(text, LIST)


@pytest.mark.parametrize("number", [0, 2**63])
def test_a_cursor_after_an_id_that_cannot_be_is_refused(number: int) -> None:
    with pytest.raises(ValueError, match="next_cursor"):
        parse_cursor(format_cursor(number, LIST), LIST)


def test_no_two_spellings_are_one_cursor() -> None:
    """The last letter carries bits that count for nothing, and must be as it was given out."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    taken = []
    for letter in alphabet:
        try:
            parse_cursor(SOUND[:-1] + letter, LIST)
        except ValueError:
            continue
        taken.append(SOUND[:-1] + letter)

    assert taken == [SOUND]
