"""The head of the report: its title, and the facts that frame every number below."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plivo_analysis.report.footnotes import ref
from plivo_analysis.report.html import Child, Markup, join, tag
from plivo_analysis.values.typesetting import DASH, clean, count, day, weekday

if TYPE_CHECKING:
    from plivo_analysis.report.subject import Subject


def header(subject: Subject) -> Markup:
    """The title to the left, the facts to the right."""
    name = tag("div", tag("p", "Plivo Verify · cost report"), tag("h1", subject.title))
    facts = join(
        join((tag("dt", term), tag("dd", value))) for term, value in _facts(subject) if value
    )
    return tag("header", name, tag("dl", facts))


def _facts(subject: Subject) -> list[tuple[str, Child]]:
    numbers, before = subject.numbers, subject.before
    return [
        ("Account", subject.account and clean(subject.account)),
        ("Period", _period(subject)),
        ("Compared with", _before(subject) if before else None),
        ("Amounts", join((f"{subject.currency}, as billed ", _grey("(currency declared by you)")))),
        ("Sessions read", count(numbers.sessions.height)),
        ("Data read", _read(subject)),
    ]


def _period(subject: Subject) -> Markup | None:
    period = subject.numbers.period
    if period is None:
        return None
    how = period.length if period.given else f"{period.length}, from first to last session"
    return join((f"{period.said} ", _grey(f"({how})")))


def _before(subject: Subject) -> Markup | None:
    period = subject.before.period if subject.before else None
    if period is None:
        return None
    said = f"{day(period.start)} {DASH} {day(period.last)} "
    return join((said, _grey(f"({subject.interval})")))


def _read(subject: Subject) -> Markup | None:
    read = [row["read_at"] for row in subject.coverage or [] if row.get("read_at")]
    if not read:
        return None
    last = max(read)
    missing = any(row["state"] in {"missing", "expired"} for row in subject.coverage or [])
    whole = "not complete" if missing else "complete"
    return join((f"{weekday(last)} {last:%Y %H:%M} UTC · {whole}", ref("coverage")))


def _grey(text: str) -> Markup:
    return tag("span", text, class_="grey")
