"""One session from the inside: what it is, its attempts, and the lines of its bill."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from plivo_analysis.api.columns import SESSIONS
from plivo_analysis.explorer.output import fill
from plivo_analysis.explorer.views.view import exact_money, number_cell
from plivo_analysis.report.countries import country
from plivo_analysis.tables.explode import explode_attempts, explode_charges
from plivo_analysis.values.typesetting import NOT_KNOWN, clean, weekday

if TYPE_CHECKING:
    from collections.abc import Callable
    from decimal import Decimal

    from markupsafe import Markup

    from plivo_analysis.explorer.table import Row
    from plivo_analysis.explorer.views.view import ViewState


def session_details(state: ViewState) -> Callable[[Row], Markup]:
    """Describes the session of a row, with its attempts and charge lines.

    Args:
        state: What was loaded; its sessions have all of their columns.
    """

    def describe(row: Row) -> Markup:
        sessions = state.dataset.frames["whole"].select(SESSIONS.names)
        found = sessions.filter(pl.col("session_uuid") == row["session_uuid"])
        return fill(
            "session",
            session=found.row(0, named=True),
            attempts=explode_attempts(found).rows(named=True),
            lines=explode_charges(found).rows(named=True),
            amount=amount,
            country=country,
            instant=_instant,
            number=number_cell,
            word=_word,
        )

    def amount(value: Decimal | None) -> str:
        return "unknown" if value is None else exact_money(value, state.currency)

    return describe


def _word(word: str | None) -> str:
    return NOT_KNOWN if word is None else clean(word, cap=40)


def _instant(at: Any) -> str:
    return NOT_KNOWN if at is None else f"{weekday(at)} {at:%H:%M:%S} UTC"
