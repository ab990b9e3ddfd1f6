"""What is installed is what is locked: each package by one version and its hashes."""

import json
import re
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

HOUSE = Path(__file__).parent.parent
LOCKS = sorted(path.name for path in HOUSE.glob("requirements*.txt"))
INSTALLED = ["requirements.txt", "requirements-dev.txt"]  # here; others have environments of their own

every_lock = pytest.mark.parametrize("lock", LOCKS)


def locked(lock: str) -> dict[str, str]:
    """Return the version of each package of a lock; a line that is no package with hashes fails."""
    text = (HOUSE / lock).read_text(encoding="utf-8").replace("\\\n", " ")
    found = {}
    for line in text.splitlines():
        stated, *hashes = re.sub(r"#.*", "", line).split(" --hash=")
        if not stated.strip():
            continue
        requirement = Requirement(stated.strip())
        (specifier,) = requirement.specifier
        assert specifier.operator == "==", line
        assert "*" not in specifier.version, line
        assert requirement.url is None, line
        assert hashes, line
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}\s*", each) for each in hashes), line
        found[canonicalize_name(requirement.name)] = specifier.version
    return found


@every_lock
def test_every_package_is_locked_to_one_version_with_its_hashes(lock: str) -> None:
    assert locked(lock)


@pytest.mark.parametrize("lock", INSTALLED)
def test_what_is_installed_is_what_is_locked(lock: str) -> None:
    assert {name: version(name) for name in locked(lock)} == locked(lock)


@every_lock
def test_what_is_asked_for_is_locked_as_asked(lock: str) -> None:
    wanted = (HOUSE / lock.replace(".txt", ".in")).read_text(encoding="utf-8")

    for line in wanted.splitlines():
        stated = line.partition("#")[0].strip()
        if stated and not stated.startswith(("-r", "-c")):
            requirement = Requirement(stated)
            assert str(requirement.specifier) == f"=={locked(lock)[canonicalize_name(requirement.name)]}"
            assert "#" in line, f"{requirement.name} has a reason beside it"


def test_the_list_of_what_is_in_it_is_of_what_is_locked() -> None:
    listed = json.loads((HOUSE / "docs" / "sbom.json").read_text(encoding="utf-8"))["components"]
    text = (HOUSE / "requirements.txt").read_text(encoding="utf-8")

    hashes = {
        each["content"] for item in listed for reference in item["externalReferences"] for each in reference["hashes"]
    }
    assert {canonicalize_name(item["name"]): item["version"] for item in listed} == locked("requirements.txt"), (
        "make sbom"
    )
    assert hashes == set(re.findall(r"--hash=sha256:([0-9a-f]{64})", text)), "make sbom"


def test_what_runs_is_what_is_worked_with() -> None:
    runs, works = locked("requirements.txt"), locked("requirements-dev.txt")

    assert {name: works[name] for name in runs} == runs


@every_lock
def test_the_locks_agree(lock: str) -> None:
    works = locked("requirements-dev.txt")

    shared = {name: found for name, found in locked(lock).items() if name in works}

    assert shared == {name: works[name] for name in shared}


def test_there_is_one_sqlite_and_no_way_to_run_what_comes_in_a_message() -> None:
    assert "apsw" in locked("requirements.txt")
    assert not {"pysqlite3", "pysqlite3-binary", "sqlean-py", "cloudpickle", "dill"} & locked("requirements.txt").keys()
