"""Values cast to a column's type, exactly or not at all.

Arrow does the casting: polars rounds excess digits and turns an amount that is too large into
a null without a word, Arrow refuses both. Where Arrow would be too kind as well (a float for
money, a number for text) the types are compared first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from plivo_analysis.errors import SchemaError
from plivo_analysis.values.schema import SUM_DIGITS, Kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from plivo_analysis.values.schema import Column


def arrow_values(values: Any, column: Column) -> Any:
    """Python values, or a pandas column of Python objects, as an Arrow array of a column.

    Raises:
        SchemaError: A value does not fit the column exactly.

    Example:
        >>> from decimal import Decimal
        >>> from plivo_analysis.values.schema import Column, Kind
        >>> arrow_values([Decimal("0.1")], Column("price", Kind.MONEY, "It.")).to_pylist()
        [Decimal('0.10000000')]
    """
    return _checked(column, lambda: pa.array(values, type=column.arrow(), from_pandas=True))


def cast(values: Any, column: Column) -> Any:
    """An Arrow array as an array of a column's type.

    A fraction of a second beyond six digits is cut, as everywhere in this package.

    Raises:
        SchemaError: The types differ in kind, or a value would change.

    Example:
        >>> from plivo_analysis.values.schema import Column, Kind
        >>> cast(pa.array([1]), Column("price", Kind.MONEY, "It.")).to_pylist()
        [Decimal('1.00000000')]
    """
    if values.type == column.arrow():
        return values
    if not _accepts(column, values.type):
        raise SchemaError(
            f"Column {column.name!r} is {values.type}; it has to be {column.arrow()}, and casting "
            "one to the other could change values. Cast it where it was read."
        )
    if pa.types.is_integer(values.type) and pa.types.is_decimal(column.arrow()):
        # Arrow judges by the widest integer, not by the values, unless there is room for it.
        values = values.cast(pa.decimal128(SUM_DIGITS, column.arrow().scale))
    options = pc.CastOptions(target_type=column.arrow(), allow_time_truncate=True)
    return _checked(column, lambda: values.cast(options=options))


def _checked(column: Column, convert: Callable[[], Any]) -> Any:
    try:
        return convert()
    except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
        # The cause is cut off: it can quote the value, and the value can be a recipient.
        raise SchemaError(
            f"A value in column {column.name!r} does not fit {column.arrow()} exactly "
            f"({type(error).__name__}). Cast it where it was read."
        ) from None


def _accepts(column: Column, dtype: pa.DataType) -> bool:
    if pa.types.is_null(dtype):
        return True
    if column.kind is Kind.RECORDS:
        return _is_list(dtype) and _accepts_records(column, dtype.value_type)
    return _ACCEPTS[column.kind](dtype.value_type if pa.types.is_dictionary(dtype) else dtype)


def _accepts_records(column: Column, dtype: pa.DataType) -> bool:
    if not pa.types.is_struct(dtype):
        return bool(pa.types.is_null(dtype))
    present = [field for field in column.fields if dtype.get_field_index(field.name) >= 0]
    return all(_accepts(field, dtype.field(field.name).type) for field in present)


def _is_text(dtype: pa.DataType) -> bool:
    return dtype in (pa.string(), pa.large_string(), pa.string_view())


def _is_exact(dtype: pa.DataType) -> bool:
    return bool(pa.types.is_integer(dtype) or pa.types.is_decimal(dtype))


def _is_number(dtype: pa.DataType) -> bool:
    return _is_exact(dtype) or bool(pa.types.is_floating(dtype))


def _is_list(dtype: pa.DataType) -> bool:
    return bool(pa.types.is_list(dtype) or pa.types.is_large_list(dtype))


# A number is never taken for text (its leading zeros are gone), nor a float for money.
_ACCEPTS: dict[Kind, Callable[[pa.DataType], bool]] = {
    Kind.TEXT: _is_text,
    Kind.COUNT: _is_number,
    Kind.FLAG: pa.types.is_boolean,
    Kind.RATE: _is_number,
    Kind.TIME: pa.types.is_timestamp,
    Kind.MONEY: _is_exact,
    Kind.SUM: _is_exact,
    Kind.TEXTS: _is_list,
}
