"""Commits of a message: several at once, each to its own end, and none of them takes others with it."""

import threading
from collections.abc import Callable
from functools import partial

import pytest

from workers.commits import Commits

WAIT_S = 30  # nothing takes so long; what would wait for ever fails by then


def _fail(error: BaseException) -> None:
    raise error


def test_what_became_of_each_commit_is_told_in_their_order() -> None:
    first, last = OSError("the first"), OSError("the last")
    done: list[int] = []
    commits: list[Callable[[], None]] = [partial(_fail, first), partial(done.append, 1), partial(_fail, last)]

    errors = Commits().run(commits)

    assert errors == [first, None, last]
    assert done == [1]


def test_no_commits_are_done_at_once() -> None:
    commits = Commits()
    assert commits.run([]) == []

    commits.run([lambda: None] * 3)  # from then on there are threads

    assert commits.run([]) == []


def test_more_commits_than_there_are_threads_are_all_run() -> None:
    commits, done, names = Commits(at_once=3), [], set()

    def note(number: int) -> None:
        done.append(number)
        names.add(threading.current_thread().name)

    errors = commits.run([partial(note, number) for number in range(50)])

    assert errors == [None] * 50
    assert sorted(done) == list(range(50))
    assert len(names) <= 3


def test_as_many_commits_as_it_says_are_under_way_at_once_one_of_them_in_the_thread_of_the_caller() -> None:
    all_of_them, threads = threading.Barrier(3), set()

    def wait_for_the_others() -> None:
        threads.add(threading.current_thread())
        all_of_them.wait(timeout=WAIT_S)

    errors = Commits(at_once=3).run([wait_for_the_others] * 3)

    assert errors == [None] * 3
    assert len(threads) == 3
    assert threading.current_thread() in threads


def test_one_commit_alone_takes_no_other_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threading.Thread, "start", lambda _: pytest.fail("a thread was started"))
    threads: list[threading.Thread] = []

    errors = Commits().run([lambda: threads.append(threading.current_thread())])

    assert errors == [None]
    assert threads == [threading.current_thread()]


@pytest.mark.parametrize("to_be_had", [0, 1])
def test_where_no_more_threads_can_be_had_the_commits_are_run_by_those_there_are(
    to_be_had: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    start, started, done = threading.Thread.start, [], []

    def refuse(thread: threading.Thread) -> None:
        if len(started) == to_be_had:
            raise RuntimeError("can't start new thread")
        started.append(thread)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", refuse)
    commits = Commits()

    errors = [commits.run([partial(done.append, number) for number in range(5)]) for _ in range(2)]

    assert errors == [[None] * 5] * 2
    assert sorted(done) == sorted([*range(5), *range(5)])
    assert len(started) == to_be_had


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit()])
def test_what_ends_the_process_in_the_commit_of_the_caller_leaves_no_other_half_done(error: BaseException) -> None:
    begun, ended = threading.Event(), threading.Event()

    def take_long() -> None:
        begun.wait(WAIT_S)
        ended.set()

    def end_the_process() -> None:
        begun.set()
        raise error

    errors = Commits().run([take_long, end_the_process])

    assert errors == [None, error]
    assert ended.is_set()
