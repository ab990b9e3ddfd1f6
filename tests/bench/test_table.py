"""What was found is shown as a table, and kept for programs."""

import json

import pytest

from bench import publish, table
from bench.table import Fact
from tests.bench.samples import ratio

DISK = Fact("disk", "disk for an entry", 364.4, "bytes", 600)


def test_a_row_shows_both_sides_their_ratio_and_the_aim() -> None:
    shown = table.markdown([ratio(2_526, 5_360, aim=0.5)], [])

    assert shown.splitlines()[-1] == (
        "| sync post | bare echo | 2,526/s | 5,360/s | 0.47 | 0.5 | no | 2.0 and 9.0 ms |"
    )


def test_a_figure_by_itself_shows_its_limit() -> None:
    shown = table.markdown([], [DISK, DISK._replace(limit=None), DISK._replace(figure=600)])

    assert shown.splitlines()[-3:] == [
        "| disk for an entry | 364 bytes | under 600 | yes |",
        "| disk for an entry | 364 bytes |  |  |",
        "| disk for an entry | 600 bytes | under 600 | no |",
    ]


def test_everything_is_kept_for_programs() -> None:
    kept = json.loads(json.dumps(table.as_json([ratio(250)], [DISK], {"cores": 2})))

    (row,), (fact,) = kept["rows"], kept["facts"]
    assert (row["name"], row["ratio"], row["reached"], row["other"]["rate"]) == ("post", 0.25, False, 1_000)
    assert (fact["figure"], fact["reached"]) == (364.4, True)
    assert kept["machine"] == {"cores": 2}


def test_what_is_shown_takes_the_place_of_what_was_shown_before() -> None:
    page = f"before\n{publish.BEGIN}old\n{publish.END}after\n"

    assert publish.between_marks(page, "new\n") == f"before\n{publish.BEGIN}new\n{publish.END}after\n"


def test_a_page_without_marks_is_left_alone() -> None:
    with pytest.raises(AssertionError, match="marks"):
        publish.between_marks("nothing here\n", "new\n")


def test_the_page_has_its_marks() -> None:
    page = publish.PAGE.read_text(encoding="utf-8")

    assert publish.between_marks(page, "new\n") != page
