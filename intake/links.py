"""Links to the broker, watched by the server's loop beside the connections of the callers."""

import logging
from collections.abc import Callable

from intake.watching import Watched
from wire.link import Link

logger = logging.getLogger("ledger.intake")


class _Watched:
    """A link, as waitress's loop wants whatever it watches to be."""

    accepting = False

    def __init__(self, link: Link, come: Callable[[], None]) -> None:
        self._link = link
        self._come = come

    def readable(self) -> bool:
        """Tell whether to look for more."""
        return True

    def writable(self) -> bool:
        """Tell whether there is something to send."""
        return self._link.has_unsent

    def handle_read_event(self) -> None:
        """Have what came taken in."""
        self._come()

    def handle_write_event(self) -> None:
        """Have what is left sent."""
        self._come()

    def handle_close(self) -> None:
        """Have it noticed that nothing comes any more."""
        self._come()

    def handle_error(self) -> None:
        """Log a fault in taking in what came: the link is as good as before."""
        logger.exception("a bug in taking in what the broker says")


class Links:
    """Watches links in the loop of the server. They are used by its thread alone."""

    def __init__(self, watched: Watched) -> None:
        self._watched = watched

    def watch(self, link: Link, come: Callable[[], None]) -> None:
        """Have something called whenever there are answers, and when the broker takes more of what is unsent."""
        self._watched[link.fileno()] = _Watched(link, come)

    def look_at(self, link: Link) -> None:
        """Note that something of it is unsent."""
        self._watched.look_at(link.fileno())

    def forget(self, link: Link) -> None:
        """Watch it no more; it is closed after this."""
        del self._watched[link.fileno()]
