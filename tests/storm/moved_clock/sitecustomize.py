"""A clock that the storm moves: Python imports this at the start of each process of the stack, and of no other.

Whatever asks for the time of day gets the machine's, moved by so many nanoseconds as a file says at that moment.
"""

import datetime
import mmap
import os
import pathlib
import struct
import time

if path := os.environ.get("STORM_CLOCK"):
    with pathlib.Path(path).open("rb") as file:
        moved_by = mmap.mmap(file.fileno(), 8, prot=mmap.PROT_READ)
    offset = struct.Struct("q")
    machine_ns = time.time_ns

    def time_ns():
        return machine_ns() + offset.unpack_from(moved_by)[0]

    class AnyDatetime(type):
        def __instancecheck__(cls, instance):
            return isinstance(instance, machine_datetime)

    machine_datetime = datetime.datetime

    class Datetime(machine_datetime, metaclass=AnyDatetime):
        @classmethod
        def now(cls, tz=None):
            return machine_datetime.fromtimestamp(time.time(), tz)

        @classmethod
        def utcnow(cls):
            return machine_datetime.fromtimestamp(time.time(), datetime.UTC).replace(tzinfo=None)

    time.time_ns = time_ns
    time.time = lambda: time_ns() / 1e9
    datetime.datetime = Datetime
