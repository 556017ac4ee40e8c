"""Where this app's files lie on this computer: what was read, and what its processes share.

Both are the user's own folders as each system names them. ``PLIVO_ANALYSIS_HOME`` puts them
under one folder of the caller's choice.
"""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

HOME_VARIABLE = "PLIVO_ANALYSIS_HOME"

_APP = "plivo_analysis"


def data_folder() -> Path:
    """Where stores lie unless told otherwise."""
    return _home("data") or Path(platformdirs.user_data_dir(_APP, appauthor=False))


def state_folder() -> Path:
    """Where the pace of accounts is kept, which all processes of the user share."""
    return _home("state") or Path(platformdirs.user_state_dir(_APP, appauthor=False))


def _home(part: str) -> Path | None:
    home = os.environ.get(HOME_VARIABLE)
    return Path(home).expanduser() / part if home else None
