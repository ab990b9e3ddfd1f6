"""Settings: what they are by default, and what is said of those that can't be."""

from pathlib import Path

import pytest

from wire.settings import SettingError, Settings, log_level, settings


def test_without_settings_there_are_defaults() -> None:
    assert settings({}) == Settings(Path("data"), "redis://127.0.0.1:6379/0", 4)


def test_settings_come_from_the_environment() -> None:
    environ = {"LEDGER_DATA": "/srv/ledger", "LEDGER_REDIS_URL": "redis://broker/1", "LEDGER_LANES": "16"}

    assert settings(environ) == Settings(Path("/srv/ledger"), "redis://broker/1", 16)


@pytest.mark.parametrize("lanes", ["0", "257", "-1", "four", "1.5", "٤", " 4"])
def test_a_number_that_cannot_be_is_named(lanes: str) -> None:
    with pytest.raises(SettingError, match="LEDGER_LANES must be a whole number from 1 to 256"):
        settings({"LEDGER_LANES": lanes})


def test_an_unknown_log_level_is_named() -> None:
    assert log_level({"LEDGER_LOG_LEVEL": "WARNING"}) == "warning"
    with pytest.raises(SettingError, match="LEDGER_LOG_LEVEL must be one of"):
        log_level({"LEDGER_LOG_LEVEL": "loud"})
