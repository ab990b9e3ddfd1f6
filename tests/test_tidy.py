"""House law: which way imports point, where SQL and the clock may be, and how long a file gets."""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

HOUSE = Path(__file__).parent.parent
PACKAGES = ["ledger_core", "wire", "intake", "workers", "ledgerctl", "ledger_client", "examples"]
MAY_IMPORT = {
    "ledger_core": set(),
    "wire": {"ledger_core"},
    "intake": {"wire", "ledger_core"},
    "workers": {"wire", "ledger_core"},
    "ledgerctl": {"wire", "ledger_core", "intake", "workers"},
    "ledger_client": {"ledger_core"},
    "examples": {"ledger_client", "wire", "ledger_core"},
}
CORE_MAY_IMPORT = {"ledger_core", "apsw", "pydantic", "pydantic_core"} | sys.stdlib_module_names
LINES_PER_FILE_MAX = 400
VAGUE = {"utils", "util", "common", "base", "manager", "managers", "service", "services", "helpers", "misc"}
SQL = re.compile(
    r"(?:^|;)\s*(?:select\s.+\sfrom\s|insert\s+(?:or\s+\w+\s+)?into\s|update\s+\w+\s+set\s|delete\s+from\s"
    r"|create\s+(?:table|index|trigger|view)\s|drop\s+(?:table|index|trigger|view)\s|pragma\s+\w"
    r"|begin\s+(?:immediate|exclusive)|vacuum\b)",
    re.IGNORECASE | re.DOTALL,
)
CLOCKS = {
    ("time", "time"), ("time", "time_ns"), ("datetime", "now"), ("datetime", "utcnow"), ("datetime", "today"),
    ("date", "today"),
}  # fmt: skip

MODULES = sorted(path.relative_to(HOUSE) for package in PACKAGES for path in (HOUSE / package).rglob("*.py"))
TESTS = sorted(path.relative_to(HOUSE) for path in (HOUSE / "tests").rglob("*.py"))

every_module = pytest.mark.parametrize("module", MODULES, ids=str)


def tree_of(module: Path) -> ast.Module:
    return ast.parse((HOUSE / module).read_text(encoding="utf-8"))


def imports_of(tree: ast.Module) -> Iterator[str]:
    """Yield the full name of every module that is imported, anywhere in the file."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "imports are absolute"
            yield node.module or ""


def docstrings_of(tree: ast.Module) -> set[int]:
    """Return the ids of the nodes that are docstrings."""
    return {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }


def test_the_house_is_not_empty() -> None:
    assert {module.parts[0] for module in MODULES} == set(PACKAGES)


@every_module
def test_imports_point_one_way(module: Path) -> None:
    package = module.parts[0]

    imported = {name.partition(".")[0] for name in imports_of(tree_of(module))}

    assert (imported & set(PACKAGES)) - {package} <= MAY_IMPORT[package]


@pytest.mark.parametrize("module", [m for m in MODULES if m.parts[0] == "ledger_core"], ids=str)
def test_the_core_knows_neither_http_nor_a_queue(module: Path) -> None:
    imported = {name.partition(".")[0] for name in imports_of(tree_of(module))}

    assert imported <= CORE_MAY_IMPORT
    assert not imported & {"http", "socketserver", "wsgiref", "urllib"}


@pytest.mark.parametrize("module", [m for m in MODULES if m.parts[:2] == ("ledger_core", "rules")], ids=str)
def test_rules_know_no_storage(module: Path) -> None:
    imported = set(imports_of(tree_of(module)))

    assert not {name for name in imported if name.startswith(("apsw", "ledger_core.store", "ledger_core.reads"))}


@pytest.mark.parametrize("module", [m for m in MODULES if m.parts[:2] != ("ledger_core", "store")], ids=str)
def test_sql_stands_only_in_the_store(module: Path) -> None:
    tree = tree_of(module)
    docstrings = docstrings_of(tree)

    found = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and id(node) not in docstrings
        and SQL.search(node.value)
    ]

    assert found == []


@pytest.mark.parametrize("module", [m for m in MODULES if m != Path("ledger_core/instants.py")], ids=str)
def test_the_clock_is_read_in_one_place(module: Path) -> None:
    tree = tree_of(module)

    read = [
        ast.unparse(node)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and (ast.unparse(node.value).rpartition(".")[2], node.attr) in CLOCKS
    ]
    imported = [
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "time"
        for alias in node.names
        if alias.name in ("time", "time_ns")
    ]

    assert read == imported == []


@pytest.mark.parametrize("module", [*MODULES, *TESTS], ids=str)
def test_a_module_says_what_lives_in_it(module: Path) -> None:
    assert ast.get_docstring(tree_of(module))


@every_module
def test_a_file_is_not_long(module: Path) -> None:
    assert len((HOUSE / module).read_text(encoding="utf-8").splitlines()) <= LINES_PER_FILE_MAX


@every_module
def test_a_name_says_what_it_is(module: Path) -> None:
    assert not VAGUE & {part.removesuffix(".py") for part in module.parts}


@pytest.mark.parametrize(
    ("text", "is_sql"),
    [
        ("select id from accounts", True),
        ("  insert or replace into t values (1)", True),
        ("pragma user_version", True),
        ("select one from the list", True),
        ("begin immediate", True),
        ("Update the book", False),
        ("select", False),
        ("deleted from the inbox", False),
    ],
)
def test_sql_is_told_from_english(text: str, is_sql: bool) -> None:
    assert bool(SQL.search(text)) is is_sql
