"""Tables: what is answered as CSV (RFC 4180) to who asks for it by `Accept: text/csv`."""

import csv
import io
from collections.abc import Iterable, Sequence

import falcon
from falcon import mediatypes

CSV = "text/csv"


def wants_csv(req: falcon.Request) -> bool:
    """Tell whether the caller would rather have CSV than JSON."""
    accept = req.accept.lower()  # the names of types are the same in any case (RFC 9110, section 8.3.1)
    try:
        return mediatypes.best_match(("application/json", CSV), accept) == CSV
    except ValueError:
        return False


def table(resp: falcon.Response, rows: Iterable[Sequence[int | str | None]], name: str) -> None:
    """Answer with a table, in UTF-8, to be kept under a name."""
    resp.content_type = f"{CSV}; charset=utf-8; header=present"
    resp.set_header("Content-Disposition", f'attachment; filename="{name}.csv"')
    resp.data = encode(rows)


def encode(rows: Iterable[Sequence[int | str | None]]) -> bytes:
    """Write rows as CSV; null is an empty field."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()
