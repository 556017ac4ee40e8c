"""Transport: one request to the API, paced, timed, tried again where that helps.

The only room that knows an HTTP library. Inside it, from the wire upwards:

- ``reading``: a response read within a deadline and a size, until it is cancelled
- ``wire``: one exchange with the server, with nobody else's settings
- ``faults``: what went wrong, in the errors of this package
- ``retries``: what to do about it
- ``calling``: the loop that joins them
"""

from __future__ import annotations

from plivo_analysis.clock import Cancelled
from plivo_analysis.transport.calling import Answer, Transport
from plivo_analysis.transport.credentials import Secret

__all__ = ["Answer", "Cancelled", "Secret", "Transport"]
