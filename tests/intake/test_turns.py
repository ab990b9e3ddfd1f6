"""Turns among callers: of each org so many, and nobody waits for all of a crowd."""

from types import SimpleNamespace

from intake.turns import NOBODY, STRANGERS, Turns, Whose, in_turns


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


def _in_turns(*waiting: tuple[str, Whose]) -> list[str]:
    turns = Turns()
    for name, whose in waiting:
        turns.append(SimpleNamespace(name=name, requests=[SimpleNamespace(whose=whose, parked=None)]))
    assert len(turns) == len(waiting)
    taken = [turns.popleft().name for _ in waiting]
    assert len(turns) == 0
    return taken


def _known(org: str) -> Whose:
    return Whose(org, org, is_let_in=True)


def _stranger(named: str) -> Whose:
    return Whose(STRANGERS, named, is_let_in=False)


def test_orgs_take_turns() -> None:
    assert _in_turns(("a1", _known("a")), ("a2", _known("a")), ("a3", _known("a")), ("b1", _known("b"))) == [
        "a1",
        "b1",
        "a2",
        "a3",
    ]


def test_strangers_have_the_turns_of_one_and_take_them_among_themselves_by_whom_they_name() -> None:
    flood = [(f"{name}{number}", _stranger(name)) for name in ("a", "x") for number in (1, 2)]

    taken = _in_turns(*flood, ("probe", NOBODY), ("newcomer", _stranger("n")), ("known", _known("a")))

    assert taken == ["a1", "probe", "known", "x1", "newcomer", "a2", "x2"]


def test_a_request_that_waits_to_be_finished_comes_before_those_of_its_org() -> None:
    turns = Turns()
    for name, parked in (("a1", None), ("a2", object()), ("b1", None)):
        request = SimpleNamespace(whose=_known(name[0]), parked=parked)
        turns.append(SimpleNamespace(name=name, requests=[request]))

    assert [turns.popleft().name for _ in range(3)] == ["a2", "b1", "a1"]
