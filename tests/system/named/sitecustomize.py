"""Names on demand in the processes of a stack: Python runs this first, where PYTHONPATH names its folder.

The host the-broker.invalid is this machine. While the folder NAMES holds a file `unknown`, no server of names knows it;
while it holds a file `slow`, they don't answer.
"""

import os
import socket
import time
from pathlib import Path
from typing import Any

FOLDER = Path(os.environ["NAMES"])
LOOK_EVERY_S = 0.01
getaddrinfo = socket.getaddrinfo


def look_up(host: Any, *arguments: Any, **options: Any) -> Any:
    if host != "the-broker.invalid":
        return getaddrinfo(host, *arguments, **options)
    while (FOLDER / "slow").exists():
        time.sleep(LOOK_EVERY_S)
    if (FOLDER / "unknown").exists():
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    return getaddrinfo("127.0.0.1", *arguments, **options)


socket.getaddrinfo = look_up
