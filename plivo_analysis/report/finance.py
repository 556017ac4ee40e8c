"""The workbook for finance: what the page says, as seven sheets with plain headings.

Summary, channels, countries, countries by channel, applications, the period in buckets, and
what each number means. Amounts are in the account's currency, which each heading names, rates
are percentages, and the change from the period before stands beside the number. The metrics'
own frames, with every column and every digit, are the CSV and Parquet files.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from plivo_analysis.figures import style
from plivo_analysis.report.countries import country
from plivo_analysis.report.files import DIGITS, Cell, Sheet, workbook
from plivo_analysis.report.measures import Group, add, finder
from plivo_analysis.report.sections.groups import application_name, channel_name
from plivo_analysis.report.sections.header import facts, used_notes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from plivo_analysis.report.measures import Subject
    from plivo_analysis.report.sections.header import Footnote

# A column, or a row of the summary: its title, the kind of its values, and what finds one.
_Column = tuple[str, str, "Callable[[Any], Any]"]

_TERMS = (
    ("Settled", "Verified or expired: the outcome is known."),
    ("First channel", "The channel that a session began on; it may have gone on to others."),
    (
        "Known",
        "exact: all was read. at least: part is unread or without a price. not read: nothing was.",
    ),
    ("An empty cell", "Not known, or not defined because there is nothing to divide by."),
)


def finance_workbook(subject: Subject) -> bytes:
    """The workbook of a report."""
    sheets = [
        _summary(subject),
        _channels(subject),
        _split(subject, "Countries", "country", _COUNTRY),
        _countries_by_channel(subject),
        _split(subject, "Applications", "application", _APPLICATION),
        *_over_time(subject),
        definitions_sheet(used_notes(subject), *_TERMS),
    ]
    return workbook(sheets, subject.title)


def _summary(subject: Subject) -> Sheet:
    """A row a measure: this period, the one before, and the change."""
    numbers, before = subject.numbers, subject.before
    rows: list[list[Any]] = []
    for title, kind, find in _MEASURES:
        now, past = subject.both(find)
        rows.append([_heading(title, kind, subject.currency), Cell(now, kind)])
        if before:
            rows[-1] += [Cell(past, kind), *_changes(subject, now, past, kind)]
    columns = [("Measure", "text"), ("This period", "amount")]
    if before:
        a_day = ", amounts and counts a day" if subject.per_day else ""
        columns += [
            (subject.before_name.capitalize(), "amount"),
            (f"Change{a_day}", "amount"),
            ("Change, %", "percent"),
        ]
    complete = numbers.complete
    above = [
        ("Report", subject.title),
        *(
            (term, f"{fact} ({remark})" if remark else fact)
            for term, fact, remark in facts(subject)
        ),
        # A sum that is not whole looks as any other.
        ("Spend is", "; ".join([str(complete.money), *complete.reasons])),
    ]
    if "journey_rates" not in numbers.tables:
        above.append(("Journeys", "Not known: recipients are masked, so that two may look alike."))
    return Sheet("Summary", columns, rows, above)


_MEASURES: tuple[_Column, ...] = (
    ("Spend", "amount", lambda found: found.spent),
    ("Sessions", "count", lambda found: found.sessions.height),
    ("Sessions settled", "count", finder("cost", "settled")),
    ("Sessions verified", "count", finder("cost", "verified")),
    ("Success rate (verified ÷ settled)", "percent", finder("success", "success_rate")),
    ("Fallback rate", "percent", finder("fallback", "fallback_rate")),
    ("Cost per verified session", "price", finder("cost", "cost_per_verified")),
    (
        "Direct cost per verified session, without waste",
        "price",
        finder("cost", "direct_cost_per_verified"),
    ),
    ("Cost per verified journey", "price", finder("journey_rates", "cost_per_verified_journey")),
    ("Journeys verified (÷ settled)", "percent", finder("journey_rates", "conversion_rate")),
    ("Waste: spend on sessions that expired", "amount", finder("cost", "waste")),
    ("Waste as a share of settled spend", "percent", finder("cost", "waste_share")),
    ("Sessions that may still verify", "count", lambda found: found.complete.may_verify),
    ("Sessions whose money has not arrived", "count", lambda found: found.complete.unpriced),
    (
        "Billed beyond the lines of the bill",
        "amount",
        lambda found: add(row["unallocated"] for row in found.rows("reconcile")),
    ),
)


def _changes(subject: Subject, now: Any, past: Any, kind: str) -> list[Cell]:
    """The change, and the change as a share of what was; of rates in percentage points alone."""
    change = subject.change(now, past, kind)
    if change is None:
        return [Cell(None, kind), Cell(None, "percent")]
    if kind == "percent":
        return [Cell(change.value * 100, "points"), Cell(None, "percent")]
    a_day = kind == "count" and subject.per_day  # a part of a session, which is no count
    return [Cell(change.value, "amount" if a_day else kind), Cell(change.share, "percent")]


def _channels(subject: Subject) -> Sheet:
    """A row a channel: what its attempts cost, and the sessions that began on it."""
    before = subject.before
    lines = {(row["channel"],): row for row in subject.numbers.rows("spend")}
    past = before.amounts("spend", "channel") if before else {}
    costs = before.keyed("cost_by_entry_channel") if before else {}
    groups = {group.key: group for group in subject.numbers.groups("entry_channel")}
    # Sessions without an attempt share the place of an unknown channel. Left to the set, the order
    # of the two would differ from run to run.
    keys = sorted({*lines, *groups}, key=lambda key: (style.place(key[0]), key[0] is None))

    def price_before(group: Group) -> Any:
        return costs.get(group.key, {}).get("cost_per_verified")

    change = _moved(subject, "price", _in_row("cost", "cost_per_verified"), price_before)
    compared: list[_Column] = [
        ("Cost per verified before", "price", price_before),
        ("Change of cost per verified", "price", change),
    ]
    return _sheet(
        subject,
        "Channels",
        [
            ("Channel", "text", lambda group: channel_name(group.key[0])),
            ("Attempts billed", "count", lambda group: lines.get(group.key, {}).get("lines")),
            *_spent(
                subject,
                lambda group: lines.get(group.key, {}).get("amount"),
                lambda group: past.get(group.key[0], Decimal(0)),
            ),
            *_BOUGHT,
            *(compared if before else []),
        ],
        [groups.get(key, Group(key)) for key in keys],
        [
            ("Spend", "On each channel's own attempts, and the lines of the bill beside them."),
            (
                "Sessions",
                "Of those that began on the channel, with what their later channels cost.",
            ),
        ],
    )


def _split(subject: Subject, name: str, grouping: str, named: Sequence[_Column]) -> Sheet:
    """A row a group: spend with its change, what it bought, and the spend on each channel."""
    # A group without any known amount stands last: nothing says how large it is.
    groups = sorted(subject.groups(grouping), key=lambda group: -(group.spent or 0))
    spent = _spent(subject, lambda group: group.spent, lambda group: group.spent_before)
    columns: list[_Column] = [*named, *spent, *_BOUGHT]
    if "journey_rates" in subject.numbers.tables:
        columns += [
            (
                "Cost per verified journey",
                "price",
                _in_row("journeys", "cost_per_verified_journey"),
            ),
            ("Journeys verified (÷ settled)", "percent", _in_row("journeys", "conversion_rate")),
        ]
    # A channel that no group used would be an empty column of every sheet.
    columns += [
        (style.name(channel), "amount", _in_row("parts", channel))
        for channel in sorted({part for group in groups for part in group.parts}, key=style.place)
    ]
    return _sheet(subject, name, columns, groups)


def _countries_by_channel(subject: Subject) -> Sheet:
    """A row for each country and first channel, to filter and to compare."""
    groups = subject.numbers.groups("country_and_channel")
    groups.sort(key=lambda group: (country(group.key[0]), style.place(group.key[1])))
    return _sheet(
        subject,
        "Countries by channel",
        [
            *_COUNTRY,
            ("First channel", "text", lambda group: channel_name(group.key[1])),
            ("Spend of settled sessions", "amount", _in_row("cost", "total_charge")),
            *_BOUGHT,
        ],
        groups,
    )


def _over_time(subject: Subject) -> list[Sheet]:
    """A row a bucket: spend by channel, sessions, and what may be said of them."""
    numbers = subject.numbers
    if numbers.period is None:
        return []
    word, spent = numbers.period.bucket, numbers.tables["spend_by_period"]

    def on(channel: str) -> list[Decimal | None]:
        amounts = spent.filter(channel=channel).select("period", "amount")
        return numbers.over_time(amounts, Decimal(0))

    series: list[tuple[str, str, Sequence[Any]]] = [
        (word.capitalize(), "time" if word == "hour" else "date", numbers.starts),
        ("Spend", "amount", numbers.spent_by_period()),
        *(
            (style.name(channel), "amount", on(channel))
            for channel in sorted(spent["channel"].unique(), key=style.place)
        ),
        ("Sessions", "count", numbers.by_period("success_by_period", "sessions", 0)),
        ("Verified", "count", numbers.by_period("success_by_period", "verified", 0)),
        ("Success rate", "percent", numbers.by_period("success_by_period", "success_rate")),
        (
            "Cost per verified session",
            "price",
            numbers.by_period("cost_by_period", "cost_per_verified"),
        ),
        ("Known", "text", [str(known) for known in numbers.certainty()]),
    ]
    columns = [(title, kind, values.__getitem__) for title, kind, values in series]
    return [_sheet(subject, f"By {word}", columns, range(len(numbers.starts)))]


def definitions_sheet(notes: Iterable[Footnote], *terms: tuple[str, str]) -> Sheet:
    """The last sheet: what the numbers mean.

    Args:
        notes: The definitions that the page prints as well.
        terms: Further terms, each with its meaning.
    """
    meanings = [*((note.title, note.text) for note in notes), *terms, ("Digits", DIGITS)]
    return Sheet("Definitions", [("Term", "text"), ("Meaning", "text")], meanings, wrapped=True)


def _sheet(
    subject: Subject,
    name: str,
    columns: Sequence[_Column],
    items: Iterable[Any],
    above: Sequence[tuple[str, str]] = (),
) -> Sheet:
    """A row an item."""
    headings = [(_heading(title, kind, subject.currency), kind) for title, kind, _ in columns]
    rows = [[find(item) for *_, find in columns] for item in items]
    return Sheet(name, headings, rows, above)


def _heading(title: str, kind: str, currency: str) -> str:
    """A title with its unit: a cell shows an amount without one.

    Example:
        >>> _heading("Spend", "amount", "USD"), _heading("Change a day", "amount", "USD")
        ('Spend, USD', 'Change, USD a day')
    """
    if kind not in ("amount", "price"):
        return title
    name = title.removesuffix(" a day")
    return f"{name}, {currency}{title.removeprefix(name)}"


def _in_row(row: str, name: str) -> Callable[[Group], Any]:
    """What finds a value in a group's row; a group without sessions has none."""
    return lambda group: getattr(group, row).get(name)


_COUNTRY: tuple[_Column, ...] = (
    ("Country", "text", lambda group: country(group.key[0])),
    ("Code", "text", lambda group: group.key[0]),
)
_APPLICATION: tuple[_Column, ...] = (
    ("Application", "text", lambda group: application_name(*group.key)),
    ("Id", "text", lambda group: group.key[0]),
)
_BOUGHT: tuple[_Column, ...] = (
    ("Sessions", "count", _in_row("success", "sessions")),
    ("Settled", "count", _in_row("success", "settled")),
    ("Verified", "count", _in_row("success", "verified")),
    ("Success rate", "percent", _in_row("success", "success_rate")),
    ("Waste", "amount", _in_row("cost", "waste")),
    ("Cost per verified session", "price", _in_row("cost", "cost_per_verified")),
)


def _spent(
    subject: Subject,
    amount: Callable[[Group], Decimal | None],
    past: Callable[[Group], Decimal | None],
) -> list[_Column]:
    """What was spent on a row, its share of all spend and, with a period before, the change."""
    whole = subject.numbers.spent

    def share(group: Group) -> Decimal | None:
        spent = amount(group)
        return spent / whole if spent is not None and whole else None

    columns: list[_Column] = [("Spend", "amount", amount), ("Share of spend", "percent", share)]
    if subject.before:
        title = "Change a day" if subject.per_day else "Change"
        change = _moved(subject, "amount", amount, past)
        columns += [("Spend before", "amount", past), (title, "amount", change)]
    return columns


def _moved(
    subject: Subject, kind: str, now: Callable[[Group], Any], past: Callable[[Group], Any]
) -> Callable[[Group], Any]:
    """What finds the change of a group's number."""

    def change(group: Group) -> Any:
        found = subject.change(now(group), past(group), kind)
        return found.value if found else None

    return change
