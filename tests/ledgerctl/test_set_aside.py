"""`ledgerctl set-aside`: an operator sees what could not be carried out."""

import json
from pathlib import Path

from click.testing import CliRunner

from ledger_core.inbox import Inbox, SetAside
from ledgerctl.cli import cli


def test_what_was_set_aside_is_listed_with_its_cause(tmp_path: Path) -> None:
    inbox = Inbox.open(tmp_path)
    inbox.set_aside(SetAside("acme", '{"kind":"entry"}', "ValueError: no", 1_773_811_800_000_000))
    inbox.set_aside(SetAside(None, "garbage", "it is not a task", 1_773_811_800_000_001))
    inbox.close()

    told = CliRunner().invoke(cli, ["set-aside", "--data", str(tmp_path)])
    listed = CliRunner().invoke(cli, ["set-aside", "--data", str(tmp_path), "--json"])

    assert told.output.splitlines() == [
        '1\t2026-03-18T05:30:00Z\tacme\tValueError: no\t{"kind":"entry"}',
        "2\t2026-03-18T05:30:00.000001Z\t-\tit is not a task\tgarbage",
    ]
    assert json.loads(listed.output)[0] == {
        "id": 1,
        "org": "acme",
        "message": '{"kind":"entry"}',
        "cause": "ValueError: no",
        "at": "2026-03-18T05:30:00Z",
    }
