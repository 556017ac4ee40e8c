"""The folders of this package: one for stored data, one for state that processes share.

Both are the user's own, in the place that each system has for them. ``PLIVO_ANALYSIS_HOME`` puts
both under a folder of the user's choice.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from plivo_analysis.errors import FilterError, StoreError

if TYPE_CHECKING:
    from collections.abc import Callable

HOME_VARIABLE = "PLIVO_ANALYSIS_HOME"

_APP = "plivo_analysis"


def data_folder() -> Path:
    """The default folder of stores.

    Raises:
        StoreError: The user has no home folder.
    """
    return _own_folder("data", platformdirs.user_data_dir)


def state_folder() -> Path:
    """The folder of the rate limit's state, which all processes of the user share.

    Raises:
        StoreError: The user has no home folder.
    """
    return _own_folder("state", platformdirs.user_state_dir)


def chosen_folder(folder: str | Path, name: str) -> Path:
    """A folder that the user named, with ``~`` for a home folder.

    Args:
        folder: The value of an argument or a variable.
        name: The name of that argument or variable, for the message.

    Raises:
        FilterError: It is no path, is blank, or is in the home of a user who does not exist.

    Example:
        >>> chosen_folder("exports/today", "out").name
        'today'
    """
    if not isinstance(folder, (str, os.PathLike)):
        raise FilterError(f"{name} is of type {type(folder).__name__}; it takes a folder.")
    if not str(folder).strip():
        raise FilterError(f"{name} is blank; it takes a folder.")
    try:
        return Path(folder).expanduser()
    except RuntimeError:
        unknown = Path(folder).parts[0]
    raise FilterError(f"{name} is in {unknown}, and there is no such home; give another folder.")


def _own_folder(part: str, usual: Callable[..., str]) -> Path:
    home = os.environ.get(HOME_VARIABLE)
    if home:
        return chosen_folder(home, HOME_VARIABLE) / part
    # Without HOME and without an entry in the list of users, as in some containers, there is
    # none. Older releases of platformdirs leave the ~ in the path then, and a folder of that
    # name would be made wherever a program runs.
    try:
        folder = Path(usual(_APP, appauthor=False))
    except RuntimeError:
        folder = Path()
    if not folder.is_absolute():
        raise StoreError(
            f"There is no home folder to keep files in. Set {HOME_VARIABLE} to a folder that this "
            "user can write to, or set HOME."
        )
    return folder
