"""The foot of the report: how to make it again, and by which version it was made."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from plivo_analysis.report.html import Markup, tag
from plivo_analysis.system.versions import __version__

if TYPE_CHECKING:
    from plivo_analysis.report.subject import Subject

_NO_LETTER = re.compile(r"[^a-z0-9]+")


def footer(subject: Subject) -> Markup:
    """A line of Python to the left, the version and two assurances to the right."""
    requests = (
        "plotly.js comes from its CDN"
        if subject.plotlyjs == "cdn"
        else ("no request leaves this page")
    )
    made = f"plivo_analysis {__version__} · no recipient in this file · {requests}"
    return tag("footer", tag("code", _code(subject)), tag("span", made))


def _code(subject: Subject) -> str:
    period = subject.numbers.period
    sessions = "sessions"
    options = ""
    if period and period.given:
        sessions = f'pva.load_sessions(since="{_iso(period.start)}", until="{_iso(period.end)}")'
        options = f', tz="{period.zone.key}"' if period.zone.key != "UTC" else ""
    if subject.currency != "USD":
        options += f', currency="{subject.currency}"'
    name = _NO_LETTER.sub("-", subject.title.lower()).strip("-") or "report"
    return f'pva.cost_report({sessions}, "{name[:40]}.html"{options})'


def _iso(at: datetime) -> str:
    instant = at.astimezone(UTC).replace(tzinfo=None)
    whole_day = not (instant.hour or instant.minute or instant.second or instant.microsecond)
    return f"{instant:%Y-%m-%d}" if whole_day else instant.isoformat() + "Z"
