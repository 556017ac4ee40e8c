"""Templates filled in: text is escaped, always; only what a template made is markup."""

from __future__ import annotations

from functools import cache
from inspect import getmembers, isfunction
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from plivo_analysis.values import typesetting


def render(name: str, /, **values: Any) -> Markup:
    """A template of this folder, filled in.

    Args:
        name: The template's path below ``templates/``, such as ``"report/page.html"``.
        **values: What it shows. Plain text is escaped; ``Markup`` is put in as it is. Every
            template can call the functions of ``values.typesetting`` by their names.

    Returns:
        The HTML, marked as safe to put into another template.

    Raises:
        jinja2.UndefinedError: The template names a value that was not given.
    """
    return Markup(_environment().get_template(name).render(**values))  # noqa: S704 autoescape is on


def names_of(name: str) -> Any:
    """The macros and the values that a template defines, as attributes.

    Example:
        >>> names_of("report/notes.html").notes[0]["title"]
        'Spend'
    """
    return _environment().get_template(name).module


def draw_svg(drawing: Any) -> Markup:
    """A drawing of ``figures.svg`` as an SVG element, outside of any template of a page.

    Example:
        >>> from plivo_analysis.figures.svg import square
        >>> "#17A58C" in draw_svg(square("whatsapp"))
        True
    """
    drawn = names_of("shared/drawings.html").draw(drawing)
    return Markup(drawn)  # noqa: S704 autoescape is on


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("plivo_analysis", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= dict(getmembers(typesetting, isfunction))
    return environment
