"""The embedded account: the emulator in this process, and an ordinary client for it.

The only place where the emulator and what it tests meet. The client takes the way of a real
account, over HTTP; only the wall's time stands still, so that a notebook says the same for
ever.
"""

from __future__ import annotations

import atexit
import math
import tempfile
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from plivo_analysis.api.checks import wrong_value
from plivo_analysis.api.times import parse_instant
from plivo_analysis.client import Client
from plivo_analysis.emulator import AUTH_ID, AUTH_TOKEN, Server, generate
from plivo_analysis.emulator.account import DEFAULT_NOW
from plivo_analysis.errors import FilterError
from plivo_analysis.system.clock import FrozenWallClock

if TYPE_CHECKING:
    from datetime import datetime


class DemoClient(Client):
    """A client that owns the account it asks: closing it ends the emulator.

    Attributes:
        server: The emulator.
        owned: What ends with it: the emulator, and the store's folder if it is a temporary one.
    """

    server: Server
    owned: ExitStack

    def close(self) -> None:
        """Close connections and the store, and end the emulator."""
        super().close()
        self.owned.close()


def demo(
    *, seed: int = 0, sessions: int = 2000, now: datetime = DEFAULT_NOW, **client_options: Any
) -> Client:
    """Start a made-up account on this computer and return a client for it.

    Its records are made of the seed and its time stands still, so that every call on every
    computer gives the same numbers. It is asked over real HTTP, without the limit's waits, and
    ends with the interpreter or with ``client.close()``.

    Args:
        seed: Another seed gives another account.
        sessions: How many sessions began in the 90 days before ``now``; 1 to 1,000,000.
        now: The account's time: a datetime, a date, or either as ISO text.
        client_options: As for :class:`Client`; the store is a temporary folder unless one is
            given.

    Returns:
        An ordinary client.

    Raises:
        FilterError: An argument is wrong.

    Example:
        >>> import plivo_analysis as pva
        >>> with pva.demo(sessions=100) as client:
        ...     pva.load_sessions(since="90d", client=client).height
        100
    """
    for name, number in (("seed", seed), ("sessions", sessions)):
        if not isinstance(number, int):
            raise wrong_value(name, number, "a whole number")
    now = parse_instant(now, now=DEFAULT_NOW, name="now")
    try:
        account = generate(seed=seed, sessions=sessions, now=now)
    except ValueError as error:
        raise FilterError(str(error)) from None
    # No waits, and a wall clock that stands where the emulator's does; a caller's own options win.
    options = {"requests_per_minute": math.inf, "clock": FrozenWallClock(now), **client_options}
    with ExitStack() as owned:  # a wrong option, or Ctrl-C, ends what was started
        server = owned.enter_context(Server(account))
        if options.get("store") is None:
            temporary = tempfile.TemporaryDirectory(prefix="plivo_analysis-demo-")
            options["store"] = owned.enter_context(temporary)
        client = DemoClient(AUTH_ID, AUTH_TOKEN, base_url=server.url, **options)
        client.server, client.owned = server, owned.pop_all()
    atexit.register(client.close)
    return client
