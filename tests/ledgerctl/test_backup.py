"""`ledgerctl backup`: what it copies, what it says, and what it refuses."""

import json
from contextlib import closing
from pathlib import Path

import apsw
import pytest
from click.testing import CliRunner

from ledger_core.inbox import Inbox
from ledger_core.store.book import book_path
from ledger_core.store.versions import FileKind, newest
from ledgerctl.cli import cli
from tests.ledgerctl.conftest import Run
from wire.lanes import lock_path


@pytest.fixture
def acme(acme: Run, data: Path) -> Run:
    """A command line on a folder with two orgs that has an inbox too."""
    Inbox.open(data).close()
    return acme


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Where a backup is to be."""
    return tmp_path / "backups" / "monday"


def _manifest(copy: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads((copy / "backup.json").read_text(encoding="utf-8"))
    return found


def test_all_files_are_copied_and_each_is_a_line(acme: Run, copy: Path) -> None:
    result = acme("backup", str(copy))

    assert (result.exit_code, result.stderr) == (0, "")
    inbox, registry, first, second = result.stdout.splitlines()
    assert (inbox, registry) == ("inbox: copied", "registry: copied")
    assert first.startswith("acme: copied, and right; 1 entries, up to ")
    assert second.startswith("globex: copied, and right; 0 entries")


def test_the_copy_verifies_to_the_same_heads(acme: Run, copy: Path) -> None:
    acme("backup", str(copy))

    of_copy = CliRunner().invoke(cli, ["verify", "--data", str(copy)])

    assert (of_copy.exit_code, of_copy.stdout) == (0, acme("verify").stdout)


def test_the_manifest_says_what_there_is_and_up_to_where(acme: Run, copy: Path) -> None:
    acme("backup", str(copy))

    manifest = _manifest(copy)

    proof = json.loads(acme("verify", "acme", "--json").stdout)
    inbox, registry, first, second = manifest["files"]  # type: ignore[misc]
    assert (manifest["is_whole"], manifest["left_out"]) == (True, [])
    assert manifest["began_at"] <= inbox["taken_at"] <= second["taken_at"] <= manifest["ended_at"]  # type: ignore
    assert (inbox["file"], registry["file"]) == ("inbox.db", "registry.db")
    assert first == {
        "name": "acme",
        "file": "books/acme.db",
        "schema": newest(FileKind.BOOK),
        "taken_at": first["taken_at"],
        **{name: value for name, value in proof.items() if name not in ("ok", "findings")},
    }


def test_for_programs_each_file_is_a_line_of_json(acme: Run, copy: Path) -> None:
    lines = [json.loads(line) for line in acme("backup", str(copy), "--json").stdout.splitlines()]

    assert [(line["name"], line["file"], line["problem"]) for line in lines] == [
        ("inbox", "inbox.db", None),
        ("registry", "registry.db", None),
        ("acme", "books/acme.db", None),
        ("globex", "books/globex.db", None),
    ]
    assert lines[0]["report"] is None
    assert lines[2]["report"]["entries"] == 1


def test_only_the_books_that_are_named_are_copied(acme: Run, copy: Path) -> None:
    result = acme("backup", str(copy), "--org", "globex")

    assert result.exit_code == 0
    assert [path.name for path in (copy / "books").iterdir()] == ["globex.db"]
    assert (_manifest(copy)["is_whole"], _manifest(copy)["left_out"]) == (False, [])


def test_of_a_backup_of_some_orgs_their_books_are_proved_and_the_others_are_said_not_to_be_there(
    acme: Run, copy: Path
) -> None:
    acme("org", "create", "registry")
    acme("backup", str(copy), "--org", "globex")

    told, named = (CliRunner().invoke(cli, ["verify", "--data", str(copy), *org]) for org in ([], ["acme"]))

    assert _manifest(copy)["not_asked_for"] == ["acme", "registry"]
    assert (told.exit_code, told.stdout) == (0, acme("verify", "globex").stdout)
    assert told.stderr == f"this is a backup of some orgs only, without the books of 2 more: {copy}/backup.json\n"
    assert named.exit_code == 1
    assert "acme: NOT RIGHT" in named.stdout


@pytest.mark.parametrize("what", ["gone", "wrong"])
def test_a_book_that_was_asked_for_or_was_put_there_later_is_proved(acme: Run, copy: Path, what: str) -> None:
    acme("backup", str(copy), "--org", "globex")
    if what == "gone":
        book_path(copy, "globex").unlink()
    else:
        book_path(copy, "acme").write_bytes(b"not a database " * 1_000)

    told = CliRunner().invoke(cli, ["verify", "--data", str(copy)])

    assert told.exit_code == 1
    assert ("globex: NOT RIGHT" if what == "gone" else "acme: NOT RIGHT") in told.stdout


def test_a_ledger_that_ran_on_a_backup_of_some_orgs_misses_the_books_of_the_others(acme: Run, copy: Path) -> None:
    acme("backup", str(copy), "--org", "globex")
    lock_path(copy, 0).parent.mkdir()  # as a worker does

    told = CliRunner().invoke(cli, ["verify", "--data", str(copy)])

    assert told.exit_code == 1
    assert "acme: NOT RIGHT" in told.stdout


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"not_asked_for": 1}', '{"not_asked_for": [[], 1, null]}', "\udcff"])
def test_a_manifest_that_says_nothing_excuses_no_book(acme: Run, data: Path, text: str) -> None:
    (data / "backup.json").write_text(text, encoding="utf-8", errors="surrogateescape")
    book_path(data, "acme").unlink()

    told = acme("verify")

    assert told.exit_code == 1
    assert "acme: NOT RIGHT" in told.stdout


def test_a_backup_in_which_every_org_was_named_is_whole(acme: Run, copy: Path) -> None:
    acme("backup", str(copy), "--org", "globex", "--org", "acme")

    assert _manifest(copy)["is_whole"] is True


def test_a_book_that_is_not_right_is_left_out_and_the_others_go_on(acme: Run, data: Path, copy: Path) -> None:
    connection = apsw.Connection(str(book_path(data, "acme")))
    connection.execute("drop trigger entries_never_go")
    connection.close()

    result = acme("backup", str(copy))

    assert result.exit_code == 1
    assert "acme: LEFT OUT; acme: is not right: schema the guard entries_never_go is gone" in result.stdout
    assert "is not a whole backup" in result.stderr
    assert [path.name for path in (copy / "books").iterdir()] == ["globex.db"]
    assert (_manifest(copy)["is_whole"], len(_manifest(copy)["left_out"])) == (False, 1)  # type: ignore[arg-type]


def test_a_book_with_a_damaged_page_is_left_out_and_no_copy_of_it_stays(acme: Run, data: Path, copy: Path) -> None:
    path = book_path(data, "acme")
    with closing(apsw.Connection(str(path))) as connection:
        (root,) = connection.execute("select rootpage from sqlite_schema where name = 'entries'").fetchone() or (0,)
        size = connection.pragma("page_size")
    content = bytearray(path.read_bytes())
    content[(root - 1) * size : root * size] = b"\xff" * size
    path.write_bytes(content)

    result = acme("backup", str(copy))

    assert result.exit_code == 1
    assert "acme: LEFT OUT; acme: " in result.stdout
    assert [path.name for path in (copy / "books").iterdir()] == ["globex.db"]


@pytest.mark.parametrize("damage", ["gone", "foreign"])
def test_a_book_that_cannot_be_read_is_left_out_too(acme: Run, data: Path, copy: Path, damage: str) -> None:
    path = book_path(data, "acme")
    path.unlink()
    if damage == "foreign":
        path.write_bytes(b"not a database " * 1_000)

    result = acme("backup", str(copy))

    assert result.exit_code == 1
    assert "acme: LEFT OUT; acme.db: " in result.stdout
    assert "globex: copied, and right" in result.stdout


def test_a_folder_that_is_not_empty_is_left_as_it_is(acme: Run, copy: Path) -> None:
    copy.mkdir(parents=True)
    (copy / "letter.txt").write_text("mine", encoding="utf-8")

    result = acme("backup", str(copy))

    assert result.exit_code == 1
    assert f"{copy} can't become a backup: it is not empty" in result.stderr
    assert [path.name for path in copy.iterdir()] == ["letter.txt"]


def test_an_empty_folder_is_taken_and_closed_to_others(acme: Run, copy: Path) -> None:
    copy.mkdir(mode=0o755, parents=True)

    result = acme("backup", str(copy))

    assert result.exit_code == 0
    assert copy.stat().st_mode & 0o777 == 0o700


def test_an_unknown_org_is_told_before_anything_is_made(acme: Run, copy: Path) -> None:
    result = acme("backup", str(copy), "--org", "nobody")

    assert result.exit_code == 1
    assert "there is no org nobody" in result.stderr
    assert not copy.exists()
