"""Filters: what a caller asks for, checked before anything is sent.

The API answers an unknown value of a closed set with an empty list and no error, so every
value is checked here, where a wrong one can still be told from an account without records. A
checked filter is frozen; it knows its query parameters, and which of them a row can confirm:
what a server says it filtered by is checked again on every row.

A telephone number never shows in a message or in a filter's ``repr``.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qsl, urlencode

from plivo_analysis.api.checks import (
    checked_choice,
    checked_code,
    checked_country,
    checked_id,
    checked_number,
    checked_recipient,
    checked_subaccount,
    checked_text,
    checked_uuid,
    same_code,
    same_number,
    same_word,
)
from plivo_analysis.values.masking import mask_number

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_NUMBERS = frozenset({"recipient", "from_number", "to_number"})

SESSION_STATUSES = ("in-progress", "verified", "expired")
MESSAGE_DIRECTIONS = ("inbound", "outbound")
MESSAGE_STATES = (
    "queued",
    "sent",
    "delivered",
    "undelivered",
    "failed",
    "received",
    "rejected",
    "read",
)
MESSAGE_TYPES = ("sms", "mms", "whatsapp")
REGISTRATIONS = ("registered", "unregistered")
ORIGINS = ("service", "utility", "authentication", "marketing")

# How a row confirms a parameter: the row's column, and the comparison. The others no row can.
_CONFIRMED_BY: Mapping[str, tuple[str, Callable[[str, str], bool | None]]] = {
    "status": ("status", same_word),
    "app_uuid": ("app_uuid", same_word),
    "recipient": ("recipient", same_number),
    "country": ("destination_country_iso2", same_word),
    "alias": ("alias", same_word),
    "message_direction": ("message_direction", same_word),
    "message_state": ("message_state", same_word),
    "message_type": ("message_type", same_word),
    "error_code": ("error_code", same_code),
    "from_number": ("from_number", same_number),
    "to_number": ("to_number", same_number),
    "powerpack_id": ("powerpack_id", same_word),
    "destination_country_iso2": ("destination_country_iso2", same_word),
    "tendlc_campaign_id": ("tendlc_campaign_id", same_word),
    "tendlc_registration_status": ("tendlc_registration_status", same_word),
    "conversation_id": ("conversation_id", same_word),
    "conversation_origin": ("conversation_origin", same_word),
}
# Parameters whose truth may change for a record while its list is being read.
_MOVING = frozenset({"status", "message_state", "error_code"})


class Query(dict[str, str]):
    """Query parameters whose ``repr`` shows no telephone number.

    Example:
        >>> Query(recipient="14155550123", limit="20")
        {'recipient': '1 ••• ••• ••23', 'limit': '20'}
    """

    def __repr__(self) -> str:
        return repr(shown(self))


def shown(values: Mapping[str, str]) -> dict[str, str]:
    """Filters as they may be shown: numbers masked.

    Example:
        >>> shown({"to_number": "447700900123"})
        {'to_number': '44 ••• ••• ••23'}
    """
    return {
        name: mask_number(value) if name in _NUMBERS else value for name, value in values.items()
    }


def shown_scope(scope: str) -> str:
    """A filter's scope as it may be shown: numbers masked.

    Example:
        >>> shown_scope(SessionFilter.of(recipient="14155550123", status="verified").scope)
        'recipient=1 ••• ••• ••23, status=verified'
    """
    values = shown(dict(parse_qsl(scope)))
    return ", ".join(f"{name}={value}" for name, value in values.items())


@dataclass(frozen=True, slots=True, repr=False)
class Confirmation:
    """How a column confirms one parameter of a filter.

    Args:
        column: The column.
        same: Compares the value asked for with one of the column; None where it cannot tell.
        wanted: The value asked for.

    Example:
        >>> SessionFilter.of(status="verified").confirmations()[0].column
        'status'
    """

    column: str
    same: Callable[[str, str], bool | None]
    wanted: str


@dataclass(frozen=True, slots=True, repr=False)
class _Filter:
    """What both filters have in common: fields that are query parameters, None for any."""

    def __repr__(self) -> str:
        inside = ", ".join(f"{name}={value!r}" for name, value in shown(self.params()).items())
        return f"{type(self).__name__}({inside})"

    def params(self) -> Query:
        """The query parameters, without the bounds of time."""
        given = ((part.name, getattr(self, part.name)) for part in fields(self))
        return Query((name, value) for name, value in given if value is not None)

    @property
    def scope(self) -> str:
        """The same text for the same filter, empty for none: the ledger's key.

        It holds numbers in clear. :func:`shown` of :meth:`params` is for showing.
        """
        return urlencode(sorted(self.params().items()))

    @property
    def unverifiable(self) -> tuple[str, ...]:
        """The parameters in use that no row can confirm."""
        return tuple(name for name in self.params() if name not in _CONFIRMED_BY)

    @property
    def stable(self) -> bool:
        """Whether no record can enter or leave the list while it is being read."""
        return _MOVING.isdisjoint(self.params())

    @property
    def lasting(self) -> Self:
        """The same filter without the parameters whose truth may change for a record."""
        moving = _MOVING.intersection(self.params())
        return replace(self, **dict.fromkeys(moving))

    def matches(self, row: Mapping[str, Any]) -> bool | None:
        """Whether a row is one that was asked for; None where it lacks what would tell."""
        answers = {self._confirm(name, value, row) for name, value in self.params().items()}
        if False in answers:
            return False
        return None if None in answers else True

    def confirmations(self) -> list[Confirmation]:
        """The columns that confirm this filter; a row without a value in one confirms nothing."""
        return [
            Confirmation(*_CONFIRMED_BY[name], value)
            for name, value in self.params().items()
            if name in _CONFIRMED_BY
        ]

    def _confirm(self, name: str, value: str, row: Mapping[str, Any]) -> bool | None:
        if name not in _CONFIRMED_BY:
            return True
        column, same = _CONFIRMED_BY[name]
        found = row[column]
        return None if found is None else same(value, str(found))


@dataclass(frozen=True, slots=True, repr=False)
class SessionFilter(_Filter):
    """Which sessions. Made by :meth:`of`, which checks.

    Example:
        >>> SessionFilter.of(status="Verified", recipient="+1 415-555-0123")
        SessionFilter(status='verified', recipient='1 ••• ••• ••23')
    """

    status: str | None = None
    app_uuid: str | None = None
    recipient: str | None = None
    subaccount: str | None = None
    brand_name: str | None = None
    app_hash: str | None = None
    country: str | None = None
    alias: str | None = None

    @classmethod
    def of(
        cls,
        *,
        status: object = None,
        app_uuid: object = None,
        recipient: object = None,
        subaccount: object = None,
        brand_name: object = None,
        app_hash: object = None,
        country: object = None,
        alias: object = None,
    ) -> Self:
        """Check the filters of ``load_sessions``; None stands for any.

        Raises:
            FilterError: One cannot match anything; the message says what is allowed.
        """
        return cls(
            status=checked_choice("status", status, SESSION_STATUSES),
            app_uuid=checked_uuid("app_uuid", app_uuid),
            recipient=checked_recipient("recipient", recipient),
            subaccount=checked_subaccount("subaccount", subaccount),
            brand_name=checked_text("brand_name", brand_name),
            app_hash=checked_text("app_hash", app_hash),
            country=checked_country("country", country),
            alias=checked_text("alias", alias),
        )


@dataclass(frozen=True, slots=True, repr=False)
class MessageFilter(_Filter):
    """Which messages. Made by :meth:`of`, which checks.

    Example:
        >>> MessageFilter.of(message_state="delivered", error_code=0).params()
        {'message_state': 'delivered', 'error_code': '000'}
    """

    message_direction: str | None = None
    message_state: str | None = None
    message_type: str | None = None
    error_code: str | None = None
    subaccount: str | None = None
    from_number: str | None = None
    to_number: str | None = None
    powerpack_id: str | None = None
    destination_country_iso2: str | None = None
    tendlc_campaign_id: str | None = None
    tendlc_registration_status: str | None = None
    conversation_id: str | None = None
    conversation_origin: str | None = None

    @classmethod
    def of(
        cls,
        *,
        message_direction: object = None,
        message_state: object = None,
        message_type: object = None,
        error_code: object = None,
        subaccount: object = None,
        from_number: object = None,
        to_number: object = None,
        powerpack_id: object = None,
        destination_country_iso2: object = None,
        tendlc_campaign_id: object = None,
        tendlc_registration_status: object = None,
        conversation_id: object = None,
        conversation_origin: object = None,
    ) -> Self:
        """Check the filters of ``load_messages``; None stands for any.

        Raises:
            FilterError: One cannot match anything; the message says what is allowed.
        """
        return cls(
            message_direction=checked_choice(
                "message_direction", message_direction, MESSAGE_DIRECTIONS
            ),
            message_state=checked_choice("message_state", message_state, MESSAGE_STATES),
            message_type=checked_choice("message_type", message_type, MESSAGE_TYPES),
            error_code=checked_code("error_code", error_code),
            subaccount=checked_subaccount("subaccount", subaccount),
            from_number=checked_number("from_number", from_number),
            to_number=checked_number("to_number", to_number),
            powerpack_id=checked_id("powerpack_id", powerpack_id),
            destination_country_iso2=checked_country(
                "destination_country_iso2", destination_country_iso2
            ),
            tendlc_campaign_id=checked_id("tendlc_campaign_id", tendlc_campaign_id),
            tendlc_registration_status=checked_choice(
                "tendlc_registration_status", tendlc_registration_status, REGISTRATIONS
            ),
            conversation_id=checked_id("conversation_id", conversation_id),
            conversation_origin=checked_choice("conversation_origin", conversation_origin, ORIGINS),
        )
