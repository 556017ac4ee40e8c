"""Every metric against a plain-Python reference: slow, obvious, sharing no code with it.

The reference works on one session after another, as lists and dicts, by the definitions; the
sessions are hypothesis's, made of few words so that ties, repeats and gaps are common.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint

import plivo_analysis as pva
from plivo_analysis.api.columns import MESSAGES, SESSIONS
from plivo_analysis.tables.convert import from_rows

ARROW = " → "
START = datetime(2026, 10, 24, 21, 10, tzinfo=UTC)
ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kathmandu",
    "America/Havana",
    "Africa/Cairo",
    "America/St_Johns",
]

OUTCOME_WORDS = {
    "reached": ["delivered", "answer", "answered", "completed", "read"],
    "not_reached": [
        "undelivered",
        "failed",
        "rejected",
        "busy",
        "no answer",
        "timeout",
        "cancel",
        "canceled",
        "cancelled",
        "early media",
    ],
    "pending": ["queued", "sent", "ringing", "initiated", "in progress"],
}

# --- what a session may look like -----------------------------------------------------------

uuids = st.sampled_from(["u1", "u2", "u3", "", " ", None])
channels = st.sampled_from(["sms", "sms", "voice", "call", "whatsapp", "SMS ", "rcs", None, ""])
outcomes = st.sampled_from(
    ["delivered", "answer", "undelivered", "no-answer", "EARLY_MEDIA", "sent", "odd", None]
)
times = st.sampled_from([None, *(START + timedelta(seconds=s) for s in (0, 0, 1, 2, 60))])
amounts = st.sampled_from(
    [None, *map(Decimal, ("0", "0.08", "0.033", "0.00000001", "-0.01", "999999999.99999999"))]
)
attempts = st.fixed_dictionaries(
    {"channel": channels, "attempt_uuid": uuids, "status": outcomes, "time": times}
)
charges = st.fixed_dictionaries({"attempt_uuid": uuids, "channel": channels, "charge": amounts})
statuses = st.sampled_from(
    ["verified", "verified", "expired", "Expired", "in-progress", "in_progress", "odd", None]
)
instants = st.integers(0, 60 * 24 * 9).map(lambda minutes: START + timedelta(minutes=minutes))


@st.composite
def listed(draw: st.DrawFn) -> tuple[Any, Any]:
    """The attempts and charges of a session: half the time as the API lists them, aligned."""
    tried = draw(st.none() | st.lists(attempts, max_size=5))
    if tried and draw(st.booleans()):
        names = draw(st.permutations(["a", "b", "c", "d", "e"]))
        tried = [one | {"attempt_uuid": name} for one, name in zip(tried, names, strict=False)]
        billed = [
            {"attempt_uuid": one["attempt_uuid"], "channel": one["channel"], "charge": amount}
            for one, amount in ((one, draw(amounts)) for one in tried)
        ]
        if draw(st.booleans()):
            billed.pop()
        return tried, billed
    return tried, draw(st.none() | st.lists(charges, max_size=5))


@st.composite
def sessions(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Rows of a sessions table."""
    rows = []
    for number in range(draw(st.integers(0, 6))):
        tried, billed = draw(listed())
        row = dict.fromkeys(SESSIONS.names) | {
            "session_uuid": f"s{number}",
            "status": draw(statuses),
            "app_uuid": draw(st.sampled_from(["app", None])),
            "destination_country_iso2": draw(st.sampled_from(["US", "GB", "ä", "Z", None])),
            "locale": draw(st.sampled_from(["en", None])),
            "count": draw(st.none() | st.integers(0, 5)),
            "attempt_details": tried,
            "attempt_charges": billed,
            "total_charge": draw(amounts),
            "validation_charge": draw(st.sampled_from([None, Decimal(0), Decimal("0.01")])),
            "created_at": draw(instants),
        }
        words = [one["channel"] for one in explode(row)["attempts"]]
        row["attempts"] = len(words)
        row["entry_channel"] = words[0] if words else None
        row["path"] = ARROW.join(words) or None
        rows.append(row)
    return rows


# --- the reference: one session -------------------------------------------------------------


def fold(status: str | None) -> str | None:
    if status is None:
        return None
    return " ".join(status.lower().replace("_", " ").replace("-", " ").split())


def channel(word: str | None) -> str:
    word = (word or "").strip().lower()
    return {"": "unknown", "call": "voice"}.get(word, word)


def outcome(status: str | None) -> str:
    for name, words in OUTCOME_WORDS.items():
        if fold(status) in words:
            return name
    return "unknown"


def once(rows: list[dict[str, Any]] | None) -> list[dict[str, Any]]:
    kept: list[dict[str, Any]] = []
    for row in rows or []:
        if row not in kept or not (row["attempt_uuid"] or "").strip():
            kept.append(row)
    return kept


def explode(row: dict[str, Any]) -> dict[str, Any]:
    """The attempts and the lines of a session, and what is odd about it."""
    tried = once(row["attempt_details"])
    with_time = sorted((one for one in tried if one["time"]), key=lambda one: one["time"])
    tried = with_time + [one for one in tried if not one["time"]]
    unused = once(row["attempt_charges"])
    all_rows = list(unused)
    found = []
    differs = []
    for one in tried:
        uuid = one["attempt_uuid"]
        match = next(
            (b for b in unused if uuid and uuid.strip() and b["attempt_uuid"] == uuid), None
        )
        if match:
            unused.remove(match)
        differs.append(bool(match) and channel(match["channel"]) != channel(one["channel"]))
        found.append(match["charge"] if match else None)
    total, validation = row["total_charge"], row["validation_charge"]
    left = None
    derived: list[int] = []
    if total is not None:
        known = [b["charge"] for b in all_rows if b["charge"] is not None]
        left = total - (validation or Decimal(0)) - sum(known, Decimal(0))
        gaps = [place for place, amount in enumerate(found) if amount is None]
        if len(gaps) == 1 and validation is not None and left > 0:
            derived, found[gaps[0]], left = gaps, left, Decimal(0)
    result = []
    for place, one in enumerate(tried):
        here = channel(one["channel"])
        before = channel(tried[place - 1]["channel"]) if place else None
        if before is None:
            step = "first"
        elif "unknown" in (here, before):
            step = "indeterminate"
        else:
            step = "retry" if here == before else "switch"
        result.append(
            {
                "attempt_uuid": one["attempt_uuid"],
                "attempt_number": place + 1,
                "attempts": len(tried),
                "channel": here,
                "status": one["status"],
                "outcome": outcome(one["status"]),
                "time": one["time"],
                "charge": found[place],
                "charge_note": "derived" if place in derived else None,
                "previous_channel": before,
                "step": step,
                "differs": differs[place],
            }
        )
    return {"attempts": result, "orphans": unused, "left": left, "rows": all_rows}


OF_THE_SESSION = [
    "session_uuid",
    "entry_channel",
    "path",
    "app_uuid",
    "alias",
    "recipient",
    "destination_country_iso2",
    "destination_network",
    "created_at",
]


def carried(row: dict[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in OF_THE_SESSION} | {"session_status": row["status"]}


def attempts_of(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [carried(row) | one for row in rows for one in explode(row)["attempts"]]


def lines_of(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    lines = []
    for row in rows:
        taken = explode(row)
        blank = carried(row) | dict.fromkeys(("channel", "attempt_uuid", "note", "time"))
        for one in taken["attempts"]:
            note = one["charge_note"] or ("channel_differs" if one["differs"] else None)
            same = {name: one[name] for name in ("channel", "attempt_uuid", "time")}
            lines.append(blank | same | {"line": "attempt", "amount": one["charge"], "note": note})
        lines.extend(
            blank
            | {
                "line": "orphan",
                "channel": channel(one["channel"]),
                "attempt_uuid": one["attempt_uuid"],
                "amount": one["charge"],
                "note": "orphan",
            }
            for one in taken["orphans"]
        )
        for line, amount in (
            ("validation", row["validation_charge"]),
            ("unallocated", taken["left"]),
        ):
            if amount is not None:
                lines.append(blank | {"line": line, "amount": amount})
    for number, line in enumerate(lines):
        before = lines[number - 1] if number else {"session_uuid": None}
        same = line["session_uuid"] == before["session_uuid"]
        line["line_number"] = before["line_number"] + 1 if same else 1
    return lines


# --- the reference: metrics -----------------------------------------------------------------


def grouped(rows: list[dict[str, Any]], by: list[str]) -> list[tuple[dict[str, Any], list[Any]]]:
    groups: dict[tuple[Any, ...], list[Any]] = defaultdict(list)
    for row in rows:
        groups[tuple(row[name] for name in by)].append(row)
    ordered = sorted(groups, key=lambda key: [(value is None, value or "") for value in key])
    return [(dict(zip(by, key, strict=True)), groups[key]) for key in ordered]


def add(values: list[Decimal | None]) -> Decimal | None:
    known = [value for value in values if value is not None]
    with localcontext() as context:
        context.prec = 60
        return sum(known, Decimal(0)) if known else None


def divide(amount: Decimal | None, count: int) -> Decimal | None:
    if amount is None or not count:
        return None
    with localcontext() as context:
        context.prec = 60
        return (amount / count).quantize(Decimal("1E-8"), ROUND_HALF_EVEN)


def rate(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def with_bounds(name: str, part: int, whole: int) -> dict[str, Any]:
    low, high = proportion_confint(part, whole, method="wilson") if whole else (None, None)
    # Two formulas for one number differ in the last digits of a float.
    near = [None if end is None else pytest.approx(float(end), abs=1e-12) for end in (low, high)]
    return {name: rate(part, whole), f"{name}_low": near[0], f"{name}_high": near[1]}


def is_settled(row: dict[str, Any]) -> bool:
    return fold(row["status"]) in ("verified", "expired")


def is_verified(row: dict[str, Any]) -> bool:
    return fold(row["status"]) == "verified"


def fallback_facts(row: dict[str, Any]) -> dict[str, bool]:
    tried = explode(row)["attempts"]
    steps = [one["step"] for one in tried]
    entry = tried[0]["channel"]
    home = [one for one in tried if one["channel"] in (entry, "unknown")]
    elsewhere = [one for one in tried if one["channel"] not in (entry, "unknown")]
    fell_back = "switch" in steps
    rescued = fell_back and is_verified(row)
    return {
        "evaluable": fell_back or "indeterminate" not in steps,
        "fell_back": fell_back,
        "retried": "retry" in steps and (fell_back or "indeterminate" not in steps),
        "rescued": rescued,
        "last_touch": rescued and tried[-1]["channel"] not in (entry, "unknown"),
        "certain": rescued
        and all(one["outcome"] == "not_reached" for one in home)
        and any(one["outcome"] == "reached" for one in elsewhere),
    }


def fallback_rates(rows: list[dict[str, Any]], by: list[str]) -> list[dict[str, Any]]:
    result = []
    for key, group in grouped([r for r in rows if is_settled(r) and r["attempts"]], by):
        facts = [fallback_facts(row) for row in group]
        n = {name: sum(fact[name] for fact in facts) for name in facts[0]}
        result.append(
            key
            | {
                "sessions": n["evaluable"],
                "fell_back": n["fell_back"],
                **with_bounds("fallback_rate", n["fell_back"], n["evaluable"]),
                "retried": n["retried"],
                "retry_rate": rate(n["retried"], n["evaluable"]),
                "rescued": n["rescued"],
                **with_bounds("rescue_rate", n["rescued"], n["fell_back"]),
                "rescued_last_touch": n["last_touch"],
                "rescued_certain": n["certain"],
                "not_evaluable": len(group) - n["evaluable"],
            }
        )
    return result


def success_rates(rows: list[dict[str, Any]], by: list[str]) -> list[dict[str, Any]]:
    result = []
    for key, group in grouped(rows, by):
        settled = sum(map(is_settled, group))
        verified = sum(map(is_verified, group))
        still_open = sum(fold(row["status"]) == "in progress" for row in group)
        result.append(
            key
            | {
                "sessions": len(group),
                "settled": settled,
                "open": still_open,
                "verified": verified,
                **with_bounds("success_rate", verified, settled),
                "success_rate_if_open_fail": rate(verified, settled + still_open),
                "success_rate_if_open_verify": rate(verified + still_open, settled + still_open),
            }
        )
    return result


def part_of(rows: list[Decimal | None], part: list[Decimal | None]) -> Decimal | None:
    if add(rows) is None or (part and add(part) is None):
        return None
    return add(part) or Decimal(0)


def cost_per_verified(rows: list[dict[str, Any]], by: list[str]) -> list[dict[str, Any]]:
    result = []
    for key, group in grouped(rows, by):
        settled = [row for row in group if is_settled(row)]
        verified = [row for row in settled if is_verified(row)]
        total = [row["total_charge"] for row in settled]
        waste = part_of(total, [row["total_charge"] for row in settled if not is_verified(row)])
        share = None
        if waste is not None and add(total):
            share = float(Fraction(waste) / Fraction(add(total) or 1))
        result.append(
            key
            | {
                "settled": len(settled),
                "verified": len(verified),
                "total_charge": add(total),
                "cost_per_verified": divide(add(total), len(verified)),
                "direct_cost_per_verified": divide(
                    add([row["total_charge"] for row in verified]), len(verified)
                ),
                "waste": waste,
                "waste_share": share,
                "unpriced": total.count(None),
            }
        )
    return result


def channel_paths(rows: list[dict[str, Any]], by: list[str]) -> list[dict[str, Any]]:
    result = []
    for key, group in grouped([row for row in rows if row["attempts"]], by):
        paths = [
            {
                "path": path["path"],
                "sessions": len(same),
                "verified": sum(map(is_verified, same)),
                "total_charge": add([row["total_charge"] for row in same]),
                "unpriced": [row["total_charge"] for row in same].count(None),
            }
            for path, same in grouped(group, ["path"])
        ]
        paths.sort(key=lambda row: -row["sessions"])
        result.extend(key | path for path in paths)
    return result


def attempt_outcomes(rows: list[dict[str, Any]], by: list[str]) -> list[dict[str, Any]]:
    result = []
    for key, group in grouped(attempts_of(rows), by):
        words = [one["outcome"] for one in group]
        paid = [one["charge"] for one in group]
        result.append(
            key
            | {"attempts": len(group)}
            | {w: words.count(w) for w in ("reached", "not_reached", "pending", "unknown")}
            | with_bounds("reached_rate", words.count("reached"), len(group))
            | {
                "charge": add(paid),
                "billed_not_reached": part_of(
                    paid, [one["charge"] for one in group if one["outcome"] == "not_reached"]
                ),
                "unpriced": paid.count(None),
            }
        )
    return result


def spend(lines: list[dict[str, Any]], by: list[str]) -> list[dict[str, Any]]:
    for line in lines:
        if line["line"] in ("validation", "unallocated"):
            line["channel"] = line["line"]
    result = []
    for key, group in grouped(lines, by):
        paid = [line["amount"] for line in group]
        result.append(
            key | {"lines": len(group), "amount": add(paid), "unpriced": paid.count(None)}
        )
    return result


def reconcile(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    result = []
    for row in rows:
        taken = explode(row)
        tried = taken["attempts"]
        named = [one["attempt_uuid"] for one in tried if (one["attempt_uuid"] or "").strip()]
        facts = {
            "total_missing": row["total_charge"] is None,
            "unallocated": taken["left"] not in (None, 0),
            "unpriced": any(one["charge"] is None for one in tried),
            "derived": any(one["charge_note"] for one in tried),
            "orphan": bool(taken["orphans"]),
            "channel_differs": any(one["differs"] for one in tried),
            "count_differs": row["count"] not in (None, len(tried)),
            "duplicate_attempt": len(set(named)) < len(named),
        }
        if any(facts.values()):
            result.append(
                {
                    "session_uuid": row["session_uuid"],
                    "total_charge": row["total_charge"],
                    "attempt_charges": add([one["charge"] for one in taken["rows"]]),
                    "validation_charge": row["validation_charge"],
                    "unallocated": taken["left"],
                    "unpriced_attempts": [one["charge"] for one in tried].count(None),
                    "orphan_charges": len(taken["orphans"]),
                    "reasons": [name for name, holds in facts.items() if holds],
                }
            )
    return result


def bucket(instant: datetime, every: str, tz: str) -> datetime:
    """The earliest quarter of an hour from which on the zone shows the same hour, day, ..."""

    def label(moment: datetime) -> Any:
        local = moment.astimezone(ZoneInfo(tz))
        return {
            "1h": (local.date(), local.hour, local.utcoffset()),
            "1d": local.date(),
            "1w": local.date().isocalendar()[:2],
            "1mo": (local.year, local.month),
        }[every]

    at = instant - timedelta(
        minutes=instant.minute % 15, seconds=instant.second, microseconds=instant.microsecond
    )
    while label(at - timedelta(minutes=15)) == label(instant):
        at -= timedelta(minutes=15)
    return at


# --- the comparison -------------------------------------------------------------------------

GROUPINGS = [[], ["entry_channel"], ["destination_country_iso2", "app_uuid"], ["path"], ["locale"]]


def rows_of(frame: Any) -> list[dict[str, Any]]:
    """Rows as the reference gives them; periods in UTC, for Python compares folds by no rule."""
    if "period" in frame.columns:
        frame = frame.with_columns(pl.col("period").dt.convert_time_zone("UTC"))
    return list(frame.to_dicts())


@given(rows=sessions())
@settings(max_examples=40, deadline=None)
def test_exploding_gives_the_attempts_and_lines_of_the_reference(rows: Any) -> None:
    frame = from_rows(rows, SESSIONS)
    tried = [{k: v for k, v in one.items() if k != "differs"} for one in attempts_of(rows)]
    assert rows_of(pva.explode_attempts(frame)) == [
        {name: one[name] for name in pva.explode_attempts(frame).columns} for one in tried
    ]
    lines = pva.explode_charges(frame)
    assert rows_of(lines) == [{n: line[n] for n in lines.columns} for line in lines_of(rows)]


@given(rows=sessions())
@settings(max_examples=25, deadline=None)
def test_metrics_agree_with_the_reference(rows: Any) -> None:
    frame = from_rows(rows, SESSIONS)
    tried, lines = pva.explode_attempts(frame), pva.explode_charges(frame)
    for by in GROUPINGS:
        source = frame if by == ["locale"] else tried
        assert rows_of(pva.fallback_rates(source, by=by)) == fallback_rates(rows, by)
        assert rows_of(pva.success_rates(frame, by=by)) == success_rates(rows, by)
        assert rows_of(pva.cost_per_verified(frame, by=by)) == cost_per_verified(rows, by)
        if by != ["path"]:
            assert rows_of(pva.channel_paths(frame, by=by)) == channel_paths(rows, by)
    for by in (["channel"], [], ["channel", "status"], ["step", "session_status"]):
        assert rows_of(pva.attempt_outcomes(tried, by=by)) == attempt_outcomes(rows, by)
    for by in (["channel"], [], ["line"], ["channel", "entry_channel"], ["note"]):
        assert rows_of(pva.spend(lines, by=by)) == spend(lines_of(rows), by)
    assert rows_of(pva.reconcile(frame)) == reconcile(rows)


@given(rows=sessions(), every=st.sampled_from(["1h", "1d", "1w", "1mo"]), tz=st.sampled_from(ZONES))
@settings(max_examples=30, deadline=None)
def test_periods_agree_with_the_reference(rows: Any, every: str, tz: str) -> None:
    frame = from_rows(rows, SESSIONS)
    for row in rows:
        row["period"] = bucket(row["created_at"], every, tz)
    periods = {row["session_uuid"]: row["period"] for row in rows}
    options = {"every": every, "tz": tz}
    by = ["period", "app_uuid"]
    assert rows_of(pva.success_rates(frame, "app_uuid", **options)) == success_rates(rows, by)
    assert rows_of(pva.cost_per_verified(frame, "app_uuid", **options)) == cost_per_verified(
        rows, by
    )
    lines = [line | {"period": periods[line["session_uuid"]]} for line in lines_of(rows)]
    assert rows_of(pva.spend(frame, **options)) == spend(lines, ["period", "channel"])


@given(rows=sessions())
@settings(max_examples=30, deadline=None)
def test_money_is_conserved_in_every_grouping(rows: Any) -> None:
    frame = from_rows(rows, SESSIONS)
    whole = [row for row in rows if row["total_charge"] is not None]
    lines = pva.explode_charges(frame).to_dicts()
    for row in whole:
        own = [line["amount"] for line in lines if line["session_uuid"] == row["session_uuid"]]
        assert add(own) == row["total_charge"]
    complete = from_rows(whole, SESSIONS)
    total = add([row["total_charge"] for row in whole])
    complete = pva.explode_charges(complete)
    for by in ([], ["channel"], ["line", "path"], ["destination_country_iso2"]):
        assert add(pva.spend(complete, by=by, every="1d")["amount"].to_list()) == total


@given(rows=sessions())
@settings(max_examples=30, deadline=None)
def test_groups_add_up_to_the_whole(rows: Any) -> None:
    frame = from_rows(rows, SESSIONS)
    tried = pva.explode_attempts(frame)
    for metric, source, by in (
        (pva.fallback_rates, tried, ["entry_channel", "destination_country_iso2"]),
        (pva.success_rates, frame, ["status", "app_uuid"]),
        (pva.cost_per_verified, frame, ["entry_channel"]),
        (pva.attempt_outcomes, tried, ["channel", "time"]),
        (pva.spend, pva.explode_charges(frame), ["channel", "attempt_uuid"]),
    ):
        whole = metric(source, by=())
        parts = metric(source, by=by)
        counts = [c for c in whole.columns if whole[c].dtype.is_integer()]
        for name in counts:
            assert parts[name].sum() == whole[name].sum(), (metric.__name__, name)


messages = st.lists(
    st.fixed_dictionaries(
        {
            "message_direction": st.sampled_from(["outbound", "Outbound", "inbound", None]),
            "message_state": st.sampled_from(
                ["delivered", "read", "undelivered", "failed", "rejected", "sent", "odd", None]
            ),
            "message_type": st.sampled_from(["sms", "whatsapp", None]),
            "error_code": st.sampled_from(["000", "450", None]),
            "units": st.none() | st.integers(0, 9),
            "total_amount": amounts,
            "carrier_fees": amounts,
            "message_time": instants,
        }
    ),
    max_size=8,
)


@given(rows=messages)
@settings(max_examples=40, deadline=None)
def test_message_metrics_agree_with_the_reference(rows: Any) -> None:
    for number, row in enumerate(rows):
        row["message_uuid"] = f"m{number}"
        row["period"] = bucket(row["message_time"], "1d", "America/Havana")
    frame = from_rows([dict.fromkeys(MESSAGES.names) | row for row in rows], MESSAGES)
    spent = []
    for key, group in grouped(rows, ["period", "message_type"]):
        units = [row["units"] for row in group if row["units"] is not None]
        paid = [row["total_amount"] for row in group]
        spent.append(
            key
            | {
                "messages": len(group),
                "units": sum(units) if units else None,
                "amount": add(paid),
                "carrier_fees": add([row["carrier_fees"] for row in group]),
                "unpriced": paid.count(None),
            }
        )
    assert rows_of(pva.message_spend(frame, every="1d", tz="America/Havana")) == spent
    delivered = []
    outbound = [row for row in rows if fold(row["message_direction"]) == "outbound"]
    for key, group in grouped(outbound, ["error_code"]):
        states = [row["message_state"] for row in group]
        n = {
            "delivered": states.count("delivered") + states.count("read"),
            "undelivered": states.count("undelivered"),
            "failed": states.count("failed") + states.count("rejected"),
            "other": sum(state in ("sent", "odd", None) for state in states),
        }
        final = len(group) - n["other"]
        bounds = with_bounds("delivered_rate", n["delivered"], final)
        delivered.append(key | {"messages": len(group)} | n | bounds)
    assert rows_of(pva.delivery_rates(frame, "error_code")) == delivered
