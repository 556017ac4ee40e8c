"""What an installed package must be able to do: run by the interpreter of a fresh environment.

``python -I tests/smoke.py`` in an empty folder. It needs the package's own dependencies and
nothing else: no pytest, and no source tree. Where DuckDB is installed too, it is asked in SQL. It
fails with the first thing that does not work.
"""

from __future__ import annotations

import subprocess
import sys
import warnings
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

import plivo_analysis as pva

if TYPE_CHECKING:
    from decimal import Decimal


def main() -> None:
    """Load, count, draw, report and explore an embedded account, with each backend."""
    package = Path(pva.__file__)
    assert package.is_relative_to(sys.prefix), f"{package} is not of this environment"
    for name in pva.__all__:
        assert getattr(pva, name) is not None
    counted = [tables(backend) for backend in ("polars", "pandas")]
    assert counted[0] == counted[1], counted
    if find_spec("duckdb"):
        in_sql()
    widgets()
    command_line()
    pva.show_versions()


def tables(backend: str) -> list[Decimal]:
    """What sessions and messages cost: the same with each backend."""
    with pva.demo(sessions=200, backend=backend) as client:
        sessions = pva.load_sessions(since="30d", client=client)
        messages = pva.load_messages(since="30d", client=client)
        masked = pva.load_sessions(since="7d", client=client, recipients="masked")
    assert len(masked) > 0
    frames = {
        "fallback": pva.fallback_rates(sessions),
        "paths": pva.channel_paths(sessions),
        "spend": pva.spend(sessions, by=["destination_country_iso2", "channel"]),
        "outcomes": pva.attempt_outcomes(sessions),
    }
    for name, frame in frames.items():
        assert getattr(pva.figures, name)(frame).to_plotly_json()["data"]
    pva.success_rates(sessions, by="alias")
    pva.cost_per_verified(sessions, by="alias")
    pva.reconcile(sessions)
    pva.join_messages(pva.explode_attempts(sessions), messages)
    pva.delivery_rates(messages)
    if backend == "pandas":
        by_month(sessions)
    report = pva.cost_report(sessions, "report.html", messages=messages, tz="Europe/Paris")
    report.to_xlsx("report.xlsx")
    report.to_csv("tables")
    by_day = pva.spend(sessions, by=[], every="1d", tz="Europe/Paris")
    spent = [pva.spend(sessions, by=[]), pva.message_spend(messages, by=[])]
    return [*by_day["amount"].to_list(), *(frame["amount"].to_list()[0] for frame in spent)]


def by_month(sessions: pd.DataFrame) -> None:
    """A month as pandas holds it, which older releases of Arrow cannot convert."""
    months = pd.PeriodIndex(["2026-10"] * len(sessions), freq="M")
    rates = pva.success_rates(sessions.assign(month=pd.Categorical(months)), by="month")
    assert rates["month"].to_list() == ["2026-10"]


def in_sql() -> None:
    """DuckDB counts what is stored as the loaded table is counted."""
    with pva.demo(sessions=200) as client:
        sessions = pva.load_sessions(since="30d", client=client)
        with pva.connect(client) as sql:
            assert pva.fallback_rates(sql.table("attempts")).equals(pva.fallback_rates(sessions))
            assert pva.success_rates(sql.table("sessions")).equals(pva.success_rates(sessions))


def widgets() -> None:
    """The explorer loads without a browser."""
    with pva.demo(sessions=50) as client:
        explorer = pva.SessionExplorer(client)
        explorer.load.click()
        assert explorer.wait(60)
        assert explorer.error is None, explorer.error
        assert len(explorer.frame) > 0


def command_line() -> None:
    """The command that the package installs."""
    command = Path(sys.executable).with_name("plivo-analysis")
    for arguments in (
        ["--version"],
        ["pull", "--demo", "sessions", "--since", "2d", "--out", "sessions.parquet"],
        ["report", "--demo", "--since", "7d", "--out", "command.html"],
    ):
        subprocess.run([command, *arguments], check=True)
    assert Path("sessions.parquet").stat().st_size > 0


if __name__ == "__main__":
    warnings.simplefilter("error")
    main()
