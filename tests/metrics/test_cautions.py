"""Several currencies are never added, and groups of masked numbers are said to be such."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import duckdb
import polars as pl
import pytest

import plivo_analysis as pva
from plivo_analysis.api.columns import MESSAGES, SESSIONS
from plivo_analysis.errors import PlivoAnalysisWarning, SchemaError
from plivo_analysis.tables.convert import from_rows, plain_arrow, to_backend
from plivo_analysis.values.masking import is_masked, mask_number

if TYPE_CHECKING:
    from collections.abc import Callable

RECIPIENTS = ["14155550126", "12125550126", "447700900123"]
MASKED = [mask_number(number) for number in RECIPIENTS]


def session(number: int, recipient: str) -> dict[str, Any]:
    tried = {"channel": "sms", "attempt_uuid": f"a{number}", "status": "delivered", "time": None}
    charge = {"attempt_uuid": f"a{number}", "channel": "sms", "charge": Decimal("0.08")}
    return dict.fromkeys(SESSIONS.names) | {
        "session_uuid": f"s{number}",
        "status": "verified",
        "recipient": recipient,
        "total_charge": Decimal("0.08"),
        "attempt_details": [tried],
        "attempt_charges": [charge],
        "attempts": 1,
        "entry_channel": "sms",
        "path": "sms",
    }


def sessions(recipients: list[str]) -> pl.DataFrame:
    return from_rows([session(n, each) for n, each in enumerate(recipients)], SESSIONS)


def messages() -> pl.DataFrame:
    rows = [
        dict.fromkeys(MESSAGES.names)
        | {"message_uuid": f"a{n}", "total_amount": Decimal("0.05"), "units": 1}
        for n in range(3)
    ]
    return from_rows(rows, MESSAGES)


def of_two(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(currency=pl.Series(["USD", "inr", None]))


def of_duckdb(frame: pl.DataFrame) -> Any:
    connection = duckdb.connect()
    connection.register("given", plain_arrow(frame))
    return connection.sql("FROM given")


KINDS: dict[str, Callable[[pl.DataFrame], Any]] = {
    "polars": lambda frame: frame,
    "lazy": lambda frame: frame.lazy(),
    "pandas": lambda frame: to_backend(frame, "pandas"),
    "pyarrow": plain_arrow,
}
SUMS: dict[str, tuple[Callable[..., Any], Callable[[], pl.DataFrame]]] = {
    "spend": (pva.spend, lambda: sessions(RECIPIENTS)),
    "attempt_outcomes": (pva.attempt_outcomes, lambda: sessions(RECIPIENTS)),
    "channel_paths": (pva.channel_paths, lambda: sessions(RECIPIENTS)),
    "cost_per_verified": (pva.cost_per_verified, lambda: sessions(RECIPIENTS)),
    "message_spend": (pva.message_spend, messages),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", SUMS)
def test_amounts_of_several_currencies_make_no_sum(name: str, kind: str) -> None:
    metric, table = SUMS[name]
    with pytest.raises(SchemaError, match=r"in 2 currencies \(INR, USD\), which make no sum"):
        metric(KINDS[kind](of_two(table())), by=())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", SUMS)
def test_each_currency_has_a_sum_of_its_own(name: str, kind: str) -> None:
    metric, table = SUMS[name]
    grouped = metric(KINDS[kind](of_two(table())), by="currency")
    words = grouped["currency"].dropna() if kind == "pandas" else grouped["currency"].drop_nulls()
    assert set(words) == {"USD", "inr"}


@pytest.mark.parametrize("explode", [pva.explode_attempts, pva.explode_charges])
def test_exploding_does_not_lose_the_currency(explode: Any) -> None:
    exploded = explode(of_two(sessions(RECIPIENTS)))
    assert exploded.columns[-1] == "currency"
    metric = pva.spend if explode is pva.explode_charges else pva.attempt_outcomes
    for given in (exploded, of_duckdb(exploded)):
        with pytest.raises(SchemaError, match="currencies"):
            metric(given)


def test_messages_of_several_currencies_are_in_no_amount_of_a_join() -> None:
    with pytest.raises(SchemaError, match="currencies"):
        pva.join_messages(sessions(RECIPIENTS), of_two(messages()))


def test_one_currency_spelt_twice_is_one() -> None:
    table = sessions(RECIPIENTS).with_columns(currency=pl.Series(["USD", " usd", None]))
    assert pva.spend(table, ())["amount"].to_list() == [Decimal("0.24")]


def test_rates_need_no_currency() -> None:
    assert pva.success_rates(of_two(sessions(RECIPIENTS)))["sessions"].to_list() == [3]
    assert pva.fallback_rates(of_two(sessions(RECIPIENTS)), ())["sessions"].to_list() == [3]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "metric", [pva.success_rates, pva.fallback_rates, pva.spend, pva.cost_per_verified]
)
def test_a_group_of_masked_numbers_is_said_to_be_one(metric: Any, kind: str) -> None:
    with pytest.warns(
        PlivoAnalysisWarning, match="2 of 2 groups are of masked numbers in 'recipient'"
    ) as w:
        grouped = metric(KINDS[kind](sessions(MASKED)), by="recipient")
    assert len(grouped) == 2  # of three people
    assert w[0].filename == __file__


def test_masked_senders_and_receivers_of_messages_are_said_to_be_such() -> None:
    table = messages().with_columns(to_number=pl.Series(MASKED), from_number=pl.lit("PLVRFY"))
    with pytest.warns(
        PlivoAnalysisWarning, match="2 of 2 groups are of masked numbers in 'to_number'"
    ):
        pva.message_spend(table, ["from_number", "to_number"])


@pytest.mark.parametrize("numbers", [RECIPIENTS, ["c29e0b51f4aa7d12", "PLVRFY", "58671"]])
def test_full_numbers_pseudonyms_and_names_are_not_warned_of(numbers: list[str]) -> None:
    assert pva.spend(sessions(numbers), "recipient").height == 3


def test_masked_numbers_beside_the_groups_are_no_matter() -> None:
    assert pva.spend(sessions(MASKED))["amount"].sum() == Decimal("0.24")


@pytest.mark.parametrize(
    ("number", "masked"),
    [
        ("1 ••• ••• ••26", True),
        ("••• ••• ••", True),
        (f"141{'X' * 5}528", True),
        (f"+1415555{'*' * 4}", True),
        ("+14155550126", False),
        ("14155550126", False),
        ("", False),
        ("Xx", False),
    ],
)
def test_a_masked_number_is_known_by_its_form(number: str, masked: bool) -> None:
    assert is_masked(number) is masked


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", SUMS)
def test_a_sum_says_in_which_currency_it_is(name: str, kind: str) -> None:
    metric, table = SUMS[name]
    rupees = table().with_columns(currency=pl.lit("inr"))
    assert set(metric(KINDS[kind](rupees), by=())["currency"]) == {"INR"}
    assert "currency" not in metric(KINDS[kind](table()), by=()).columns
