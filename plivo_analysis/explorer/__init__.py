"""Widgets that drive the filters: choose, load, look, take the code along.

``panel`` is what both explorers share. The rail is made of ``fields`` and ``dates``;
``outlook`` says what a load will cost, ``loading`` does it, ``worker`` gives it a thread and
``watching`` tells how far it is. What was loaded is in ``kept``; ``views`` draw it on a
``stage``, and each is counted and written as code by one call of ``source``.
"""

from plivo_analysis.explorer.messages import MessageExplorer
from plivo_analysis.explorer.sessions import SessionExplorer

__all__ = ["MessageExplorer", "SessionExplorer"]
