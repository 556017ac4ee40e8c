"""The program: parse, run the command, turn errors into a sentence and an exit code.

0 done, 1 failed (one line with the remedy on standard error), 2 wrong usage. Warnings of this
package are lines on standard error too. Where an output is not UTF-8, signs that it lacks are
written plainly.
"""

from __future__ import annotations

import codecs
import os
import sys
import warnings
from contextlib import contextmanager
from importlib import import_module
from io import TextIOWrapper
from typing import TYPE_CHECKING

from plivo_analysis.cli.arguments import parser
from plivo_analysis.errors import FilterError, PlivoAnalysisError, PlivoAnalysisWarning

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

FAILED = 1
WRONG_USAGE = 2

_PLAIN_SIGNS = "plivo_analysis.plain_signs"
_PLAIN = {
    **dict.fromkeys("–—−‐‑", "-"),
    **dict.fromkeys("\u00a0\u202f\u2009", " "),
    **dict.fromkeys("‘’", "'"),
    **dict.fromkeys("“”", '"'),
    **dict.fromkeys("─╌┄", "-"),
    **dict.fromkeys("═", "="),
    **dict.fromkeys("│┆║", "|"),
    **dict.fromkeys("┌┬┐├┼┤└┴┘╞╪╡", "+"),
    "→": "->",
    "…": "...",
    "•": "*",
    "·": "-",
    "÷": "/",
    "×": "x",
    "€": "EUR",
    "£": "GBP",
    "₹": "INR",
    "¢": "c",
}


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
    with _plain_output():
        options = parser().parse_args(arguments)
        with _warnings_as_lines():
            code, sentence = _run(options)
        if sentence:
            _tell(sentence)
    return code


def _run(options: argparse.Namespace) -> tuple[int, str]:
    """The exit code of a command, and what went wrong."""
    try:
        module, name = options.command
        getattr(import_module(f"plivo_analysis.cli.{module}"), name)(options)
        sys.stdout.flush()  # here, where a full disk or a closed pipe is still an answer
    except FilterError as error:
        return WRONG_USAGE, str(error)
    except PlivoAnalysisError as error:
        return FAILED, str(error)
    except BrokenPipeError:
        # stdout was closed; point it at devnull so that the exit flush cannot fail.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED, ""
    except OSError as error:
        where = error.filename or "The output"
        return FAILED, f"{where} cannot be written ({error.strerror}); give another place."
    except KeyboardInterrupt:
        return FAILED, "Stopped. What was read is kept; the same command goes on from here."
    return 0, ""


def _tell(sentence: str) -> None:
    print(f"plivo-analysis: {sentence}", file=sys.stderr)


@contextmanager
def _warnings_as_lines() -> Iterator[None]:
    """Show this package's warnings as sentences, without the place in the code."""
    with warnings.catch_warnings():
        # "always", or Python shows a warning of one place only once, however many commands run.
        warnings.simplefilter("always", PlivoAnalysisWarning)
        show = warnings.showwarning

        def line(message: Warning | str, category: type[Warning], *place: object) -> None:
            if issubclass(category, PlivoAnalysisWarning):
                _tell(str(message))
            else:
                show(message, category, *place)  # type: ignore[arg-type]  # handed on as it came

        warnings.showwarning = line  # type: ignore[assignment]
        yield


@contextmanager
def _plain_output() -> Iterator[None]:
    """Write a sign that an output's encoding lacks as plain ones, rather than fail."""
    # An error handler of our own is asked for a text in place of what cannot be encoded. Python's
    # "replace" writes a question mark for each sign, which leaves nothing of a table's frame.
    codecs.register_error(_PLAIN_SIGNS, _plain)
    # A stream of another program's making may have no encoding to speak of.
    streams = [stream for stream in (sys.stdout, sys.stderr) if isinstance(stream, TextIOWrapper)]
    before = [stream.errors for stream in streams]
    for stream in streams:
        stream.reconfigure(errors=_PLAIN_SIGNS)
    try:
        yield
    finally:
        for stream, errors in zip(streams, before, strict=True):
            stream.reconfigure(errors=errors)


def _plain(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    signs = error.object[error.start : error.end]
    return "".join(_PLAIN.get(sign, "?") for sign in signs), error.end
