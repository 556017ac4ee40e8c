"""The pull: from a question to everything that the account has to say to it, kept.

``pull`` decides what has to be asked: what is missing, what is late, what is not final.
``reader`` asks one range at a time, driving a walk over the wire and keeping each page.
``refresh`` reads again what may have changed. ``coverage`` says what is known of a range.
"""

from plivo_analysis.pull.coverage import Stretch, stretches
from plivo_analysis.pull.pull import Pulled, Question, answers, pull
from plivo_analysis.pull.reader import RETENTION
from plivo_analysis.pull.single import read_one_record

__all__ = [
    "RETENTION",
    "Pulled",
    "Question",
    "Stretch",
    "answers",
    "pull",
    "read_one_record",
    "stretches",
]
