"""The English short names of countries, by their two letters; the list is ``countries.tsv``.

Source: ISO 3166-1, in the shorter forms of everyday use. XK is no ISO code but is used on
networks. A code that is not listed is shown as it is.
"""

from __future__ import annotations

from importlib.resources import files

from plivo_analysis.values.typesetting import clean

_LINES = files(__package__).joinpath("countries.tsv").read_text(encoding="utf-8").splitlines()
_BY_CODE = dict(line.split("\t") for line in _LINES)
_BY_NAME = {name.casefold(): code for code, name in _BY_CODE.items()}


def country(code: str | None) -> str:
    """A country's name by its two letters in any case; the code itself where it has none.

    Example:
        >>> country("BD"), country("us"), country("ZZ"), country(None)
        ('Bangladesh', 'United States', 'ZZ', 'not given')
    """
    if code is None:
        return "not given"
    return _BY_CODE.get(code.upper(), clean(code))


def country_code(name: str) -> str | None:
    """The two letters of a country by its name in any case; None where no country has it.

    Example:
        >>> country_code("bangladesh"), country_code("Atlantis")
        ('BD', None)
    """
    return _BY_NAME.get(name.strip().casefold())
