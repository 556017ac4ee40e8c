"""Versions: this package's own, and what a bug report should say of the machine.

No path, no host or user name, no environment variable: the text is made to be pasted in
public.
"""

from __future__ import annotations

import platform
import sys
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
    found = {"python": platform.python_version(), "system": _system()}
    found |= {name: _version(name) for name in _PACKAGES}
    wide = max(map(len, found))
    sys.stdout.writelines(f"{name:<{wide}}  {value}\n" for name, value in found.items())


def _system() -> str:
    return f"{platform.system()} {platform.release()} {platform.machine()}"


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
