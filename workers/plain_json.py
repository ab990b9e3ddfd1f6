"""JSON as it is written: what comes on a lane is read without kombu's own types, as a body over HTTP is.

kombu would make dates, bytes and decimals of objects with the members `__type__` and `__value__`, which are as good
`metadata` as any other.
"""

import json

from kombu.serialization import registry
from kombu.utils.json import dumps


def read_plain_json() -> None:
    """Have this process read JSON so."""
    registry.register("json", dumps, json.loads, content_type="application/json", content_encoding="utf-8")
