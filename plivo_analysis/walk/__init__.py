"""The walk over a range of time: which request next, and when the range is complete.

It asks nothing itself. A ``Ladder`` gives the next ``Query``, is handed what came back as
``Seen``, and says what is covered; whoever drives it does the asking and the keeping. That is
why it can be tried against thousands of imagined servers in a second.

Offsets are not used to page: newest first, with rows arriving at the head and leaving at the
tail, an offset names another row from one request to the next, and rows are lost in silence.
``seek`` moves by time instead, with a witness; ``bisect`` needs no order; ``ties`` reads what
no bound can part. ``ladder`` goes from one to the next when a server gives cause for doubt.
"""

from plivo_analysis.walk.ladder import GRIDS, Ladder
from plivo_analysis.walk.place import read_back, written
from plivo_analysis.walk.steps import PAGE_ROWS, Doubt, Query, Seen

__all__ = ["GRIDS", "PAGE_ROWS", "Doubt", "Ladder", "Query", "Seen", "read_back", "written"]
