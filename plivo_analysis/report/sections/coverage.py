"""What was read of the period: which hours are whole, which are not, and how many rows."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from plivo_analysis.report.footnotes import ref
from plivo_analysis.report.html import Markup, join, row, section, tag
from plivo_analysis.values.typesetting import DASH, clean, count, day

if TYPE_CHECKING:
    from plivo_analysis.report.measures import Row
    from plivo_analysis.report.subject import Subject

_WHOLE = frozenset({"complete", "live"})
_MOST_GAPS = 4
_HOUR = timedelta(hours=1)


def coverage(subject: Subject) -> Markup | None:
    """A bar over the period, hours read, rows, and the gaps by name."""
    spans = subject.coverage
    if not spans:
        return None
    start, end = min(span["start"] for span in spans), max(span["end"] for span in spans)
    gaps = [span for span in spans if span["state"] not in _WHOLE]
    bar = tag("div", *(_part(span, start, end) for span in spans), class_="covered")
    whole = "whole range read, no gap" if not gaps else "gaps in colour"
    last = end - timedelta(microseconds=1)
    ends = tag("p", *(tag("span", t) for t in (day(start), whole, day(last))), class_="ends")
    hours = sum((_long(span) for span in spans if span["state"] in _WHOLE), timedelta()) / _HOUR
    rows = [
        row(tag("td", "Hours read whole"), f"{hours:,.0f} of {(end - start) / _HOUR:,.0f}"),
        row(tag("td", "Rows read"), count(sum(span["rows"] or 0 for span in spans))),
        row(tag("td", "of which still open"), count(sum(span["open"] or 0 for span in spans))),
        *(_gap(span) for span in gaps[:_MOST_GAPS]),
    ]
    more = f"and {len(gaps) - _MOST_GAPS} more gaps" if len(gaps) > _MOST_GAPS else None
    table = tag("table", tag("tbody", *rows))
    note = tag("p", more, class_="note") if more else None
    return section(join(("Coverage", ref("coverage"))), bar, ends, table, note)


def _long(span: Row) -> timedelta:
    length: timedelta = span["end"] - span["start"]
    return length


def _part(span: Row, start: datetime, end: datetime) -> Markup:
    left, wide = ((at / (end - start)) * 100 for at in (span["start"] - start, _long(span)))
    whole = span["state"] in _WHOLE
    return tag("i", style=f"left:{left:.2f}%;width:{wide:.2f}%", class_=None if whole else "gap")


def _gap(span: Row) -> Markup:
    times = f"{_minute(span['start'])} {DASH} {_minute(span['end'])}"
    return row(tag("td", f"Not read ({clean(span['state'])})", class_="accent"), times)


def _minute(at: datetime) -> str:
    return f"{day(at)} {at:%H:%M}"
