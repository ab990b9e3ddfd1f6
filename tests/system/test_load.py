"""Many callers at once: every answer right, every book right, and fewer transactions than writes."""

from tests.system.callers import at_once
from tests.system.orgs import Org, entry
from tests.system.stack import Stack

CALLERS = 64
ORGS = 200


def test_many_callers_of_one_org_share_transactions(org: Org) -> None:
    org.open_pair()
    before = {name: org.stack.metric(name) for name in ("ledger_commands_answered_total", "ledger_transactions_total")}

    told = at_once(
        CALLERS,
        lambda caller: [
            org.post("/v1/entries", entry(1, 2, caller + 1, idempotency_key=f"{caller}-{turn}")) for turn in range(8)
        ],
    )

    answers = [answer for turns in told for answer in turns]
    assert {answer.status_code for answer in answers} == {201}
    assert sorted(answer.json()["id"] for answer in answers) == list(range(1, CALLERS * 8 + 1))
    for caller, turns in enumerate(told):
        assert [answer.json()["lines"] for answer in turns] == [entry(1, 2, caller + 1)["lines"]] * 8
        assert [answer.json()["idempotency_key"] for answer in turns] == [f"{caller}-{turn}" for turn in range(8)]
    assert org.balance(1)["total"] == 8 * sum(range(1, CALLERS + 1))
    assert org.proof()["entries"] == CALLERS * 8
    grown = {name: org.stack.metric(name) - value for name, value in before.items()}
    assert grown["ledger_commands_answered_total"] == CALLERS * 8
    assert grown["ledger_transactions_total"] < grown["ledger_commands_answered_total"]


def test_many_callers_of_many_orgs_write_to_the_right_books(stack: Stack) -> None:
    orgs = [stack.org(f"many-{number}") for number in range(ORGS)]
    own = [orgs[caller::CALLERS] for caller in range(CALLERS)]
    at_once(CALLERS, lambda caller: [org.open_pair() for org in own[caller]])

    told = at_once(
        CALLERS,
        lambda caller: [
            (org, number, org.post("/v1/entries", entry(1, 2, number + 1)))
            for number in range(caller, ORGS * 3, CALLERS)
            for org in [orgs[number % ORGS]]
        ],
    )

    answers = [item for turns in told for item in turns]
    assert len(answers) == ORGS * 3
    assert {answer.status_code for _, _, answer in answers} == {201}
    expected: dict[str, int] = {}
    for org, number, answer in answers:
        assert answer.json()["lines"] == entry(1, 2, number + 1)["lines"]
        expected[org.slug] = expected.get(org.slug, 0) + number + 1
    for org in orgs:
        assert org.balance(1)["total"] == expected[org.slug]
        assert org.proof()["entries"] == 3


def test_holds_of_many_callers_never_reserve_more_than_there_is(org: Org) -> None:
    org.funded(100)

    told = at_once(CALLERS, lambda _: org.post("/v1/holds", {"account_id": 2, "amount": 7, "counter_account_id": 3}))

    placed = [answer for answer in told if answer.status_code == 201]
    assert len(placed) == 14
    assert {answer.json()["code"] for answer in told if answer not in placed} == {"insufficient_funds"}
    assert org.balance(2)["available"] == 2
    assert org.proof()["holds"] == 14
