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


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_a_link_to_another_file_leads_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+?)(?:#[^)]*)?\)", path.read_text(encoding="utf-8")):
        assert (path.parent / target).exists(), target
