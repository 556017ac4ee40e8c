"""What all loaders' arguments have in common: their types and their checks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plivo_analysis.errors import FilterError
from plivo_analysis.tables.convert import BACKENDS

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date, datetime, timedelta
    from typing import Literal

    from plivo_analysis.client import Client

    Instant = datetime | date | timedelta | str | None
    Recipients = Literal["full", "masked", "pseudonym"]
    Watcher = bool | Callable[[int, int, str], object] | None


def checked_backend(backend: str | None, client: Client) -> str:
    """The backend that was named, else the client's.

    Raises:
        FilterError: There is no such backend.
    """
    return checked("backend", client.backend if backend is None else backend, BACKENDS)


def checked(name: str, value: str, allowed: tuple[str, ...]) -> str:
    """A word of a closed set.

    Raises:
        FilterError: It is not one of them.

    Example:
        >>> checked("partial", "raise", ("raise", "return"))
        'raise'
    """
    if value not in allowed:
        choices = " or ".join(repr(word) for word in allowed)
        raise FilterError(f"{name} is {value!r}; it can be {choices}.")
    return value
