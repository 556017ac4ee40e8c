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
from plivo_analysis.report.measures import Group
from plivo_analysis.report.sections.groups import application_name, channel_name
from plivo_analysis.report.sections.header import facts, used_notes

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from plivo_analysis.report.sections.header import Note
    from plivo_analysis.report.subject import Subject

_Column = tuple[str, str, Any]
"""A column: its title, the kind of its values, and the key of its value in each row."""

_Row = dict[Any, Any]

_MEASURES: tuple[_Column, ...] = (
    ("Spend", "amount", "spent"),
    ("Sessions", "count", "sessions"),
    ("Sessions settled", "count", "settled"),
    ("Sessions verified", "count", "verified"),
    ("Success rate (verified ÷ settled)", "percent", "success_rate"),
    ("Fallback rate", "percent", "fallback_rate"),
    ("Cost per verified session", "price", "cost_per_verified"),
    ("Direct cost per verified session, without waste", "price", "direct_cost_per_verified"),
    ("Cost per verified journey", "price", "cost_per_verified_journey"),
    ("Journeys verified (÷ settled)", "percent", "conversion_rate"),
    ("Waste: spend on sessions that expired", "amount", "waste"),
    ("Waste as a share of settled spend", "percent", "waste_share"),
    ("Sessions that may still verify", "count", "may_verify"),
    ("Sessions whose money has not arrived", "count", "without_total"),
    ("Billed beyond the lines of the bill", "amount", "unallocated"),
)
_BOUGHT: tuple[_Column, ...] = (
    ("Sessions", "count", "sessions"),
    ("Settled", "count", "settled"),
    ("Verified", "count", "verified"),
    ("Success rate", "percent", "success_rate"),
    ("Waste", "amount", "waste"),
    ("Cost per verified session", "price", "cost_per_verified"),
)
_JOURNEYS: tuple[_Column, ...] = (
    ("Cost per verified journey", "price", "cost_per_verified_journey"),
    ("Journeys verified (÷ settled)", "percent", "conversion_rate"),
)
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
        _groups(subject, "Countries", "country", ("Country", "Code")),
        _countries_by_channel(subject),
        _groups(subject, "Applications", "application", ("Application", "Id")),
        *_over_time(subject),
        definitions_sheet(used_notes(subject), *_TERMS),
    ]
    return workbook(sheets, subject.title)


def _summary(subject: Subject) -> Sheet:
    """A row a measure: this period, the one before, and the change."""
    rows: list[list[Any]] = []
    for title, kind, name in _MEASURES:
        now, past = subject.both(name)
        rows.append([_heading(title, kind, subject.currency), Cell(now, kind)])
        if subject.before:
            rows[-1] += [Cell(past, kind), *_changes(subject, now, past, kind)]
    columns = [("Measure", "text"), ("This period", "amount")]
    if subject.before:
        a_day = ", amounts and counts a day" if subject.per_day else ""
        columns += [
            (subject.before_name.capitalize(), "amount"),
            (f"Change{a_day}", "amount"),
            ("Change, %", "percent"),
        ]
    complete = subject.numbers.complete
    above = [
        *(
            (term, f"{fact} ({remark})" if remark else fact)
            for term, fact, remark in facts(subject)
        ),
        # A sum that is not whole looks as any other.
        ("Spend is", "; ".join([str(complete.money), *complete.reasons])),
    ]
    if "journey_rates" not in subject.numbers.tables:
        above.append(("Journeys", "Not known: recipients are masked, so that two may look alike."))
    return Sheet("Summary", columns, rows, [("Report", subject.title), *above])


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
    # Keyed as groups are, so that the lines of the bill find the sessions that began on a channel.
    lines = {(row["channel"],): row for row in subject.numbers.rows("spend")}
    past = before.amounts("spend", "channel") if before else {}
    costs = before.keyed("cost_by_entry_channel") if before else {}
    groups = {group.key: group for group in subject.numbers.groups("entry_channel")}
    rows = []
    # Sessions without an attempt share the place of an unknown channel. Left to the set, the order
    # of the two would differ from run to run.
    for key in sorted({*lines, *groups}, key=lambda key: (style.place(key[0]), key[0] is None)):
        line, group = lines.get(key, {}), groups.get(key, Group(key))
        row = _row(subject, group, line.get("amount"), past.get(key[0], Decimal(0)))
        price, price_before = (
            found.get("cost_per_verified") for found in (group.numbers, costs.get(key, {}))
        )
        change = subject.change(price, price_before, "price")
        row |= {"name": channel_name(key[0]), "billed": line.get("lines")}
        rows.append(row | {"price_before": price_before, "price_change": change and change.value})
    compared: list[_Column] = [
        ("Cost per verified before", "price", "price_before"),
        ("Change of cost per verified", "price", "price_change"),
    ]
    columns = [
        ("Channel", "text", "name"),
        ("Attempts billed", "count", "billed"),
        *_spent(subject),
        *_BOUGHT,
        *(compared if before else []),
    ]
    above = [
        ("Spend", "On each channel's own attempts, and the lines of the bill beside them."),
        ("Sessions", "Of those that began on the channel, with what their later channels cost."),
    ]
    return _sheet(subject, "Channels", columns, rows, above)


def _groups(subject: Subject, sheet: str, grouping: str, titles: tuple[str, str]) -> Sheet:
    """A row a group: spend with its change, what it bought, and the spend on each channel."""
    # A group without any known amount stands last: nothing says how large it is.
    groups = sorted(subject.groups(grouping), key=lambda group: -(group.spent or 0))
    name = country if grouping == "country" else application_name
    rows = [
        _row(subject, group, group.spent, group.spent_before)
        | {"name": name(*group.key), "id": group.key[0]}
        for group in groups
    ]
    # A channel that no group used would be an empty column of every sheet.
    channels = {channel for group in groups for channel in group.parts}
    columns: list[_Column] = [
        *((title, "text", key) for title, key in zip(titles, ("name", "id"), strict=True)),
        *_spent(subject),
        *_BOUGHT,
        *(_JOURNEYS if "journey_rates" in subject.numbers.tables else ()),
        *_by_channel(channels),
    ]
    return _sheet(subject, sheet, columns, rows)


def _countries_by_channel(subject: Subject) -> Sheet:
    """A row for each country and first channel, to filter and to compare."""
    groups = subject.numbers.groups("country_and_channel")
    groups.sort(key=lambda group: (country(group.key[0]), style.place(group.key[1])))
    columns: list[_Column] = [
        ("Country", "text", "name"),
        ("Code", "text", "id"),
        ("First channel", "text", "channel"),
        ("Spend of settled sessions", "amount", "total_charge"),
        *_BOUGHT,
    ]
    rows = [
        group.numbers | {"name": country(code), "id": code, "channel": channel_name(channel)}
        for group in groups
        for code, channel in [group.key]
    ]
    return _sheet(subject, "Countries by channel", columns, rows)


def _over_time(subject: Subject) -> list[Sheet]:
    """A row a bucket: spend by channel, sessions, and what may be said of them."""
    numbers = subject.numbers
    if numbers.period is None:
        return []
    word = numbers.period.bucket
    columns: list[_Column] = [
        (word.capitalize(), "time" if word == "hour" else "date", "start"),
        ("Spend", "amount", "spent"),
        *_by_channel(numbers.tables["spend_by_period"]["channel"]),
        ("Sessions", "count", "sessions"),
        ("Verified", "count", "verified"),
        ("Success rate", "percent", "success_rate"),
        ("Cost per verified session", "price", "cost_per_verified"),
        ("Known", "text", "known"),
    ]
    rows = [bucket | _parts(bucket["parts"]) for bucket in numbers.buckets]
    return [_sheet(subject, f"By {word}", columns, rows)]


def definitions_sheet(notes: Iterable[Note], *terms: tuple[str, str]) -> Sheet:
    """The last sheet: what the numbers mean.

    Args:
        notes: The definitions that the page prints as well.
        terms: Further terms, each with its meaning.
    """
    meanings = [*((note["title"], note["text"]) for note in notes), *terms, ("Digits", DIGITS)]
    return Sheet("Definitions", [("Term", "text"), ("Meaning", "text")], meanings, wrapped=True)


def _sheet(
    subject: Subject,
    name: str,
    columns: Sequence[_Column],
    rows: Iterable[_Row],
    above: Sequence[tuple[str, str]] = (),
) -> Sheet:
    headings = [(_heading(title, kind, subject.currency), kind) for title, kind, _ in columns]
    return Sheet(name, headings, [[row.get(key) for *_, key in columns] for row in rows], above)


def _heading(title: str, kind: str, currency: str) -> str:
    """A title with its unit: a cell shows an amount without one.

    Example:
        >>> _heading("Spend", "amount", "USD"), _heading("Change a day", "amount", "USD")
        ('Spend, USD', 'Change, USD a day')
    """
    if kind not in ("amount", "price"):
        return title
    # "USD a day" is the unit, not "a day, USD".
    name = title.removesuffix(" a day")
    return f"{name}, {currency}{title.removeprefix(name)}"


def _row(subject: Subject, group: Group, spent: Decimal | None, past: Decimal | None) -> _Row:
    """What is known of a group, by the keys of the columns."""
    whole, change = subject.numbers.spent, subject.change(spent, past)
    return {
        **group.journeys,
        **group.numbers,
        **_parts(group.parts),
        "spent": spent,
        "share": spent / whole if spent is not None and whole else None,
        "spent_before": past,
        "change": change and change.value,
    }


def _spent(subject: Subject) -> list[_Column]:
    """What was spent on a row, its share of all spend and, with a period before, the change."""
    columns: list[_Column] = [("Spend", "amount", "spent"), ("Share of spend", "percent", "share")]
    if subject.before:
        title = "Change a day" if subject.per_day else "Change"
        columns += [("Spend before", "amount", "spent_before"), (title, "amount", "change")]
    return columns


def _by_channel(channels: Iterable[str]) -> list[_Column]:
    """A column for the spend on each channel, in the order that channels have everywhere."""
    ordered = sorted(set(channels), key=style.place)
    return [(style.name(channel), "amount", ("channel", channel)) for channel in ordered]


def _parts(amounts: dict[str, Decimal]) -> _Row:
    # A pair as the key: a channel may be called as another column is, such as "sessions".
    return {("channel", channel): amount for channel, amount in amounts.items()}
