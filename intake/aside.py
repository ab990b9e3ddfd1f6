"""What is set aside, as intake knows it: read now and then, so that no request waits for the file."""

import logging

from intake import metrics
from ledger_core.commands import Kind
from ledger_core.errors import StorageUnavailable
from ledger_core.instants import now_us
from ledger_core.set_aside import Form, Item, SetAside
from ledger_core.store.inbox import AcceptedRow

logger = logging.getLogger("ledger.intake")


class Aside:
    """The orgs and items of a data folder that are set aside, as of a second ago. Any thread may use it."""

    def __init__(self, aside: SetAside) -> None:
        self._aside = aside
        self._out: frozenset[str] = frozenset()
        self._ill: dict[str, str] = {}  # orgs that are to be noted, each with its cause
        self._operation_ids: set[bytes] = set()
        self.orgs = 0
        self.items = 0
        self.readable = True

    def refresh(self) -> None:
        """Note whose books are ill, and read it again. While it can't be read, what was last known stands."""
        try:
            self._begin_outages()
            self._out = frozenset(outage.org for outage in self._aside.outages())
            self.orgs, self.items, _ = self._aside.counts()
        except StorageUnavailable as error:
            if self.readable:
                logger.error("%s", error)
            self.readable = False
        else:
            self.readable = True
            metrics.ORGS_SET_ASIDE.set(self.orgs)
            metrics.ITEMS_SET_ASIDE.set(self.items)

    def note_ill(self, org: str, error: StorageUnavailable) -> None:
        """Have an org noted whose book is ill: its worker looks at it, and says when it is well."""
        if org not in self._out:
            self._ill[org] = str(error)

    def _begin_outages(self) -> None:
        while self._ill:
            org, cause = self._ill.popitem()
            self._aside.begin_outage(org, cause, now_us())
            logger.error("the book of %s is ill: %s", org, cause)

    def is_out(self, org: str) -> bool:
        """Tell whether an org's book can't be used."""
        return org in self._out

    def operation_ids(self) -> set[bytes]:
        """Return the ids of the operations that are set aside; while they can't be read, those that were."""
        try:
            self._operation_ids = self._aside.operation_ids()
        except StorageUnavailable as error:
            logger.warning("%s", error)
        return self._operation_ids

    def keep_unreadable(self, row: AcceptedRow, error: Exception) -> None:
        """Set an accepted write aside that this program can't read."""
        cause = f"it can't be read: {type(error).__name__}: {error}"
        logger.error("set aside a write in the inbox of %s: %s", row.org, cause)
        try:
            self._aside.keep(
                Item(
                    Form.COMMAND, row.command.encode(), cause, now_us(), row.org, row.kind, row.operation_id,
                    row.submission, row.request_id, row.submitted_at,
                )
            )  # fmt: skip
        except StorageUnavailable as failed:
            logger.error("%s", failed)

    def waiting(self, org: str, operation_id: bytes) -> tuple[Kind, int] | None:
        """Return kind and time of a service's command that waits for an operator; None when there is none.

        Raises:
            StorageUnavailable: it can't be read.
        """
        item = self._aside.item_of(operation_id)
        if item is None or item.is_told or item.org != org or item.kind is None or item.submitted_at is None:
            return None
        return Kind(item.kind), item.submitted_at
