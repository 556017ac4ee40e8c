"""The command line: arguments in, tables and files out, one sentence for what goes wrong.

``main`` is the program; ``arguments`` says what it understands; each command has a room.
Nothing is worked out here that a notebook could not do with the same calls.
"""

from plivo_analysis.cli.program import main

__all__ = ["main"]
