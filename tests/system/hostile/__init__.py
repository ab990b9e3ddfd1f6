"""Requests that no careful caller would send, each with the status and code that it gets.

All of them are turned away before any book is asked, so that not even an operation is left behind.
"""

from tests.system.hostile import addresses, bodies, bulks, headers, reports
from tests.system.hostile.row import Row

ROWS = [row for part in (bodies, addresses, headers, bulks, reports) for row in part.rows()]

__all__ = ["ROWS", "Row"]
