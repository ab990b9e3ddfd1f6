"""The schemas of the document: bodies from the commands, answers from the resources and reports."""

from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, JsonSchemaValue
from typing_extensions import TypedDict

from ledger_core.commands import BODIES
from wire.problems import ProblemJson
from wire.reports import BalanceSheetsJson, IncomeStatementsJson, StatementJson, TrialBalanceJson
from wire.resources import AccountJson, BalanceJson, BulkJson, EntryJson, HoldJson, OperationJson, PendingJson

Json = dict[str, Any]
REF = "#/components/schemas/"


class ChecksJson(TypedDict):
    """Each comes to `ok`, or to what is wrong. Without broker, storage or workers nothing can be written."""

    broker: str
    storage: str
    workers: str
    inbox: str
    books: str
    set_aside: str


class HealthJson(TypedDict):
    """Whether writes and reads work."""

    status: str
    checks: ChecksJson


class AccountPageJson(TypedDict):
    """A page of accounts, and the cursor of the next one."""

    data: list[AccountJson]
    next_cursor: str | None


class EntryPageJson(TypedDict):
    """A page of entries, and the cursor of the next one."""

    data: list[EntryJson]
    next_cursor: str | None


class HoldPageJson(TypedDict):
    """A page of holds, and the cursor of the next one."""

    data: list[HoldJson]
    next_cursor: str | None


ANSWERS = (
    AccountJson, AccountPageJson, BalanceJson, EntryJson, EntryPageJson, BulkJson, HoldJson, HoldPageJson,
    OperationJson, PendingJson, StatementJson, TrialBalanceJson, BalanceSheetsJson, IncomeStatementsJson,
    HealthJson, ProblemJson,
)  # fmt: skip


class _Untitled(GenerateJsonSchema):
    """Schemas without the titles that only repeat a name."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def schemas() -> Json:
    """Return every schema, by the name under which the document refers to it."""
    bodies: list[tuple[Any, JsonSchemaMode, Any]] = [
        (model, "validation", TypeAdapter(model)) for model in dict.fromkeys(BODIES.values())
    ]
    answers: list[tuple[Any, JsonSchemaMode, Any]] = [(shape, "serialization", TypeAdapter(shape)) for shape in ANSWERS]
    _, found = TypeAdapter.json_schemas([*bodies, *answers], ref_template=REF + "{model}", schema_generator=_Untitled)
    return {name.removesuffix("Json"): _plain(schema, top=True) for name, schema in sorted(found["$defs"].items())}


def ref(name: str) -> Json:
    """Return a reference to a schema."""
    return {"$ref": REF + name}


def _plain(schema: Any, *, top: bool = False) -> Any:
    """Drop what tells a reader nothing: the titles of whole models, defaults of null, and the suffix of our types."""
    if isinstance(schema, list):
        return [_plain(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {
        name: value
        for name, value in schema.items()
        if not (top and name == "title") and not (name == "default" and value in (None, {}))
    }
    plain: JsonSchemaValue = {name: _plain(value) for name, value in kept.items()}
    if isinstance(plain.get("$ref"), str):
        plain["$ref"] = plain["$ref"].removesuffix("Json")
    if plain.get("type") == "object" and "patternProperties" in plain:
        _only_named_by_pattern(plain)
    return plain


def _only_named_by_pattern(schema: Json) -> None:
    """Say of an object whose names must match a pattern that no others are taken."""
    ((pattern, value),) = schema.pop("patternProperties").items()
    schema["propertyNames"] = {**schema.get("propertyNames", {}), "pattern": pattern}
    schema["additionalProperties"] = value
