"""Addresses: ids, parameters, methods and routes."""

# ruff: noqa: SIM905  # a long row of values reads better as words

from collections.abc import Iterator

from tests.system.hostile.row import ACCOUNT, ENTRY, HOLD, Row


def rows() -> Iterator[Row]:
    """Yield them."""
    yield from _wrong_addresses()
    yield from _wrong_queries()
    yield from _wrong_methods()
    yield from _unknown_routes()


def _wrong_addresses() -> Iterator[Row]:
    ids = "0 -1 01 1.0 +1 1e0 9223372036854775808 one 1%20 %20 %E2%91%A0 %D9%A1 1%00 %FF 1;a NaN".split()
    ids += ["", "9" * 400, "999"]
    for text in ids:
        yield Row(f"the account {text[:30]}", "GET", f"/v1/accounts/{text}", None, 404, "account_not_found")
        yield Row(f"the balance of {text[:30]}", "GET", f"/v1/accounts/{text}/balance", None, 404, "account_not_found")
        yield Row(f"the entry {text[:30]}", "GET", f"/v1/entries/{text}", None, 404, "entry_not_found")
        yield Row(f"the hold {text[:30]}", "GET", f"/v1/holds/{text}", None, 404, "hold_not_found")
    for text in ids[:-1]:
        yield Row(f"closing {text[:30]}", "POST", f"/v1/accounts/{text}/close", None, 404, "account_not_found")
        yield Row(f"reversing {text[:30]}", "POST", f"/v1/entries/{text}/reverse", b"{}", 404, "entry_not_found")
        yield Row(f"capturing {text[:30]}", "POST", f"/v1/holds/{text}/capture", b"{}", 404, "hold_not_found")
        yield Row(f"releasing {text[:30]}", "POST", f"/v1/holds/{text}/release", None, 404, "hold_not_found")
    zeros = "00000000-0000-4000-8000-00000000000"
    operations = ("", "1", "x", f"{zeros}0", f"{{{zeros}0}}", f"{zeros}A", f"{zeros}0".replace("-", ""), "%00")
    for text in operations:
        yield Row(f"the operation {text}", "GET", f"/v1/operations/{text}", None, 404, "operation_not_found")


def _wrong_queries() -> Iterator[Row]:
    targets = (
        "/v1/accounts?colour=red",
        "/v1/accounts?limit=0",
        "/v1/accounts?limit=501",
        "/v1/accounts?limit=-1",
        "/v1/accounts?limit=1.0",
        "/v1/accounts?limit=05",
        "/v1/accounts?limit=",
        "/v1/accounts?limit=5&limit=5",
        "/v1/accounts?Limit=5",
        "/v1/accounts?limit=%D9%A5",
        "/v1/accounts?limit=+5",
        "/v1/accounts?order=up",
        "/v1/accounts?order=",
        "/v1/accounts?type=cash",
        "/v1/accounts?type=asset&type=asset",
        "/v1/accounts?status=gone",
        "/v1/accounts?code=",
        "/v1/accounts?cursor=",
        "/v1/accounts?cursor=AAAA",
        "/v1/accounts?cursor=%00",
        "/v1/accounts?offset=5",
        "/v1/accounts?a",
        "/v1/accounts?=5",
        "/v1/accounts?%",
        "/v1/accounts?code=%zz",
        "/v1/accounts?code=%ff",
        "/v1/accounts?limit=5;order=asc",
        "/v1/accounts/1?expand=balance",
        "/v1/accounts/1/balance?at=now",
        "/v1/accounts/1/balance?at=2020-01-01",
        "/v1/accounts/1/balance?at=2020-01-01T00:00:00",
        "/v1/accounts/1/balance?at=2020-13-01T00:00:00Z",
        "/v1/accounts/1/balance?at=2020-01-01T00:00:00Z&at=2020-01-01T00:00:00Z",
        "/v1/accounts/1/balance?at=1969-12-31T23:59:59Z",
        "/v1/entries?account_id=0",
        "/v1/entries?account_id=x",
        "/v1/entries?account_id=9223372036854775808",
        "/v1/entries?hold_id=-1",
        "/v1/entries?posted_from=yesterday",
        "/v1/entries?posted_before=",
        "/v1/entries/1?limit=5",
        "/v1/holds?status=pending",
        "/v1/holds?account_id=1.0",
        "/v1/holds/1?x=1",
        "/v1/operations/00000000-0000-4000-8000-000000000000?x=1",
    )
    for target in targets:
        yield Row(target, "GET", target, None, 422, "invalid_request")
    for path, body in (
        ("/v1/accounts", ACCOUNT),
        ("/v1/accounts/1/close", b"{}"),
        ("/v1/entries", ENTRY),
        ("/v1/entries/1/reverse", None),
        ("/v1/holds", HOLD),
        ("/v1/holds/1/capture", b"{}"),
        ("/v1/holds/1/release", b"{}"),
    ):
        yield Row(f"a parameter to {path}", "POST", f"{path}?dry_run=true", body, 422, "invalid_request")
        yield Row(f"half a parameter to {path}", "POST", f"{path}?%", body, 422, "invalid_request")


def _wrong_methods() -> Iterator[Row]:
    for method in ("HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE", "FOO"):
        for path in ("/v1/accounts", "/v1/entries/1", "/v1/holds/1/capture", "/health", "/metrics"):
            code = "" if method == "HEAD" else "method_not_allowed"  # an answer to HEAD has no body
            yield Row(f"{method} {path}", method, path, None, 405, code, key="")
    for path in ("/v1/accounts/1/close", "/v1/entries/1/reverse", "/v1/holds/1/release"):
        yield Row(f"GET {path}", "GET", path, None, 405, "method_not_allowed", key="")
    for path in ("/v1/accounts/1", "/v1/accounts/1/balance", "/v1/entries/1", "/v1/operations/x", "/health"):
        yield Row(f"POST {path}", "POST", path, None, 405, "method_not_allowed", key="")


def _unknown_routes() -> Iterator[Row]:
    targets = "/ /v1 /v2/accounts /v1/account /v1/accounts/1/ /v1/accounts/1/2 /V1/accounts /v1//accounts".split()
    targets += "/v1/accounts/1/balance/ /v1/../health /v1/accounts/1%2F2 /health/ /.env /%00 /v1/entries/1/x".split()
    for target in targets:
        yield Row(f"GET {target}", "GET", target, None, 404, "not_found", key="")
        yield Row(f"PUT {target}", "PUT", target, None, 404, "not_found")
