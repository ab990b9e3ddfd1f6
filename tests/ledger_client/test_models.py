"""The records have the fields that the ledger writes: none is missing, none is made up."""

import typing
from types import NoneType, UnionType

import pytest
from pydantic import BaseModel, ValidationError

from ledger_client import models
from wire import reports, resources

PAIRS = {
    "AccountJson": models.Account,
    "LineJson": models.Line,
    "EntryJson": models.Entry,
    "ResultJson": models.BulkResult,
    "BulkJson": models.Bulk,
    "CaptureJson": models.Capture,
    "HoldJson": models.Hold,
    "BalanceJson": models.Balance,
    "OperationJson": models.Operation,
    "StatementLineJson": models.StatementLine,
    "StatementJson": models.Statement,
    "TrialBalanceRowJson": models.TrialBalanceRow,
    "TotalsJson": models.Totals,
    "TrialBalanceJson": models.TrialBalance,
    "AmountJson": models.Amount,
    "BalanceSheetJson": models.BalanceSheet,
    "BalanceSheetsJson": models.BalanceSheets,
    "IncomeStatementJson": models.IncomeStatement,
    "IncomeStatementsJson": models.IncomeStatements,
}
ONLY_ITS_OPERATION_ID_IS_READ = {"PendingJson"}
WRITTEN = {
    name: shape
    for module in (resources, reports)
    for name, shape in vars(module).items()
    if hasattr(shape, "__required_keys__") and shape.__module__ == module.__name__
}
every_pair = pytest.mark.parametrize("name", PAIRS)


def may_be_null(annotation: object) -> bool:
    is_union = isinstance(annotation, UnionType) or typing.get_origin(annotation) is typing.Union
    parts = typing.get_args(annotation) if is_union else [annotation]
    return any(part in (NoneType, typing.Any) for part in parts)


def fields_of(model: type[BaseModel]) -> dict[str, tuple[bool, bool]]:
    """Return for each field as it is on the wire whether it is always there, and whether it may be null."""
    return {
        field.alias or name: (field.is_required(), field.is_required() and may_be_null(field.annotation))
        for name, field in model.model_fields.items()
    }


def test_every_shape_has_its_record() -> None:
    assert set(PAIRS) == set(WRITTEN) - ONLY_ITS_OPERATION_ID_IS_READ


@every_pair
def test_a_record_has_the_fields_that_are_written(name: str) -> None:
    shape = WRITTEN[name]
    hints = typing.get_type_hints(shape)

    expected = {
        field: (field in shape.__required_keys__, field in shape.__required_keys__ and may_be_null(hints[field]))
        for field in hints
    }

    assert fields_of(PAIRS[name]) == expected


@every_pair
def test_a_record_is_frozen(name: str) -> None:
    assert PAIRS[name].model_config["frozen"]


def test_a_record_without_a_field_of_the_contract_is_no_record() -> None:
    with pytest.raises(ValidationError):
        models.Line.model_validate({"account_id": 1, "amount": 5})
