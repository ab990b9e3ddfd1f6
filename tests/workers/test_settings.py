"""The settings of a worker."""

import pytest

from wire.settings import SettingError
from workers.settings import settings


@pytest.mark.parametrize(("text", "lanes"), [(None, (0, 1, 2, 3)), ("", (0, 1, 2, 3)), ("2", (2,)), ("3,0,3", (0, 3))])
def test_a_worker_may_own_the_lanes_that_it_is_given(text: str | None, lanes: tuple[int, ...]) -> None:
    environ = {} if text is None else {"LEDGER_WORKER_LANES": text}

    assert settings(environ).own_lanes == lanes


@pytest.mark.parametrize("text", ["4", "-1", "0,", "a", "0-3", "0 1", "\u0661"])
def test_lanes_that_cannot_be_are_named(text: str) -> None:
    with pytest.raises(SettingError, match="LEDGER_WORKER_LANES must be numbers from 0 to 3"):
        settings({"LEDGER_WORKER_LANES": text})
