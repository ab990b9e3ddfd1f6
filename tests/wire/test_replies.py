"""Reply lists: a worker's answers arrive, also the first ones after the broker came back."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.breakable import OwnBroker, own_broker
from wire.answers import Answer
from wire.envelope import Reply
from wire.replies import Listener, Sender, new_list


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnBroker]:
    """A broker over TCP."""
    with own_broker(Path(tmp_path_factory.mktemp("replies")) / "broker") as made:
        yield made


def _reply(number: int) -> Reply:
    return Reply(number, 1, [(number, Answer(201, b"{}"))])


@pytest.mark.parametrize("how", ["cut", "killed"])
def test_the_first_answers_after_the_broker_came_back_arrive(broker: OwnBroker, how: str) -> None:
    """A connection that was closed meanwhile takes them, and loses them."""
    sender = Sender(broker.url)
    listener = Listener(broker.url, new_list())
    sender.send(listener.name, _reply(1))
    before = listener.receive()

    if how == "cut":
        broker.cut()
    else:
        with broker.killed():
            pass
    listener.close()
    sender.send(listener.name, _reply(2))
    after = listener.receive()

    assert before is not None
    assert after is not None
    assert (before.message_id, after.message_id) == (1, 2)
    listener.close()
