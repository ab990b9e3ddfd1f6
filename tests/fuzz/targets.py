"""Every target by its name."""

from collections.abc import Callable, Mapping

from tests.fuzz.bodies import bodies
from tests.fuzz.environment import environment
from tests.fuzz.headers import headers
from tests.fuzz.lists import cursors, instants, queries
from tests.fuzz.messages import messages, replies
from tests.fuzz.streams import streams
from tests.fuzz.whole import requests, tasks

TARGETS: Mapping[str, Callable[[bytes], None]] = {
    target.__name__: target
    for target in (
        bodies,
        headers,
        queries,
        instants,
        cursors,
        messages,
        replies,
        tasks,
        requests,
        streams,
        environment,
    )
}
