"""A second reader of JSON, on the standard library's: what a body may be, told apart from the one that reads it."""

import json
from typing import Any

DEPTH_MAX = 200  # of the reader under test; deeper than any body that means something
DIGITS_MAX = 4_300  # of a number before its point; the standard library has this bound for whole numbers only


class NotJson(ValueError):
    """The text is not what a body may be."""


def read(raw: bytes) -> object:
    """Read JSON: UTF-8, no name twice in an object, no lone surrogates, no NaN, not too deep.

    Raises:
        NotJson: it is not that.
    """
    try:
        value = json.loads(raw.decode(), object_pairs_hook=_object, parse_float=_float, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise NotJson(str(error)) from None
    _check(value)
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise NotJson("a name twice")
    return fields


def _no_number(name: str) -> None:
    raise NotJson(name)


def _float(text: str) -> float:
    if len(text.lstrip("-").split(".")[0].lower().split("e")[0]) > DIGITS_MAX:
        raise NotJson("a number too long")
    return float(text)


def _check(value: object) -> None:
    level, depth = [value], 0
    while level:
        depth += 1
        below: list[object] = []
        for item in level:
            if isinstance(item, str):
                _check_text(item)
            elif isinstance(item, dict):
                for name in item:
                    _check_text(name)
                below.extend(item.values())
            elif isinstance(item, list):
                below.extend(item)
        if depth > DEPTH_MAX and any(isinstance(item, dict | list) for item in level):
            raise NotJson("too deep")
        level = below


def _check_text(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise NotJson("a lone surrogate") from None
