"""The small tables that the metrics give, without the ``period`` and ``by`` columns before them.

Counts are counts of rows of the input, rates are parts of one, money is a sum with room for
38 digits. A denominator of zero gives null, and so does a sum none of whose amounts is known.
"""

from __future__ import annotations

from plivo_analysis.values.schema import Column, Kind, Table

_MONEY_UNIT = "the account's currency"


def _count(name: str, meaning: str, unit: str) -> Column:
    return Column(name, Kind.COUNT, meaning, unit=unit, nullable=False, computed=True)


def _rate(name: str, meaning: str) -> Column:
    return Column(name, Kind.RATE, meaning, unit="part of one", computed=True)


def _bounds(name: str) -> tuple[Column, Column]:
    return (
        _rate(f"{name}_low", "The lower end of its Wilson interval."),
        _rate(f"{name}_high", "The upper end of its Wilson interval."),
    )


def _sum(name: str, meaning: str) -> Column:
    return Column(name, Kind.SUM, meaning, unit=_MONEY_UNIT, computed=True)


FALLBACK_RATES = Table(
    name="fallback_rates",
    row="A group of sessions: how many left their channel, and how many that saved.",
    key=(),
    columns=(
        _count("sessions", "Settled, with an attempt, and clear about fallback.", "sessions"),
        _count("fell_back", "Of these, with at least one switch of channel.", "sessions"),
        _rate("fallback_rate", "fell_back ÷ sessions."),
        *_bounds("fallback_rate"),
        _count("retried", "With at least one retry on the same channel.", "sessions"),
        _rate("retry_rate", "retried ÷ sessions."),
        _count("rescued", "Fell back and verified: possibly by the fallback.", "sessions"),
        _rate("rescue_rate", "rescued ÷ fell_back."),
        *_bounds("rescue_rate"),
        _count("rescued_last_touch", "Rescued, and last tried elsewhere than first.", "sessions"),
        _count(
            "rescued_certain",
            "Rescued, not reached where they began, reached elsewhere.",
            "sessions",
        ),
        _count("not_evaluable", "Settled, with an attempt, but with unknown channels.", "sessions"),
    ),
)

CHANNEL_PATHS = Table(
    name="channel_paths",
    row="A path of channels, and the sessions that took it.",
    key=(),
    columns=(
        Column("path", Kind.TEXT, "The channels in order: sms → voice.", computed=True),
        _count("sessions", "Of any status, with an attempt.", "sessions"),
        _count("verified", "Of these, verified.", "sessions"),
        _sum("total_charge", "What they were billed."),
        _count("unpriced", "Sessions without a total_charge.", "sessions"),
    ),
)

ATTEMPT_OUTCOMES = Table(
    name="attempt_outcomes",
    row="A group of attempts: how they went and what they cost.",
    key=(),
    columns=(
        _count("attempts", "All attempts.", "attempts"),
        _count("reached", "Delivered, answered or read.", "attempts"),
        _count("not_reached", "Failed, refused, busy or not answered.", "attempts"),
        _count("pending", "Not final.", "attempts"),
        _count("unknown", "With a status not known here.", "attempts"),
        _rate("reached_rate", "reached ÷ attempts."),
        *_bounds("reached_rate"),
        _sum("charge", "What they were billed."),
        _sum("billed_not_reached", "The part billed for attempts not reached."),
        _count("unpriced", "Attempts without a known charge.", "attempts"),
    ),
)

SUCCESS_RATES = Table(
    name="success_rates",
    row="A group of sessions: how many were verified.",
    key=(),
    columns=(
        _count("sessions", "All sessions, of any status.", "sessions"),
        _count("settled", "Verified or expired.", "sessions"),
        _count("open", "In progress.", "sessions"),
        _count("verified", "Verified.", "sessions"),
        _rate("success_rate", "verified ÷ settled."),
        *_bounds("success_rate"),
        _rate("success_rate_if_open_fail", "verified ÷ (settled + open)."),
        _rate("success_rate_if_open_verify", "(verified + open) ÷ (settled + open)."),
    ),
)

SPEND = Table(
    name="spend",
    row="A group of lines of the bill.",
    key=(),
    columns=(
        _count("lines", "Lines, also those without a known amount.", "lines"),
        _sum("amount", "Their known amounts."),
        _count("unpriced", "Lines without a known amount.", "lines"),
    ),
)

COST_PER_VERIFIED = Table(
    name="cost_per_verified",
    row="A group of sessions: what one verification costs.",
    key=(),
    columns=(
        _count("settled", "Verified or expired.", "sessions"),
        _count("verified", "Verified.", "sessions"),
        _sum("total_charge", "What the settled sessions were billed."),
        _sum("cost_per_verified", "total_charge ÷ verified."),
        _sum("direct_cost_per_verified", "The total_charge of the verified ones ÷ verified."),
        _sum("waste", "The total_charge of the settled ones that are not verified."),
        _rate("waste_share", "waste ÷ total_charge."),
        _count("unpriced", "Settled sessions without a total_charge.", "sessions"),
    ),
)

RECONCILE = Table(
    name="reconcile",
    row="A session whose money or counts do not add up.",
    key=("session_uuid",),
    columns=(
        Column("session_uuid", Kind.TEXT, "The session.", nullable=False),
        Column("total_charge", Kind.MONEY, "What it was billed.", unit=_MONEY_UNIT),
        _sum("attempt_charges", "The sum of its charge rows."),
        Column("validation_charge", Kind.MONEY, "The part for the check.", unit=_MONEY_UNIT),
        Column(
            "unallocated",
            Kind.MONEY,
            "The part of the total that no line names.",
            unit=_MONEY_UNIT,
            computed=True,
        ),
        _count("unpriced_attempts", "Attempts without a known or derived charge.", "attempts"),
        _count("orphan_charges", "Charge rows of no attempt.", "charge rows"),
        Column(
            "reasons",
            Kind.TEXTS,
            "total_missing, unallocated, unpriced, derived, orphan, channel_differs, "
            "count_differs, duplicate_attempt.",
            nullable=False,
            computed=True,
        ),
    ),
)

MESSAGE_SPEND = Table(
    name="message_spend",
    row="A group of messages: what they were billed.",
    key=(),
    columns=(
        _count("messages", "All messages, in both directions.", "messages"),
        Column("units", Kind.COUNT, "Parts billed.", unit="parts", computed=True),
        _sum("amount", "The sum of total_amount."),
        _sum("carrier_fees", "The carriers' surcharge, shown beside and never added."),
        _count("unpriced", "Messages without a total_amount.", "messages"),
    ),
)

DELIVERY_RATES = Table(
    name="delivery_rates",
    row="A group of outbound messages: how many arrived.",
    key=(),
    columns=(
        _count("messages", "Outbound messages.", "messages"),
        _count("delivered", "Delivered or read.", "messages"),
        _count("undelivered", "Undelivered.", "messages"),
        _count("failed", "Failed or rejected.", "messages"),
        _count("other", "Not final.", "messages"),
        _rate("delivered_rate", "delivered ÷ (messages − other)."),
        *_bounds("delivered_rate"),
    ),
)
