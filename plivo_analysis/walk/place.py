"""A walk as text: all that it knows, so that another process goes on exactly where it stood.

Only plain data makes up a walk, and what may stand in the text is a closed list of kinds. A
release that kept other things of a walk than this one is told from the fields' names.
"""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

from plivo_analysis.spans import Span
from plivo_analysis.walk.bisect import Bisect
from plivo_analysis.walk.ladder import Ladder
from plivo_analysis.walk.seek import Page, Seek
from plivo_analysis.walk.steps import Query
from plivo_analysis.walk.ties import Ties

_KINDS = {kind.__name__: kind for kind in (Bisect, Ladder, Page, Query, Seek, Span, Ties)}
_SET = "set"


def written(ladder: Ladder) -> str:
    """A walk as text.

    Example:
        >>> written(Ladder(Span(0, 5)))[:35]
        '{"Ladder":{"span":{"Span":{"start":'
    """
    return json.dumps(ladder, default=_plain, separators=(",", ":"))


def read_back(text: str) -> Ladder | None:
    """The walk that a text is of; None where another release wrote it.

    Example:
        >>> read_back(written(Ladder(Span(0, 5)))) == Ladder(Span(0, 5))
        True
        >>> read_back('{"Ladder":{}}') is None
        True
    """
    try:
        ladder = json.loads(text, object_hook=_made)
    except _StrangeError:
        return None
    return ladder if isinstance(ladder, Ladder) else None


class _StrangeError(ValueError):
    """The fields are not those of this release."""


def _plain(value: Any) -> dict[str, Any]:
    if isinstance(value, frozenset):
        return {_SET: sorted(value)}
    return {
        type(value).__name__: {field.name: getattr(value, field.name) for field in fields(value)}
    }


def _made(plain: dict[str, Any]) -> Any:
    """What a tagged value stands for; a table of rows, or the fields of a kind, stays one."""
    name, inner = next(iter(plain.items()), ("", None))
    if len(plain) > 1 or not isinstance(inner, (dict, list)):
        return plain
    if name == _SET:
        return frozenset(inner)
    kind = _KINDS.get(name)
    if kind is None or not isinstance(inner, dict):
        return plain
    if inner.keys() != {field.name for field in fields(kind)}:
        raise _StrangeError
    made = object.__new__(kind)
    for field, value in inner.items():
        object.__setattr__(made, field, value)  # of a frozen kind too
    return made
