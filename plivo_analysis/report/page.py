"""The page: one static file, which runs no program and makes no request.

It forbids itself every request by a content policy, so that opening it tells nobody anything
and hostile text, were it ever to become an element, could do nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plivo_analysis.report.sections import data_quality, groups, header, kpi_cards, spend, summary

if TYPE_CHECKING:
    from plivo_analysis.report.subject import Subject


@header.section
def page(_: Subject) -> dict[str, Any]:
    """The whole report as one HTML document."""
    # The template calls the functions of these modules, in the order of the page.
    return {
        "data_quality": data_quality,
        "groups": groups,
        "header": header,
        "kpi_cards": kpi_cards,
        "spend": spend,
        "summary": summary,
    }
