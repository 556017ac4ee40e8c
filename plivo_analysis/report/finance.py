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
from plivo_analysis.figures.time_axis import instant
from plivo_analysis.report.countries import country
from plivo_analysis.report.files import DIGITS, Cell, Sheet, workbook
from plivo_analysis.report.measures import APPLICATION, COUNTRY, ENTRY_CHANNEL, add
from plivo_analysis.report.sections.header import used_notes
from plivo_analysis.report.sections.top_groups import channel_name, same_group
from plivo_analysis.values.typesetting import clean, count

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from plivo_analysis.report.measures import Measures, Row, Subject

_Columns = list[tuple[str, str]]

_TERMS = (
    ("Settled", "Verified or expired: the outcome is known."),
    ("First channel", "The channel that a session began on; it may have gone on to others."),
    (
        "Known",
        "exact: all was read. at least: part is unread or without a price. not read: nothing was.",
    ),
    ("An empty cell", "Not known, or not defined because there is nothing to divide by."),
    ("Digits", DIGITS),
)


def finance_workbook(subject: Subject) -> bytes:
    """The workbook of a report."""
    sheets = [
        _summary(subject),
        _channels(subject),
        _groups(subject, "Countries", COUNTRY, _country_cells),
        _countries_by_channel(subject),
        _groups(subject, "Applications", APPLICATION, _application_cells),
        _over_time(subject),
        _definitions(subject),
    ]
    return workbook([sheet for sheet in sheets if sheet is not None], subject.title)


def facts(subject: Subject) -> list[tuple[str, str]]:
    """What the numbers are of, as a term and a value each.

    The certainty of the spend stands here, because a sum that is not whole looks as any other.
    """
    numbers = subject.numbers
    period, complete = numbers.period, numbers.complete
    before = subject.before.period if subject.before else None
    a_day = "; changes of amounts and counts are per day" if subject.per_day else ""
    found = [
        ("Report", subject.title),
        ("Account", clean(subject.account) if subject.account else ""),
        ("Period", f"{period.bounds} ({period.length})" if period else ""),
        ("Compared with", f"{before.bounds} ({before.length}){a_day}" if before else ""),
        ("Amounts", f"{subject.currency}, as billed; the currency is declared by you"),
        ("Sessions read", count(numbers.sessions.height)),
        ("Spend is", "; ".join([str(complete.money), *complete.reasons])),
    ]
    return [(term, value) for term, value in found if value]


def _summary(subject: Subject) -> Sheet:
    """A row a measure: this period, the one before, and the change."""
    rows: list[list[Any]] = []
    before = subject.before

    def line(name: str, of: Callable[[Measures], Any], kind: str) -> None:
        now, past = of(subject.numbers), of(before) if before else None
        row = [name, Cell(now, kind)]
        if before:
            row += [Cell(past, kind), *_changes(subject, now, past, kind)]
        rows.append(row)

    def total(table: str, column: str) -> Callable[[Measures], Any]:
        return lambda numbers: numbers.total(table)[column]

    money = f", {subject.currency}"
    line(f"Spend{money}", lambda numbers: numbers.spent, "amount")
    line("Sessions", lambda numbers: numbers.sessions.height, "count")
    line("Sessions settled", total("cost", "settled"), "count")
    line("Sessions verified", total("cost", "verified"), "count")
    line("Success rate (verified ÷ settled)", total("success", "success_rate"), "percent")
    line("Fallback rate", total("fallback", "fallback_rate"), "percent")
    line(f"Cost per verified session{money}", total("cost", "cost_per_verified"), "price")
    line(
        f"Direct cost per verified session, without waste{money}",
        total("cost", "direct_cost_per_verified"),
        "price",
    )
    line(f"Cost per verified journey{money}", _journey("cost_per_verified_journey"), "price")
    line("Journeys verified (÷ settled)", _journey("conversion_rate"), "percent")
    line(f"Waste: spend on sessions that expired{money}", total("cost", "waste"), "amount")
    line("Waste as a share of settled spend", total("cost", "waste_share"), "percent")
    line(
        "Sessions that may still verify",
        lambda numbers: numbers.complete.may_verify,
        "count",
    )
    line(
        "Sessions whose money has not arrived",
        lambda numbers: numbers.complete.unpriced,
        "count",
    )
    line(f"Billed beyond the lines of the bill{money}", _unallocated, "amount")
    columns: _Columns = [("Measure", "text"), ("This period", "amount")]
    if before:
        a_day = ", amounts and counts a day" if subject.per_day else ""
        columns += [
            (subject.before_name.capitalize(), "amount"),
            (f"Change{a_day}", "amount"),
            ("Change, %", "percent"),
        ]
    above = facts(subject)
    if "journey_rates" not in subject.numbers.tables:
        above.append(("Journeys", "Not known: recipients are masked, so that two may look alike."))
    return Sheet("Summary", columns, rows, above)


def _journey(column: str) -> Callable[[Measures], Any]:
    """A number of the journeys; None where recipients are masked."""
    return lambda numbers: (
        numbers.total("journey_rates")[column] if "journey_rates" in numbers.tables else None
    )


def _unallocated(numbers: Measures) -> Decimal:
    return add(row["unallocated"] for row in numbers.rows("reconcile"))


def _changes(subject: Subject, now: Any, past: Any, kind: str) -> list[Cell]:
    """The change, and the change as a share of what was; of rates in percentage points alone."""
    if now is None or past is None:
        return [Cell(None, kind), Cell(None, "percent")]
    if kind == "percent":
        return [Cell((now - past) * 100, "points"), Cell(None, "percent")]
    if kind == "price":  # a price is no sum, so that the length of the period does not matter
        return [Cell(now - past, kind), Cell((now - past) / past if past else None, "percent")]
    change, was = subject.change(now, past), past
    if subject.per_day:
        was = Decimal(past) / subject.days_before
    return [
        Cell(change, "amount" if subject.per_day else kind),
        Cell(change / abs(was) if was else None, "percent"),
    ]


def _channels(subject: Subject) -> Sheet:
    """A row a channel: what its attempts cost, and the sessions that began on it."""
    numbers, before = subject.numbers, subject.before
    currency = subject.currency
    lines = {row["channel"]: row for row in numbers.rows("spend")}
    past = before.amounts("spend", "channel") if before else {}
    costs = _by(numbers, "cost_by_entry_channel", ENTRY_CHANNEL)
    rates = _by(numbers, "success_by_entry_channel", ENTRY_CHANNEL)
    costs_before = _by(before, "cost_by_entry_channel", ENTRY_CHANNEL) if before else {}
    names = {*lines, *(key[0] for key in rates)}
    rows = []
    for name in sorted(names, key=style.place):
        line, key = lines.get(name, {}), (name,)
        amount = line.get("amount")
        row = [channel_name(name), line.get("lines"), amount, _share(amount, numbers.spent)]
        if before:
            was = past.get(name, Decimal(0))
            row += [was, None if amount is None else subject.change(amount, was)]
        price = costs.get(key, {}).get("cost_per_verified")
        row += [*_rates(rates.get(key)), price]
        if before:
            price_before = costs_before.get(key, {}).get("cost_per_verified")
            row += [
                price_before,
                None if price is None or price_before is None else price - price_before,
            ]
        row.append(costs.get(key, {}).get("waste"))
        rows.append(row)
    columns: _Columns = [
        ("Channel", "text"),
        ("Attempts billed", "count"),
        (f"Spend, {currency}", "amount"),
        ("Share of spend", "percent"),
    ]
    if before:
        columns += [(f"Spend before, {currency}", "amount"), _change_heading(subject)]
    columns += [
        *_RATES,
        (f"Cost per verified session, {currency}", "price"),
    ]
    if before:
        columns += [
            (f"Cost per verified before, {currency}", "price"),
            (f"Change of cost per verified, {currency}", "price"),
        ]
    columns.append((f"Waste, {currency}", "amount"))
    return Sheet(
        "Channels",
        columns,
        rows,
        [
            ("Spend", "On each channel's own attempts, and the lines of the bill beside them."),
            (
                "Sessions",
                "Of those that began on the channel, with what their later channels cost.",
            ),
        ],
    )


def _groups(
    subject: Subject, name: str, by: Sequence[str], named: Callable[[tuple[Any, ...]], list[Any]]
) -> Sheet:
    """A row a group: spend with its change, what it bought, and the spend on each channel."""
    numbers, before, currency = subject.numbers, subject.before, subject.currency
    suffix = name.lower().removesuffix("ies") + "y" if name.endswith("ies") else name.lower()[:-1]
    amounts: dict[tuple[Any, ...], dict[str, Decimal | None]] = {}
    for row in numbers.rows(f"spend_by_{suffix}"):
        of_group = amounts.setdefault(tuple(row[column] for column in by), {})
        of_group[row["channel"]] = row["amount"]
    channels = sorted({channel for parts in amounts.values() for channel in parts}, key=style.place)
    past: dict[Any, Decimal] = {}
    for row in before.rows(f"spend_by_{suffix}") if before else []:
        group = same_group(tuple(row[column] for column in by))
        past[group] = add((past.get(group), row["amount"]))
    costs, rates = (_by(numbers, f"{table}_by_{suffix}", by) for table in ("cost", "success"))
    rows: list[list[Any]] = []
    for key in sorted(rates, key=lambda key: -add(amounts.get(key, {}).values())):
        parts = amounts.get(key, {})
        known = [amount for amount in parts.values() if amount is not None]
        spent = add(known) if known else None
        cells = [*named(key), spent, _share(spent, numbers.spent)]
        if before:
            was = past.get(same_group(key), Decimal(0))
            cells += [was, None if spent is None else subject.change(spent, was)]
        cost = costs.get(key, {})
        cells += [*_rates(rates[key]), cost.get("cost_per_verified"), cost.get("waste")]
        rows.append([*cells, *(parts.get(channel) for channel in channels)])
    first = [("Country", "text"), ("Code", "text")]
    if by == APPLICATION:
        first = [("Application", "text"), ("Id", "text")]
    columns: _Columns = [*first, (f"Spend, {currency}", "amount"), ("Share of spend", "percent")]
    if before:
        columns += [(f"Spend before, {currency}", "amount"), _change_heading(subject)]
    columns += [
        *_RATES,
        (f"Cost per verified session, {currency}", "price"),
        (f"Waste, {currency}", "amount"),
        *((f"{style.name(channel)}, {currency}", "amount") for channel in channels),
    ]
    return Sheet(name, columns, rows)


def _countries_by_channel(subject: Subject) -> Sheet:
    """A row for each country and first channel, to filter and to compare."""
    by = (*COUNTRY, *ENTRY_CHANNEL)
    costs = _by(subject.numbers, "cost_by_country_and_channel", by)
    rates = _by(subject.numbers, "success_by_country_and_channel", by)
    rows = [
        [
            *_country_cells(key[:1]),
            channel_name(key[1]),
            *_rates(rates[key]),
            costs.get(key, {}).get("total_charge"),
            costs.get(key, {}).get("cost_per_verified"),
            costs.get(key, {}).get("waste"),
        ]
        for key in sorted(rates, key=lambda key: (country(key[0]), style.place(key[1])))
    ]
    columns: _Columns = [
        ("Country", "text"),
        ("Code", "text"),
        ("First channel", "text"),
        *_RATES,
        (f"Spend of settled sessions, {subject.currency}", "amount"),
        (f"Cost per verified session, {subject.currency}", "price"),
        (f"Waste, {subject.currency}", "amount"),
    ]
    return Sheet("Countries by channel", columns, rows)


def _over_time(subject: Subject) -> Sheet | None:
    """A row a bucket: spend by channel, sessions, and what may be said of them."""
    numbers = subject.numbers
    if numbers.period is None:
        return None
    spent = {
        (row["channel"], instant(row["period"])): row["amount"]
        for row in numbers.rows("spend_by_period")
    }
    channels = sorted({channel for channel, _ in spent}, key=style.place)
    in_all = numbers.spent_by_period()
    by_channel = [
        # Where nothing was read, nothing is known of a channel either; else no line is zero.
        [
            None if whole is None else spent.get((channel, instant(start)), Decimal(0))
            for start, whole in zip(numbers.starts, in_all, strict=True)
        ]
        for channel in channels
    ]
    rows = [
        list(row)
        for row in zip(
            numbers.starts,
            in_all,
            *by_channel,
            numbers.by_period("success_by_period", "sessions", 0),
            numbers.by_period("success_by_period", "verified", 0),
            numbers.by_period("success_by_period", "success_rate"),
            numbers.by_period("cost_by_period", "cost_per_verified"),
            [str(known) for known in numbers.certainty()],
            strict=True,
        )
    ]
    word = numbers.period.bucket
    columns: _Columns = [
        (word.capitalize(), "time" if word == "hour" else "date"),
        (f"Spend, {subject.currency}", "amount"),
        *((f"{style.name(channel)}, {subject.currency}", "amount") for channel in channels),
        ("Sessions", "count"),
        ("Verified", "count"),
        ("Success rate", "percent"),
        (f"Cost per verified session, {subject.currency}", "price"),
        ("Known", "text"),
    ]
    return Sheet(f"By {word}", columns, rows)


def _definitions(subject: Subject) -> Sheet:
    rows = [[note.title, note.text] for note in used_notes(subject)]
    return Sheet(
        "Definitions",
        [("Term", "text"), ("Meaning", "text")],
        [*rows, *map(list, _TERMS)],
        wrapped=True,
    )


_RATES: _Columns = [
    ("Sessions", "count"),
    ("Settled", "count"),
    ("Verified", "count"),
    ("Success rate", "percent"),
]


def _rates(row: Row | None) -> list[Any]:
    """The values under the headings of ``_RATES``; a channel of no session has none."""
    names = ("sessions", "settled", "verified", "success_rate")
    return [row[name] if row else None for name in names]


def _by(numbers: Measures | None, table: str, by: Sequence[str]) -> dict[tuple[Any, ...], Row]:
    rows = numbers.rows(table) if numbers else []
    return {tuple(row[column] for column in by): row for row in rows}


def _share(amount: Decimal | None, whole: Decimal) -> Decimal | None:
    return amount / whole if amount is not None and whole else None


def _change_heading(subject: Subject) -> tuple[str, str]:
    return f"Change, {subject.currency}{' a day' if subject.per_day else ''}", "amount"


def _country_cells(key: tuple[Any, ...]) -> list[Any]:
    return [country(key[0]), key[0]]


def _application_cells(key: tuple[Any, ...]) -> list[Any]:
    uuid, alias = key
    return [clean(alias or uuid or "not given"), uuid]
