"""An emulated account, a server for it and a client of it: what most tests stand on."""

from __future__ import annotations

import gc
import math
import shutil
import uuid
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import settings

from plivo_analysis import Client
from plivo_analysis.emulator import AUTH_ID, AUTH_TOKEN, Account, Server
from plivo_analysis.emulator.account import DEFAULT_NOW
from plivo_analysis.system.clock import Clock

# No deadlines: machines that run tests are shared, and a slow moment is no failure.
settings.register_profile("shared", deadline=None)
settings.load_profile("shared")

SPARK_OPTIONS = {
    "spark.sql.session.timeZone": "Pacific/Auckland",
    "spark.ui.enabled": "false",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.log.level": "ERROR",
    # Tables of a hundred rows: to compile each plan and to spread it takes nearly all the time.
    "spark.sql.shuffle.partitions": "1",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1",
}

Serve = Callable[..., Server]
Connect = Callable[..., Client]


class AccountClock(Clock):
    """The wall's time of an emulated account; a wait is over as soon as it begins."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self.skipped = 0.0

    def now(self) -> datetime:
        return self._account.now

    def monotonic(self) -> float:
        return super().monotonic() + self.skipped

    def wait(self, seconds: float, cancel: Any = None) -> bool:
        self.skipped += seconds
        return cancel is not None and cancel.is_set()


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Leave what collecting makes out of the garbage collector's searches.

    Modules and tests last until the end. To search them over and over takes a third of the time
    of collecting, and some of the tests' time.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.fixture(autouse=True)
def no_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """No test sees the credentials or folders of whoever runs it."""
    for name in ("PLIVO_AUTH_ID", "PLIVO_AUTH_TOKEN", "PLIVO_API_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PLIVO_ANALYSIS_HOME", str(tmp_path_factory.mktemp("home")))


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serve an account, and end every server with the test."""
    with ExitStack() as servers:
        yield lambda account, **options: servers.enter_context(Server(account, **options))


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Connect to a server without waits, and close every client with the test."""
    with ExitStack() as clients:

        def open_client(server: Server, **options: Any) -> Client:
            options = {
                "store": False,
                "requests_per_minute": math.inf,
                "clock": AccountClock(server.account),
                **options,
            }
            client = Client(AUTH_ID, AUTH_TOKEN, base_url=server.url, **options)
            return clients.enter_context(client)

        yield open_client


@pytest.fixture
def session() -> Callable[..., dict[str, Any]]:
    """A session record of the wire, so long before the account's now, with what is given."""
    numbers = count(1)  # each once, whatever thread asks

    def record(ago: timedelta = timedelta(hours=2), **fields: Any) -> dict[str, Any]:
        made = next(numbers)
        at = (DEFAULT_NOW - ago).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        attempt = str(uuid.UUID(int=2**100 + made))
        return {
            "session_uuid": str(uuid.UUID(int=made)),
            "app_uuid": "6e8bfef5-3112-4b0b-a87f-03ddc8101480",
            "recipient": f"141555501{made % 100:02d}",
            "channel": "sms",
            "status": "verified",
            "count": 1,
            "attempt_details": [
                {"channel": "sms", "attempt_uuid": attempt, "status": "delivered", "time": at}
            ],
            "charges": {
                "total_charge": "0.0077",
                "validation_charge": "0",
                "attempt_charges": [
                    {"attempt_uuid": attempt, "channel": "sms", "charge": "0.0077"}
                ],
            },
            "created_at": at,
            "updated_at": at,
            **fields,
        }

    return record


@pytest.fixture
def message() -> Callable[..., dict[str, Any]]:
    """A message record of the wire, so long before the account's now, with what is given."""
    numbers = count(1)

    def record(ago: timedelta = timedelta(hours=2), **fields: Any) -> dict[str, Any]:
        return {
            "message_uuid": str(uuid.UUID(int=2**90 + next(numbers))),
            "message_time": (DEFAULT_NOW - ago).strftime("%Y-%m-%d %H:%M:%S.%f+00:00"),
            "message_direction": "outbound",
            "message_state": "delivered",
            "message_type": "sms",
            "from_number": "PLVSMS",
            "to_number": "14155550142",
            "units": 1,
            "total_rate": "0.0077",
            "total_amount": "0.0077",
            "error_code": "000",
            **fields,
        }

    return record


@pytest.fixture(scope="session")
def spark() -> Any:
    """A session of Spark on this computer; the test is skipped where there is none."""
    if shutil.which("java") is None:
        pytest.skip("Spark runs on Java 17, and there is no java on this machine.")
    sql = pytest.importorskip(
        "pyspark.sql", reason="PySpark is not installed; `make slow` does.", exc_type=ImportError
    )
    builder = sql.SparkSession.builder.master("local[2]")
    for name, value in SPARK_OPTIONS.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()
