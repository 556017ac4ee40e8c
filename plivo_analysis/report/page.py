"""The page: the sections in their order, the style sheet and the figure's program, one file.

The page forbids itself every request by a content policy, so that opening it tells nobody
anything and hostile text, were it ever to become an element, could reach nothing.
"""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from plotly.offline import get_plotlyjs, get_plotlyjs_version

from plivo_analysis.errors import FilterError
from plivo_analysis.report import drawing
from plivo_analysis.report.html import Markup, join, tag
from plivo_analysis.report.sections.cost_breakdown import bought
from plivo_analysis.report.sections.coverage import coverage
from plivo_analysis.report.sections.daily import daily
from plivo_analysis.report.sections.definitions import definitions
from plivo_analysis.report.sections.fallback import fallback
from plivo_analysis.report.sections.footer import footer
from plivo_analysis.report.sections.header import header
from plivo_analysis.report.sections.kpi_cards import cells
from plivo_analysis.report.sections.lines import lines
from plivo_analysis.report.sections.messages import messages
from plivo_analysis.report.sections.pending import final
from plivo_analysis.report.sections.reconcile import reconcile
from plivo_analysis.report.sections.summary import lede
from plivo_analysis.report.sections.top_groups import places

if TYPE_CHECKING:
    from plivo_analysis.report.subject import Subject

PLOTLYJS = ("inline", "cdn", "none")
_CDN = "https://cdn.plot.ly"


def page(subject: Subject) -> str:
    """The whole report as one HTML document.

    Raises:
        FilterError: When ``plotlyjs`` is none of inline, cdn and none.
    """
    if subject.plotlyjs not in PLOTLYJS:
        raise FilterError(f"plotlyjs is one of {', '.join(PLOTLYJS)}, not {subject.plotlyjs!r}.")
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=_policy(subject)),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", f"{subject.title} · Plivo Verify cost report"),
        tag(
            "style",
            Markup(files("plivo_analysis.report").joinpath("report.css").read_text("utf-8")),
        ),
        _program(subject),
    )
    body = tag("body", drawing.hatches(), *_sections(subject), class_="pva")
    return f"<!doctype html>\n{tag('html', head, body, lang='en')}\n"


def _sections(subject: Subject) -> list[Markup]:
    if not subject.numbers.sessions.height:
        middle = [messages(subject), coverage(subject)]
    else:
        middle = [
            cells(subject),
            daily(subject),
            tag("div", lines(subject), bought(subject), class_="pair"),
            places(subject),
            fallback(subject),
            messages(subject),
            tag("div", final(subject), reconcile(subject), coverage(subject), class_="thirds"),
        ]
    shown = [header(subject), lede(subject), *middle, definitions(subject), footer(subject)]
    return [section for section in shown if section is not None]


def _policy(subject: Subject) -> str:
    scripts = "'unsafe-inline'" + (f" {_CDN}" if subject.plotlyjs == "cdn" else "")
    return f"default-src 'none'; script-src {scripts}; style-src 'unsafe-inline'; img-src data:"


def _program(subject: Subject) -> Markup | None:
    """The figure's program, where there is a figure."""
    if subject.plotlyjs == "none" or not subject.numbers.sessions.height:
        return None
    if subject.plotlyjs == "cdn":
        address = f"{_CDN}/plotly-{get_plotlyjs_version()}.min.js"
        return tag("script", src=address, charset="utf-8")
    return join((tag("script", Markup(get_plotlyjs())),))
