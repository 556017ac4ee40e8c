"""Sessions and messages to measure on, made column by column: a million of them in seconds.

Sessions look like a real account's: 1.64 attempts a session, three channels, a few percent of
sessions whose last charge row is missing, so that exploding has to look twice. What the wire
would say of them is made from the same frame.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pyarrow as pa

from plivo_analysis.api.columns import MESSAGES, SESSIONS

if TYPE_CHECKING:
    from numpy.random import Generator

    from plivo_analysis.values.table_types import Table

START = datetime(2026, 8, 1, tzinfo=UTC)
DAYS = 90

_LISTED = {0: 0.01, 1: 0.52, 2: 0.33, 3: 0.10, 4: 0.04}
_CHANNELS = {"sms": 0.6, "voice": 0.3, "whatsapp": 0.1}
_PRICES = {"sms": "0.08", "voice": "0.033", "whatsapp": "0.02"}
_WORDS = {"delivered": 0.5, "answer": 0.2, "undelivered": 0.15, "early media": 0.1, "sent": 0.05}
_STATUSES = {"verified": 0.69, "expired": 0.30, "in-progress": 0.01}
_COUNTRIES = {"US": 0.4, "GB": 0.2, "IN": 0.2, "FR": 0.1, "BR": 0.1}
_STATES = {"delivered": 0.85, "undelivered": 0.07, "failed": 0.03, "sent": 0.05}
_CODES = {"delivered": "000", "undelivered": "30", "failed": "450", "sent": None}
_WITHOUT_A_CHARGE = 0.03
_MONEY = pl.Decimal(18, 8)


def sessions(count: int, *, seed: int = 0) -> pl.DataFrame:
    """So many sessions of ninety days, as the loaders give them.

    Args:
        count: How many.
        seed: Another one gives other sessions.

    Returns:
        A frame of the sessions table.
    """
    chance = np.random.default_rng(seed)
    listed = chance.choice(list(_LISTED), size=count, p=list(_LISTED.values()))
    created = chance.integers(0, DAYS * 86_400_000_000, size=count)
    attempts = _attempts(chance, listed, created)
    of_a_session = attempts.group_by("row", maintain_order=True).agg(
        attempt_details=pl.struct("channel", "attempt_uuid", "status", "time"),
        attempt_charges=pl.struct("attempt_uuid", "channel", "charge"),
        total_charge=pl.col("charge").sum(),
        channel=pl.col("channel").last(),
        entry_channel=pl.col("channel").first(),
        path=pl.col("channel").str.join(" → "),
        updated_at=pl.col("time").last(),
    )
    short = pl.Series(chance.random(count) < _WITHOUT_A_CHARGE)
    frame = (
        pl.DataFrame(
            {
                "session_uuid": _uuids(chance, count),
                "app_uuid": pl.repeat("6e8bfef5-3112-4b0b-a87f-03ddc8101480", count, eager=True),
                "alias": pl.repeat("shop", count, eager=True),
                "recipient": [f"141555501{number:02d}" for number in range(100)] * (count // 100)
                + ["14155550100"] * (count % 100),
                "status": _words(chance, _STATUSES, count),
                "destination_country_iso2": _words(chance, _COUNTRIES, count),
                "created_at": _instants(created),
                "attempts": listed,
                "count": listed,
            }
        )
        .with_row_index("row")
        .join(of_a_session.cast({"row": pl.UInt32}), on="row", how="left", maintain_order="left")
        .with_columns(
            pl.col("attempt_details", "attempt_charges").fill_null([]),
            pl.col("total_charge").fill_null(0),
            validation_charge=pl.lit(0, _MONEY),
        )
        .with_columns(
            attempt_charges=pl.when(short)
            .then(pl.col("attempt_charges").list.slice(0, pl.col("attempts") - 1))
            .otherwise("attempt_charges")
        )
    )
    return _whole(frame, SESSIONS)


def messages(count: int, *, seed: int = 0) -> pl.DataFrame:
    """So many message records of ninety days, as the loaders give them.

    Args:
        count: How many.
        seed: Another one gives other messages.

    Returns:
        A frame of the messages table.
    """
    chance = np.random.default_rng(seed)
    state = _words(chance, _STATES, count)
    frame = pl.DataFrame(
        {
            "message_uuid": _uuids(chance, count),
            "message_time": _instants(chance.integers(0, DAYS * 86_400_000_000, size=count)),
            "message_direction": pl.repeat("outbound", count, eager=True),
            "message_state": state,
            "message_type": _words(chance, {"sms": 0.9, "whatsapp": 0.1}, count),
            "error_code": state.replace_strict(_CODES),
            "units": chance.integers(1, 4, size=count),
            "destination_country_iso2": _words(chance, _COUNTRIES, count),
            "total_amount": pl.repeat("0.0077", count, eager=True).cast(_MONEY),
        }
    )
    return _whole(frame, MESSAGES)


def wire(frame: pl.DataFrame) -> list[dict[str, Any]]:
    """What a JSON parser makes of the pages with these sessions: instants and amounts as text."""
    text = "%Y-%m-%dT%H:%M:%S%.6fZ"
    detail, charge = pl.element().struct, pl.col("attempt_charges")
    return (
        frame.select(
            "session_uuid",
            "app_uuid",
            "alias",
            "recipient",
            "channel",
            "status",
            "count",
            "destination_country_iso2",
            pl.col("created_at", "updated_at").dt.strftime(text),
            attempt_details=pl.col("attempt_details").list.eval(
                detail.with_fields(pl.field("time").dt.strftime(text))
            ),
            charges=pl.struct(
                pl.col("total_charge", "validation_charge").cast(pl.String),
                charge.list.eval(detail.with_fields(pl.field("charge").cast(pl.String))),
            ),
        )
    ).to_dicts()


def _whole(frame: pl.DataFrame, table: Table) -> pl.DataFrame:
    """The frame with all columns of its table, in their types."""
    missing = [name for name in table.names if name not in frame.columns]
    nulls = [pl.lit(None).alias(name) for name in missing]
    return frame.with_columns(nulls).select(table.names).cast(dict(table.polars()))


def _attempts(chance: Generator, listed: np.ndarray, created: np.ndarray) -> pl.DataFrame:
    """One row an attempt, each some seconds after the one before it."""
    row = np.repeat(np.arange(len(listed)), listed)
    channel = _words(chance, _CHANNELS, len(row))
    waited = chance.integers(1_000_000, 60_000_000, size=len(row))
    return pl.DataFrame(
        {
            "row": row,
            "channel": channel,
            "attempt_uuid": _uuids(chance, len(row)),
            "status": _words(chance, _WORDS, len(row)),
            "charge": channel.replace_strict(_PRICES).cast(_MONEY),
            "waited": waited,
            "created": created[row],
        }
    ).with_columns(
        time=(pl.col("created") + pl.col("waited").cum_sum().over("row") + _START).cast(
            pl.Datetime("us", "UTC")
        )
    )


_START = int(START.timestamp()) * 1_000_000


def _instants(microseconds: np.ndarray) -> pl.Series:
    return pl.Series(microseconds + _START).cast(pl.Datetime("us", "UTC"))


def _words(chance: Generator, shares: dict[str, float], count: int) -> pl.Series:
    drawn = chance.choice(len(shares), size=count, p=list(shares.values()))
    return pl.Series(list(shares)).gather(drawn)


def _uuids(chance: Generator, count: int) -> pl.Series:
    """Random texts in the form of a UUID, without a Python object for each."""
    digits = np.frombuffer(chance.bytes(16 * count).hex().encode(), dtype=np.uint8)
    signs = np.insert(digits.reshape(count, 32), [8, 12, 16, 20], ord("-"), axis=1)
    offsets = np.arange(0, 36 * count + 1, 36, dtype=np.int32)
    text = pa.StringArray.from_buffers(
        count, pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(signs))
    )
    return pl.Series(values=text)
