"""What can be listed: sessions and messages, each declared once.

A declaration names the address, the parameters and the table of a resource. From it come the
check of a loader's arguments, the query, the confirmation on rows, the options of the command
line, the fields of the explorer and the tables of the documentation. `parsing` binds the
function that reads one record by the resource's name.

Sources: the API's pages "List all sessions" and "List all messages"; ``country`` and ``alias``
are known to the official SDKs only.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from plivo_analysis.api.checks import ParameterKind, checked_choice
from plivo_analysis.api.columns import MESSAGES, SESSIONS
from plivo_analysis.api.vocabulary import IN_PROGRESS, fold_status
from plivo_analysis.values.spans import DAY, to_us

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from plivo_analysis.values.table_types import Table

# Microseconds that an instant is compared with: before any, after any, and within 64 bits.
FINAL: Final = 0
NEVER: Final = 2**62

_Kind = ParameterKind


@dataclass(frozen=True, slots=True)
class Parameter:
    """One filter of a listing.

    Args:
        name: As in the query, the loader's argument and the command line.
        kind: What its value is.
        label: What stands above its field in the explorer. Two parameters of one label share
            a field, which tells a UUID from a name.
        meaning: One line of documentation.
        choices: The allowed words of ``ParameterKind.CHOICE``.
        confirmed_by: The column whose value confirms it; by default the one of its own name,
            empty where no row carries it.
        changes: Whether its truth may change for a record while its list is being read.
        rare: Whether the explorer folds its field away.

    Example:
        >>> SESSION_RESOURCE.parameter("status").checked("In Progress")
        'in-progress'
    """

    name: str
    kind: ParameterKind
    label: str
    meaning: str
    choices: tuple[str, ...] = ()
    confirmed_by: str | None = None
    changes: bool = False
    rare: bool = False

    def checked(self, value: object) -> str:
        """A value as the API wants it.

        Raises:
            FilterError: It cannot match anything; the message says what is allowed.
        """
        if self.choices:
            return checked_choice(self.name, value, self.choices)
        return self.kind.checked(self.name, value)

    @property
    def column(self) -> str:
        """The column whose value confirms it; empty where no row carries it."""
        # None and an empty text differ: a brand is a filter without any column that shows it.
        return self.name if self.confirmed_by is None else self.confirmed_by

    @property
    def same(self) -> Callable[[str, str], bool | None]:
        """Compares a checked value with one of the column; None where the row hides it."""
        return self.kind.same


@dataclass(frozen=True, slots=True, eq=False)
class Resource:
    """One kind of record that the API lists.

    Args:
        name: A plural noun, as in the command line.
        table: The table that its records fill.
        path: Below ``/v1/Account/{auth_id}/``.
        list_key: Where a page holds its records.
        time_parameter: The query parameter that bounds a listing.
        parameters: The other query parameters, in the order of the loader's arguments.
        key: The column that tells records apart.
        instant: The column that the time parameter filters.
        status: The column that says how far a record is.
        amount: The column whose absence means that the price is yet to come.
        open_words: The folded statuses that may still change.
        open_for: How long after its instant such a status may still change.
        rechecked_words: The folded statuses that rarely change: they are read once more when
            ``open_for`` has passed, and not listed with what is open, which they are too many for.
    """

    name: str
    table: Table
    path: str
    list_key: str
    time_parameter: str
    parameters: tuple[Parameter, ...]
    key: str
    instant: str
    status: str
    amount: str
    open_words: tuple[str, ...]
    open_for: int
    rechecked_words: frozenset[str] = frozenset()

    @property
    def noun(self) -> str:
        """What one of its records is called.

        Example:
            >>> MESSAGE_RESOURCE.noun
            'message'
        """
        return self.name.removesuffix("s")

    @property
    def numbers(self) -> tuple[str, ...]:
        """The columns that hold telephone numbers.

        Example:
            >>> MESSAGE_RESOURCE.numbers
            ('from_number', 'to_number', 'replaced_sender')
        """
        return tuple(column.name for column in self.table.columns if column.form.is_number)

    @property
    def open_listings(self) -> list[dict[str, str]]:
        """The filters that together list what is open.

        Example:
            >>> SESSION_RESOURCE.open_listings
            [{'status': 'in-progress'}]
        """
        status = self.parameter(self.status)
        return [{self.status: status.checked(word)} for word in self.open_words]

    def parameter(self, name: str) -> Parameter:
        """The declaration of one parameter.

        Raises:
            KeyError: There is none of this name.
        """
        return {parameter.name: parameter for parameter in self.parameters}[name]

    def is_open(self, row: Mapping[str, Any]) -> bool:
        """Whether a row's status may still change."""
        return fold_status(row[self.status]) in self.open_words

    def final_at(self, row: Mapping[str, Any]) -> int:
        """When a row stops changing: an instant in microseconds, ``FINAL`` or ``NEVER``.

        Only a reading after that instant is final: one before it does not tell what became of
        the record. A price that has not come a day after the record began is taken as not coming.
        """
        status = fold_status(row[self.status])
        # Where `open_for` is NEVER the sum would be beyond it, and one value stands for never.
        if status in self.open_words or status in self.rechecked_words:
            return min(NEVER, to_us(row[self.instant]) + self.open_for)
        return to_us(row[self.instant]) + DAY if row[self.amount] is None else FINAL


def _choice(
    name: str, label: str, meaning: str, choices: tuple[str, ...], **more: Any
) -> Parameter:
    return Parameter(name, _Kind.CHOICE, label, meaning, choices, **more)


_SUBACCOUNT = Parameter(
    "subaccount",
    _Kind.SUBACCOUNT,
    "Subaccount",
    "Of one subaccount, by its auth id.",
    confirmed_by="",
    rare=True,
)
_STATES = "queued", "sent", "delivered", "undelivered", "failed", "received", "rejected", "read"

SESSION_RESOURCE = Resource(
    name="sessions",
    table=SESSIONS,
    path="Verify/Session/",
    list_key="sessions",
    time_parameter="session_time",
    parameters=(
        _choice(
            "status",
            "Status",
            "How far the session is.",
            ("in-progress", "verified", "expired"),
            changes=True,
        ),
        Parameter("app_uuid", _Kind.UUID, "Application", "Of one Verify application."),
        Parameter("recipient", _Kind.RECIPIENT, "Recipient", "To one number, in E.164 form."),
        _SUBACCOUNT,
        Parameter(
            "brand_name", _Kind.TEXT, "Brand", "Sent under one brand.", confirmed_by="", rare=True
        ),
        Parameter(
            "app_hash",
            _Kind.TEXT,
            "App hash",
            "Sent for one Android app.",
            confirmed_by="",
            rare=True,
        ),
        Parameter(
            "country",
            _Kind.COUNTRY,
            "Country",
            "To one country, by its two letters. Known to the official SDKs only.",
            confirmed_by="destination_country_iso2",
        ),
        Parameter(
            "alias",
            _Kind.TEXT,
            "Application",
            "Of the application of this name. Known to the official SDKs only.",
        ),
    ),
    key="session_uuid",
    instant="created_at",
    status="status",
    amount="total_charge",
    open_words=(IN_PROGRESS,),
    open_for=NEVER,  # no page of the documentation says how long a session may be open
)

MESSAGE_RESOURCE = Resource(
    name="messages",
    table=MESSAGES,
    path="Message/",
    list_key="objects",
    time_parameter="message_time",
    parameters=(
        _choice(
            "message_direction", "Direction", "From the account or to it.", ("inbound", "outbound")
        ),
        _choice("message_state", "State", "How far the message is.", _STATES, changes=True),
        _choice("message_type", "Type", "How it was sent.", ("sms", "mms", "whatsapp")),
        Parameter(
            "error_code",
            _Kind.CODE,
            "Error code",
            'With one of Plivo\'s error codes; "000" for delivered.',
            changes=True,
        ),
        replace(_SUBACCOUNT, rare=False),
        Parameter(
            "from_number", _Kind.SENDER, "From", "From one sender, by its number or its exact name."
        ),
        Parameter("to_number", _Kind.SENDER, "To", "To one receiver."),
        Parameter(
            "powerpack_id", _Kind.ID, "Powerpack", "Sent through one pool of senders.", rare=True
        ),
        Parameter(
            "destination_country_iso2",
            _Kind.COUNTRY,
            "Country",
            "To one country, by its two letters.",
        ),
        Parameter("tendlc_campaign_id", _Kind.ID, "US campaign", "Of one US campaign.", rare=True),
        _choice(
            "tendlc_registration_status",
            "US registration",
            "Whether its US sender was registered.",
            ("registered", "unregistered"),
            rare=True,
        ),
        Parameter(
            "conversation_id", _Kind.ID, "Conversation", "Of one WhatsApp conversation.", rare=True
        ),
        _choice(
            "conversation_origin",
            "Conversation's origin",
            "What began the WhatsApp conversation.",
            ("service", "utility", "authentication", "marketing"),
            rare=True,
        ),
    ),
    key="message_uuid",
    instant="message_time",
    status="message_state",
    amount="total_amount",
    open_words=("queued", "sent"),
    open_for=DAY,  # where a carrier gives no receipts, sent is the last word
    rechecked_words=frozenset({"received"}),  # becomes undelivered within the hour, now and then
)

RESOURCES: Mapping[str, Resource] = MappingProxyType(
    {resource.name: resource for resource in (SESSION_RESOURCE, MESSAGE_RESOURCE)}
)
