"""How a service may depart from its documentation when it lists: one knob for each way.

The knobs are independent and may be combined. With none turned the answers are those of
``listing``. Which of them the real service shows is unknown.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Behaviour:
    """The knobs. The default of each is the documented behaviour.

    Example:
        >>> Behaviour() == Behaviour()
        True
    """
