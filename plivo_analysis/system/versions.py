"""Versions: this package's own, and those that a bug report should name.

The text holds no path, no host or user name and no environment variable, since it is made to be
pasted in public.
"""

from __future__ import annotations

import platform
import sys
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version

__version__ = "0.1.0"

_PACKAGES = (
    "plivo_analysis",
    "requests",
    "urllib3",
    "polars",
    "pandas",
    "pyarrow",
    "narwhals",
    "plotly",
    "ipywidgets",
    "tqdm",
    "platformdirs",
    "xlsxwriter",
    "duckdb",
    "pyspark",
    "plivo",
)


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
    }
    for name in _PACKAGES:
        found[name] = "not installed"
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    width = max(map(len, found))
    sys.stdout.writelines(f"{name:<{width}}  {value}\n" for name, value in found.items())
