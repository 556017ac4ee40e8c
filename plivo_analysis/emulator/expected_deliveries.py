"""The delivery times that a correct analysis of an account's messages must arrive at.

The definition is that of the package's documentation, written a second time in plain Python.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from plivo_analysis.emulator.times import SECOND, read_time

if TYPE_CHECKING:
    from collections.abc import Iterable

_FAILED = frozenset({"failed", "undelivered", "rejected"})


@dataclass(frozen=True)
class ExpectedMessage:
    """One message, as it is expected in the delivery times; times in microseconds.

    Example:
        >>> ExpectedMessage(True, "AT&T", "queued", 0, None, None).sent is None
        True
    """

    is_outbound: bool
    network: str | None
    state: str
    at: int | None
    sent: int | None
    updated: int | None


@dataclass(frozen=True)
class ExpectedDeliveries:
    """Delivery times of the outbound messages of one network. Quantiles in seconds.

    A quantile is the shortest time within which that share of the delivered and the unfinished
    messages was sent (queue) or delivered; ``None`` where it is not reached. An unfinished
    message that was not sent, or not delivered, takes longer than any other. Failed,
    undelivered and rejected messages are in no quantile, nor are untimed ones.

    Attributes:
        messages: All of them.
        queue_p50: From the message's time until it was sent.
        queue_p95: The same.
        delivery_p50: From then until its receipt.
        delivery_p95: The same.
        unfinished: Neither delivered, read nor failed.
        untimed: Delivered without both times or with a negative wait, and read.

    Example:
        >>> deliveries([ExpectedMessage(True, "AT&T", "delivered", 0, 1_000_000, 3_500_000)])
        ... # doctest: +NORMALIZE_WHITESPACE
        {'AT&T': ExpectedDeliveries(messages=1, queue_p50=Decimal('1'), queue_p95=Decimal('1'),
        delivery_p50=Decimal('2.5'), delivery_p95=Decimal('2.5'), unfinished=0, untimed=0)}
    """

    messages: int
    queue_p50: Decimal | None
    queue_p95: Decimal | None
    delivery_p50: Decimal | None
    delivery_p95: Decimal | None
    unfinished: int
    untimed: int


def message_of_record(record: dict[str, Any]) -> ExpectedMessage:
    """A message given by hand.

    Example:
        >>> message_of_record({"message_direction": "outbound", "message_state": "Sent"}).state
        'sent'
    """
    return ExpectedMessage(
        is_outbound=record.get("message_direction") == "outbound",
        network=record.get("destination_network") or None,
        state=str(record.get("message_state")).lower(),
        at=read_time(record.get("message_time")),
        sent=read_time(record.get("message_sent_time")),
        updated=read_time(record.get("message_updated_time")),
    )


def deliveries(messages: Iterable[ExpectedMessage]) -> dict[str | None, ExpectedDeliveries]:
    """Delivery times by network; the example is that of ``ExpectedDeliveries``."""
    by_network: defaultdict[str | None, list[ExpectedMessage]] = defaultdict(list)
    for message in messages:
        if message.is_outbound:
            by_network[message.network].append(message)
    return {network: _delivery_times(group) for network, group in by_network.items()}


def _delivery_times(messages: list[ExpectedMessage]) -> ExpectedDeliveries:
    queue: list[int] = []
    delivery: list[int] = []
    unfinished = untimed = 0
    for message in messages:
        at, sent, updated = message.at, message.sent, message.updated
        if message.state in _FAILED:
            continue
        in_queue = None if at is None or sent is None or sent < at else sent - at
        in_delivery = None if sent is None or updated is None or updated < sent else updated - sent
        if message.state not in ("delivered", "read"):
            # It may have left the queue; what is left of its way is longer than any that is known.
            unfinished += 1
            queue += [] if in_queue is None else [in_queue]
        elif message.state == "read" or in_queue is None or in_delivery is None:
            untimed += 1
        else:
            queue.append(in_queue)
            delivery.append(in_delivery)
    # Unfinished messages count towards the share without a time: they take longer than any.
    counted = len(delivery) + unfinished
    return ExpectedDeliveries(
        messages=len(messages),
        queue_p50=_quantile(queue, 50, counted),
        queue_p95=_quantile(queue, 95, counted),
        delivery_p50=_quantile(delivery, 50, counted),
        delivery_p95=_quantile(delivery, 95, counted),
        unfinished=unfinished,
        untimed=untimed,
    )


def _quantile(times: list[int], percent: int, counted: int) -> Decimal | None:
    needed = -(-percent * counted // 100)  # rounded up, in whole numbers
    if not counted or needed > len(times):
        return None
    return Decimal(sorted(times)[needed - 1]) / SECOND
