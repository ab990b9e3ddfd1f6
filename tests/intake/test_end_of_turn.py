"""The end of a turn: what several requests set off happens once, and nobody but the server's thread waits for it."""

import threading

import pytest

from intake.end_of_turn import EndOfTurn


def test_what_the_server_s_thread_has_called_is_called_once_at_the_end_in_its_order() -> None:
    end, calls = EndOfTurn(), list[str]()

    def first() -> None:
        calls.append("first")

    def second() -> None:
        calls.append("second")

    for call in (first, second, first):
        end.call(call)
    assert calls == []
    end.come()
    assert calls == ["first", "second"]
    end.come()
    assert calls == ["first", "second"]


def test_what_another_thread_has_called_wakes_the_server_whose_thread_calls_it() -> None:
    end, threads, woken = EndOfTurn(), list[str](), list[str]()
    end.wake = lambda: woken.append(threading.current_thread().name)
    thread = threading.Thread(target=lambda: end.call(lambda: threads.append(threading.current_thread().name)))

    thread.start()
    thread.join()

    assert (threads, woken) == ([], [thread.name])
    end.come()
    assert threads == [threading.current_thread().name]


def test_what_a_call_sets_off_is_called_at_the_end_of_the_next_turn() -> None:
    end, calls = EndOfTurn(), list[int]()

    def again() -> None:
        calls.append(len(calls))
        end.call(again)

    end.call(again)
    end.come()
    assert calls == [0]
    end.come()
    assert calls == [0, 1]


def test_a_fault_of_one_call_does_not_keep_the_others_from_being_called(caplog: pytest.LogCaptureFixture) -> None:
    end, calls = EndOfTurn(), list[str]()

    def fails() -> None:
        raise ValueError

    end.call(fails)
    end.call(lambda: calls.append("the other"))
    end.come()

    assert calls == ["the other"]
    assert "a bug at the end of a turn" in caplog.text
