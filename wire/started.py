"""Telling whoever started this process that it has started: a line on a descriptor, as s6 has it."""

import os
from collections.abc import Mapping

READY_FD = "LEDGER_READY_FD"


def tell(environ: Mapping[str, str] = os.environ) -> None:
    """Say that this process does its work from now on, if somebody wants to know."""
    descriptor = environ.get(READY_FD)
    if descriptor is not None:
        os.write(int(descriptor), b"\n")
        os.close(int(descriptor))
