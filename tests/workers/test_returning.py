"""What a worker holds when the broker goes, or takes no writes: nothing is lost by it, and it goes on."""

from collections.abc import Iterator
from pathlib import Path
from queue import Empty
from typing import Any

import pytest
from kombu import Connection
from kombu.transport.redis import Transport

from tests.system.breakable import OwnBroker, own_broker
from wire.app import APPLY_TASK
from workers.returning import SteadyChannel


class SteadyTransport(Transport):  # type: ignore[misc]  # kombu has no types
    """The transport of a worker, without what keeps strays."""

    Channel = SteadyChannel


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[OwnBroker]:
    """A broker of this test's own."""
    with own_broker(tmp_path / "broker") as broker:
        yield broker


@pytest.fixture
def channel(broker: OwnBroker) -> Iterator[Any]:
    """A channel that holds one message at a time, as a worker's does, and a queue with a message."""
    connection = Connection(broker.url, transport=SteadyTransport, transport_options={"socket_timeout": 1})
    channel = connection.channel()
    channel.qos.prefetch_count = 1
    connection.SimpleQueue("lane").put({"a": "message"})
    yield channel
    connection.release()


@pytest.mark.parametrize("how", ["ack", "reject"])
def test_a_worker_that_can_t_acknowledge_takes_the_next_message_all_the_same(
    broker: OwnBroker, channel: Any, how: str
) -> None:
    message = channel.basic_get("lane")
    assert not channel.qos.can_consume()

    with broker.killed():
        getattr(message, how)()

    assert channel.qos.can_consume()


def test_a_message_that_a_full_broker_gave_out_is_not_lost(broker: OwnBroker, channel: Any) -> None:
    with broker.full():
        message = channel.basic_get("lane")

    assert message.payload == {"a": "message"}
    message.ack()
    assert channel.qos.can_consume()


def test_a_broker_that_may_give_out_nothing_is_asked_again(broker: OwnBroker, channel: Any) -> None:
    channel._active_queues.append("lane")
    channel._queue_cycle.update(["lane"])
    channel.client.connection = channel.client.connection_pool.get_connection()
    with broker.read_only():
        channel._brpop_start()
        with pytest.raises(Empty):  # as where there is no message
            channel._brpop_read()

    assert channel.basic_get("lane").payload == {"a": "message"}


def test_a_full_broker_ends_no_search_for_messages_to_bring_again(broker: OwnBroker, channel: Any) -> None:
    with broker.full():
        channel.qos.restore_visible()

    assert channel.basic_get("lane") is not None


@pytest.mark.parametrize("how", ["ack", "reject"])
def test_the_broker_notes_no_message_of_intake(broker: OwnBroker, channel: Any, how: str) -> None:
    """Intake sends it again by itself; it is acknowledged, or given up, without a word to the broker."""
    producer = Connection(broker.url).SimpleQueue("intake")
    producer.put("a message", headers={"task": APPLY_TASK})
    message = channel.basic_get("intake")
    with broker.client as client:
        assert not client.exists("unacked")
    assert not channel.qos.can_consume()

    with broker.killed():
        getattr(message, how)()

    assert channel.qos.can_consume()


def test_the_broker_notes_a_message_of_another_service(broker: OwnBroker, channel: Any) -> None:
    channel.basic_get("lane")

    with broker.client as client:
        assert client.hlen("unacked") == 1


def test_a_channel_has_one_client_for_all_its_commands(channel: Any) -> None:
    """Making one takes as long as a command."""
    with channel.conn_or_acquire() as first, channel.conn_or_acquire() as second:
        assert first is second
