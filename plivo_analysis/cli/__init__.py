"""The command line: arguments in, tables and files out, one sentence for what goes wrong.

``program`` holds `main`, ``arguments`` what it understands. The commands: ``tables``
(pull, estimate, sql), ``report``, ``maintenance`` of the store, and ``accounts``, the emulator.
Nothing is worked out here that a notebook could not do with the same calls.
"""

from plivo_analysis.cli.program import main

__all__ = ["main"]
