"""Load sessions and messages: filtered pages of the API as one dataframe.

A loader checks its arguments, has the missing pages pulled into the store, and answers from
the store. An empty table therefore means that the account has no such records; whatever else
could have emptied it is an error.

``load`` holds the loaders, ``receipts`` what the store says of itself, ``answer`` the way from
a question to a table, and ``arguments`` the checks that all of them share.
"""

from plivo_analysis.loaders.answer import shortfall, stored
from plivo_analysis.loaders.load import load_messages, load_session, load_sessions
from plivo_analysis.loaders.receipts import coverage, issues

__all__ = [
    "coverage",
    "issues",
    "load_messages",
    "load_session",
    "load_sessions",
    "shortfall",
    "stored",
]
