"""The description that a package registry shows: the README without what works only beside it.

A registry resolves no link to a file of the repository, and shows no picture of it. The package is
not yet published under an address that could stand before them, so links become their text and
pictures are left out. All else of the package is declared in pyproject.toml.
"""

from __future__ import annotations

import re
from pathlib import Path

from setuptools import setup

readme = (Path(__file__).parent / "README.md").read_text(encoding="utf-8")
without_pictures = re.sub(r"!\[[^]]*\]\([^)]*\)\n*", "", readme)
without_relative_links = re.sub(r"\[([^]]*)\]\((?!\w+://)[^)]*\)", r"\1", without_pictures)

setup(long_description=without_relative_links, long_description_content_type="text/markdown")
