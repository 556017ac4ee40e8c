"""JSON, strictly: bytes → values to the last digit, and a value → its one canonical text.

Strict, because a body that two readers could understand differently proves nothing: UTF-8, no
NaN, no name twice in one object, fractions as ``Decimal``. Nor may it be far beyond any page in
values: the limit on a body's bytes alone would let a few bytes become a gigabyte of objects.

The canonical text is compact, with sorted keys. Equal content gives equal text, so that it can
be hashed and compared. It is ASCII: a lone surrogate or a NUL, which JSON allows and neither
UTF-8 files nor SQLite do, stays an escape.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn

import msgspec

from plivo_analysis.errors import BadResponseError

REMEDY = "Try again in a minute; if it stays so, check the base URL (PLIVO_API_URL)."
_MOST_VALUES = 200_000  # twenty sessions of a thousand attempts have fewer
_ENCODER = msgspec.json.Encoder(order="sorted", decimal_format="number")
_TO_ESCAPE = re.compile(r"[^ -~]")
_DELETE = "\x7f"
_END = object()


def parse_json(body: bytes) -> object:
    """JSON, strictly: a body that two readers could understand differently is refused.

    Args:
        body: The bytes of an answer, in UTF-8, with or without a byte order mark.

    Returns:
        Objects as dicts, lists, text, integers, fractions as ``Decimal`` to the last digit,
        booleans and ``None``.

    Raises:
        BadResponseError: It is no JSON: empty, a web page, cut off, not UTF-8; or it holds
            NaN, an infinity, a name twice in one object, a number without bounds, nesting
            without bounds or more values than any page.

    Example:
        >>> parse_json(b'{"charge": 0.0800}')
        {'charge': Decimal('0.0800')}
    """
    # Before parsing, which would make the objects: no value comes without one of these signs.
    if len(body) > _MOST_VALUES and sum(map(body.count, (b",", b"{", b"["))) > _MOST_VALUES:
        raise BadResponseError(f"The answer holds more values than any page. {REMEDY}")
    try:
        text = body.decode("utf-8-sig")
        return json.loads(
            text,
            parse_float=_fraction,
            parse_constant=_no_constant,
            object_pairs_hook=_object,
        )
    except UnicodeDecodeError:
        reason = "The answer is not UTF-8 text."
    except json.JSONDecodeError as error:
        reason = _what_it_is(text, error)
    except RecursionError:
        reason = "The answer is nested without end."
    except ValueError as error:  # ours below, or an integer of thousands of digits
        reason = str(error) if isinstance(error, _RefusedError) else "A number is too long."
    raise BadResponseError(f"{reason} {REMEDY}")


class _RefusedError(ValueError):
    """JSON that the standard parser takes and we do not."""


def _fraction(digits: str) -> Decimal:
    try:
        return Decimal(digits)
    except InvalidOperation:
        raise _RefusedError("The answer holds a number beyond any range.") from None


def _no_constant(word: str) -> NoReturn:
    raise _RefusedError(f"The answer holds {word}, which is no JSON.")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _RefusedError("The answer holds an object with a name twice.")
    return found


def _what_it_is(text: str, error: json.JSONDecodeError) -> str:
    start = text.lstrip()[:1]
    if not start:
        return "The answer is empty."
    if start == "<":
        return "The answer is a web page, not JSON; a proxy or a log-in may stand in between."
    return f"The answer is not JSON, or was cut off (character {error.pos} of {len(text)})."


def canonical(value: Any) -> str:
    """The JSON text of a value as the strict parser gives it.

    Args:
        value: Objects, lists, text, integers, ``Decimal``, booleans and ``None``.

    Returns:
        The text. `parse_json` gives the value back.

    Example:
        >>> canonical({"b": [1, None], "a": Decimal("0.0800")})
        '{"a":0.0800,"b":[1,null]}'
    """
    try:
        text = _ENCODER.encode(value).decode()
    except (UnicodeEncodeError, RecursionError):  # half of a pair of surrogates; nested deeply
        return _written(value)
    # Nearly always. Of ASCII the encoder leaves one sign bare that `json`, and so `_written`,
    # escapes: both have to give one text for one value.
    if text.isascii() and _DELETE not in text:
        return text
    return _TO_ESCAPE.sub(lambda sign: json.dumps(sign[0])[1:-1], text)


def _written(value: Any) -> str:
    """The same text without the encoder, for what it refuses.

    It keeps its own stack, since the depth is the sender's choice.
    """
    parts: list[str] = []
    waiting: list[tuple[str, Any]] = [("", value)]
    while waiting:
        before, item = waiting.pop()
        parts.append(before)
        if item is _END:
            continue
        if isinstance(item, dict):
            parts.append("{")
            names = sorted(item)
            members = [(f"{json.dumps(name)}:", item[name]) for name in names]
            waiting.append(("}", _END))
        elif isinstance(item, list):
            parts.append("[")
            members = [("", member) for member in item]
            waiting.append(("]", _END))
        else:
            parts.append(_scalar(item))
            continue
        waiting.extend((f",{lead}", member) for lead, member in reversed(members[1:]))
        waiting.extend(members[:1])
    return "".join(parts)


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
