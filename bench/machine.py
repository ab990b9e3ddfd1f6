"""What it was measured on."""

import os
import platform
from typing import Any

import apsw


def machine() -> dict[str, Any]:
    """Return facts about this machine and the programs on it."""
    return {
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "sqlite": apsw.sqlite_lib_version(),
    }
