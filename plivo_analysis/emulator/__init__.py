"""A Plivo account on loopback, for demonstrations and tests.

It answers as the API's documentation says, over real sockets, from data made of a seed; knobs
make it depart from the documentation in every way that a client should survive. Standard
library only, and nothing shared with the package that it tests: two readings of one
documentation check each other.

The credentials are fixed and no secret.

Example:
    >>> with Server(Account.of()) as server:
    ...     server.url.startswith("http://127.0.0.1:")
    True
"""

from plivo_analysis.emulator.account import AUTH_TOKEN, Account
from plivo_analysis.emulator.expected import ExpectedResults
from plivo_analysis.emulator.expected_deliveries import ExpectedDeliveries
from plivo_analysis.emulator.faults import Fault
from plivo_analysis.emulator.generator import generate
from plivo_analysis.emulator.limiters import FixedWindow, SlidingWindow, TokenBucket
from plivo_analysis.emulator.misbehaviour import Behaviour
from plivo_analysis.emulator.server import Request, Server
from plivo_analysis.emulator.traffic_model import AUTH_ID

__all__ = [
    "AUTH_ID",
    "AUTH_TOKEN",
    "Account",
    "Behaviour",
    "ExpectedDeliveries",
    "ExpectedResults",
    "Fault",
    "FixedWindow",
    "Request",
    "Server",
    "SlidingWindow",
    "TokenBucket",
    "generate",
]
