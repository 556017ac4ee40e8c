"""Where this app's files lie on this computer: what was read, and what its processes share.

Both are the user's own folders as each system names them. ``PLIVO_ANALYSIS_HOME`` puts them
under one folder of the caller's choice.
"""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

from plivo_analysis.errors import FilterError

HOME_VARIABLE = "PLIVO_ANALYSIS_HOME"

_APP = "plivo_analysis"


def data_folder() -> Path:
    """Where stores lie unless told otherwise."""
    return _home("data") or Path(platformdirs.user_data_dir(_APP, appauthor=False))


def state_folder() -> Path:
    """Where the pace of accounts is kept, which all processes of the user share."""
    return _home("state") or Path(platformdirs.user_state_dir(_APP, appauthor=False))


def chosen_folder(folder: str | Path, name: str) -> Path:
    """A folder that the user names, with ``~`` for a home.

    Args:
        folder: What was given.
        name: Where it was given, for the message.

    Raises:
        FilterError: It is blank, or the home of a user who is not there.

    Example:
        >>> chosen_folder("exports/today", "out").name
        'today'
    """
    if not str(folder).strip():
        raise FilterError(f"{name} is blank; it takes a folder.")
    try:
        return Path(folder).expanduser()
    except RuntimeError:
        unknown = Path(folder).parts[0]
    raise FilterError(f"{name} is in {unknown}, and there is no such home; give another folder.")


def _home(part: str) -> Path | None:
    home = os.environ.get(HOME_VARIABLE)
    return chosen_folder(home, HOME_VARIABLE) / part if home else None
