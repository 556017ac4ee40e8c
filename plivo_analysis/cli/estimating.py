"""``estimate``: what a range costs and how sure that is, from a few minutes of reading."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plivo_analysis.api.resources import SESSION_RESOURCE
from plivo_analysis.cli.accounts import account
from plivo_analysis.cli.output import print_table
from plivo_analysis.errors import FilterError
from plivo_analysis.loaders.estimate import estimate as estimated

if TYPE_CHECKING:
    import argparse

_COLUMNS = {"country": "destination_country_iso2", "network": "destination_network"}
_PERCENT = 100


def estimate(options: argparse.Namespace) -> None:
    """Print the estimate as a sentence and, by groups, as a table."""
    within = _share(options.within)
    with account(options) as client:
        found = estimated(
            since=options.since,
            until=options.until,
            by=[_COLUMNS.get(name, name) for name in options.by],
            within=within,
            requests=options.requests,
            **{
                parameter.name: getattr(options, parameter.name)
                for parameter in SESSION_RESOURCE.parameters
            },
            client=client,
            backend="polars",
            progress=False if options.quiet else None,
        )
    print(found)
    if options.by:
        print_table(found.frame)


def _share(text: str | None) -> float | None:
    """A width as a part of one, from "5%" or "0.05"."""
    if text is None:
        return None
    try:
        number = float(text.removesuffix("%"))
    except ValueError:
        raise FilterError(f"--within is {text!r}; it takes 5% or 0.05.") from None
    return number / _PERCENT if text.endswith("%") else number
