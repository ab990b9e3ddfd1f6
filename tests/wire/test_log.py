"""Log lines: one for each record, whatever callers and services put into them, and not too long."""

import io
import logging
from collections.abc import Iterator

import pytest

from wire import log

HOSTILE = "a\nb\r\x1b[2Jc\u2028d\x85e"
WRITTEN = r"a\nb\r\x1b[2Jc\u2028d\x85e"


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What this process logs."""
    root = logging.getLogger()
    before = root.handlers[:], root.level
    written = io.StringIO()
    monkeypatch.setattr("sys.stderr", written)
    log.start("debug")
    yield written
    root.handlers[:], root.level = before[0], before[1]


def test_what_somebody_else_chose_begins_no_line_of_its_own(lines: io.StringIO) -> None:
    logging.getLogger("ledger.x").error("told: %s", HOSTILE, extra=log.about(HOSTILE))

    (line,) = lines.getvalue().splitlines()
    assert line.endswith(f" ERROR ledger.x request_id={WRITTEN} told: {WRITTEN}")


def test_a_traceback_has_lines_of_its_own_but_none_that_looks_like_another_record(lines: io.StringIO) -> None:
    try:
        raise ValueError("no\n2026-03-18T05:30:00Z INFO ledger.intake request_id=- all is well")
    except ValueError:
        logging.getLogger("ledger.x").exception("a bug")

    first, *more = lines.getvalue().splitlines()
    assert first.endswith(" a bug")
    assert any("ValueError: no" in line for line in more)
    assert all(line.startswith("    ") for line in more)


def test_a_line_is_not_as_long_as_somebody_else_makes_it(lines: io.StringIO) -> None:
    try:
        raise ValueError("x" * 1_000_000)
    except ValueError:
        logging.getLogger("ledger.x").exception("y" * 1_000_000)

    assert len(lines.getvalue()) < 4 * log.LINE_CHARS_MAX
    assert "characters more" in lines.getvalue()
