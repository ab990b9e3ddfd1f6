"""`python -m intake.openapi`: print the description of the HTTP interface, as docs/openapi.json has it."""

import sys

import orjson

from intake.openapi.document import document


def text() -> bytes:
    """Return the document as it is committed."""
    return orjson.dumps(document(), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


if __name__ == "__main__":
    sys.stdout.buffer.write(text())
