"""One JSON value as one text: compact, keys sorted, numbers to the last digit.

Equal content gives equal text whatever the order of the keys, so that the text can be hashed
and compared. It is ASCII: a lone surrogate or a NUL, which JSON allows and neither UTF-8
files nor SQLite do, stays an escape.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

_FAST = json.JSONEncoder(
    allow_nan=False, check_circular=False, sort_keys=True, separators=(",", ":")
)


def canonical(value: Any) -> str:
    """The JSON text of a value as the strict parser gives it.

    Args:
        value: Objects, lists, text, integers, ``Decimal``, booleans and ``None``.

    Returns:
        The text. `plivo_analysis.parsing.pages.parse_json` gives the value back.

    Example:
        >>> canonical({"b": [1, None], "a": Decimal("0.0800")})
        '{"a":0.0800,"b":[1,null]}'
    """
    try:
        return _FAST.encode(value)
    except (TypeError, ValueError, RecursionError):  # a Decimal, not finite, or nested deeply
        return _written(value)


def _written(value: Any) -> str:
    """The same text without the standard encoder, which knows no Decimal.

    It keeps its own stack, since the depth is the sender's choice.
    """
    parts: list[str] = []
    waiting: list[tuple[str, Any]] = [("", value)]
    while waiting:
        before, item = waiting.pop()
        parts.append(before)
        if item is _NOTHING:
            continue
        if isinstance(item, dict):
            parts.append("{")
            names = sorted(item)
            members = [(f"{json.dumps(name)}:", item[name]) for name in names]
            waiting.append(("}", _NOTHING))
        elif isinstance(item, list):
            parts.append("[")
            members = [("", member) for member in item]
            waiting.append(("]", _NOTHING))
        else:
            parts.append(_scalar(item))
            continue
        waiting.extend((f",{lead}", member) for lead, member in reversed(members[1:]))
        waiting.extend(members[:1])
    return "".join(parts)


_NOTHING = object()


def _scalar(value: Any) -> str:
    if isinstance(value, Decimal) and value.is_finite():
        return str(value)
    return json.dumps(value if value is None or isinstance(value, int | str) else str(value))


def measure(value: Any) -> tuple[int, int, int]:
    """How deep a JSON value is nested, and how long its longest text and its longest list are.

    Args:
        value: As for `canonical`.

    Returns:
        The depth (0 for a bare text or number), the characters of the longest text, names
        of fields included, and the members of the longest list or object.

    Example:
        >>> measure({"name": ["a", "bcd"]})
        (2, 4, 2)
    """
    deepest = longest = most = 0
    waiting = [(value, 0)]
    while waiting:
        item, depth = waiting.pop()
        if isinstance(item, str):
            longest = max(longest, len(item))
            continue
        if isinstance(item, dict):
            longest = max(longest, *map(len, item), 0)
            inside: Any = item.values()
        elif isinstance(item, list):
            inside = item
        else:
            continue
        deepest, most = max(deepest, depth + 1), max(most, len(item))
        waiting.extend((member, depth + 1) for member in inside)
    return deepest, longest, most
