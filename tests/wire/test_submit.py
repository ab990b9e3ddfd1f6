"""Tasks of other services: what arguments are turned away, whatever they are."""

import json
from typing import Any

import pytest

from tests.builders import NOW
from wire.submit import NotATask, read_task, refusal_of

ACCOUNT = {"name": "Cash", "type": "asset"}
SOUND: dict[str, Any] = {"task_id": "a-task", "org": "acme", "kind": "account", "command": ACCOUNT}
SURROGATE = "\ud800"  # the standard library's JSON reads it, and nothing can write it as UTF-8


def _turned_away(**changes: object) -> NotATask:
    arguments = {**SOUND, **changes}
    with pytest.raises(NotATask) as refused:
        read_task(**arguments, now=NOW)
    return refused.value


@pytest.mark.parametrize(
    "changes",
    [
        {"org": SURROGATE},
        {"kind": SURROGATE},
        {"task_id": SURROGATE},
        {"command": SURROGATE},
        {"command": {**ACCOUNT, "name": SURROGATE}},
        {"command": {**ACCOUNT, SURROGATE: 1}},
        {"command": {**ACCOUNT, "metadata": {SURROGATE: "a"}}},
    ],
    ids=repr,
)
def test_a_lone_surrogate_is_refused_wherever_it_stands(changes: dict[str, Any]) -> None:
    refused = _turned_away(**changes)

    told = refusal_of({**SOUND, **changes}["task_id"], {**SOUND, **changes}["org"], refused.problem)
    assert (told["status"], told["http_status"]) == ("refused", 422)
    assert json.loads(json.dumps(told)) == told


def test_a_sound_task_is_read() -> None:
    assert read_task(**SOUND, now=NOW).org == "acme"
