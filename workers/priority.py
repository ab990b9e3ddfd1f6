"""A worker interrupts nobody when it wakes: what came for it meanwhile it then takes in one message.

A message and a commit cost much the same whether they carry one write or twenty. A worker that takes the processor from
intake while that is reading what many callers sent gets them one by one.
"""

import os
from contextlib import suppress


def interrupt_nobody() -> None:
    """Have this thread, and those that it starts, wait for a processor rather than take it when they wake.

    Source: sched(7), SCHED_BATCH. On another system than Linux nothing changes.
    """
    with suppress(AttributeError, OSError):  # there is none; it is forbidden
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
