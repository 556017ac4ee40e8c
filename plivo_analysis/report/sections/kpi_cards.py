"""Six headline numbers: four exact ones with their course, two rates with their interval."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from plivo_analysis.report import drawing, sparklines
from plivo_analysis.report.change import absolute, newcombe, points, points_range, relative
from plivo_analysis.report.footnotes import ref
from plivo_analysis.report.html import Child, Markup, join, tag
from plivo_analysis.values.typesetting import count, day, percent, percent_range, plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from plivo_analysis.report.subject import Subject

_WIDTH = 148
_SIZES = ((13, "longest"), (9, "long"))  # letters that a cell has no room for

_Row = dict[str, Any]


class _Exact(NamedTuple):
    """A number without an interval, set to be read."""

    shown: str
    kind: str
    course: Sequence[Decimal | int | None]
    change: str | None = None
    by: str = ""
    was: str = ""
    mean: Decimal | None = None  # of the period before, a bucket


def cells(subject: Subject) -> Markup:
    """The row of cells and the line that explains them."""
    row = tag(
        "div",
        _cell(subject, "Spend", "spend", _spend(subject)),
        _cell(subject, "Sessions", "session", _sessions(subject)),
        _cell(subject, "Cost per verified", "cost", _cost(subject)),
        _cell(subject, "Waste", "waste", _waste(subject)),
        _rate(subject, "Success rate", "success", whole="settled"),
        _rate(subject, "Fallback rate", "fallback", whole="sessions"),
        class_="cells",
    )
    return tag("section", row, _legend(subject))


def _spend(subject: Subject) -> _Exact:
    numbers, before = subject.numbers, subject.before
    missing = numbers.without_total
    number = _Exact(
        subject.money(numbers.spent),
        f"at least · {plural(missing, 'total')} missing" if missing else "exact",
        numbers.spent_by_period(),
    )
    if before is None or missing == numbers.sessions.height:
        return number
    return _beside(subject, number, numbers.spent, before.spent)


def _sessions(subject: Subject) -> _Exact:
    numbers, before = subject.numbers, subject.before
    total, still = numbers.sessions.height, numbers.total("success")["open"]
    counts = numbers.by_period("success_by_period", "sessions")
    kind = f"exact · {count(still)} still open" if still else "exact"
    number = _Exact(count(total), kind, [value or 0 for value in counts])
    if before is None:
        return number
    past = before.sessions.height
    change, was = relative(total, past), f" · was {count(past)}"
    return number._replace(change=change, was=was, mean=_mean(Decimal(past), subject))


def _cost(subject: Subject) -> _Exact:
    cost = subject.numbers.total("cost")
    price, direct = cost["cost_per_verified"], cost["direct_cost_per_verified"]
    number = _Exact(
        subject.price(price),
        f"{_kind(cost)} · {subject.price(direct)} direct" if price is not None else "none known",
        subject.numbers.by_period("cost_by_period", "cost_per_verified"),
    )
    past = subject.before.total("cost")["cost_per_verified"] if subject.before else None
    if past is None:
        return number
    kind, was = number.kind.split(" · ")[0], f" · was {subject.price(past)}"
    return number._replace(change=relative(price, past), kind=kind, was=was, mean=past)


def _waste(subject: Subject) -> _Exact:
    cost = subject.numbers.total("cost")
    share = f" · {percent(cost['waste_share'])} of settled" if cost["waste_share"] else ""
    number = _Exact(
        subject.money(cost["waste"]),
        _kind(cost) + share if cost["waste"] is not None else "none known",
        subject.numbers.by_period("cost_by_period", "waste"),
    )
    past = subject.before.total("cost")["waste"] if subject.before else None
    return number if past is None else _beside(subject, number, cost["waste"], past)


def _beside(subject: Subject, number: _Exact, now: Decimal | None, past: Decimal) -> _Exact:
    return number._replace(
        kind=number.kind.split(" · ")[0],
        change=relative(now, past),
        by=f" ({absolute(now, past, subject.money)})",
        was=f" · was {subject.money(past)}",
        mean=_mean(past, subject),
    )


def _mean(total: Decimal, subject: Subject) -> Decimal | None:
    buckets = len(subject.before.starts()) if subject.before else 0
    return total / buckets if buckets else None


def _kind(cost: _Row) -> str:
    return "at least" if cost["unpriced"] else "exact"


def _cell(subject: Subject, title: str, note: str, number: _Exact) -> Markup:
    moved = None
    if number.change is not None:
        moved = join((tag("strong", number.change), tag("span", number.by, class_="grey")))
    return tag(
        "div",
        tag("p", title, ref(note), class_="name"),
        _now(number.shown),
        tag("p", moved, class_="moved") if subject.before else None,
        _course(subject, number, title),
        tag("p", f"{number.kind}{number.was}", class_="kind"),
    )


def _now(shown: str) -> Markup:
    """The number itself, the longer the smaller."""
    size = next((word for over, word in _SIZES if len(shown) > over), None)
    return tag("p", shown, class_=f"now {size}" if size else "now")


def _course(subject: Subject, number: _Exact, title: str) -> Markup:
    period = subject.numbers.period
    if period is None:
        return tag("div", class_="course")
    said = f"{title} by {period.bucket}"
    drawn = sparklines.spark(number.course, mean=number.mean, said=said)
    return tag("div", drawn, _ends(day(period.start), day(period.last)), class_="course")


def _ends(first: str, last: str) -> Markup:
    return tag("p", tag("span", first), tag("span", last), class_="ends")


def _rate(subject: Subject, title: str, table: str, *, whole: str) -> Markup:
    rate = f"{table}_rate"
    now = subject.numbers.total(table)
    then = subject.before.total(table) if subject.before else None
    was = f" · was {percent(then[rate])}" if then and then[rate] is not None else ""
    of = f" of {count(now[whole])}" if not was else ""
    interval = percent_range(now[f"{rate}_low"], now[f"{rate}_high"])
    return tag(
        "div",
        tag("p", title, ref(table), class_="name"),
        _now(percent(now[rate])),
        _moved(now, then, rate) if then else None,
        _interval(now, then, rate, title),
        tag("p", f"{interval}{of}{was}" if now[whole] else "of none", class_="kind"),
    )


def _moved(now: _Row, then: _Row, rate: str) -> Markup:
    difference = newcombe(now, then, rate)
    if difference is None:
        return tag("p", class_="moved")
    return tag(
        "p",
        tag("strong", points(difference)),
        tag("span", f" ({points_range(difference)})", class_="grey"),
        class_="moved accent" if difference.beyond_chance else "moved",
    )


def _interval(now: _Row, then: _Row | None, rate: str, title: str) -> Markup:
    drawn = [_bounds(row, rate) for row in (now, then) if row and row[rate] is not None]
    if not drawn or now[rate] is None:
        return tag("div", class_="course")
    low, high = drawing.round_ends([bound for bounds in drawn for bound in bounds])
    past = drawn[1] if len(drawn) > 1 else None
    said = f"{title} {percent(now[rate])}, interval {percent_range(*drawn[0][1:])}"
    mark = drawing.estimate(drawn[0], (low, high), _WIDTH, shade=None, said=said, past=past)
    ends = _ends(percent(low, 0), percent(high, 0))
    return tag("div", mark, ends, class_="course rate")


def _bounds(row: _Row, rate: str) -> tuple[float, float, float]:
    return row[rate], row[f"{rate}_low"], row[f"{rate}_high"]


def _legend(subject: Subject) -> Markup:
    key: list[Child] = [_key("", "this period, 95\u202f% interval")]
    if subject.before:
        key.append(_key("past", f"{subject.interval} (money: its mean)"))
    colour = "A change is printed in colour where its own 95\u202f% interval excludes zero."
    right = (
        join((colour, ref("interval")))
        if subject.before
        else join(
            (
                "A line through a dot is the interval of a rate; money and counts have none.",
                ref("interval"),
            )
        )
    )
    return tag("p", tag("span", *key), tag("span", right), class_="legend")


def _key(class_: str, said: str) -> Markup:
    mark = tag(
        "svg",
        tag("line", x1=0, x2=24, y1=5, y2=5, stroke="currentColor", stroke_width=1.4),
        tag("circle", cx=12, cy=5, r=3, fill="currentColor"),
        viewBox="0 0 24 10",
        width=24,
        height=10,
        class_=class_ or None,
        aria_hidden="true",
    )
    return tag("span", mark, said, class_="key")
