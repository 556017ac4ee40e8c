"""What the how-to pages say of other programs, run with those programs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

import plivo_analysis as pva
from plivo_analysis.emulator import Account, Server, generate
from plivo_analysis.maintenance.export import export

if TYPE_CHECKING:
    from collections.abc import Callable

HOW_TO = Path(__file__).parents[2] / "docs" / "how-to"
NO_SPARK = "Spark, or the Java 17 that it runs on, is not installed; `make slow` does."

# What a machine of a cluster is sent: the page's own lines, and where to write what they give.
ON_A_CLUSTER = """
import sys
import warnings
warnings.simplefilter("ignore")
from pyspark.sql import SparkSession

SparkSession.builder = (
    SparkSession.builder.master("local-cluster[2,1,1024]")
    .config("spark.ui.enabled", "false")
    .config("spark.driver.host", "127.0.0.1")
    .config("spark.driver.bindAddress", "127.0.0.1")
    .config("spark.log.level", "ERROR")
    .config("spark.sql.shuffle.partitions", "2")
    .config("spark.sql.session.timeZone", "Pacific/Auckland")
)
{page}
rates.write_parquet("rates.parquet")
spent.write_parquet("spent.parquet")

# A notebook of Databricks has a session of Spark and a function that shows a table.
shown = []
display = shown.append
{in_a_notebook}
shown[0].to_parquet("shown.parquet")
spark.stop()
"""


def blocks(page: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", (HOW_TO / page).read_text(), re.DOTALL)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of dlt's own, such as of its pickles
def test_a_warehouse_holds_each_line_once_after_every_run(
    serve: Callable[..., Server],
    connect: Callable[..., pva.Client],
    session: Callable[..., dict[str, Any]],
    message: Callable[..., dict[str, Any]],
    *,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    pytest.importorskip("dlt", reason="dlt is not installed; `make slow` does.")
    import duckdb  # noqa: PLC0415 - after dlt, whose absence skips this

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RUNTIME__DLTHUB_TELEMETRY", "false")
    monkeypatch.setenv("DLT_DATA_DIR", str(tmp_path / "dlt"))
    # A session whose bill has a line less once it has settled.
    waiting = session(timedelta(days=2), status="in-progress")
    orphan = {"attempt_uuid": None, "channel": "sms", "charge": "0.01"}
    billed = [*waiting["charges"]["attempt_charges"], orphan]
    settled = {**waiting, "status": "verified"}
    waiting = {**waiting, "charges": {**waiting["charges"], "attempt_charges": billed}}
    account = Account.of(
        [waiting, *(session(timedelta(hours=hours)) for hours in range(3, 60))],
        messages=[message(timedelta(hours=hours)) for hours in range(3, 9)],
    )
    client = connect(serve(account), store=tmp_path / "store")
    for present in (waiting, settled):
        account.replace(present)
        pva.load_sessions(since="7d", client=client)
        pva.load_messages(since="7d", client=client)
        exec(blocks("warehouse.md")[0], {"client": client})  # noqa: S102 - the page, as it stands
        with duckdb.connect(str(tmp_path / "plivo.duckdb")) as warehouse:
            for name in ("attempts", "charges", "messages"):
                stored = pva.scan(name, client=client).collect()
                loaded = warehouse.sql(f"FROM verify.{name}").pl()
                keys = [key for key in stored.columns if key.endswith(("uuid", "number"))]
                same = loaded.select(stored.columns).cast(dict(stored.schema)).sort(keys)
                assert same.equals(stored.sort(keys))


@pytest.mark.slow
def test_a_standalone_cluster_counts_an_export_without_a_copy_of_this_package(
    serve: Callable[..., Server], connect: Callable[..., pva.Client], tmp_path: Path
) -> None:
    pyspark = pytest.importorskip("pyspark", reason=NO_SPARK, exc_type=ImportError)
    if shutil.which("java") is None:
        pytest.skip(NO_SPARK)
    client = connect(serve(generate(sessions=400)), store=tmp_path / "store")
    sessions = pva.load_sessions(since="90d", client=client)
    export(client, tmp_path / "archive", recipients="pseudonym")
    page, in_a_notebook = (
        next(block for block in blocks(path) if "spark.read.parquet" in block)
        for path in ("cluster.md", "../where-it-runs.md")
    )
    program = tmp_path / "program.py"
    program.write_text(ON_A_CLUSTER.format(page=page, in_a_notebook=in_a_notebook))
    package = tmp_path / "driver"  # the driver alone has the package on its path
    package.mkdir()
    (package / "plivo_analysis").symlink_to(Path(pva.__file__).parent)
    ran = subprocess.run(
        [
            sys.executable,
            "-c",
            f"import sys; sys.path.insert(0, {str(package)!r})\n" + program.read_text(),
        ],
        cwd=tmp_path,
        env={**os.environ, "SPARK_HOME": str(Path(pyspark.__file__).parent), "PYTHONPATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    rates = pva.fallback_rates(sessions)
    assert pl.read_parquet(tmp_path / "rates.parquet").equals(rates)
    assert pl.read_parquet(tmp_path / "shown.parquet").rows() == rates.rows()
    spent = pva.spend(sessions, by="channel", every="1mo", tz="Europe/Paris")
    assert pl.read_parquet(tmp_path / "spent.parquet").equals(spent)
