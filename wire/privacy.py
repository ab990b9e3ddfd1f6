"""What a process keeps to itself, from its first moment on: its files, and its memory."""

import os
import resource


def keep_private() -> None:
    """Make files that only this user can read, whatever umask we were started with; and never dump core.

    Keys pass through this process's memory, and the broker's password stays in it. Children inherit both.
    """
    os.umask(0o077)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
