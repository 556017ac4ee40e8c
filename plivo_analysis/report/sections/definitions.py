"""What the numbers mean: the footnotes that the report points to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plivo_analysis.report.footnotes import NOTES, Footnote
from plivo_analysis.report.html import Markup, section, tag

if TYPE_CHECKING:
    from plivo_analysis.report.subject import Subject


def definitions(subject: Subject) -> Markup:
    """The notes that this report uses, each under its number."""
    unused = {
        "coverage" if subject.coverage is None else "",
        "messages" if subject.messages is None else "",
    }
    notes = (
        _note(number, note) for number, note in enumerate(NOTES, start=1) if note.word not in unused
    )
    return section("What the numbers mean", tag("ol", *notes), class_="definitions")


def _note(number: int, note: Footnote) -> Markup:
    return tag("li", tag("b", note.title), f" {note.text}", id=f"note-{number}", value=number)
