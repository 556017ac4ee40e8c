"""The page: the sections in their order and the style sheet, one static file.

The page runs no program and forbids itself every request by a content policy, so that opening
it tells nobody anything and hostile text, were it ever to become an element, could do nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from plivo_analysis.figures import svg
from plivo_analysis.report.sections.data_quality import coverage, messages, pending, reconcile
from plivo_analysis.report.sections.groups import countries_by_channel, fallback, top_groups
from plivo_analysis.report.sections.header import definitions, footer, header
from plivo_analysis.report.sections.kpi_cards import kpi_cards
from plivo_analysis.report.sections.spend import (
    change_of_spend,
    cost_breakdown,
    spend_by_line,
    spend_over_time,
)
from plivo_analysis.report.sections.summary import summary
from plivo_analysis.templates.rendering import render

if TYPE_CHECKING:
    from plivo_analysis.report.measures import Subject


def page(subject: Subject) -> str:
    """The whole report as one HTML document."""
    sections = [section for section in _sections(subject) if section is not None]
    return str(
        render(
            "report/page.html",
            title=subject.title,
            hatchings=svg.hatchings(),
            sections=sections,
        )
    )


def _sections(subject: Subject) -> list[Markup | None]:
    # What was spent comes first, what the numbers rest on last.
    first = [header(subject), summary(subject)]
    last = [definitions(subject), footer(subject)]
    past = subject.before and subject.before.sessions.height
    if not subject.numbers.sessions.height:
        # An empty period after a busy one stands beside what was.
        cards = kpi_cards(subject) if past and subject.numbers.complete.nothing else None
        return [*first, cards, messages(subject), coverage(subject), *last]
    return [
        *first,
        kpi_cards(subject),
        spend_over_time(subject),
        change_of_spend(subject),
        _beside("pair", spend_by_line(subject), cost_breakdown(subject)),
        top_groups(subject),
        countries_by_channel(subject),
        fallback(subject),
        messages(subject),
        _beside("thirds", pending(subject), reconcile(subject), coverage(subject)),
        *last,
    ]


def _beside(name: str, *sections: Markup | None) -> Markup:
    """Sections beside each other where the page is wide enough."""
    shown = Markup("").join(section for section in sections if section is not None)
    return Markup('<div class="{}">{}</div>').format(name, shown)
