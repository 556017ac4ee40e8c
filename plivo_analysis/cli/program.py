"""The program: parse, run the command, turn errors into a sentence and an exit code.

0 done, 1 failed (one line with the remedy on standard error), 2 wrong usage.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from plivo_analysis.cli.arguments import parser
from plivo_analysis.errors import FilterError, PlivoAnalysisError

if TYPE_CHECKING:
    from collections.abc import Sequence

FAILED = 1
WRONG_USAGE = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: The words after the program's name; by default those of this process.

    Returns:
        The exit code.

    Example:
        >>> main(["emulator", "--sessions", "-1"])
        2
    """
    options = parser().parse_args(arguments)
    try:
        options.command(options)
        sys.stdout.flush()
    except FilterError as error:
        return _fail(str(error), WRONG_USAGE)
    except PlivoAnalysisError as error:
        return _fail(str(error), FAILED)
    except BrokenPipeError:
        # Whoever read our output left. Nothing more can be said to them, at exit neither.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except OSError as error:
        where = error.filename or "The output"
        return _fail(f"{where} cannot be written ({error.strerror}); give another place.", FAILED)
    except KeyboardInterrupt:
        return _fail("Stopped. What was read is kept; the same command goes on from here.", FAILED)
    return 0


def _fail(sentence: str, code: int) -> int:
    print(f"plivo-analysis: {sentence}", file=sys.stderr)
    return code
