"""What every number means: the footnotes, numbered in the order they are listed.

Kept apart from the section that prints them because every other section points to them.
"""

from __future__ import annotations

from typing import NamedTuple

from plivo_analysis.report.html import Markup, tag


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
        "Wilson (1927); for changes Newcombe (1998). Chance alone would move the rate about "
        "this much. Counts and money are exact and have none.",
    ),
    Footnote(
        "open",
        "Not final",
        "Sessions that may still verify, or whose money has not arrived.",
    ),
    Footnote(
        "reconcile",
        "Does not add up",
        "Billed total ≠ sum of its lines. Shown, also when negative; never spread over channels.",
    ),
    Footnote(
        "coverage",
        "Coverage",
        "The hours of the period that were read whole.",
    ),
    Footnote(
        "messages",
        "Message records",
        "Billed apart from sessions. One sent for a session may stand in both tables, so the two "
        "are never added.",
    ),
)
_NUMBERS = {note.word: number for number, note in enumerate(NOTES, start=1)}


def ref(word: str) -> Markup:
    """The number of a footnote, as a link to it.

    Example:
        >>> ref("cost")
        '<sup><a href="#note-3">3</a></sup>'
    """
    number = _NUMBERS[word]
    return tag("sup", tag("a", number, href=f"#note-{number}"))
