"""Every insight against a plain-Python reference that shares no code with it, and their laws.

The accounts are hypothesis's: few words, few prices and few times, so that ties, repeats,
missing values and empty groups are common.
"""

from __future__ import annotations

import itertools
import math
import warnings
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from fractions import Fraction
from statistics import NormalDist, median
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

import plivo_analysis as pva
from plivo_analysis.api.columns import MESSAGES, SESSIONS
from plivo_analysis.errors import PlivoAnalysisWarning
from plivo_analysis.tables.convert import from_rows

START = datetime(2026, 10, 24, 21, 10, tzinfo=UTC)
EIGHT = Decimal("0.00000001")
Row = dict[str, Any]

# --- accounts -------------------------------------------------------------------------------

prices = st.sampled_from(
    [None, *map(Decimal, ("0", "0.08", "0.08", "0.0331", "0.00000001", "999999999.99999999"))]
)
statuses = st.sampled_from(
    ["verified", "verified", "expired", "EXPIRED", "in-progress", "odd", None]
)
channels = st.sampled_from(["sms", "sms", "voice", "whatsapp", None])
reports = st.sampled_from(["delivered", "answer", "failed", "no-answer", "sent", "odd", None])
recipients = st.sampled_from(["14155550126", "14155550126", "447700900123", None])
countries = st.sampled_from(["US", "GB", "ä", None])
STATES = [
    "delivered",
    "delivered",
    "sent",
    "queued",
    "read",
    "failed",
    "rejected",
    "Undelivered",
    None,
]
OUTCOMES = {"delivered": "reached", "answer": "reached", "failed": "failed", "no-answer": "failed"}


@st.composite
def accounts(draw: st.DrawFn) -> list[Row]:
    """Rows of a sessions table."""
    rows = []
    for number in range(draw(st.integers(0, 9))):
        created = START + timedelta(minutes=draw(st.sampled_from([0, 0, 10, 29, 30, 40, 59, 90])))
        waits = draw(
            st.lists(st.sampled_from([0, 1, 15, 30, 45.5, 60, 119.999999, 120]), max_size=4)
        )
        times = list(itertools.accumulate(waits))
        tried: list[Row] = [
            {
                "channel": draw(channels),
                "attempt_uuid": f"{number}-{place}",
                "status": draw(reports),
                "time": created + timedelta(seconds=at),
            }
            for place, at in enumerate(times)
        ]
        if tried and draw(st.integers(0, 4)) == 0:
            tried[-1]["time"] = None
        words = [one["channel"] or "unknown" for one in tried]
        rows.append(
            dict.fromkeys(SESSIONS.names)
            | {
                "session_uuid": f"s{number}",
                "status": draw(statuses),
                "recipient": draw(recipients),
                "app_uuid": draw(st.sampled_from(["app", "other", None])),
                "destination_country_iso2": draw(countries),
                "destination_network": draw(st.sampled_from(["Alpha", "Beta", None])),
                "attempt_details": tried,
                "total_charge": draw(prices),
                "created_at": created,
                "attempts": len(tried),
                "entry_channel": words[0] if words else None,
                "path": " → ".join(words) or None,
            }
        )
    return rows


@st.composite
def mailboxes(draw: st.DrawFn) -> list[Row]:
    """Rows of a messages table."""
    moments = st.sampled_from([None, *(timedelta(seconds=s) for s in (0, 1, 2, 2.5, 60, 61))])
    rows = []
    for number in range(draw(st.integers(0, 12))):
        times = [draw(moments) for _ in range(3)]
        rows.append(
            dict.fromkeys(MESSAGES.names)
            | {
                "message_uuid": f"m{number}",
                "message_direction": draw(st.sampled_from(["outbound", "Outbound", "inbound"])),
                "message_state": draw(
                    st.sampled_from(
                        [
                            "delivered",
                            "delivered",
                            "sent",
                            "queued",
                            "read",
                            "failed",
                            "rejected",
                            "Undelivered",
                            None,
                        ]
                    )
                ),
                "destination_network": draw(st.sampled_from(["Alpha", None])),
                **{
                    f"message_{name}time": None if at is None else START + at
                    for name, at in zip(("", "sent_", "updated_"), times, strict=True)
                },
            }
        )
    return rows


BY_COLUMNS = [(), ("destination_country_iso2",), ("entry_channel", "app_uuid")]
groupings = st.sampled_from(BY_COLUMNS)


def sessions_of(rows: list[Row]) -> pl.DataFrame:
    return from_rows(rows, SESSIONS)


# --- what the references share --------------------------------------------------------------


def groups_of(rows: list[Row], by: tuple[str, ...]) -> dict[tuple[Any, ...], list[Row]]:
    """Groups in the order of results: text by code point, nulls last."""
    found: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for row in rows:
        found[tuple(row[name] for name in by)].append(row)
    return {key: found[key] for key in sorted(found, key=sort_key)}


def sort_key(values: Any) -> Any:
    return [(value is None, value or "") for value in values]


def fold(status: str | None) -> str | None:
    return None if status is None else status.lower().replace("-", " ")


def settled(rows: list[Row]) -> list[Row]:
    return [row for row in rows if fold(row["status"]) in {"verified", "expired"}]


def verified(rows: list[Row]) -> list[Row]:
    return [row for row in rows if fold(row["status"]) == "verified"]


def known(rows: list[Row]) -> list[Decimal]:
    return [row["total_charge"] for row in rows if row["total_charge"] is not None]


def rounded(amount: Fraction) -> Decimal:
    with localcontext() as context:
        context.prec = 80
        exact = Decimal(amount.numerator) / Decimal(amount.denominator)
        return exact.quantize(EIGHT, rounding=ROUND_HALF_EVEN)


def near(found: float | None, wanted: float | None) -> bool:
    if found is None or wanted is None:
        return found is wanted
    return math.isclose(found, wanted, rel_tol=1e-9, abs_tol=1e-12)


def interval(part: int, whole: int) -> tuple[float | None, float | None]:
    if not whole:
        return None, None
    low, high = proportion_confint(part, whole, method="wilson")
    return float(low), float(high)


# --- compare --------------------------------------------------------------------------------


def evaluable(row: Row) -> bool:
    words = (row["path"] or "").split(" → ")
    steps = list(itertools.pairwise(words))
    clear = all("unknown" not in step for step in steps)
    return row["path"] is not None and (clear or fell_back(row))


def fell_back(row: Row) -> bool:
    steps = itertools.pairwise((row["path"] or "").split(" → "))
    return any(one != other and "unknown" not in (one, other) for one, other in steps)


def cost(rows: list[Row]) -> Fraction | None:
    of, among = settled(rows), verified(rows)
    return Fraction(sum(known(of))) / len(among) if known(of) and among else None


def cost_variance(rows: list[Row]) -> Fraction | None:
    of, among, each = settled(rows), verified(rows), cost(rows)
    if each is None or len(of) < 2:
        return None
    errors = [
        Fraction(row["total_charge"] or 0) - each * (fold(row["status"]) == "verified")
        for row in of
    ]
    squares = sum((error**2 for error in errors), Fraction(0))
    return Fraction(len(of), len(of) - 1) * squares / len(among) ** 2


def compared(before: list[Row], after: list[Row]) -> Row:
    sides = {"before": before, "after": after}
    found: Row = {f"sessions_{name}": len(rows) or None for name, rows in sides.items()}
    spent = {name: sum(known(rows)) if known(rows) else None for name, rows in sides.items()}
    found |= {f"spend_{name}": amount for name, amount in spent.items()}
    complete = None not in spent.values()
    found["spend_change"] = spent["after"] - spent["before"] if complete else None
    for rate, parts in {
        "success_rate": [(len(verified(rows)), len(settled(rows))) for rows in sides.values()],
        "fallback_rate": [
            (
                sum(fell_back(row) for row in settled(rows) if evaluable(row)),
                sum(evaluable(row) for row in settled(rows)),
            )
            for rows in sides.values()
        ],
    }.items():
        (k0, n0), (k1, n1) = parts
        rates = [k / n if n else None for k, n in parts]
        low = high = detectable = None
        if n0 and n1:
            low, high = confint_proportions_2indep(k1, n1, k0, n0, method="newcomb", compare="diff")
            pooled = (k0 + k1) / (n0 + n1)
            if 0 < pooled < 1:
                z = NormalDist().inv_cdf(0.975) + NormalDist().inv_cdf(0.8)
                detectable = z * math.sqrt(pooled * (1 - pooled) * (1 / n0 + 1 / n1))
        found |= {
            f"{rate}_before": rates[0],
            f"{rate}_after": rates[1],
            f"{rate}_change": rates[1] - rates[0] if n0 and n1 else None,
            f"{rate}_change_low": low,
            f"{rate}_change_high": high,
            f"{rate}_detectable": detectable,
        }
    costs = [cost(rows) for rows in sides.values()]
    variances = [cost_variance(rows) for rows in sides.values()]
    change = None if None in costs else costs[1] - costs[0]
    half = None
    if None not in variances:
        half = NormalDist().inv_cdf(0.975) * math.sqrt(sum(variances))
    of = "cost_per_verified"
    for name, amount in zip(("before", "after", "change"), (*costs, change), strict=True):
        found[f"{of}_{name}"] = None if amount is None else rounded(amount)
    for name, sign in (("low", -1), ("high", 1)):
        ok = change is not None and half is not None
        found[f"{of}_change_{name}"] = float(change) + sign * half if ok else None
    return found


@given(before=accounts(), after=accounts(), by=groupings)
@settings(deadline=None, max_examples=50)
def test_compare_agrees_with_statsmodels_and_exact_fractions(
    before: list[Row], after: list[Row], by: tuple[str, ...]
) -> None:
    sides = groups_of(before, by), groups_of(after, by)
    keys = sorted({*sides[0], *sides[1]}, key=sort_key)
    wanted = [compared(*(side.get(key, []) for side in sides)) for key in keys]
    found = pva.compare(sessions_of(before), sessions_of(after), by)
    assert found.select(by).rows() == [key for key in keys if by]
    assert len(wanted) == found.height
    for row, one in zip(found.drop(by).to_dicts(), wanted, strict=True):
        assert list(row) == list(one)
        for name, value in row.items():
            if isinstance(value, float) or isinstance(one[name], float):
                assert near(value, one[name]), name
            else:
                assert value == one[name], name


@given(rows=accounts(), by=groupings)
@settings(deadline=None, max_examples=30)
def test_compare_with_itself_is_no_change_and_counts_as_the_metrics_do(
    rows: list[Row], by: tuple[str, ...]
) -> None:
    sessions = sessions_of(rows)
    found = pva.compare(sessions, sessions, by)
    changes = found.select(pl.col("^.*_change$"))
    assert all(value in (0, None) for row in changes.rows() for value in row)
    success = pva.success_rates(sessions, by)
    assert found["success_rate_before"].to_list() == success["success_rate"].to_list()
    costs = pva.cost_per_verified(sessions, by)["cost_per_verified"]
    assert found["cost_per_verified_after"].to_list() == costs.to_list()
    # Fallback rates have no row for a group without a settled session with an attempt.
    fallback = pva.fallback_rates(sessions, by)
    rates = {tuple(row[name] for name in by): row["fallback_rate"] for row in fallback.to_dicts()}
    for row in found.to_dicts():
        assert row["fallback_rate_before"] == rates.get(tuple(row[name] for name in by))


# --- cost bridge ----------------------------------------------------------------------------


def shapley(
    value: Any, before: tuple[Fraction, ...], after: tuple[Fraction, ...]
) -> list[Fraction]:
    """What each argument adds on average, over all orders in which they change."""
    orders = list(itertools.permutations(range(len(before))))
    parts = [Fraction(0)] * len(before)
    for order in orders:
        now = list(before)
        for place in order:
            was = value(*now)
            now[place] = after[place]
            parts[place] += (value(*now) - was) / len(orders)
    return parts


def bridged(before: list[Row], after: list[Row], by: tuple[str, ...]) -> list[tuple[Any, ...]]:
    """The unrounded rows: cell, effect, amount."""
    sides = [
        groups_of([r for r in rows if r["total_charge"] is not None], by)
        for rows in (before, after)
    ]
    whole = [Fraction(sum(len(rows) for rows in side.values())) for side in sides]
    found: list[tuple[Any, ...]] = []
    for cell in sorted({*sides[0], *sides[1]}, key=sort_key):
        money = [Fraction(sum(known(side.get(cell, [])))) for side in sides]
        q = [Fraction(len(side.get(cell, []))) for side in sides]
        if not q[0]:
            found.append((*cell, "new", money[1]))
        elif not q[1]:
            found.append((*cell, "ended", -money[0]))
        else:
            p = [amount / number for amount, number in zip(money, q, strict=True)]
            price, _ = shapley(lambda a, b: a * b, (p[0], q[0]), (p[1], q[1]))
            shares = [number / all_ for number, all_ in zip(q, whole, strict=True)]
            mean = (p[0] + p[1]) / 2
            volume, mix = shapley(
                lambda a, b, mean=mean: mean * a * b, (whole[0], shares[0]), (whole[1], shares[1])
            )
            found += [(*cell, "price", price), (*cell, "volume", volume), (*cell, "mix", mix)]
    return found


@pytest.mark.filterwarnings("ignore:.*have no total yet:plivo_analysis.errors.PlivoAnalysisWarning")
@given(before=accounts(), after=accounts(), by=groupings)
@settings(deadline=None, max_examples=50)
def test_cost_bridge_is_shapleys_and_sums_to_the_change_of_spend_to_the_last_digit(
    before: list[Row], after: list[Row], by: tuple[str, ...]
) -> None:
    wanted = bridged(before, after, by)
    found = pva.cost_bridge(sessions_of(before), sessions_of(after), by)
    assert [row[:-1] for row in found.rows()] == [row[:-1] for row in wanted]
    change = sum(known(after), Decimal(0)) - sum(known(before), Decimal(0))
    assert sum(found["amount"], Decimal(0)) == change
    exact = [row[-1] / Fraction(EIGHT) for row in wanted]
    units = [math.floor(part) for part in exact]
    # The missing units, to the largest remainders, the first of equal ones before the next.
    order = sorted(range(len(units)), key=lambda n: (units[n] - exact[n], n))
    for place in order[: int(change / EIGHT) - sum(units)]:
        units[place] += 1
    assert [int(amount / EIGHT) for amount in found["amount"]] == units
    back = pva.cost_bridge(sessions_of(after), sessions_of(before), by)
    turned = {"new": "ended", "ended": "new"}
    for one, other in zip(found.rows(), back.rows(), strict=True):
        assert other[:-2] == one[:-2]
        assert other[-2] == turned.get(one[-2], one[-2])
        assert abs(one[-1] + other[-1]) <= 2 * EIGHT


def test_cost_bridge_counts_the_sessions_that_it_leaves_out() -> None:
    row = dict.fromkeys(SESSIONS.names) | {"session_uuid": "a", "attempts": 0}
    paid = row | {"total_charge": Decimal("0.08")}
    with pytest.warns(PlivoAnalysisWarning, match="no total yet: 0 before, 1 after"):
        found = pva.cost_bridge(sessions_of([paid]), sessions_of([row]))
    assert found.rows() == [(None, None, "ended", Decimal("-0.08"))]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pva.cost_bridge(sessions_of([paid]), sessions_of([paid]))


# --- journeys -------------------------------------------------------------------------------


def journeys_of(rows: list[Row], gap: timedelta) -> list[list[Row]]:
    found: list[list[Row]] = []
    people: dict[Any, list[Row]] = defaultdict(list)
    for number, row in enumerate(rows):
        nobody = row["recipient"] is None
        people[number if nobody else (row["recipient"], row["app_uuid"])].append(row)
    for own in people.values():
        own.sort(key=lambda row: (row["created_at"], row["session_uuid"]))
        for place, row in enumerate(own):
            before = own[place - 1]
            goes_on = place and fold(before["status"]) != "verified"
            if goes_on and row["created_at"] - before["created_at"] < gap:
                found[-1].append(row)
            else:
                found.append([row])
    return sorted(
        found,
        key=lambda journey: (
            journey[0]["created_at"],
            sort_key([journey[0][name] for name in ("recipient", "app_uuid", "session_uuid")]),
        ),
    )


def journey(rows: list[Row]) -> Row:
    done = fold(rows[-1]["status"]) == "verified"
    return {
        "recipient": rows[0]["recipient"],
        "app_uuid": rows[0]["app_uuid"],
        "began_at": rows[0]["created_at"],
        "ended_at": rows[-1]["created_at"],
        "sessions": len(rows),
        "verified": done,
        "open": not done and any(fold(row["status"]) == "in progress" for row in rows),
        "attempts": sum(row["attempts"] for row in rows),
        "channels": " → ".join(row["path"] for row in rows if row["path"]) or None,
        "total_charge": sum(known(rows)) if known(rows) else None,
        "unpriced": len(rows) - len(known(rows)),
    }


GAPS = {"30m": timedelta(minutes=30), "1800s": timedelta(minutes=30), "2h": timedelta(hours=2)}


@given(rows=accounts(), gap=st.sampled_from(list(GAPS)))
@settings(deadline=None, max_examples=50)
def test_journeys_are_those_of_plain_python_and_lose_no_session_and_no_money(
    rows: list[Row], gap: str
) -> None:
    found = pva.journeys(sessions_of(rows), gap)
    assert found.to_dicts() == [journey(one) for one in journeys_of(rows, GAPS[gap])]
    assert found["sessions"].sum() == len(rows)
    assert sum(found["total_charge"].drop_nulls(), Decimal(0)) == sum(known(rows), Decimal(0))


@given(rows=accounts(), by=groupings)
@settings(deadline=None, max_examples=50)
def test_journey_rates_are_those_of_plain_python(rows: list[Row], by: tuple[str, ...]) -> None:
    groups: dict[Any, list[list[Row]]] = defaultdict(list)
    for one in journeys_of(rows, timedelta(minutes=30)):
        groups[tuple(one[0][name] for name in by)].append(one)
    found = pva.journey_rates(sessions_of(rows), by)
    assert found.height == len(groups)
    assert found["journeys"].sum() == pva.journeys(sessions_of(rows)).height
    for row, key in zip(found.to_dicts(), sorted(groups, key=sort_key), strict=True):
        own = groups[key]
        done = [one for one in own if fold(one[-1]["status"]) == "verified"]
        over = [
            one
            for one in own
            if one in done or all(fold(row["status"]) == "expired" for row in one)
        ]
        paid = [amount for one in over for amount in known(one)]
        each = rounded(Fraction(sum(paid)) / len(done)) if paid and done else None
        assert tuple(row[name] for name in by) == key
        assert (row["journeys"], row["settled"], row["verified"]) == (
            len(own),
            len(over),
            len(done),
        )
        assert row["conversion_rate"] == (len(done) / len(over) if over else None)
        low, high = interval(len(done), len(over))
        assert near(row["conversion_rate_low"], low)
        assert near(row["conversion_rate_high"], high)
        assert row["sessions_per_journey"] == sum(map(len, own)) / len(own)
        assert row["cost_per_verified_journey"] == each


# --- waits, receipts, delivery times --------------------------------------------------------

LENGTHS = ["under 15 s", "15–30 s", "30–60 s", "1–2 min", "over 2 min", None]


def length(seconds: float | None) -> str | None:
    if seconds is None:
        return None
    bounds = [15, 30, 60, 120]
    return LENGTHS[sum(seconds >= bound for bound in bounds)]


def steps_of(rows: list[Row]) -> list[Row]:
    found = []
    for row in settled(rows):
        tried = row["attempt_details"]
        tried = [one for one in tried if one["time"]] + [one for one in tried if not one["time"]]
        for one, following in itertools.pairwise(tried):
            if one["channel"] and following["channel"]:
                times = [one["time"], following["time"]]
                wait = None if None in times else (times[1] - times[0]).total_seconds()
                found.append(
                    row
                    | {
                        "wait": wait,
                        "previous_channel": one["channel"],
                        "channel": following["channel"],
                        "done": fold(row["status"]) == "verified",
                    }
                )
    return found


@given(
    rows=accounts(),
    by=st.sampled_from([(), ("previous_channel", "channel"), ("destination_country_iso2",)]),
)
@settings(deadline=None, max_examples=50)
def test_waits_are_those_of_plain_python(rows: list[Row], by: tuple[str, ...]) -> None:
    wanted = []
    for key, steps in groups_of(steps_of(rows), by).items():
        for name in LENGTHS:
            own = [step for step in steps if length(step["wait"]) == name]
            if own:
                done = sum(step["done"] for step in own)
                times = [round(step["wait"] * 10**6) for step in own if name]
                middle = float(median(times)) / 10**6 if times else None
                wanted.append(
                    (*key, name, len(own), middle, done, done / len(own), interval(done, len(own)))
                )
    found = pva.waits(sessions_of(rows), by)
    assert len(wanted) == found.height
    for row, one in zip(found.rows(), wanted, strict=True):
        assert row[:-2] == one[:-1]
        assert near(row[-2], one[-1][0])
        assert near(row[-1], one[-1][1])
    assert found.rows() == pva.waits(pva.explode_attempts(sessions_of(rows)), by).rows()


@given(rows=accounts(), by=st.sampled_from([(), ("destination_network",), ("entry_channel",)]))
@settings(deadline=None, max_examples=50)
def test_receipts_are_those_of_plain_python(rows: list[Row], by: tuple[str, ...]) -> None:
    wanted = []
    for key, own in groups_of([row for row in settled(rows) if row["attempts"] == 1], by).items():
        cells: dict[Any, int] = defaultdict(int)
        for row in own:
            word = OUTCOMES.get(row["attempt_details"][0]["status"])
            cells[word, fold(row["status"]) if word else None] += 1
        counts = [
            cells[word, end] for word in ("reached", "failed") for end in ("verified", "expired")
        ]
        counts.append(cells[None, None])
        assert sum(counts) == len(own)
        used, unused, wrong, right, _ = counts
        rates: list[float | None] = []
        for part, whole in ((wrong, wrong + right), (unused, used + unused)):
            rates += [part / whole if whole else None, *interval(part, whole)]
        wanted.append((key, counts, rates))
    found = pva.receipts(sessions_of(rows), by)
    assert found.height == len(wanted)
    for row, (key, counts, rates) in zip(found.rows(), wanted, strict=True):
        assert row[: len(by)] == key
        assert list(row[len(by) : len(by) + 5]) == counts
        assert all(near(one, other) for one, other in zip(row[len(by) + 5 :], rates, strict=True))


def kaplan_meier(times: list[float], never: int, share: Fraction) -> float | None:
    """By hand: the first time after which no more than 1 − share are still under way."""
    waiting = left = len(times) + never
    for at in sorted(set(times)):
        left -= times.count(at)
        if waiting and Fraction(left, waiting) <= 1 - share:
            return at
    return None


@given(rows=mailboxes(), by=st.sampled_from([(), ("destination_network",)]))
@settings(deadline=None, max_examples=80)
def test_delivery_times_are_quantiles_by_hand(rows: list[Row], by: tuple[str, ...]) -> None:
    outbound = [row for row in rows if row["message_direction"].lower() == "outbound"]
    wanted = []
    for key, own in groups_of(outbound, by).items():
        queue, delivery = [], []
        never_sent = unfinished = untimed = 0
        for row in own:
            state = (row["message_state"] or "").lower()
            at, sent, updated = (row[f"message_{name}time"] for name in ("", "sent_", "updated_"))
            in_queue = (sent - at).total_seconds() if at and sent else -1
            under_way = (updated - sent).total_seconds() if sent and updated else -1
            if state in {"failed", "rejected", "undelivered"}:
                continue
            if state == "delivered" and in_queue >= 0 and under_way >= 0:
                queue.append(in_queue)
                delivery.append(under_way)
            elif state in {"delivered", "read"}:
                untimed += 1
            else:
                unfinished += 1
                queue += [in_queue] if in_queue >= 0 else []
                never_sent += in_queue < 0
        wanted.append(
            (
                *key,
                len(own),
                *(kaplan_meier(queue, never_sent, Fraction(q, 100)) for q in (50, 95)),
                *(kaplan_meier(delivery, unfinished, Fraction(q, 100)) for q in (50, 95)),
                unfinished,
                untimed,
            )
        )
    assert pva.delivery_times(from_rows(rows, MESSAGES), by).rows() == wanted


@given(rows=accounts())
@settings(deadline=None, max_examples=30)
def test_the_counts_of_groups_add_up_to_those_of_the_whole(rows: list[Row]) -> None:
    sessions = sessions_of(rows)
    by = "destination_country_iso2"
    for insight in (pva.journey_rates, pva.receipts, pva.waits):
        groups, whole = (
            insight(sessions, columns).select(pl.selectors.integer()).sum() for columns in (by, ())
        )
        assert groups.to_dicts() == whole.to_dicts()
    parts = pva.compare(sessions, sessions.clear(), by)["spend_before"]
    assert sum(parts.drop_nulls(), Decimal(0)) == sum(known(rows), Decimal(0))
