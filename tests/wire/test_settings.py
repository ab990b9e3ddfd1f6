"""Settings: what they are by default, and what is said of those that can't be."""

from pathlib import Path

import pytest

from wire.app import make_app
from wire.settings import SettingError, Settings, log_level, settings, without_password


def test_without_settings_there_are_defaults() -> None:
    assert settings({}) == Settings(Path("data"), "redis://127.0.0.1:6379/0", 4)


def test_settings_come_from_the_environment() -> None:
    environ = {"LEDGER_DATA": "/srv/ledger", "LEDGER_REDIS_URL": "redis://broker/1", "LEDGER_LANES": "16"}

    assert settings(environ) == Settings(Path("/srv/ledger"), "redis://broker/1", 16)


@pytest.mark.parametrize("lanes", ["0", "257", "-1", "four", "1.5", "٤", " 4", "4\n", "0" * 5_000])
def test_a_number_that_cannot_be_is_named(lanes: str) -> None:
    with pytest.raises(SettingError, match="LEDGER_LANES must be a whole number from 1 to 256"):
        settings({"LEDGER_LANES": lanes})


@pytest.mark.parametrize(
    "url",
    [
        "redis://:s3cret/x@broker/0", "redis://:s3cret#x@broker/0", "redis://:s3cret?x@broker/0",
        "redis://:s3cret[@broker/0",
        "s3cret", "amqp://:s3cret@broker",
        "redis://:s3cret@broker/0?socket_timeout=soon", "redis://:s3cret@broker:99999/0",
        "redis://:s3cret@/0", "redis://:s3cret@broker:port/0", "redis+socket://:s3cret@",
    ],
)  # fmt: skip
def test_a_broker_that_cannot_be_is_refused_without_showing_its_password(url: str) -> None:
    """As it stands, such a password would be quoted as a port that is no number, in a crash that everybody reads."""
    with pytest.raises(SettingError, match="LEDGER_REDIS_URL must be") as raised:
        settings({"LEDGER_REDIS_URL": url})

    assert "s3cret" not in str(raised.value)


@pytest.mark.parametrize(
    ("url", "read"),
    [
        ("rediss://broker/0", "rediss://broker/0?ssl_cert_reqs=required"),
        ("rediss://broker/0?x=1", "rediss://broker/0?x=1&ssl_cert_reqs=required"),
        ("rediss://broker/0?ssl_cert_reqs=none", "rediss://broker/0?ssl_cert_reqs=none"),
        ("redis://broker/0", "redis://broker/0"),
    ],
)
def test_a_broker_over_tls_must_show_a_certificate_unless_told_otherwise(url: str, read: str) -> None:
    found = settings({"LEDGER_REDIS_URL": url}).redis_url

    assert found == read
    assert make_app(found, 4).backend


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://broker/0", "redis://broker/0"),
        ("redis://:s3cret@broker:7/0", "redis://***@broker:7/0"),
        ("rediss://user:s3%40cret@broker/0?password=s3cret&x=1", "rediss://***@broker/0"),
        ("redis+socket:///srv/data/broker.sock", "redis+socket:///srv/data/broker.sock"),
        ("redis+socket://:s3cret@/srv/broker.sock?virtual_host=1", "redis+socket://***@/srv/broker.sock"),
    ],
)
def test_a_broker_is_shown_without_its_password(url: str, shown: str) -> None:
    assert settings({"LEDGER_REDIS_URL": url}).redis_url.startswith(url)
    assert without_password(url) == shown


def test_an_unknown_log_level_is_named() -> None:
    assert log_level({"LEDGER_LOG_LEVEL": "WARNING"}) == "warning"
    with pytest.raises(SettingError, match="LEDGER_LOG_LEVEL must be one of"):
        log_level({"LEDGER_LOG_LEVEL": "loud"})
