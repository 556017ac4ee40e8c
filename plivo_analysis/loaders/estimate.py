"""``estimate``: numbers of a whole range, with intervals, from the first minutes of a pull."""

from __future__ import annotations

import warnings
from contextlib import closing
from typing import TYPE_CHECKING, Any

from plivo_analysis.api.checks import shown_value
from plivo_analysis.api.columns import SESSIONS
from plivo_analysis.api.resources import SESSION_RESOURCE
from plivo_analysis.errors import FilterError, PlivoAnalysisWarning, SchemaError
from plivo_analysis.loaders.answer import Request
from plivo_analysis.loaders.estimate_steps import Estimating
from plivo_analysis.metrics.confidence_intervals import normal_quantile
from plivo_analysis.values.table_types import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from plivo_analysis.client import Client
    from plivo_analysis.loaders.answer import Instant, Watcher
    from plivo_analysis.metrics.estimates import Estimate

_WITHIN = 0.05


def estimate(
    *,
    since: Instant = None,
    until: Instant = None,
    by: str | Iterable[str] = (),
    within: float | None = None,
    requests: int | None = None,
    confidence: float = 0.95,
    status: str | None = None,
    app_uuid: str | None = None,
    recipient: str | None = None,
    subaccount: str | None = None,
    brand_name: str | None = None,
    app_hash: str | None = None,
    country: str | None = None,
    alias: str | None = None,
    client: Client | None = None,
    backend: str | None = None,
    progress: Watcher = None,
) -> Estimate:
    """What the sessions of a range cost and how they ended, from a few minutes of reading.

    Pages of the listing are read in an order that is spread over the whole range, and each
    unread page is assumed to be like its read neighbours. Called again within a day it goes on
    where it stopped, with the first call's bounds; ``load_sessions`` skips what it has read.
    Where the whole range is read, or nearly so, the rest is read too and the numbers are exact.

    Not promised: that all intervals shown over a long pull hold at once; that they hold in an
    account in which one session in a hundred has most of the money; that a part of the range
    which is shorter than the gap between two read pages is noticed.

    Args:
        since: As in :func:`load_sessions`; at most 90 days ago.
        until: As in :func:`load_sessions`.
        by: Text columns of sessions to group by, such as ``"destination_country_iso2"``.
        within: Read until half the width of spend's interval is this part of it; by default
            0.05, unless ``requests`` is given.
        requests: Stop after so many requests of this call, but not before the last quarter of an
            hour, in which sessions may still turn up, is read whole.
        confidence: The coverage of the intervals.
        status: As in :func:`load_sessions`.
        app_uuid: As in :func:`load_sessions`.
        recipient: As in :func:`load_sessions`.
        subaccount: As in :func:`load_sessions`.
        brand_name: As in :func:`load_sessions`.
        app_hash: As in :func:`load_sessions`.
        country: As in :func:`load_sessions`.
        alias: As in :func:`load_sessions`.
        client: As in :func:`load_sessions`.
        backend: As in :func:`load_sessions`; the kind of ``.frame``.
        progress: As in :func:`load_sessions`.

    Returns:
        The estimate; see :class:`Estimate`.

    Raises:
        FilterError: An argument is wrong; nothing was asked.
        SchemaError: ``by`` names no text column of sessions, or ``channel``.
        CredentialsError: There are no credentials, or they are not of Plivo's form.
        IncompletePullError: The whole range was to be read, and a part of it could not be.
        PlivoAnalysisError: The server could not be asked, or refused; see ``errors``.

    Warns:
        PlivoAnalysisWarning: The server's pages do not behave like those of one list, so that
            windows of time were read, or that these cannot be read whole either, so that nothing
            is estimated; the range begins over 90 days ago; sessions were set aside.

    Source: Cochran 1977 (cluster sampling, ratio estimators), Wolter 2007 (successive
    differences), Owen 1995 (scrambling), Brown, Cai & DasGupta 2001 (Wilson's interval).

    Example:
        >>> import plivo_analysis as pva
        >>> with pva.demo(sessions=200) as client:
        ...     found = pva.estimate(since="30d", client=client)
        >>> found.exact, found.frame.columns[:3]
        (True, ['sessions', 'sessions_low', 'sessions_high'])
    """
    arguments = {**locals(), "recipients": "full", "partial": "raise", "verify": False}
    try:
        request = Request.of(SESSION_RESOURCE, arguments)
    finally:
        del recipient, arguments  # a verbose traceback prints the variables of every frame
    normal_quantile(confidence)
    if within is not None and not (isinstance(within, (int, float)) and 0 < within < 1):
        raise FilterError(
            f"within is {shown_value(within)}; it lies between 0 and 1, as 0.05 for 5 % does."
        )
    is_number = isinstance(requests, int) and not isinstance(requests, bool)
    if requests is not None and not (is_number and requests > 0):
        raise FilterError(f"requests is {shown_value(requests)}; it is a whole number above 0.")
    if within is None and requests is None:
        within = _WITHIN
    columns = _checked_by(by)
    with closing(request.progress) as bar:
        estimating = Estimating(
            request.client,
            request.question,
            watch=bar,
            by=columns,
            within=within,
            requests=requests,
            confidence=confidence,
            backend=request.backend,
        )
        for _ in estimating.steps():
            pass
    found = estimating.estimate()
    for doubt in estimating.doubts():
        warnings.warn(doubt, PlivoAnalysisWarning, stacklevel=2)
    return found


def _checked_by(by: str | Iterable[str]) -> tuple[str, ...]:
    known = [c.name for c in SESSIONS.columns if c.kind is Kind.TEXT and c.name != "channel"]
    several = hasattr(by, "__iter__") and not isinstance(by, str)
    columns: tuple[Any, ...] = tuple(by) if several else (by,)
    if strange := [name for name in columns if not isinstance(name, str) or name not in known]:
        raise SchemaError(
            f"by names {', '.join(map(shown_value, strange))}; an estimate is grouped by text "
            "columns of sessions, and not by 'channel', which is a session's last one.",
            missing=[name for name in strange if isinstance(name, str)],
            available=known,
        )
    return columns
