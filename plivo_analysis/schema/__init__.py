"""Each table as data: its columns, their types, units, meanings and sources.

``table`` says what a table is and turns one into the schema of an engine. ``loaded`` holds
the tables that come from the API, ``exploded`` those that the explode functions give, and
``results`` those that the metrics give. DATA.md is written from them, and so are empty
frames: a table is described once.
"""

from plivo_analysis.schema.exploded import ATTEMPTS, CHARGES
from plivo_analysis.schema.loaded import MESSAGES, SESSIONS
from plivo_analysis.schema.receipts import COVERAGE, ISSUES
from plivo_analysis.schema.results import (
    ATTEMPT_OUTCOMES,
    CHANNEL_PATHS,
    COST_PER_VERIFIED,
    DELIVERY_RATES,
    FALLBACK_RATES,
    MESSAGE_SPEND,
    RECONCILE,
    SPEND,
    SUCCESS_RATES,
)
from plivo_analysis.schema.table import Column, Kind, Table

__all__ = [
    "ATTEMPTS",
    "ATTEMPT_OUTCOMES",
    "CHANNEL_PATHS",
    "CHARGES",
    "COST_PER_VERIFIED",
    "COVERAGE",
    "DELIVERY_RATES",
    "FALLBACK_RATES",
    "ISSUES",
    "MESSAGES",
    "MESSAGE_SPEND",
    "RECONCILE",
    "SESSIONS",
    "SPEND",
    "SUCCESS_RATES",
    "Column",
    "Kind",
    "Table",
]
