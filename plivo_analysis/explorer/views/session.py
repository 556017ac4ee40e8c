"""One session from the inside: what it is, its attempts, and the lines of its bill."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from plivo_analysis.api.columns import SESSIONS
from plivo_analysis.explorer.views.view import exact_money, number_cell
from plivo_analysis.figures import style, svg
from plivo_analysis.report.countries import country
from plivo_analysis.tables.explode import explode_attempts, explode_charges
from plivo_analysis.templates.rendering import render
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
        return _described(found, state.currency)

    return describe


def _described(found: pl.DataFrame, currency: str) -> Markup:
    row = found.row(0, named=True)
    facts = {
        "Began": _instant(row["created_at"]),
        "Status": _word(row["status"]),
        "Recipient": number_cell(row["recipient"]) or NOT_KNOWN,
        "Country": country(row["destination_country_iso2"]),
        "Network": _word(row["destination_network"]),
        "Application": _word(row["alias"] or row["app_uuid"]),
        "Total": _amount(row["total_charge"], currency),
    }
    attempts = [
        [
            _instant(attempt["time"]),
            (svg.square(attempt["channel"]), style.name(attempt["channel"])),
            attempt["step"],
            f"{attempt['outcome'].replace('_', ' ')} ({_word(attempt['status'])})",
            _amount(attempt["charge"], currency),
        ]
        for attempt in explode_attempts(found).rows(named=True)
    ]
    lines = [
        [
            line["line"],
            style.name(line["channel"]) if line["channel"] else "",
            _amount(line["amount"], currency),
            (line["note"] or "").replace("_", " "),
        ]
        for line in explode_charges(found).rows(named=True)
    ]
    uuid = clean(row["session_uuid"])
    return render("explorer/session.html", uuid=uuid, facts=facts, attempts=attempts, lines=lines)


def _word(word: str | None) -> str:
    return NOT_KNOWN if word is None else clean(word, cap=40)


def _instant(at: Any) -> str:
    return NOT_KNOWN if at is None else f"{weekday(at)} {at:%H:%M:%S} UTC"


def _amount(amount: Decimal | None, currency: str) -> str:
    return "unknown" if amount is None else exact_money(amount, currency)
