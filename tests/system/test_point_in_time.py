"""Balances at an instant: what happened at that very instant counts."""

from ledger_core.instants import format_instant, parse_instant
from tests.system.orgs import Org
from tests.waiting import eventually

FUTURE = "2999-01-01T00:00:00Z"


def test_a_balance_at_the_instant_of_a_posting_counts_it(org: Org) -> None:
    cash, customers, _ = org.funded()
    org.post_entry(customers, cash, 2_000)
    first, second = (item["posted_at"] for item in org.all("/v1/entries"))

    at = [org.balance(2, f"?at={instant}") for instant in (first, second)]

    assert [(each["total"], each["version"], each["as_of"]) for each in at] == [
        (50_000, 1, first), (48_000, 2, second),
    ]  # fmt: skip
    opened = org.get("/v1/accounts/1").json()["created_at"]
    assert org.balance(1, f"?at={opened}")["total"] == 0
    assert org.balance(1, "?at=1970-01-01T00:00:00Z")["version"] == 0


def test_a_balance_at_the_instant_of_a_holds_expiry_reserves_nothing(org: Org) -> None:
    org.funded()
    hold = org.post("/v1/holds", {"account_id": 2, "amount": 5, "expires_in_s": 1}).json()
    placed, expiry = hold["created_at"], hold["expires_at"]
    eventually(lambda: org.balance(2)["held"] == 0, "it expires")
    before = format_instant(parse_instant(expiry) - 1)

    at = [org.balance(2, f"?at={instant}") for instant in (placed, before, expiry)]

    assert [(each["held"], each["available"]) for each in at] == [(5, 49_995), (5, 49_995), (0, 50_000)]
    assert org.balance(2, f"?at={FUTURE}")["held"] == 0
    assert org.get("/v1/holds/1").json()["status"] == "expired"


def test_a_balance_before_a_posting_and_between_two_of_them_is_what_it_was(org: Org) -> None:
    cash, customers, _ = org.funded()
    org.post_entry(customers, cash, 2_000)
    first, second = (parse_instant(item["posted_at"]) for item in org.all("/v1/entries"))

    at = [org.balance(2, f"?at={format_instant(instant)}") for instant in (first - 1, first, second - 1, second)]

    assert [(each["total"], each["debits"], each["credits"]) for each in at] == [
        (0, 0, 0), (50_000, 0, 50_000), (50_000, 0, 50_000), (48_000, 2_000, 50_000),
    ]  # fmt: skip


def test_an_instant_with_an_offset_is_the_same_instant(org: Org) -> None:
    org.funded()
    posted = org.get("/v1/entries/1").json()["posted_at"]
    micros = posted.removesuffix("Z").partition(".")[2]
    later = format_instant(parse_instant(posted) // 1_000_000 * 1_000_000 + 90 * 60 * 1_000_000).removesuffix("Z")

    with_offset = f"{later}{'.' + micros if micros else ''}%2B01:30"

    assert org.balance(1, f"?at={with_offset}") == org.balance(1, f"?at={posted}")


def test_a_capture_at_an_instant_takes_from_what_was_held(org: Org) -> None:
    org.funded()
    org.place_hold(2, 100, counter_account_id=3)
    captured = org.post("/v1/holds/1/capture", {"amount": 60}).json()["captures"][0]["captured_at"]

    at = [org.balance(2, f"?at={format_instant(parse_instant(captured) + by)}") for by in (-1, 0)]

    assert [(each["total"], each["held"], each["available"]) for each in at] == [
        (50_000, 100, 49_900), (49_940, 0, 49_940),
    ]  # fmt: skip
