"""Removal for good: out of the store, its free space and its log, and out of what is derived.

A process may be killed at any moment. So the store first notes what is to go; then the records
are deleted, then the Parquet files that may hold them, then what the store's files still hold
of them. The note goes last: until then the next removal finishes what it names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tqdm.auto import tqdm

from plivo_analysis.api.checks import checked_recipient
from plivo_analysis.api.times import parse_instant
from plivo_analysis.errors import FilterError
from plivo_analysis.storage.database import shows_no_values
from plivo_analysis.storage.parquet_cache import discard_stale
from plivo_analysis.sync.progress import somebody_reads
from plivo_analysis.values.spans import MINUTE, floor, to_us

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date, datetime, timedelta

    from plivo_analysis.client import Client
    from plivo_analysis.storage.deletion import Deleted
    from plivo_analysis.storage.store import Store

_DELAY = 1.0  # seconds; what is over by then needs no bar


def purge(client: Client, before: datetime | date | timedelta | str) -> Deleted:
    """Remove what began before an instant: records, history, raw pages and what is derived.

    Nothing keeps it from being read again as long as the API has it, which is 90 days. A bar
    tells how far it is where somebody reads.

    Args:
        client: The account.
        before: As ``since`` of the loaders; cut to the whole minute.

    Returns:
        How much was removed.

    Raises:
        FilterError: It is no time.
        StoreError: The store cannot be written, or another program reads it.

    Example:
        >>> import plivo_analysis as pva
        >>> with pva.demo(sessions=100) as client:
        ...     kept = pva.load_sessions(since="90d", client=client).height
        ...     purge(client, "30d").records < kept
        True
    """
    instant = floor(to_us(parse_instant(before, now=client.now(), name="before")), MINUTE)
    return _delete(client.store, "Purging", lambda tell: client.store.purge(instant, tell))


@shows_no_values
def forget(client: Client, recipient: str) -> Deleted:
    """Remove every record of a telephone number, and keep them from coming back.

    What is left is a hash of the number, by which later pulls know it, under a key that lies
    beside the account's folder. Exports, quarantined stores and the stores of other accounts,
    such as a subaccount's, are not touched; ``status`` names them.

    Args:
        client: The account.
        recipient: The number, in E.164 form.

    Returns:
        How much was removed.

    Raises:
        FilterError: It is no telephone number.
        StoreError: The store cannot be written, or another program reads it.

    Example:
        >>> import plivo_analysis as pva
        >>> with pva.demo(sessions=100) as client:
        ...     number = pva.load_sessions(since="90d", client=client)["recipient"][0]
        ...     removed = forget(client, number)
        ...     number in pva.load_sessions(since="90d", client=client)["recipient"]
        False
    """
    if not str(recipient).strip():  # to the check of a filter, a blank one would mean any
        raise FilterError('recipient is blank; it takes a number, such as "+1 415 555 0100".')
    number = checked_recipient("recipient", recipient)
    return _delete(client.store, "Forgetting", lambda tell: client.store.forget(number, tell))


def _delete(
    store: Store, doing: str, delete: Callable[[Callable[[float], object]], Deleted]
) -> Deleted:
    """Delete under a bar, whose last tenth is what comes after the store's own part."""
    with tqdm(
        total=100, desc=doing, disable=not somebody_reads(), delay=_DELAY, leave=False
    ) as bar:
        removed = delete(lambda share: bar.update(round(90 * share) - bar.n))
        # In this order: the note of what is to go goes only when nothing of it is left.
        discard_stale(store)
        store.database.secure_vacuum()
        store.end_deletion()
        bar.update(100 - bar.n)
    return removed
