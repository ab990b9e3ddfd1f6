"""`ledgerctl set-aside`: an operator sees what could not be carried out, and gives it up."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from ledger_core.inbox import Accepted, Inbox
from ledger_core.set_aside import Form, Item, SetAside, command_item
from ledgerctl.cli import cli
from tests.builders import NOW, posting, submission
from tests.ledgerctl.conftest import Run


@pytest.fixture
def kept(data: Path, run: Run) -> SetAside:
    """A command of an org, and garbage, set aside."""
    run("org", "create", "acme")
    aside = SetAside(data)
    aside.keep(command_item("acme", submission(posting(idempotency_key="k")), "ValueError: no", NOW, is_told=True))
    aside.keep(Item(Form.STRAY, b"garbage \xff", "it is not a task", NOW + 1, lane="ledger.lane.2"))
    aside.begin_outage("globex", "gone", NOW)
    return aside


def test_what_is_set_aside_is_listed_with_its_cause(kept: SetAside, run: Run) -> None:
    told = run("set-aside").output.splitlines()

    assert told[0] == "org\tglobex\tsince 2026-03-18T05:30:00Z\tgone"
    assert told[1].startswith("1\t2026-03-18T05:30:00Z\t1x\tcommand entry\tacme\tValueError: no\t{")
    assert told[2] == "2\t2026-03-18T05:30:00.000001Z\t1x\tstray\t-\tit is not a task\tgarbage \\xff"
    assert run("set-aside", "list").output.splitlines() == told


@pytest.mark.parametrize("elsewhere", ["in the environment", "nowhere"])
def test_what_stands_before_the_command_holds_for_it_too(
    kept: SetAside, data: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, elsewhere: str
) -> None:
    if elsewhere == "in the environment":
        monkeypatch.setenv("LEDGER_DATA", str(tmp_path / "another"))

    listed = CliRunner().invoke(cli, ["set-aside", "--data", str(data), "--json", "list"])
    shown = CliRunner().invoke(cli, ["set-aside", "--data", str(data), "show", "--json", "1"])
    nearer = CliRunner().invoke(cli, ["set-aside", "--data", str(tmp_path), "show", "--data", str(data), "1"])

    assert [item["number"] for item in json.loads(listed.stdout)["items"]] == [1, 2]
    assert json.loads(shown.stdout)["number"] == 1
    assert "ValueError: no" in nearer.stdout


def test_a_program_gets_all_of_it(kept: SetAside, run: Run) -> None:
    listed = json.loads(run("set-aside", "list", "--json").output)

    assert listed["orgs"] == [{"org": "globex", "since": "2026-03-18T05:30:00Z", "cause": "gone"}]
    command, stray = listed["items"]
    assert (command["number"], command["kind"], command["sender_was_told"]) == (1, "entry", True)
    assert json.loads(command["body"])["idempotency_key"] == "k"
    assert (stray["body"], stray["body_base64"], stray["lane"]) == (None, "Z2FyYmFnZSD/", "ledger.lane.2")


@pytest.mark.parametrize(
    ("options", "numbers"),
    [(["--org", "acme"], [1]), (["--cause", "not a task"], [2]), (["--org", "acme", "--cause", "not a task"], [])],
)
def test_a_list_can_be_narrowed(kept: SetAside, run: Run, options: list[str], numbers: list[int]) -> None:
    listed = json.loads(run("set-aside", "list", "--json", *options).output)

    assert [item["number"] for item in listed["items"]] == numbers


def test_one_item_is_shown_whole(kept: SetAside, run: Run) -> None:
    assert "ValueError: no" in run("set-aside", "show", "1").output
    assert json.loads(run("set-aside", "show", "1", "--json").output)["state"] == "set aside"


@pytest.mark.parametrize("command", ["show", "drop", "retry"])
def test_a_number_that_nothing_has_is_said_to_be_so(kept: SetAside, run: Run, command: str) -> None:
    told = run("set-aside", command, "99")

    assert (told.exit_code, told.output) == (1, "Error: nothing is set aside under 99\n")


def test_where_nothing_is_set_aside_that_is_said_and_programs_get_an_empty_list(kept: SetAside, run: Run) -> None:
    narrowed = run("set-aside", "list", "--org", "nobody")
    run("set-aside", "drop", "--all")
    kept.end_outage("globex")

    empty, for_programs = run("set-aside"), run("set-aside", "--json")

    assert (narrowed.stdout, narrowed.stderr) == ("", "nothing like that is set aside\n")
    assert (empty.exit_code, empty.stdout, empty.stderr) == (0, "", "nothing is set aside\n")
    assert (json.loads(for_programs.stdout), for_programs.stderr) == ({"orgs": [], "items": []}, "")


@pytest.mark.parametrize("command", ["drop", "retry"])
def test_nothing_is_done_to_items_that_nobody_named(kept: SetAside, run: Run, command: str) -> None:
    assert run("set-aside", command).exit_code == 2
    assert len(list(kept.items())) == 2


def test_nothing_is_retried_without_a_broker(
    kept: SetAside, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LEDGER_REDIS_URL", f"redis+socket://{tmp_path}/nobody.sock")

    told = run("set-aside", "retry", "--all")

    assert told.exit_code == 1
    assert "broker does not answer" in told.output
    assert len(list(kept.items())) == 2


def test_what_nobody_was_promised_is_forgotten(kept: SetAside, run: Run) -> None:
    assert run("set-aside", "drop", "--all").output.splitlines() == ["1\tforgotten", "2\tforgotten"]
    assert list(kept.items()) == []


def test_what_was_promised_gets_an_outcome_which_is_said_again(kept: SetAside, run: Run, data: Path) -> None:
    promised = submission(posting(idempotency_key="p"), "acme")
    inbox = Inbox.open(data)
    inbox.accept([Accepted("acme", promised, promised.command.fingerprint())])
    for _ in range(2):
        kept.keep(command_item("acme", promised, "ValueError: no", NOW, is_told=False))

        told = run("set-aside", "drop", "--cause", "ValueError", "--org", "acme")

        assert "refused for good: internal_error" in told.output
    inbox.close()
