"""Filters: what a caller asks for, checked before anything is sent.

The API answers an unknown value of a closed set with an empty list and no error, so every
value is checked here, where a wrong one can still be told from an account without records. A
checked filter is frozen; it knows its query parameters, and which of them a row can confirm:
what a server says it filtered by is checked again on every row.

A telephone number never shows in a message or in a filter's ``repr``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qsl, urlencode

from plivo_analysis.api.resources import RESOURCES
from plivo_analysis.errors import FilterError
from plivo_analysis.values.masking import Private, mask_number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plivo_analysis.api.resources import Parameter, Resource

_NUMBERS = frozenset(
    parameter.name
    for resource in RESOURCES.values()
    for parameter in resource.parameters
    if parameter.kind.is_number
)


class Query(dict[str, str]):
    """Query parameters whose ``repr`` shows no telephone number.

    Example:
        >>> Query(recipient="14155550123", limit="20")
        {'recipient': '1 ••• ••• ••23', 'limit': '20'}
    """

    def __repr__(self) -> str:
        return repr(masked_filters(self))


def masked_filters(values: Mapping[str, str]) -> dict[str, str]:
    """Filters as they may be shown: numbers masked.

    Example:
        >>> masked_filters({"to_number": "447700900123"})
        {'to_number': '44 ••• ••• ••23'}
    """
    return {
        name: mask_number(value) if name in _NUMBERS else value for name, value in values.items()
    }


def masked_scope(scope: str) -> str:
    """A filter's scope as it may be shown: numbers masked.

    Example:
        >>> masked_scope("recipient=14155550123&status=verified")
        'recipient=1 ••• ••• ••23, status=verified'
    """
    values = masked_filters(dict(parse_qsl(scope)))
    return ", ".join(f"{name}={value}" for name, value in values.items())


@dataclass(frozen=True, slots=True, repr=False)
class Filter:
    """Which records of a resource. Made by :meth:`of`, which checks.

    Args:
        resource: What is listed.
        values: Parameters and checked values, in the order of the resource's declaration.

    Example:
        >>> from plivo_analysis.api.resources import MESSAGE_RESOURCE, SESSION_RESOURCE
        >>> Filter.of(SESSION_RESOURCE, status="Verified", recipient="+1 415-555-0123")
        Filter(sessions, status='verified', recipient='1 ••• ••• ••23')
        >>> Filter.of(MESSAGE_RESOURCE, message_state="delivered", error_code=0).params()
        {'message_state': 'delivered', 'error_code': '000'}
    """

    resource: Resource
    values: tuple[tuple[Parameter, str], ...] = ()

    @classmethod
    def of(cls, resource: Resource, **given: object) -> Self:
        """Check a caller's filters; None stands for any.

        Args:
            resource: What is listed.
            given: Values by the names of the resource's parameters.

        Raises:
            FilterError: A name is unknown, or a value cannot match anything; the message says
                what is allowed.
        """
        names = [parameter.name for parameter in resource.parameters]
        if unknown := [name for name in given if name not in names]:
            raise FilterError(
                f"There is no filter {', '.join(map(repr, unknown))} of {resource.name}. There "
                f"is {', '.join(names)}."
            )
        values = (
            (parameter, parameter.checked(given[parameter.name]))
            for parameter in resource.parameters
            if given.get(parameter.name) is not None
        )
        return cls(resource, tuple(values))

    def __repr__(self) -> str:
        values = (f"{name}={value!r}" for name, value in masked_filters(self.params()).items())
        return f"Filter({', '.join((self.resource.name, *values))})"

    def params(self) -> Query:
        """The query parameters, without the bounds of time."""
        return Query((parameter.name, value) for parameter, value in self.values)

    @property
    def scope(self) -> str:
        """The same text for the same filter, empty for none: the key of completed ranges.

        It holds numbers in clear, though not in its ``repr``. :func:`masked_scope` is for showing.
        """
        # Sorted, or the order of a caller's arguments would make two keys of one filter.
        return Private(urlencode(sorted(self.params().items())))

    @property
    def unverifiable(self) -> tuple[str, ...]:
        """The parameters in use that no row can confirm."""
        return tuple(parameter.name for parameter, _ in self.values if not parameter.column)

    @property
    def stable(self) -> bool:
        """Whether no record can enter or leave the list while it is being read."""
        return not any(parameter.changes for parameter, _ in self.values)

    @property
    def lasting(self) -> Self:
        """The same filter without the parameters whose truth may change for a record."""
        return type(self)(self.resource, tuple(used for used in self.values if not used[0].changes))

    def matches(self, row: Mapping[str, Any]) -> bool | None:
        """Whether a row is one that was asked for; None where it lacks what would tell."""
        # One false outweighs what is not known: a row that shows another status was not asked for,
        # whatever its hidden number is.
        answers = {
            None if (value := row[parameter.column]) is None else parameter.same(wanted, str(value))
            for parameter, wanted in self.confirmable()
        }
        if False in answers:
            return False
        return None if None in answers else True

    def confirmable(self) -> list[tuple[Parameter, str]]:
        """The parameters that a column confirms, each with the value asked for.

        A row without a value in that column confirms nothing.
        """
        return [used for used in self.values if used[0].column]
