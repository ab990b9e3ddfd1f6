"""Complaints: what is wrong with a request, in words for its caller, and no more of it than anybody reads.

A body of a megabyte can be wrong in a million places. Finding and telling each would cost seconds and a gigabyte.
"""

import re
from typing import Any

from pydantic import ValidationError, ValidationInfo, ValidatorFunctionWrapHandler
from pydantic_core import ErrorDetails, PydanticCustomError

from ledger_core.errors import Complaint
from ledger_core.limits import COMPLAINTS_MAX, FIELDS_MAX
from ledger_core.money import CURRENCY_PATTERN

NO_CONTROLS = r"^[^\x00-\x1f\x7f-\x9f]*$"  # the Unicode category Cc
KEY_PATTERN = r"^[!-~]([ -~]*[!-~])?$"
FIELDS_MESSAGE = f"must not have more than {FIELDS_MAX} fields"


class Tally:
    """How many complaints there are about a request so far, while it is validated: the context of its validation."""

    __slots__ = ("count",)

    def __init__(self) -> None:
        self.count = 0


def while_few(value: Any, validate: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Any:
    """Validate an item of a list, unless there are complaints enough: the request is refused whatever else is wrong."""
    tally: Tally | None = info.context
    if isinstance(value, dict) and len(value) > FIELDS_MAX:
        raise PydanticCustomError("fields", FIELDS_MESSAGE)
    if tally is None:
        return validate(value)
    if tally.count >= COMPLAINTS_MAX:
        return None  # it counts for the length of its list, and is seen by nobody
    before = tally.count
    try:
        return validate(value)
    except ValidationError as error:
        tally.count = max(tally.count, before + error.error_count())  # those of its own items are in it already
        raise


def complaints(error: ValidationError) -> list[Complaint]:
    """Turn pydantic's errors into complaints with JSON pointers, without a word of what the caller sent."""
    return [
        Complaint(_pointer(item["loc"]), _message(item))
        for item in error.errors(include_url=False, include_input=False)
    ]


def _pointer(location: tuple[int | str, ...]) -> str:
    parts = (str(part) for part in location if part != "[key]")
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in parts)


_MESSAGES = {
    "extra_forbidden": "is not a field of this request",
    "missing": "is required",
    "model_type": "must be a JSON object",
    "model_attributes_type": "must be a JSON object",
    "dict_type": "must be a JSON object",
    "list_type": "must be a JSON array",
    "string_unicode": "must be text without lone surrogates",
}
_PATTERN_MESSAGES = {
    NO_CONTROLS: "must not contain control characters",
    CURRENCY_PATTERN: "must be 3 to 12 of A-Z and 0-9",
    KEY_PATTERN: "must be printable ASCII, without a space at either end",
}
_WORDING = re.compile(r"^(?:Input|String|Dictionary|List) should ")


def _message(error: ErrorDetails) -> str:
    if error["type"] == "string_pattern_mismatch":
        return _PATTERN_MESSAGES[error["ctx"]["pattern"]]
    return _MESSAGES.get(error["type"]) or _WORDING.sub("must ", error["msg"])
