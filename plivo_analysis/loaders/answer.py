"""From a question to a table: pull what is missing, read the store, say what is lacking."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from plivo_analysis.errors import IncompletePullError, PlivoAnalysisWarning
from plivo_analysis.loaders.arguments import checked, checked_backend
from plivo_analysis.loaders.recipients import RECIPIENTS, disguise
from plivo_analysis.storage.filtering import chosen
from plivo_analysis.storage.parquet_cache import read
from plivo_analysis.sync.progress import Progress
from plivo_analysis.sync.pull import Question, pull
from plivo_analysis.sync.reader import RETENTION
from plivo_analysis.tables.convert import to_backend
from plivo_analysis.values.spans import Span, to_us, words

if TYPE_CHECKING:
    import polars as pl

    from plivo_analysis.api.resources import Resource
    from plivo_analysis.client import Client
    from plivo_analysis.loaders.arguments import Watcher
    from plivo_analysis.sync.pull import Pulled


def answer(
    question: Question,
    client: Client,
    *,
    backend: str | None,
    recipients: str,
    progress: Watcher,
    partial: str,
) -> Any:
    """The table that a question asks for.

    Args:
        question: What is asked.
        client: The account.
        backend: ``"polars"``, ``"pandas"`` or None for the client's.
        recipients: How numbers are shown.
        progress: Who is told of it.
        partial: What to do where a part could not be read whole.

    Raises:
        FilterError: An argument is wrong; nothing was asked.
        IncompletePullError: A part could not be read whole.
    """
    chosen = checked_backend(backend, client)
    checked("recipients", recipients, RECIPIENTS)
    checked("partial", partial, ("raise", "return"))
    question.period(client.now())  # a wrong range is named before any request
    limiter = client.limiter.of(question.resource.path)
    bar = Progress(progress, noun=question.resource.name, limiter=limiter)
    try:
        pulled = pull(client, question, watch=bar)
    finally:
        bar.close()
    frame = to_backend(
        disguise(
            stored(client, question, pulled.span), question.resource, recipients, client.store
        ),
        chosen,
    )
    _report(pulled, question.resource, frame, raising=partial == "raise")
    return frame


def stored(client: Client, question: Question, span: Span) -> pl.DataFrame:
    """The rows of a range that a filter asks for, from the store. It asks the server nothing.

    Example:
        >>> import plivo_analysis as pva
        >>> from plivo_analysis.api.filters import Filter
        >>> from plivo_analysis.api.resources import SESSION_RESOURCE
        >>> with pva.demo(sessions=50) as client:
        ...     everything = Filter.of(SESSION_RESOURCE)
        ...     day = Question(SESSION_RESOURCE, everything, everything, lambda now: (now, now))
        ...     stored(client, day, Span(0, 10)).height
        0
    """
    resource, store = question.resource, client.store
    oldest = to_us(client.now()) - RETENTION
    frame = read(store, resource, span, oldest=oldest)
    scope = question.filter.scope
    if not scope:
        return frame
    listed, lasting = (
        store.records(resource).members(each) for each in (scope, question.filter.lasting.scope)
    )
    return chosen(frame, question.filter, resource.key, listed, lasting)


def _report(pulled: Pulled, resource: Resource, frame: Any, *, raising: bool) -> None:
    if pulled.differences:
        warnings.warn(
            f"{pulled.differences} {resource.name} were new or had changed in ranges that were "
            "complete; the table holds them now.",
            PlivoAnalysisWarning,
            stacklevel=4,
        )
    if pulled.vanished:
        warnings.warn(
            f"{pulled.vanished} {resource.name} of ranges that were complete are listed no more; "
            "the table keeps them.",
            PlivoAnalysisWarning,
            stacklevel=4,
        )
    lacking = shortfall(pulled, frame)
    if lacking is not None and raising:
        raise IncompletePullError(
            f'{lacking} The rest is in .frame; partial="return" gives it without an error.',
            frame=frame,
            missing=lacking.missing,
        )
    if lacking is not None:
        warnings.warn(f"{lacking} The table lacks these.", PlivoAnalysisWarning, stacklevel=4)


def shortfall(pulled: Pulled, frame: Any) -> IncompletePullError | None:
    """What a pull could not read whole, as the error that says so; None where it read all.

    Args:
        pulled: What the pull did.
        frame: What was read.

    Example:
        >>> from plivo_analysis.sync.pull import Pulled
        >>> print(shortfall(Pulled(Span(0, 10)), None))
        None
    """
    sentences = []
    if pulled.expired:
        sentences.append(
            f"Not stored and older than 90 days: {_list(pulled.expired)}. Ask for a later start."
        )
    if pulled.missing:
        sentences.append(f"Not read whole: {_list(pulled.missing)}. Load again to try again.")
    if not sentences:
        return None
    missing = [span.datetimes() for span in sorted([*pulled.expired, *pulled.missing])]
    return IncompletePullError(" ".join(sentences), frame=frame, missing=missing)


def _list(spans: list[Span]) -> str:
    return ", ".join(words(span) for span in spans)
