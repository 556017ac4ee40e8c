"""What is on the screen as one HTML page that stands alone: the headline, and tables under it.

It has the explorer's own style sheet, asks for nothing and runs nothing.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from plivo_analysis.explorer.html import Markup, head, join, row, section, tag
from plivo_analysis.explorer.layout import css
from plivo_analysis.values.typesetting import NOT_KNOWN, clean, count, percent, plain, weekday

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_DIGITS = 5  # of an amount, as the bill has them
_RATES = ("_rate", "_rate_low", "_rate_high")


def sheet(title: str, top: Markup, headline: Markup, tables: Mapping[str, pl.DataFrame]) -> bytes:
    """A page of a headline and of tables under their titles.

    Args:
        title: The title of the page's tab.
        top: The header of the explorer.
        headline: Its six numbers.
        tables: What metrics gave.

    Example:
        >>> import polars as pl
        >>> rates = pl.DataFrame({"message_type": ["<b>"], "delivered_rate": [0.5]})
        >>> page = sheet("t", Markup(""), Markup(""), {"Delivery": rates}).decode()
        >>> "&lt;b&gt;" in page, "50.0\u202f%" in page, "<script" in page
        (True, True, False)
    """
    sections = (section(title, _table(frame)) for title, frame in tables.items())
    whole = tag(
        "html",
        tag(
            "head",
            tag("meta", charset="utf-8"),
            tag("title", title),
            tag("meta", http_equiv="Content-Security-Policy", content=_POLICY),
            tag("meta", name="color-scheme", content="light dark"),
            tag("style", Markup(css())),
        ),
        tag("body", tag("div", top, headline, join(sections), class_="pva pva-sheet")),
        lang="en",
    )
    return f"<!doctype html>{whole}".encode()


def _table(frame: pl.DataFrame) -> Markup:
    numbers = [place for place, kind in enumerate(frame.dtypes) if kind.is_numeric()]
    titles = (name.replace("_", " ") for name in frame.columns)
    lines = (
        row(
            *(
                _number(frame.columns[place], value) if place in numbers else _word(value)
                for place, value in enumerate(values)
            )
        )
        for values in frame.iter_rows()
    )
    return tag("table", head(*titles, numbers=numbers), tag("tbody", join(lines)))


def _word(value: Any) -> Markup:
    if isinstance(value, datetime):
        return tag("td", weekday(value))
    return tag("td", NOT_KNOWN if value is None else clean(value))


def _number(name: str, value: Any) -> str:
    if isinstance(value, Decimal):
        return plain(value, _DIGITS)
    if name.endswith(_RATES):
        return percent(value)
    return NOT_KNOWN if value is None else count(value)
