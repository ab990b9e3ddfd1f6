"""Statements, reports and documents: what is not there, and parameters that they don't take."""

from collections.abc import Iterator

from tests.system.hostile.row import Row

REPORTS = ("/v1/reports/trial-balance", "/v1/reports/balance-sheet", "/v1/reports/income-statement")
AT = REPORTS[:2]
STATEMENT = "/v1/accounts/1/statement"
CSV = {"Accept": b"text/csv"}
NOT_INSTANTS = (
    "", "now", "0", "1773811800", "2026-03-18", "2026-03-18T05:30:00", "2026-03-18%2005:30:00Z", "2026-3-18T05:30:00Z",
    "2026-02-29T00:00:00Z", "2026-03-18T24:00:00Z", "2026-03-18T05:30:60Z", "2026-03-18T05:30:00.1234567Z",
    "2026-03-18T05:30:00.Z", "2026-03-18T05:30:00%2B24:00", "2026-03-18T05:30:00+01:00", "1969-12-31T23:59:59Z",
    "10000-01-01T00:00:00Z", "%D9%A2026-03-18T05:30:00Z", "2026-03-18T05:30:00Z%00",
)  # fmt: skip


def rows() -> Iterator[Row]:
    """Yield them."""
    yield from _wrong_instants()
    yield from _wrong_parameters()
    yield from _wrong_accounts()
    yield from _wrong_requests()
    yield from _wrong_documents()


def _wrong_instants() -> Iterator[Row]:
    for text in NOT_INSTANTS:
        yield _refused(f"/v1/reports/trial-balance?at={text}")
        yield _refused(f"{STATEMENT}?from={text}")
    for text in NOT_INSTANTS[::4]:
        yield _refused(f"/v1/reports/balance-sheet?at={text}")
        yield _refused(f"/v1/reports/income-statement?to={text}")
        yield _refused(f"{STATEMENT}?to={text}")


def _wrong_parameters() -> Iterator[Row]:
    instant, later = "2026-03-18T05:30:00Z", "2026-03-18T05:30:00.000001Z"
    for path in AT:
        for query in (f"at={instant}&at={instant}", f"from={instant}", f"At={instant}", "limit=5", "cursor=AAAA", "%"):
            yield _refused(f"{path}?{query}")
    for path in (REPORTS[2], STATEMENT):
        for query in (f"from={later}&to={instant}", f"from={instant}&from={instant}", f"at={instant}", "currency=USD"):
            yield _refused(f"{path}?{query}")
    for query in ("limit=0", "limit=501", "limit=x", "limit=5&limit=5", "order=asc", "cursor=", "cursor=AAAA", "a"):
        yield _refused(f"{STATEMENT}?{query}")
    for query in ("limit=5", "cursor=AAAA", "format=csv"):
        yield Row(
            f"{STATEMENT}?{query} as CSV", "GET", f"{STATEMENT}?{query}", None, 422, "invalid_request", CSV
        )  # fmt: skip


def _wrong_accounts() -> Iterator[Row]:
    for text in ("0", "-1", "01", "1.0", "%2B1", "9223372036854775808", "one", "1%20", "%D9%A1", "", "999"):
        target = f"/v1/accounts/{text}/statement"
        yield Row(f"the statement of {text}", "GET", target, None, 404, "account_not_found")
        yield Row(f"the statement of {text} as CSV", "GET", target, None, 404, "account_not_found", CSV)
    target = "/v1/accounts/x/statement?x=1"
    yield Row("a parameter before the account of a statement", "GET", target, None, 422, "invalid_request")


def _wrong_requests() -> Iterator[Row]:
    for path in (*REPORTS, STATEMENT):
        yield Row(f"no key for {path}", "GET", path, None, 401, "unauthorized", key="")
        yield Row(f"no key for {path} as CSV", "GET", f"{path}?x=1", None, 401, "unauthorized", CSV, key="")
        for method in ("POST", "PUT", "DELETE"):
            yield Row(f"{method} {path}", method, path, b"{}", 405, "method_not_allowed", key="")
        yield Row(f"GET {path}/", "GET", f"{path}/", None, 404, "not_found")
    for path in ("/v1/reports", "/v1/reports/", "/v1/reports/cash-flow", "/v1/reports/trial_balance", "/v1/statement"):
        yield Row(f"GET {path}", "GET", path, None, 404, "not_found")


def _wrong_documents() -> Iterator[Row]:
    for path in ("/docs/../auth", "/docs/%2e%2e/page", "/docs/..%2Fregistry.db", "/docs/%00", "/docs/", "/docs/x.js"):
        yield Row(f"GET {path}", "GET", path, None, 404, "not_found", key="")
    for path in ("/docs", "/openapi.json"):
        yield Row(f"POST {path}", "POST", path, b"{}", 405, "method_not_allowed", key="")
    yield Row("GET /openapi.json/", "GET", "/openapi.json/", None, 404, "not_found", key="")


def _refused(target: str) -> Row:
    return Row(target, "GET", target, None, 422, "invalid_request")
