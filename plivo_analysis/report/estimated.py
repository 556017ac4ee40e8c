"""The report of a period that is not read whole, made from an estimate, as every page says.

It shows what pages of a sample can say, each number with its interval, and names what they
cannot.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from math import ceil, floor, log10
from typing import TYPE_CHECKING

import narwhals as nw

from plivo_analysis.errors import FilterError
from plivo_analysis.figures import svg
from plivo_analysis.figures.chart_data import RateEstimate, round_ends
from plivo_analysis.metrics.estimates import columns_of, group_text, number_text
from plivo_analysis.metrics.samples import MEASURES, Interval
from plivo_analysis.report.countries import country
from plivo_analysis.report.files import Cell, Sheet, workbook
from plivo_analysis.report.finance import definitions_sheet
from plivo_analysis.report.period import Period
from plivo_analysis.report.sections.header import all_notes, note_numbers
from plivo_analysis.report.sections.kpi_cards import Card
from plivo_analysis.system.versions import __version__
from plivo_analysis.templates.rendering import render
from plivo_analysis.values.typesetting import clean, weekday

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    import polars as pl
    from markupsafe import Markup

    from plivo_analysis.metrics.estimates import Estimate
    from plivo_analysis.report.sections.header import Note

_WIDTH = 148
_MOST_GROUPS = 40  # on the page; the tables hold all of them
# Columns whose groups are people, whom a page that is sent around must not name.
_PERSONAL = ("recipient", "requestor_ip")
# Of each measure: its title, the note that defines it, and the kind of its number.
_TITLES = {
    "sessions": ("Sessions", "session", "count"),
    "spend": ("Spend", "spend", "amount"),
    "cost_per_verified": ("Per verified session", "cost", "price"),
    "success_rate": ("Success rate", "success", "percent"),
    "fallback_rate": ("Fallback rate", "fallback", "percent"),
}
_COLUMNS = {
    "destination_country_iso2": "Country",
    "destination_network": "Network",
    "alias": "Application",
    "app_uuid": "Application id",
}
LEFT_OUT = (
    "spend by day, by channel and by line",
    "the changes from the period before",
    "channels by country",
    "fallback by entry channel, and rescue",
    "what is not final",
    "what does not add up",
    "message records",
)
"""What a report of all sessions has and one of an estimate has not."""


@dataclass(frozen=True, slots=True)
class Estimated:
    """What a report of an estimate is made from.

    Args:
        estimate: The estimate.
        frame: Its groups, in polars, those with most spend first.
        by: The columns that it is grouped by.
        period: Its range, in the zone of the report.
        title: The title.
        account: The account's id, if it is to be printed.
    """

    estimate: Estimate
    frame: pl.DataFrame
    by: tuple[str, ...]
    period: Period
    title: str
    account: str | None

    @classmethod
    def of(
        cls, estimate: Estimate, *, title: str | None, account: str | None, zone: ZoneInfo
    ) -> Estimated:
        """Check an estimate for a report.

        Raises:
            FilterError: Nothing of it is estimated, or its groups are people.
        """
        if estimate.exact:
            raise FilterError(
                "This estimate is exact, since every session was read: give cost_report the "
                "table of pva.load_sessions, which costs hardly a request now."
            )
        frame = nw.from_native(estimate.frame, eager_only=True).to_polars()
        by = tuple(frame.columns[: frame.columns.index(MEASURES[0])])
        if personal := [name for name in by if name in _PERSONAL]:
            raise FilterError(
                f"A report names no person, and this estimate is grouped by {personal[0]}. Make "
                "one by another column, such as destination_country_iso2."
            )
        # The page shows the first groups only, so that the most costly ones come first.
        frame = frame.sort("spend", "sessions", descending=True, nulls_last=True)
        period = Period.of((estimate.since, estimate.until), zone)
        named = clean(title or period.title)
        return cls(estimate, frame, by, period, named, account)

    @property
    def group_titles(self) -> list[str]:
        """What the columns that it is grouped by are called."""
        return [_COLUMNS.get(name, name.replace("_", " ")) for name in self.by]


def estimated_page(subject: Estimated) -> str:
    """The whole report as one HTML document."""
    rows = subject.frame.head(_MOST_GROUPS).rows(named=True) if subject.by else []
    return str(
        render(
            "report/estimated.html",
            subject=subject,
            facts=_facts(subject),
            summary=estimated_summary(subject.estimate),
            cards=[estimated_card(subject.estimate, measure) for measure in _TITLES],
            measures=_TITLES,
            rows=rows,
            group_text=group_text,
            country=country,
            left_out=LEFT_OUT,
            used=_notes(),
            notes=note_numbers(_notes()),
            code=_code(subject),
            version=__version__,
        )
    )


def estimated_summary(estimate: Estimate) -> Markup:
    """What was spent and what a verified session cost, in one paragraph."""
    return render("report/estimated_summary.html", text=estimate.text, part=estimate.part)


def estimated_workbook(subject: Estimated) -> bytes:
    """The estimate as a workbook: its numbers, its groups, and what they mean."""
    above = [("Estimate", f"from {subject.estimate.part}; not final"), *_facts(subject)]
    ends = ("Estimate", "From", "To")
    numbers, columns = [], [(title, "text") for title in subject.group_titles]
    for measure, (title, _, kind) in _TITLES.items():
        total = subject.estimate.total[measure]
        numbers.append([title, *(Cell(n, kind) for n in (total.value, total.low, total.high))])
        columns += [(f"{title}, {end.lower()}", kind) for end in ends]
    headings = [(heading, "text") for heading in ("Measure", *ends)]
    sheets = [Sheet("Estimate", headings, numbers, above)]
    if subject.by:
        numbered = [column for measure in _TITLES for column in columns_of(measure)]
        rows = subject.frame.select(*subject.by, *numbered).rows()
        sheets.append(Sheet("Groups, estimated", columns, rows, above[:1]))
    left_out = ("Left out", "; ".join(LEFT_OUT))
    sheets.append(definitions_sheet(_notes(), left_out))
    return workbook(sheets, f"Estimate: {subject.title}")


def _notes() -> list[Note]:
    words = {"estimate", *(note for _, note, _ in _TITLES.values())}
    return [note for note in all_notes() if note["word"] in words]


def _facts(subject: Estimated) -> list[tuple[str, str]]:
    estimate = subject.estimate
    at = estimate.at.astimezone(UTC)
    facts = [
        ("Account", clean(subject.account) if subject.account else ""),
        ("Period", f"{subject.period.bounds} ({subject.period.length})"),
        ("Amounts", f"{clean(estimate.currency, cap=8)}, estimated"),
        ("Sessions read", f"{estimate.read:,} of {estimate.how_many}"),
        ("Estimated", f"{weekday(at)} {at:%Y %H:%M} UTC"),
    ]
    return [fact for fact in facts if fact[1]]


def estimated_card(estimate: Estimate, measure: str) -> Card:
    """One number of all sessions, with its interval.

    Args:
        estimate: The estimate.
        measure: One of ``samples.MEASURES``.
    """
    title, note, unit = _TITLES[measure]
    number, currency = estimate.total[measure], estimate.currency
    words = estimate.text(measure)
    if words.interval:
        kind = words.interval
    elif number.value is None:
        kind = "" if estimate.exact else "too few pages are read"
    elif estimate.exact or measure == "sessions":
        kind = "counted"
    else:  # every page is read; what is missing is the proof that these are all
        kind = "all read, not proven"
    card = Card(title, note, words.value, kind)
    if words.interval and number.value is not None:
        # With an interval, both ends are there; the type does not say so.
        low, high = number.low or 0.0, number.high or 0.0
        ends = round_ends([low, high]) if unit == "percent" else _round_ends(low, high)
        drawn = RateEstimate(number.value, low, high)
        label = f"{title} {words.value}, {words.interval}"
        card.drawing = svg.estimate(drawn, ends, _WIDTH, label=label)
        left, right = (
            number_text(measure, Interval.exact(end), currency, exact=True).value for end in ends
        )
        card.ends = left, right
    return card


def _round_ends(low: float, high: float) -> tuple[float, float]:
    """Round ends of a scale of amounts, close enough around for an interval to be seen.

    Example:
        >>> _round_ends(2351.0, 2554.0)
        (2300.0, 2600.0)
    """
    # Steps as wide as the interval's own order of magnitude: it fills a good part of the scale.
    step = 10.0 ** floor(log10(high - low))
    return floor(low / step) * step, ceil(high / step) * step


def _code(subject: Estimated) -> str:
    since, until = (at.astimezone(UTC) for at in (subject.estimate.since, subject.estimate.until))
    by = f", by={list(subject.by)!r}" if subject.by else ""
    asked = f'since="{since:%Y-%m-%dT%H:%M:%SZ}", until="{until:%Y-%m-%dT%H:%M:%SZ}"{by}'
    return f"pva.cost_report(estimate=pva.estimate({asked}))"
