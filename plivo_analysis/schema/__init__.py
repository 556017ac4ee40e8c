"""Each table as data: its columns, their types, units, meanings and sources.

``table`` says what a table is and turns one into the schema of an engine. ``loaded`` holds
the tables that come from the API, ``exploded`` those that the explode functions give, and
``results`` those that the metrics give. DATA.md is written from them, and so are empty
frames: a table is described once.
"""

from plivo_analysis.schema.exploded import ATTEMPTS, CHARGES
from plivo_analysis.schema.loaded import MESSAGES, SESSIONS
from plivo_analysis.schema.table import Column, Kind, Table

__all__ = ["ATTEMPTS", "CHARGES", "MESSAGES", "SESSIONS", "Column", "Kind", "Table"]
