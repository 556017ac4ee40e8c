"""Versions: this package's own, and those that a bug report should name.

The text holds no path, no host or user name and no environment variable, since it is made to be
pasted in public.
"""

from __future__ import annotations

import platform
import re
import sys
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, requires, version

__version__ = "0.1.0"

# Not required, and yet a reason why one computer may differ from another.
_OPTIONAL = ("duckdb", "pyspark", "plivo")


def show_versions() -> None:
    """Print the versions of Python, the system and the packages that matter here.

    Example:
        >>> show_versions()  # doctest: +ELLIPSIS
        python ...
        system ...
        plivo_analysis ...
    """
    found = {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "plivo_analysis": __version__,
    }
    names: list[str] = []
    with suppress(PackageNotFoundError):  # it may run from a folder without being installed
        # Such as "urllib3>=2.7", or "duckdb>=1.4; extra == 'sql'" for what is optional.
        required = requires("plivo_analysis") or []
        names = [re.split(r"[^\w.-]", line)[0] for line in required if "extra ==" not in line]
    for name in (*names, *_OPTIONAL):
        found[name] = "not installed"
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    width = max(map(len, found))
    sys.stdout.writelines(f"{name:<{width}}  {value}\n" for name, value in found.items())
