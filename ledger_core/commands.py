"""The commands, validated once for HTTP, queue and OpenAPI. What a book decides about them is in `rules`.

A `...Body` is what a caller writes under a URL that already names the account, entry or hold;
the command is the same with that id in it, which is how it travels on the queue.
"""

import hashlib
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, ClassVar, TypeAlias

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    WrapValidator,
    field_validator,
)
from pydantic_core import PydanticCustomError

from ledger_core import limits
from ledger_core.complaints import (
    FIELDS_MESSAGE,
    KEY_PATTERN,
    NO_CONTROLS,
    Tally,
    complaints,
    while_few,
)
from ledger_core.errors import Complaint, InvalidRequest
from ledger_core.instants import format_instant, parse_instant
from ledger_core.money import CURRENCY_PATTERN, AccountType, Side


class Kind(StrEnum):
    """The kinds of write. Idempotency keys are scoped by them."""

    ACCOUNT = "account"
    CLOSURE = "closure"
    ENTRY = "entry"
    BULK = "bulk"
    REVERSAL = "reversal"
    HOLD = "hold"
    CAPTURE = "capture"
    RELEASE = "release"


def _none_as_true(value: object) -> object:
    return True if value is None else value


def _sorted_pairs(value: object) -> object:
    """Bring metadata into one order, so that its order never tells two requests apart."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        return value
    if len(value) > limits.METADATA_PAIRS_MAX:
        raise PydanticCustomError("pairs", "must have at most {most} pairs", {"most": limits.METADATA_PAIRS_MAX})
    return dict(sorted(value.items()))


def _instant(value: object) -> int:
    if not isinstance(value, str):
        raise PydanticCustomError("instant_type", "must be a string with an RFC 3339 date-time")
    try:
        return parse_instant(value)
    except ValueError as error:
        raise PydanticCustomError("instant", str(error)) from None


Id: TypeAlias = Annotated[int, Field(ge=1, le=limits.ID_MAX)]
Amount: TypeAlias = Annotated[int, Field(ge=1, le=limits.AMOUNT_MAX, description="minor units")]
Instant: TypeAlias = Annotated[
    int,
    BeforeValidator(_instant, json_schema_input_type=str),
    PlainSerializer(format_instant, return_type=str),
    Field(json_schema_extra={"type": "string", "format": "date-time"}),
]
Name: TypeAlias = Annotated[str, StringConstraints(min_length=1, max_length=limits.NAME_CHARS_MAX, pattern=NO_CONTROLS)]
Code: TypeAlias = Annotated[str, StringConstraints(min_length=1, max_length=limits.CODE_CHARS_MAX, pattern=NO_CONTROLS)]
Description: TypeAlias = Annotated[str, StringConstraints(max_length=limits.DESCRIPTION_CHARS_MAX, pattern=NO_CONTROLS)]
Currency: TypeAlias = Annotated[str, StringConstraints(pattern=CURRENCY_PATTERN)]
IdempotencyKey: TypeAlias = Annotated[
    str,
    StringConstraints(min_length=1, max_length=limits.IDEMPOTENCY_KEY_CHARS_MAX, pattern=KEY_PATTERN),
]
MetadataKey: TypeAlias = Annotated[
    str, StringConstraints(min_length=1, max_length=limits.METADATA_KEY_CHARS_MAX, pattern=NO_CONTROLS)
]
MetadataValue: TypeAlias = Annotated[
    str, StringConstraints(max_length=limits.METADATA_VALUE_CHARS_MAX, pattern=NO_CONTROLS)
]
_Pairs: TypeAlias = Annotated[dict[MetadataKey, MetadataValue], Field(max_length=limits.METADATA_PAIRS_MAX)]
Metadata: TypeAlias = Annotated[_Pairs, BeforeValidator(_sorted_pairs, json_schema_input_type=_Pairs | None)]
Yes: TypeAlias = Annotated[bool, BeforeValidator(_none_as_true, json_schema_input_type=bool | None)]


class _Written(BaseModel):
    """What every body shares: strict types, no unknown fields, and an idempotency key."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    kind: ClassVar[Kind]

    idempotency_key: IdempotencyKey | None = None

    @property
    def address(self) -> int | None:
        """The id of the account, entry or hold that this write is about, which narrows the scope of its key."""
        return None

    def fields(self) -> bytes:
        """Return the validated fields that differ from their defaults, as JSON: equal for equal requests."""
        return self.__pydantic_serializer__.to_json(self, exclude_defaults=True)

    def fingerprint(self) -> bytes:
        """Return SHA-256 over the kind and the fields: equal for equal requests, and for no others."""
        return hashlib.sha256(b"%s\n%s" % (self.kind.encode(), self.fields())).digest()


class OpenAccount(_Written):
    """Open an account."""

    kind = Kind.ACCOUNT

    name: Name
    type: Annotated[AccountType, Field(strict=False)]
    code: Code | None = None
    currency: Currency | None = None
    overdraft_limit: Annotated[int, Field(ge=0, le=limits.AMOUNT_MAX, description="minor units")] | None = None
    metadata: Metadata = {}


class CloseBody(_Written):
    """Close the account of the URL, for good."""

    kind = Kind.CLOSURE


class CloseAccount(CloseBody):
    """Close an account, for good."""

    account_id: Id

    @property
    def address(self) -> int:
        return self.account_id


class LineBody(BaseModel):
    """One side of an entry."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    account_id: Id
    amount: Amount
    direction: Annotated[Side, Field(strict=False)]


class PostEntry(_Written):
    """Post an entry."""

    kind = Kind.ENTRY

    description: Description | None = None
    lines: Annotated[
        list[Annotated[LineBody, WrapValidator(while_few)]],
        Field(min_length=limits.LINES_PER_ENTRY_MIN, max_length=limits.LINES_PER_ENTRY_MAX),
    ]
    metadata: Metadata = {}


class PostBulk(_Written):
    """Post many entries, each with its own key: all or none of them if `atomic`, else each for itself."""

    kind = Kind.BULK

    entries: Annotated[
        list[Annotated[PostEntry, WrapValidator(while_few)]],
        Field(min_length=1, max_length=limits.ENTRIES_PER_BULK_MAX),
    ]
    atomic: Yes = True

    @field_validator("atomic")
    @classmethod
    def _one_write_for_one_key(cls, value: bool, info: ValidationInfo) -> bool:
        if not value and info.data.get("idempotency_key") is not None:
            raise PydanticCustomError("atomic", "must be true where the bulk itself has an idempotency key")
        return value


class ReverseBody(_Written):
    """Reverse the entry of the URL."""

    kind = Kind.REVERSAL

    description: Description | None = None


class ReverseEntry(ReverseBody):
    """Reverse an entry: post a new one with its sides swapped."""

    entry_id: Id

    @property
    def address(self) -> int:
        return self.entry_id


class PlaceHold(_Written):
    """Place a hold."""

    kind = Kind.HOLD

    account_id: Id
    amount: Amount
    counter_account_id: Id | None = None
    description: Description | None = None
    expires_at: Instant | None = None
    expires_in_s: Annotated[int, Field(ge=1, le=limits.HOLD_EXPIRY_S_MAX)] | None = None
    metadata: Metadata = {}

    @field_validator("counter_account_id")
    @classmethod
    def _another_account(cls, value: int | None, info: ValidationInfo) -> int | None:
        if value is not None and value == info.data.get("account_id"):
            raise PydanticCustomError("counter_account", "must be another account than account_id")
        return value

    @field_validator("expires_in_s")
    @classmethod
    def _one_expiry(cls, value: int | None, info: ValidationInfo) -> int | None:
        if value is not None and info.data.get("expires_at") is not None:
            raise PydanticCustomError("expiry", "can't be given together with expires_at")
        return value


class CaptureBody(_Written):
    """Capture what the hold of the URL reserves, or a part of it."""

    kind = Kind.CAPTURE

    amount: Amount | None = None
    counter_account_id: Id | None = None
    final: Yes = True
    description: Description | None = None


class CaptureHold(CaptureBody):
    """Capture what a hold reserves, or a part of it."""

    hold_id: Id

    @property
    def address(self) -> int:
        return self.hold_id


class ReleaseBody(_Written):
    """Release the hold of the URL."""

    kind = Kind.RELEASE


class ReleaseHold(ReleaseBody):
    """Release what a hold still reserves."""

    hold_id: Id

    @property
    def address(self) -> int:
        return self.hold_id


Command: TypeAlias = (
    OpenAccount | CloseAccount | PostEntry | PostBulk | ReverseEntry | PlaceHold | CaptureHold | ReleaseHold
)
Body: TypeAlias = OpenAccount | CloseBody | PostEntry | PostBulk | ReverseBody | PlaceHold | CaptureBody | ReleaseBody

COMMANDS: Mapping[Kind, type[Command]] = {
    Kind.ACCOUNT: OpenAccount,
    Kind.CLOSURE: CloseAccount,
    Kind.ENTRY: PostEntry,
    Kind.BULK: PostBulk,
    Kind.REVERSAL: ReverseEntry,
    Kind.HOLD: PlaceHold,
    Kind.CAPTURE: CaptureHold,
    Kind.RELEASE: ReleaseHold,
}
BODIES: Mapping[Kind, type[Body]] = {
    **COMMANDS,
    Kind.CLOSURE: CloseBody,
    Kind.REVERSAL: ReverseBody,
    Kind.CAPTURE: CaptureBody,
    Kind.RELEASE: ReleaseBody,
}
ADDRESS_FIELD: Mapping[Kind, str] = {
    Kind.CLOSURE: "account_id",
    Kind.REVERSAL: "entry_id",
    Kind.CAPTURE: "hold_id",
    Kind.RELEASE: "hold_id",
}


def parse_command(kind: Kind, fields: object) -> Command:
    """Validate a command's fields, as they travel on the queue.

    Raises:
        InvalidRequest: with every complaint at once, each under its JSON pointer.
    """
    command: Command = _validated(COMMANDS[kind], fields)
    return command


def parse_body(kind: Kind, fields: object, address: int | None = None) -> Command:
    """Validate a body written under a URL, and return the command, with the id that the URL names.

    Raises:
        InvalidRequest: with every complaint at once, each under its JSON pointer.
    """
    if address is None:
        return parse_command(kind, fields)
    body = _validated(BODIES[kind], fields)
    named = {ADDRESS_FIELD[kind]: address}
    command: Command = COMMANDS[kind].model_construct(body.model_fields_set, **body.__dict__, **named)
    return command


def _validated(model: type[Any], fields: object) -> Any:
    if isinstance(fields, dict) and len(fields) > limits.FIELDS_MAX:
        raise InvalidRequest([Complaint("", FIELDS_MESSAGE)])
    try:
        return model.__pydantic_validator__.validate_python(fields, context=Tally())
    except ValidationError as error:
        raise InvalidRequest(complaints(error)) from None
