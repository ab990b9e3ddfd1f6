"""The documents for callers say what the code does: every code, and every address."""

import json
import re
from pathlib import Path

import pytest

from tests import code_table
from wire.problems import TITLES

HOUSE = Path(__file__).parent.parent
API = code_table.API.read_text(encoding="utf-8")
DOCUMENTS = sorted((HOUSE / "docs").glob("*.md"))
ADDRESSES = [
    f"{method.upper()} {path}"
    for path, methods in json.loads((HOUSE / "docs" / "openapi.json").read_text(encoding="utf-8"))["paths"].items()
    for method in methods
    if method in ("get", "post")
]


def test_the_table_of_codes_is_what_the_code_can_say() -> None:
    assert code_table.written() == API, "make docs"


def test_every_code_with_a_title_is_in_the_table_and_no_other() -> None:
    assert {row.code for row in code_table.rows()} == set(TITLES)


@pytest.mark.parametrize("address", ADDRESSES)
def test_every_address_is_described(address: str) -> None:
    assert f"`{re.sub(r'{[a-z_]*id}', '{id}', address)}`" in API


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_an_example_in_json_is_json(path: Path) -> None:
    for example in re.findall(r"```json\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL):
        json.loads(example)


SHOWN_BY = re.findall(
    r"`(tests/[a-z_/]+\.py)(?:::([a-z_]+))?`", (HOUSE / "docs" / "security.md").read_text(encoding="utf-8")
)


@pytest.mark.parametrize(("file", "test"), sorted(set(SHOWN_BY)), ids="::".join)
def test_what_security_is_shown_by_is_there(file: str, test: str) -> None:
    assert f"def {test}" in (HOUSE / file).read_text(encoding="utf-8")


def test_every_row_on_security_names_what_shows_it() -> None:
    text = (HOUSE / "docs" / "security.md").read_text(encoding="utf-8")
    rows = [row for row in text.splitlines() if row.startswith("| ") and "shown by" not in row]

    assert len(rows) > 30
    assert [row for row in rows if not re.search(r"\| (`tests/|`make )[^|]*\|$", row)] == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_a_link_to_another_file_leads_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+?)(?:#[^)]*)?\)", path.read_text(encoding="utf-8")):
        assert (path.parent / target).exists(), target
