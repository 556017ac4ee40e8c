"""``pull``: load records, keep them, and write them to a file if one is named."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plivo_analysis.api.resources import RESOURCES
from plivo_analysis.cli.accounts import account
from plivo_analysis.cli.output import recipients_shown, writer
from plivo_analysis.explorer.load_cost import LoadRequest, load_cost
from plivo_analysis.explorer.wording import before
from plivo_analysis.loaders.coverage import issues
from plivo_analysis.loaders.load import load_messages, load_sessions

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

_LOADERS: dict[str, Callable[..., Any]] = {"sessions": load_sessions, "messages": load_messages}


def pull(options: argparse.Namespace) -> None:
    """Load, and write or count. A file that a spreadsheet opens is masked unless asked for."""
    write = writer(options.out)
    shown = recipients_shown(options, otherwise="full")
    names = [parameter.name for parameter in RESOURCES[options.resource].parameters]
    span = {"since": options.since, "until": options.until}
    filters = {name: getattr(options, name) for name in names}
    with account(options) as client:
        if options.dry_run:
            given = {name: value for name, value in (span | filters).items() if value is not None}
            request = LoadRequest(client, RESOURCES[options.resource], given)
            print(*before(load_cost(request), options.resource.removesuffix("s")), sep="\n")
            return
        frame = _LOADERS[options.resource](
            **span,
            **filters,
            client=client,
            backend="polars",
            recipients=shown,
            progress=False if options.quiet else None,
        )
        # What is not fit for analysis is in no table, so that its rows are a lower bound.
        some_set_aside = issues(options.resource, **span, client=client)["set_aside"].any()
    if write is not None:
        write(frame, options.out)
    if not options.quiet:
        place = f" in {options.out.resolve()}" if options.out else ", kept in the store"
        at_least = "at least " if some_set_aside else ""
        print(f"{at_least}{frame.height:,} {options.resource}{place}")
