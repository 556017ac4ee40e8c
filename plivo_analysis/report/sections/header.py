"""The frame of the report: its title and facts, its definitions, and how to make it again.

``section`` makes a section of a function and the template of its name.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import wraps
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from plivo_analysis.figures import style, svg
from plivo_analysis.metrics.certainty import Certainty
from plivo_analysis.report.comparison import visible_percent
from plivo_analysis.report.countries import country
from plivo_analysis.system.versions import __version__
from plivo_analysis.templates.rendering import names_of, render
from plivo_analysis.values.typesetting import DASH, clean, count, day, weekday

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from plivo_analysis.report.subject import Subject

_NO_LETTER = re.compile(r"[^a-z0-9]+")

Note = dict[str, str]
"""A definition: the ``word`` by which sections point to it, its ``title`` and its ``text``."""


def section(
    values: Callable[[Subject], dict[str, Any] | None],
) -> Callable[[Subject], Markup]:
    """A section of the report: what a function gives, in the template of the function's name.

    The template also reads ``subject``, its ``numbers``, the numbers of the definitions as
    ``notes``, ``country``, ``visible_percent`` and the modules ``style`` and ``svg``. Where the
    function gives None, there is no section.
    """

    @wraps(values)
    def shown(subject: Subject) -> Markup:
        found = values(subject)
        if found is None:
            return Markup()
        return render(
            f"report/{values.__name__}.html",
            subject=subject,
            numbers=subject.numbers,
            notes=note_numbers(used_notes(subject)),
            country=country,
            style=style,
            svg=svg,
            visible_percent=visible_percent,
            **found,
        )

    return shown


@section
def header(subject: Subject) -> dict[str, Any]:
    """The title to the left, the facts to the right."""
    return {"facts": facts(subject)}


def facts(subject: Subject) -> list[tuple[str, str, str]]:
    """What the numbers are of: a term, a value and a remark each."""
    numbers, spans = subject.numbers, subject.coverage or []
    period, before = numbers.period, subject.before and subject.before.period
    found = [("Account", clean(subject.account or ""), "")]
    if period:
        # Nothing says that a period was whole if it was read off the sessions.
        how = period.length if period.given else f"{period.length}, from first to last session"
        found.append(("Period", period.bounds, how))
    if before:
        days = f"{day(before.start)} {DASH} {day(before.last)}"
        per_day = f"; {before.length}, so changes are per day" if subject.per_day else ""
        found.append(("Compared with", days, subject.before_name + per_day))
    else:
        found.append(("Compared with", "nothing", "the period before was not given"))
    found.append(("Amounts", f"{subject.currency}, as billed", "currency declared by you"))
    found.append(("Sessions read", count(numbers.sessions.height), ""))
    if read := [row["read_at"] for row in spans if row["read_at"]]:
        live = any(row["state"] == "live" for row in spans)
        whole = "complete, the newest part still live" if live else "complete"
        if numbers.complete.counts is not Certainty.EXACT:
            whole = f"not complete: {', '.join(numbers.complete.reasons)}"
        last = max(read).astimezone(UTC)
        found.append(("Data read", f"{weekday(last)} {last:%Y %H:%M} UTC · {whole}", ""))
    return [fact for fact in found if fact[1]]


@section
def definitions(subject: Subject) -> dict[str, Any]:
    """The notes that this report uses, each under its number."""
    return {"used": used_notes(subject)}


def used_notes(subject: Subject) -> list[Note]:
    """The definitions of what this report shows."""
    unused = {
        "coverage" if subject.coverage is None else "",
        "messages" if subject.messages is None else "",
        "bridge" if not subject.changes else "",
        "estimate",
    }
    return [note for note in all_notes() if note["word"] not in unused]


def all_notes() -> list[Note]:
    """Every definition, in the order of the numbers; the texts stand in a template."""
    notes: list[Note] = names_of("report/notes.html").notes
    return notes


def note_numbers(used: Collection[Note]) -> dict[str, int]:
    """The number of each note that a report uses, by its word.

    Example:
        >>> note_numbers(all_notes()[1:3])
        {'session': 1, 'cost': 2}
    """
    return {note["word"]: number for number, note in enumerate(used, start=1)}


@section
def footer(subject: Subject) -> dict[str, Any]:
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
    return {"code": code, "version": __version__}


def _iso(at: datetime) -> str:
    instant = at.astimezone(UTC).replace(tzinfo=None)
    # A date is short, and the loaders read it as this very instant.
    whole_day = not (instant.hour or instant.minute or instant.second or instant.microsecond)
    return f"{instant:%Y-%m-%d}" if whole_day else instant.isoformat() + "Z"
