"""Turns among callers: of each org so many, and nobody waits for all of a crowd."""

from intake.turns import in_turns


def _org(name: str) -> str | None:
    return name[0] if name[0] != "-" else None


def test_the_first_of_each_org_come_first_and_of_a_crowd_some_are_left() -> None:
    turns, left = in_turns(["a1", "a2", "a3", "a4", "b1", "b2", "c1"], _org, 2)

    assert turns == ["a1", "b1", "c1", "a2", "b2"]
    assert left == ["a3", "a4"]


def test_what_is_no_callers_comes_before_all_callers_and_is_never_left() -> None:
    turns, left = in_turns(["a1", "-1", "a2", "-2", "-3"], _org, 1)

    assert turns == ["-1", "-2", "-3", "a1"]
    assert left == ["a2"]
