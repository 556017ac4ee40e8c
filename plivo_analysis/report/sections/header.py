"""The frame of the report: its title and facts, its definitions, and how to make it again."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from plivo_analysis.metrics.certainty import Certainty
from plivo_analysis.report.comparison import visible_percent
from plivo_analysis.report.countries import country
from plivo_analysis.system.versions import __version__
from plivo_analysis.templates.rendering import render
from plivo_analysis.values.typesetting import (
    DASH,
    clean,
    count,
    day,
    days,
    decimals,
    percent,
    percent_range,
    plain,
    plural,
    signed,
    weekday,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markupsafe import Markup

    from plivo_analysis.report.measures import Subject

_NO_LETTER = re.compile(r"[^a-z0-9]+")


class Footnote(NamedTuple):
    """A footnote: a word by which sections point to it, its title and its text.

    Example:
        >>> Footnote("waste", "Waste", "Spend of settled sessions that did not verify.").title
        'Waste'
    """

    word: str
    title: str
    text: str


NOTES = (
    Footnote(
        "spend",
        "Spend",
        "All sessions, open and expired too. Channel lines + validation + unallocated equal the "
        "billed totals to the last digit. A day is the day on which the session began.",
    ),
    Footnote(
        "session",
        "Session",
        "One recipient within the life of one code; it may hold several attempts.",
    ),
    Footnote(
        "cost",
        "Cost per verified",
        "Spend of settled sessions ÷ verified sessions. Settled: verified or expired.",
    ),
    Footnote("success", "Success rate", "Verified ÷ settled."),
    Footnote(
        "fallback",
        "Fallback rate",
        "Settled sessions with a change of channel ÷ those that can be judged; single attempts "
        "stay in. It says what happened, not who decided it.",
    ),
    Footnote("waste", "Waste", "Spend of settled sessions that did not verify."),
    Footnote(
        "rescue",
        "Rescue range",
        "Of the sessions that fell back. Lower: the entry channel reached nobody and another "
        "did, if delivery reports are right. Ring: the last channel used was another. Upper: "
        "fell back and verified.",
    ),
    Footnote(
        "interval",
        "95 % interval",
        "95 % confidence interval: Wilson's (1927) for rates, Newcombe's (1998) for changes of "
        "rates, a normal one for changes of the cost per verified. Counts and sums have none.",
    ),
    Footnote(
        "open",
        "Not final",
        "Two numbers: sessions that are open and may still verify, and sessions whose money has "
        "not arrived.",
    ),
    Footnote(
        "reconcile",
        "Does not add up",
        "Billed total ≠ sum of its lines. Shown, also when negative; never spread over channels.",
    ),
    Footnote(
        "coverage",
        "Coverage",
        "The hours of the period that were read whole. A record may still change as long as "
        "Plivo can update its status.",
    ),
    Footnote(
        "messages",
        "Message records",
        "Billed apart from sessions. One sent for a session may stand in both tables, so the two "
        "are never added.",
    ),
    Footnote(
        "journey",
        "Journey",
        "Sessions of one recipient in one application, each begun within half an hour of the one "
        "before, until one verifies. Settled: verified, or all of them expired. Not known where "
        "recipients are masked, because two may look alike.",
    ),
    Footnote(
        "bridge",
        "Price, volume, mix",
        "Bennet (1920), by entry channel and country. Price: the same sessions at other average "
        "prices. Volume: all groups growing alike. Mix: the groups' shares of all sessions. New "
        "and ended: groups that only one period has.",
    ),
    Footnote(
        "estimate",
        "Estimate",
        "From some pages of the account's list, read evenly over the period (Cochran 1977; Wolter "
        "2007; for rates Wilson 1927). Each interval is to hold the true number in the share of "
        "cases that is said. Not promised: that all hold at once; that a stretch shorter than the "
        "gap between two read pages is not missed.",
    ),
)

# How templates set the numbers, days and names that they are given.
_FORMATS = (
    clean,
    count,
    country,
    day,
    days,
    decimals,
    percent,
    percent_range,
    plain,
    plural,
    signed,
    visible_percent,
)


def section(name: str, subject: Subject, /, **values: Any) -> Markup:
    """A template of the report, filled in.

    Args:
        name: The template's name.
        subject: What the report is of; templates read it, its ``numbers``, the numbers of the
            footnotes (``notes``) and the functions of ``_FORMATS`` by their names.
        values: What the section adds to it.
    """
    formats = {function.__name__: function for function in _FORMATS}
    return render(
        f"report/{name}.html",
        subject=subject,
        numbers=subject.numbers,
        notes=note_numbers(used_notes(subject)),
        **formats,
        **values,
    )


def header(subject: Subject) -> Markup:
    """The title to the left, the facts to the right."""
    return section("header", subject, facts=facts(subject))


def facts(subject: Subject) -> list[tuple[str, str, str]]:
    """What the numbers are of: a term, a value and a remark each."""
    found = [
        ("Account", clean(subject.account) if subject.account else "", ""),
        ("Period", *_period(subject)),
        ("Compared with", *_before(subject)),
        ("Amounts", f"{subject.currency}, as billed", "currency declared by you"),
        ("Sessions read", count(subject.numbers.sessions.height), ""),
        ("Data read", *_data(subject)),
    ]
    return [fact for fact in found if fact[1]]


def definitions(subject: Subject) -> Markup:
    """The notes that this report uses, each under its number."""
    return section("definitions", subject, used=used_notes(subject))


def used_notes(subject: Subject) -> list[Footnote]:
    """The definitions of what this report shows."""
    # An estimate has a page of its own, which chooses its definitions itself.
    unused = {
        "coverage" if subject.coverage is None else "",
        "messages" if subject.messages is None else "",
        "bridge" if not subject.changes else "",
        "estimate",
    }
    return [note for note in NOTES if note.word not in unused]


def note_numbers(used: Sequence[Footnote]) -> dict[str, int]:
    """The number of each note that a report uses, by its word.

    Example:
        >>> note_numbers(NOTES[1:3])
        {'session': 1, 'cost': 2}
    """
    return {note.word: number for number, note in enumerate(used, start=1)}


def footer(subject: Subject) -> Markup:
    """A line of Python to the left, the version and two assurances to the right."""
    period = subject.numbers.period
    sessions = "sessions"
    options = ""
    if period and period.given:
        sessions = f'pva.load_sessions(since="{_iso(period.start)}", until="{_iso(period.end)}")'
        options = f', tz="{period.zone.key}"' if period.zone.key != "UTC" else ""
    if subject.currency != "USD":
        options += f', currency="{subject.currency}"'
    # A title may hold quotes and slashes, and this line is to be run.
    name = _NO_LETTER.sub("-", subject.title.lower()).strip("-") or "report"
    code = f'pva.cost_report({sessions}, "{name[:40]}.html"{options})'
    return section("footer", subject, code=code, version=__version__)


def _period(subject: Subject) -> tuple[str, str]:
    period = subject.numbers.period
    if period is None:
        return "", ""
    # Nothing says that a period was whole if it was read off the sessions.
    how = period.length if period.given else f"{period.length}, from first to last session"
    return period.bounds, how


def _before(subject: Subject) -> tuple[str, str]:
    period = subject.before.period if subject.before else None
    if period is None:
        return "nothing", "the period before was not given"
    dates = f"{day(period.start)} {DASH} {day(period.last)}"
    if not subject.per_day:
        return dates, subject.before_name
    return dates, f"{subject.before_name}; {period.length}, so changes are per day"


def _data(subject: Subject) -> tuple[str, str]:
    read = [row["read_at"] for row in subject.coverage or [] if row["read_at"]]
    complete = subject.numbers.complete
    if not read:
        return "", ""
    last = max(read).astimezone(UTC)
    states = {row["state"] for row in subject.coverage or []}
    whole = "complete, the newest part still live" if "live" in states else "complete"
    if complete.counts is not Certainty.EXACT:
        whole = f"not complete: {', '.join(complete.reasons)}"
    return f"{weekday(last)} {last:%Y %H:%M} UTC · {whole}", ""


def _iso(at: datetime) -> str:
    instant = at.astimezone(UTC).replace(tzinfo=None)
    # A date is short, and the loaders read it as this very instant.
    whole_day = not (instant.hour or instant.minute or instant.second or instant.microsecond)
    return f"{instant:%Y-%m-%d}" if whole_day else instant.isoformat() + "Z"
