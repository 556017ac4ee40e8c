"""One record by its key: from the store where it is final, else from the server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plivo_analysis.errors import BadResponseError, FilterError
from plivo_analysis.parsing.pages import READERS, read_one
from plivo_analysis.storage.store import Reading
from plivo_analysis.values.spans import to_us

if TYPE_CHECKING:
    import threading

    from plivo_analysis.api.resources import Resource
    from plivo_analysis.client import Client
    from plivo_analysis.storage.merging import Tally


def read_one_record(client: Client, resource: Resource, key: str) -> dict[str, Any]:
    """One clean row by its key.

    Raises:
        FilterError: It is of a number that was forgotten.
        ResourceNotFoundError: The account has no such record.
        BadResponseError: The record is not fit for analysis.
    """
    archive = client.store.records(resource)
    row = archive.row(key)
    if not archive.is_final(key):
        if fetch(client, resource, key).forgotten:
            raise FilterError(
                f"The record {key} is of a number that was forgotten (plivo-analysis forget); "
                "nothing of it is kept."
            )
        row = archive.row(key)
    if row is None:
        raise BadResponseError(
            f"The record {key} is not fit for analysis; it is kept aside. pva.issues() says why."
        )
    return row


def fetch(
    client: Client, resource: Resource, key: str, *, cancel: threading.Event | None = None
) -> Tally:
    """Read one record from the server and keep it.

    Single records have a limit of their own, far above that of listings.

    Raises:
        ResourceNotFoundError: The server has it no more.
    """
    answer = client.transport.get(
        f"{resource.path}{key}/",
        {},
        read=lambda body: (body, read_one(body, read=READERS[resource.name])),
        cancel=cancel,
        paced=False,
    )
    client.hear(answer.date)
    body, record = answer.value
    return client.store.keep(resource, "", Reading(key, body, [record], to_us(client.now())))
