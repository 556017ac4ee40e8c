"""Pacing: every request waits here for its turn, so that the account's limit is never met.

The rules are :mod:`plivo_analysis.pacing.pace`; this room adds what they need to be lived by.
``limiter`` waits, by a clock. ``ledger`` says where the state of the pace lies, and keeps it in
memory; ``shared`` keeps it in a file for every process of the account; ``accounts`` decides
which of them an account has, and that two clients of one account have the same.
"""

from plivo_analysis.pacing.accounts import account_limiter
from plivo_analysis.pacing.ledger import Ledger, MemoryLedger
from plivo_analysis.pacing.limiter import MINUTE, Limiter, Slot
from plivo_analysis.pacing.shared import SharedLedger

__all__ = [
    "MINUTE",
    "Ledger",
    "Limiter",
    "MemoryLedger",
    "SharedLedger",
    "Slot",
    "account_limiter",
]
