"""What is set aside is kept for an operator: once, in bounds, and only for whoever owns it."""

from pathlib import Path

import pytest

from ledger_core import set_aside as module
from ledger_core.errors import StorageUnavailable
from ledger_core.set_aside import Form, Item, SetAside


@pytest.fixture
def aside(tmp_path: Path) -> SetAside:
    return SetAside(tmp_path)


def stray(body: bytes, at: int = 1, **fields: object) -> Item:
    return Item(Form.STRAY, body, "it is no message", at, **fields)  # type: ignore[arg-type]


def command(number: int, **fields: object) -> Item:
    return Item(
        Form.COMMAND, b"{}", "Bug: x", number, org="acme", kind="entry", operation_id=number.to_bytes(16, "big"),
        submission=number, request_id="r", submitted_at=number, **fields,
    )  # type: ignore[arg-type]  # fmt: skip


def test_everything_comes_back_as_it_was_after_a_restart(aside: SetAside, tmp_path: Path) -> None:
    items = [stray(b"\x00\xff not json", lane="ledger.lane.1"), command(2, is_told=True)]
    for item in items:
        aside.keep(item)
    aside.close()

    assert [kept.item for kept in SetAside(tmp_path).items()] == items


def test_nothing_is_made_by_looking(aside: SetAside, tmp_path: Path) -> None:
    assert (list(aside.items()), aside.outages(), aside.counts()) == ([], [], (0, 0, 0))
    assert aside.item(1) is None
    assert list(tmp_path.iterdir()) == []


def test_only_its_owner_can_read_it(aside: SetAside, tmp_path: Path) -> None:
    aside.keep(stray(b"x"))

    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


def test_the_same_again_is_counted_with_its_latest_cause(aside: SetAside) -> None:
    aside.keep(command(7, is_told=True))
    aside.keep(command(7)._replace(cause="Bug: y", at=9, submission=8))

    (kept,) = aside.items()
    assert (kept.times, kept.first_at, kept.item.at, kept.item.cause) == (2, 7, 9, "Bug: y")
    assert not kept.item.is_told


def test_a_number_is_never_used_twice(aside: SetAside) -> None:
    aside.keep(stray(b"1"))
    (first,) = aside.items()
    assert aside.drop(first.number)
    assert not aside.drop(first.number)

    aside.keep(stray(b"2"))

    (second,) = aside.items()
    assert second.number == first.number + 1


def test_there_are_only_so_many_and_what_is_the_least_loss_goes_first(
    aside: SetAside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ITEMS_MAX", 3)

    for item in (command(1), stray(b"2"), command(3, is_told=True), stray(b"4"), command(5), command(6)):
        aside.keep(item)

    assert [kept.item.at for kept in aside.items() if kept.item.form is Form.COMMAND] == [1, 5, 6]
    assert aside.counts() == (0, 3, 3)


def test_together_they_take_only_so_much_room(aside: SetAside, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BYTES_MAX", 1_000)

    for number in range(10):
        aside.keep(stray(bytes([number]) * 400))

    assert [kept.item.body[0] for kept in aside.items()] == [8, 9]


def test_of_something_very_long_the_beginning_is_kept(aside: SetAside, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BODY_BYTES_MAX", 10)

    aside.keep(stray(b"0123456789a"))

    (kept,) = aside.items()
    assert (kept.item.body, kept.item.is_whole) == (b"0123456789", False)


def test_an_outage_is_noted_from_its_beginning_to_its_end(aside: SetAside) -> None:
    aside.begin_outage("acme", "gone", 1)
    aside.begin_outage("acme", "still gone", 2)
    aside.begin_outage("globex", "full", 3)

    assert [(o.org, o.cause, o.since) for o in aside.outages()] == [("acme", "still gone", 1), ("globex", "full", 3)]
    aside.end_outage("acme")
    assert aside.counts() == (1, 0, 0)


def test_operations_that_are_set_aside_are_known(aside: SetAside) -> None:
    aside.keep(command(7))
    aside.keep(stray(b"x"))

    assert aside.operation_ids() == {(7).to_bytes(16, "big")}
    assert aside.item_of((7).to_bytes(16, "big")) == command(7)
    assert aside.item_of((8).to_bytes(16, "big")) is None


def test_a_file_that_fails_is_used_again_when_it_is_well(aside: SetAside, tmp_path: Path) -> None:
    path = tmp_path / "set_aside.db"
    path.write_bytes(b"not a database " * 1_000)
    with pytest.raises(StorageUnavailable):
        aside.keep(stray(b"x"))
    path.unlink()

    aside.keep(stray(b"x"))

    assert len(list(aside.items())) == 1
