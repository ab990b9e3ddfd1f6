"""Reports as their callers read them."""

from tests.system.orgs import Json, Org

TRIAL = "/v1/reports/trial-balance"
SHEET = "/v1/reports/balance-sheet"
INCOME = "/v1/reports/income-statement"
STATEMENT = "/v1/accounts/1/statement"
FUTURE = "2999-01-01T00:00:00Z"
CSV_TYPE = "text/csv; charset=utf-8; header=present"


def read_json(org: Org, path: str) -> Json:
    """Read a report as JSON."""
    response = org.get(path)
    assert response.status_code == 200, response.text
    assert response.headers["Content-Type"] == "application/json"
    found: Json = response.json()
    return found


def read_csv(org: Org, path: str) -> str:
    """Read a report as CSV."""
    response = org.get(path, Accept="text/csv")
    assert response.status_code == 200, response.text
    assert response.headers["Content-Type"] == CSV_TYPE
    return response.content.decode()


def times(org: Org) -> list[str]:
    """Return when each entry was posted."""
    return [item["posted_at"] for item in org.all("/v1/entries")]
