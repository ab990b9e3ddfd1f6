"""An org as its callers see it: requests with its key, and builders for what most tests need first."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from tests.system.stack import Stack

Json = dict[str, Any]


class Org:
    """An org of a stack, and a key of it."""

    def __init__(self, stack: "Stack", slug: str, api_key: str) -> None:
        self.stack = stack
        self.slug = slug
        self.api_key = api_key

    @property
    def headers(self) -> dict[str, str]:
        """Who is calling."""
        return {"X-Org-Slug": self.slug, "X-Api-Key": self.api_key}

    def get(self, path: str, **headers: str) -> httpx.Response:
        """Read. Header names are written with _ for -."""
        return self.stack.http.get(path, headers={**self.headers, **_names(headers)})

    def post(self, path: str, body: object = None, **headers: str) -> httpx.Response:
        """Write. Header names are written with _ for -; a body of None is no body."""
        return self.stack.http.post(path, json=body, headers={**self.headers, **_names(headers)})

    def open_account(self, **fields: object) -> int:
        """Open an account, an asset unless it says otherwise, and return its id."""
        return self._made("/v1/accounts", {"name": "Cash", "type": "asset", **fields})

    def open_pair(self) -> tuple[int, int]:
        """Open an asset account and a liability account."""
        return self.open_account(), self.open_account(name="Customers", type="liability")

    def post_entry(self, debit: int, credit: int, amount: int, **fields: object) -> int:
        """Post an entry of two lines, and return its id."""
        return self._made("/v1/entries", entry(debit, credit, amount, **fields))

    def place_hold(self, account_id: int, amount: int, **fields: object) -> int:
        """Place a hold, and return its id."""
        return self._made("/v1/holds", {"account_id": account_id, "amount": amount, **fields})

    def funded(self, amount: int = 50_000) -> tuple[int, int, int]:
        """Open cash, customers and fees, and deposit an amount with customers."""
        cash, customers = self.open_pair()
        fees = self.open_account(name="Fees", type="revenue")
        self.post_entry(cash, customers, amount)
        return cash, customers, fees

    def balance(self, account_id: int, query: str = "") -> Json:
        """Read a balance."""
        return _json(self.get(f"/v1/accounts/{account_id}/balance{query}"), 200)

    def all(self, path: str, query: str = "") -> list[Json]:
        """Read a whole list, page by page."""
        items: list[Json] = []
        cursor = ""
        while True:
            page = _json(self.get(f"{path}?limit=500{query}{cursor}"), 200)
            items += page["data"]
            if page["next_cursor"] is None:
                return items
            cursor = f"&cursor={page['next_cursor']}"

    def proof(self) -> Json:
        """Return the proof of its book."""
        return self.stack.proof(self.slug)

    def _made(self, path: str, body: Json) -> int:
        return int(_json(self.post(path, body), 201)["id"])


def entry(debit: int, credit: int, amount: int, **fields: object) -> Json:
    """Build the body of an entry of two lines."""
    return {
        "lines": [
            {"account_id": debit, "amount": amount, "direction": "debit"},
            {"account_id": credit, "amount": amount, "direction": "credit"},
        ],
        **fields,
    }


def _names(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


def _json(response: httpx.Response, status: int) -> Json:
    assert response.status_code == status, response.text
    found: Json = json.loads(response.text)
    return found
