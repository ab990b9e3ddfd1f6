"""The audit of a storm can fail: each kind of forgery is found, and the truth is not."""

from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from tests.storm.audit import audit
from tests.storm.history import CASH, FEES, WALLET, History, told
from tests.storm.journal import Read
from tests.storm.observe import Observed, Row
from tests.storm.settle import AUDITOR


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    made = History(tmp_path)
    yield made
    made.ledger.close()


def found(history: History, observed: Observed | None = None) -> set[tuple[str, str]]:
    """Return what the audit finds: faults with their subjects."""
    return {(each.fault, each.subject) for each in audit(history.stories, [observed or history.observed()])}


def without_entry(observed: Observed, entry_id: int) -> Observed:
    return observed._replace(
        entries=[entry for entry in observed.entries if entry["id"] != entry_id],
        rows=[row for row in observed.rows if row.entry_id != entry_id],
    )


def test_the_truth_is_found_right(history: History) -> None:
    body = history.stories["deposit"].answers[0].body
    history.stories["deposit"].answers.append(told("deposit", 201, body, replayed=True))
    history.poll("deposit", "pending", None, None)
    history.poll("deposit", "applied", 201, body)
    history.poll("deposit", "applied", 201, body)
    history.stories["deposit"].reads.append(Read("deposit", 200, body))

    assert audit(history.stories, [history.observed()]) == []


def test_an_answered_entry_that_is_missing_is_lost(history: History) -> None:
    assert ("lost", "small") in found(history, without_entry(history.observed(), 3))


def test_an_entry_that_is_there_twice_is_found(history: History) -> None:
    observed = history.observed()
    again = {**observed.entries[0], "id": 5}
    row = observed.rows[0]._replace(entry_id=5)

    assert ("twice", "deposit") in found(
        history, observed._replace(entries=[*observed.entries, again], rows=[*observed.rows, row])
    )


def test_a_second_posting_in_the_book_itself_is_found(history: History) -> None:
    history.ledger.post((CASH, 1_000, "debit"), (WALLET, 1_000, "credit"), description="deposit")

    assert ("twice", "deposit") in found(history)


def test_an_amount_that_changed_is_found_by_the_audit_and_by_the_model(history: History) -> None:
    observed = history.observed()
    observed.entries[0]["lines"][0]["amount"] = 999
    observed.rows[0] = Row(1, observed.rows[0].posted_at, "deposit", [(CASH, 999, 0), (WALLET, 0, 999)])

    assert {("changed", "deposit"), ("disagrees", "ant")} <= found(history, observed)


def test_what_a_503_denied_must_not_be_there(history: History) -> None:
    history.ledger.post((CASH, 5, "debit"), (WALLET, 5, "credit"), description="busy")

    assert ("moved", "busy") in found(history)


def test_what_was_refused_must_not_be_there(history: History) -> None:
    history.ledger.post((CASH, 5, "debit"), (WALLET, 5, "credit"), description="overdraw")

    assert ("moved", "overdraw") in found(history)


def test_what_nobody_asked_for_must_not_be_there(history: History) -> None:
    history.ledger.post((CASH, 5, "debit"), (WALLET, 5, "credit"), description="nobody's")

    assert ("moved", "nobody's") in found(history)


def test_another_answer_to_the_same_key_is_a_flip(history: History) -> None:
    history.stories["deposit"].answers.append(told("deposit", 201, '{"id": 9}', replayed=True))

    assert found(history) == {("flipped", "deposit")}


def test_a_replay_that_does_not_say_so_is_found(history: History) -> None:
    body = history.stories["deposit"].answers[0].body
    history.stories["deposit"].answers.append(told("deposit", 201, body))

    assert found(history) == {("odd", "deposit")}


@pytest.mark.parametrize(
    ("status", "http_status", "fault"),
    [("pending", None, "flipped"), ("refused", 422, "flipped"), ("unknown", 404, "lost")],
)
def test_an_operation_that_does_not_stay_decided_is_found(
    history: History, status: str, http_status: int | None, fault: str
) -> None:
    history.poll("deposit", "applied", 201, history.stories["deposit"].answers[0].body)
    history.poll("deposit", status, http_status, "{}")

    assert found(history) == {(fault, "deposit")}


def test_a_promise_that_never_came_to_an_outcome_is_lost(history: History) -> None:
    history.stories["busy"].answers[:] = [told("busy", 202, "{}")]
    history.poll("busy", "pending", None, None)

    assert found(history) == {("lost", "busy")}


def test_a_write_that_nobody_ever_answered_is_lost(history: History) -> None:
    history.stories["busy"].answers.clear()

    assert found(history) == {("lost", "busy")}


def test_a_status_that_should_not_be_is_odd(history: History) -> None:
    history.stories["deposit"].answers.insert(0, told("deposit", 500, "a bug"))

    assert found(history) == {("odd", "deposit")}


def test_a_balance_that_is_off_by_one_is_found(history: History) -> None:
    observed = history.observed()
    observed.balances[FEES]["total"] += 1

    assert found(history, observed) == {("disagrees", "ant")}


def test_held_funds_that_are_off_by_one_are_found(history: History) -> None:
    observed = history.observed()
    observed.balances[WALLET]["held"] -= 1

    assert found(history, observed) == {("disagrees", "ant")}


def test_a_capture_that_moved_another_amount_is_found(history: History) -> None:
    observed = history.observed()
    for line in observed.entries[1]["lines"]:
        line["amount"] = 99

    assert ("changed", "capture") in found(history, observed)


def test_a_hold_that_was_spent_is_found(history: History) -> None:
    """700 are left on the wallet after the capture and `small`'s reversal: an entry that takes 800 breaks the hold."""
    observed = history.observed()
    taken = Row(5, observed.rows[-1].posted_at, "spent", [(WALLET, 800, 0), (FEES, 0, 800)])
    history.turned_away("spent", WALLET, FEES, 800)
    entry = {**observed.entries[0], "id": 5, "description": "spent"}

    faults = found(history, observed._replace(rows=[*observed.rows, taken], entries=[*observed.entries, entry]))

    assert {("moved", "spent"), ("disagrees", "ant")} <= faults


def test_a_hold_that_ends_in_two_ways_is_a_flip(history: History) -> None:
    history.write("release", "release", address=1)
    observed = history.observed()
    assert found(history, observed) == set()

    observed.holds[0]["status"] = "captured"

    assert ("flipped", "release") in found(history, observed)


def test_what_verify_finds_is_told(history: History) -> None:
    observed = history.observed()._replace(findings=["entry 1: is out of balance by 1 USD"])

    assert found(history, observed) == {("unproven", "ant")}


@pytest.mark.parametrize(("status", "body", "fault"), [(404, "{}", "lost"), (200, '{"id": 9}', "changed")])
def test_what_can_t_be_read_as_it_was_answered_is_found(history: History, status: int, body: str, fault: str) -> None:
    history.stories["deposit"].reads.append(Read("deposit", status, body))

    assert found(history) == {(fault, "deposit")}


def test_a_ledger_that_does_not_answer_any_more_after_the_storm_is_found(history: History) -> None:
    late = told("deposit", 202, "{}")._replace(caller=AUDITOR)
    history.stories["deposit"].answers.append(late)

    assert found(history) == {("odd", "deposit")}


def test_a_reused_key_that_was_carried_out_is_found(history: History) -> None:
    story = history.stories["deposit"]
    history.stories["thief"] = type(story)(story.write._replace(tag="thief"))
    history.stories["thief"].answers.append(told("thief", 422, '{"code": "idempotency_key_reused"}'))
    assert found(history) == set()

    history.stories["thief"].answers.append(told("thief", 201, orjson.dumps({"id": 1}).decode()))

    assert ("moved", "thief") in found(history)
