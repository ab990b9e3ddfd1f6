"""Lists: filters, and cursors that walk everything once."""

import threading
from typing import Any

import pytest

from tests.system.orgs import Org, entry

LISTS = ["/v1/accounts", "/v1/entries", "/v1/holds"]


@pytest.fixture
def full(org: Org) -> Org:
    """An org with seven of everything."""
    org.funded()
    for number in range(4):
        org.open_account(name=f"A{number}", code=f"40{number}", type="expense")
    for amount in range(1, 7):
        org.post_entry(1, 2, amount, idempotency_key=f"e-{amount}")
    for _ in range(7):
        org.place_hold(2, 5, counter_account_id=3)
    return org


def _walk(org: Org, path: str, query: str, *, pages_max: int = 10_000) -> list[int]:
    ids: list[int] = []
    cursor = ""
    for _ in range(pages_max):
        page = org.get(f"{path}?{query}{cursor}").json()
        ids += [item["id"] for item in page["data"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    return ids


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("limit", [1, 2, 3, 6, 7, 8, 500])
def test_cursors_walk_everything_once_in_both_orders(full: Org, path: str, limit: int) -> None:
    assert _walk(full, path, f"limit={limit}") == [1, 2, 3, 4, 5, 6, 7]
    assert _walk(full, path, f"order=desc&limit={limit}") == [7, 6, 5, 4, 3, 2, 1]


@pytest.mark.parametrize("path", LISTS)
def test_an_item_of_a_list_is_the_resource_itself(full: Org, path: str) -> None:
    page = full.get(f"{path}?limit=1").json()

    assert page.keys() == {"data", "next_cursor"}
    assert page["data"] == [full.get(f"{path}/1").json()]


@pytest.mark.parametrize("path", LISTS)
def test_an_empty_list_is_a_page_without_a_next_one(org: Org, path: str) -> None:
    assert org.get(path).json() == {"data": [], "next_cursor": None}


def test_a_page_has_fifty_items_unless_it_is_asked_for_another_number(org: Org) -> None:
    org.open_pair()
    for _ in range(51):
        org.post_entry(1, 2, 1)

    page = org.get("/v1/entries").json()

    assert len(page["data"]) == 50
    assert page["next_cursor"]


FILTERS = [
    ("/v1/accounts", "type=expense", [4, 5, 6, 7]),
    ("/v1/accounts", "code=402", [6]),
    ("/v1/accounts", "code=40", []),
    ("/v1/accounts", "code_prefix=40", [4, 5, 6, 7]),
    ("/v1/accounts", "code_prefix=4%25", []),
    ("/v1/accounts", "code_prefix=40&type=asset", []),
    ("/v1/accounts", "status=closed", [7]),
    ("/v1/accounts", "status=open&type=expense", [4, 5, 6]),
    ("/v1/entries", "account_id=3", [8]),
    ("/v1/entries", "account_id=99", []),
    ("/v1/entries", "hold_id=1", [8]),
    ("/v1/entries", "idempotency_key=e-3", [4]),
    ("/v1/entries", "idempotency_key=e-3&account_id=3", []),
    ("/v1/holds", "account_id=2", [1, 2, 3, 4, 5, 6, 7]),
    ("/v1/holds", "account_id=1", []),
    ("/v1/holds", "status=captured", [1]),
    ("/v1/holds", "status=active&account_id=2", [3, 4, 5, 6, 7]),
    ("/v1/holds", "status=released", [2]),
    ("/v1/holds", "status=expired", []),
]


def test_filters_keep_what_they_name_however_small_the_page(full: Org) -> None:
    full.post("/v1/accounts/7/close")
    full.post("/v1/holds/1/capture")
    full.post("/v1/holds/2/release")

    for path, query, ids in FILTERS:
        for limit in (1, 2, 500):
            assert _walk(full, path, f"{query}&limit={limit}") == ids, query
            assert _walk(full, path, f"{query}&limit={limit}&order=desc") == ids[::-1], query


def test_entries_are_found_by_time_from_inclusive_before_exclusive(org: Org) -> None:
    org.open_pair()
    times = [org.post("/v1/entries", entry(1, 2, 1)).json()["posted_at"] for _ in range(5)]

    assert _walk(org, "/v1/entries", f"posted_from={times[2]}") == [3, 4, 5]
    assert _walk(org, "/v1/entries", f"posted_before={times[2]}&limit=1") == [1, 2]
    assert _walk(org, "/v1/entries", f"posted_from={times[1]}&posted_before={times[3]}&order=desc&limit=1") == [3, 2]


def test_cursors_skip_and_repeat_nothing_while_others_write(org: Org) -> None:
    """What was there when the walk began comes once; what came since comes last, once, or not at all."""
    org.open_pair()
    for _ in range(30):
        org.post_entry(1, 2, 1)
    enough = threading.Event()

    def write() -> None:
        while not enough.is_set():
            org.post_entry(1, 2, 1)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        rising = [_walk(org, "/v1/entries", "limit=7", pages_max=30) for _ in range(3)]
        falling = [_walk(org, "/v1/entries", "limit=7&order=desc") for _ in range(3)]
    finally:
        enough.set()
        writer.join()

    assert all(ids == list(range(1, len(ids) + 1)) and len(ids) >= 30 for ids in rising)
    assert all(ids == list(range(len(ids), 0, -1)) and len(ids) >= 30 for ids in falling)


def _told(response: Any) -> tuple[int, str]:
    return response.status_code, response.json()["code"]


def test_a_cursor_goes_with_its_own_list_only(full: Org, another_org: Org) -> None:
    cursor = full.get("/v1/accounts?limit=2&type=expense").json()["next_cursor"]
    wrong = [
        f"/v1/accounts?cursor={cursor}",
        f"/v1/accounts?cursor={cursor}&type=asset",
        f"/v1/accounts?cursor={cursor}&type=expense&order=desc",
        f"/v1/accounts?cursor={cursor}&type=expense&status=open",
        f"/v1/entries?cursor={cursor}",
        f"/v1/holds?cursor={cursor}",
    ]

    assert [_told(full.get(target)) for target in wrong] == [(422, "invalid_request")] * len(wrong)
    assert _told(another_org.get(f"/v1/accounts?cursor={cursor}&type=expense")) == (422, "invalid_request")
    assert full.get(f"/v1/accounts?cursor={cursor}&type=expense&limit=1").status_code == 200
    assert full.get(f"/v1/accounts?type=expense&order=asc&cursor={cursor}").status_code == 200


def test_a_cursor_that_was_tampered_with_is_refused(full: Org) -> None:
    cursor = full.get("/v1/entries?limit=2").json()["next_cursor"]
    swapped = ["A" if letter != "A" else "B" for letter in cursor]
    tampered = [cursor[:place] + swapped[place] + cursor[place + 1 :] for place in range(len(cursor))]

    told = [
        _told(full.get(f"/v1/entries?cursor={text}")) for text in (*tampered, cursor[:-1], cursor + "A", cursor + "=")
    ]

    assert set(told) == {(422, "invalid_request")}
