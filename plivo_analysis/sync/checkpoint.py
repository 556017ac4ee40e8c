"""A walk as text: all that it knows, so that another process goes on exactly where it stood.

Only plain data makes up a walk, and what may stand in the text is a closed list of kinds. A
release that kept other things of a walk than this one is told from the fields' names.
"""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

from plivo_analysis.sync.bisection import Bisection
from plivo_analysis.sync.keyset_paging import KeysetPaging, SeekPage
from plivo_analysis.sync.paginator import Paginator
from plivo_analysis.sync.steps import PageRequest
from plivo_analysis.sync.ties import Ties
from plivo_analysis.values.spans import Span

_KINDS = {
    kind.__name__: kind
    for kind in (Bisection, Paginator, SeekPage, PageRequest, KeysetPaging, Span, Ties)
}
_SET = "set"


def checkpoint_text(ladder: Paginator) -> str:
    """A walk as text.

    Example:
        >>> checkpoint_text(Paginator(Span(0, 5)))[:38]
        '{"Paginator":{"span":{"Span":{"start":'
    """
    return json.dumps(ladder, default=_plain, separators=(",", ":"))


def paginator_of(text: str) -> Paginator | None:
    """The walk that a text is of; None where another release wrote it.

    Example:
        >>> paginator_of(checkpoint_text(Paginator(Span(0, 5)))) == Paginator(Span(0, 5))
        True
        >>> paginator_of('{"Paginator":{}}') is None
        True
    """
    try:
        ladder = json.loads(text, object_hook=_made)
    except _StrangeError:
        return None
    return ladder if isinstance(ladder, Paginator) else None


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
