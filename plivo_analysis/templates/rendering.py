"""Templates filled in: text is escaped, always; only what a template made is markup."""

from __future__ import annotations

from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup


def render(name: str, /, **values: Any) -> Markup:
    """A template of this folder, filled in.

    Args:
        name: The template's path below ``templates/``, such as ``"report/page.html"``.
        **values: What it shows. Plain text is escaped; ``Markup`` is put in as it is.

    Returns:
        The HTML, marked as safe to put into another template.

    Raises:
        jinja2.UndefinedError: The template names a value that was not given.
    """
    return Markup(_environment().get_template(name).render(**values))  # noqa: S704 autoescape is on


def draw_svg(drawing: Any) -> Markup:
    """A drawing of ``figures.svg`` as an SVG element, outside of any template of a page.

    Example:
        >>> from plivo_analysis.figures.svg import square
        >>> "#17A58C" in draw_svg(square("whatsapp"))
        True
    """
    drawings: Any = _environment().get_template("shared/drawings.html").module
    return Markup(drawings.draw(drawing))  # noqa: S704 autoescape is on


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("plivo_analysis", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
