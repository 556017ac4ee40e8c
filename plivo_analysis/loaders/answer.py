"""From a loader's arguments to its table: pull what is missing, read the store, warn of gaps."""

from __future__ import annotations

import warnings
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Self

from plivo_analysis.api.checks import checked_word, shown_value
from plivo_analysis.api.filters import Filter
from plivo_analysis.api.times import parse_range
from plivo_analysis.client import Client, environment_client
from plivo_analysis.errors import FilterError, IncompletePullError, PlivoAnalysisWarning
from plivo_analysis.loaders.recipients import RECIPIENTS, disguise
from plivo_analysis.parsing.oddities import Code
from plivo_analysis.storage.database import shows_no_values
from plivo_analysis.storage.filtering import chosen, unconfirmed
from plivo_analysis.storage.parquet_cache import read
from plivo_analysis.sync.progress import Progress
from plivo_analysis.sync.pull import Question, pull
from plivo_analysis.sync.reader import RETENTION
from plivo_analysis.tables.convert import BACKENDS, to_backend
from plivo_analysis.values.spans import Span, span_text, to_us
from plivo_analysis.values.typesetting import plural

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import date, datetime
    from typing import Literal

    import polars as pl

    from plivo_analysis.api.resources import Resource
    from plivo_analysis.sync.pull import Pulled

    Instant = datetime | date | timedelta | str | None
    Recipients = Literal["full", "masked", "pseudonym"]
    Watcher = bool | Callable[[int, int, str], object] | None

_LARGE_SKEW = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Request:
    """The checked arguments of a loader. Made by :meth:`of`.

    Args:
        client: The account.
        question: Which records of which range.
        backend: The kind of dataframe.
        recipients: How telephone numbers are shown.
        progress: What shows the progress.
        partial: What to do where a part could not be read whole: ``"raise"`` or ``"return"``.
    """

    client: Client
    question: Question
    backend: str
    recipients: str
    progress: Progress
    partial: str

    @classmethod
    @shows_no_values
    def of(cls, resource: Resource, arguments: Mapping[str, Any]) -> Self:
        """Check a loader's arguments; no request is sent.

        Args:
            resource: What is listed.
            arguments: All of the loader's arguments by name.

        Raises:
            FilterError: One is wrong.
            CredentialsError: No client was given and the environment names no account.
        """
        names = [parameter.name for parameter in resource.parameters]
        since, until = arguments["since"], arguments["until"]
        asked = Filter.of(resource, **{name: arguments[name] for name in names})
        client = account(arguments["client"])
        question = Question(
            asked, lambda now: parse_range(since, until, now=now), verify=arguments["verify"]
        )
        # Only to check it: the pull computes the range again by the server's clock.
        question.period(client.now())
        if not isinstance(arguments["verify"], bool):
            raise FilterError(f"verify is {shown_value(arguments['verify'])}; it is True or False.")
        shown = arguments["progress"]
        if not (shown is None or isinstance(shown, bool) or callable(shown)):
            raise FilterError("progress takes None, True, False or a callable.")
        return cls(
            client,
            question,
            checked_backend(arguments["backend"], client),
            checked_word("recipients", arguments["recipients"], RECIPIENTS),
            Progress(shown, noun=resource.noun, limiter=client.limiter.of(resource.path)),
            checked_word("partial", arguments["partial"], ("raise", "return")),
        )


def answer(request: Request) -> Any:
    """The table that a request asks for.

    Raises:
        IncompletePullError: A part could not be read whole.
        PlivoAnalysisError: The server could not be asked, or refused.
    """
    client, question = request.client, request.question
    resource = question.resource
    with closing(request.progress) as bar:
        pulled = pull(client, question, watch=bar)
    # From the store: it also has what earlier calls read of the range, merged with this one's.
    rows = stored(client, question, pulled.span)
    doubts = [*_doubts(pulled, rows, question.filter, client.skew)]
    set_aside = [*set_aside_warnings(client, resource, pulled.span)]
    frame = to_backend(
        disguise(rows, resource.table, request.recipients, client.store), request.backend
    )
    lacking = shortfall(pulled, frame, *set_aside)
    if lacking is None:
        doubts += set_aside
    elif request.partial == "return":
        doubts.append(f"{lacking} The table lacks these.")
    for doubt in doubts:
        warnings.warn(doubt, PlivoAnalysisWarning, stacklevel=3)
    if lacking is None or request.partial == "return":
        return frame
    del rows, frame  # a verbose traceback prints the variables of every frame
    lacking.add_note('The rest is in .frame; partial="return" gives it without an error.')
    raise lacking


def account(client: Client | None) -> Client:
    """The account that was given, else the environment's.

    Raises:
        FilterError: What was given is no account.
        CredentialsError: Nothing was given and the environment names no account.
    """
    if client is not None and not isinstance(client, Client):
        raise FilterError(
            f"client is of type {type(client).__name__}; it takes what pva.Client() or pva.demo() "
            "gives."
        )
    return environment_client() if client is None else client


def checked_backend(backend: str | None, client: Client) -> str:
    """The backend that was named, else the client's.

    Raises:
        FilterError: There is no such backend.
    """
    return checked_word("backend", client.backend if backend is None else backend, BACKENDS)


def stored(client: Client, question: Question, span: Span) -> pl.DataFrame:
    """The stored rows of a range that match a question's filter. No request is sent.

    Example:
        >>> import plivo_analysis as pva
        >>> from plivo_analysis.api.resources import SESSION_RESOURCE
        >>> with pva.demo(sessions=50) as client:
        ...     day = Question(Filter.of(SESSION_RESOURCE), lambda now: (now, now))
        ...     stored(client, day, Span(0, 10)).height
        0
    """
    resource, store = question.resource, client.store
    oldest = to_us(client.now()) - RETENTION
    frame = read(store, resource, span, oldest=oldest)
    scope = question.filter.scope
    if not scope:
        return frame
    # The server listed these keys under the filter, or under the part of it that cannot change.
    listed, lasting = (
        store.records(resource).members(name) for name in (scope, question.filter.lasting.scope)
    )
    return chosen(frame, question.filter, resource.key, listed, lasting)


def shortfall(pulled: Pulled, frame: Any, *set_aside: str) -> IncompletePullError | None:
    """The error that lists what a pull could not read whole; None where it read everything.

    Args:
        pulled: The result of the pull.
        frame: The rows that were read.
        set_aside: The warning about records that were set aside. A page of such records only is
            not read whole, so that they may be the reason.

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
    sentences += set_aside
    missing = [span.datetimes() for span in sorted([*pulled.expired, *pulled.missing])]
    return IncompletePullError(" ".join(sentences), frame=frame, missing=missing)


def _doubts(pulled: Pulled, rows: pl.DataFrame, asked: Filter, skew: timedelta) -> Iterator[str]:
    """What a pull found that its table does not show, as sentences for warnings."""
    name = asked.resource.name
    if pulled.differences:
        yield (
            f"{pulled.differences} {name} were new or had changed in ranges that were complete; "
            "the table holds them now."
        )
    if pulled.vanished:
        yield (
            f"{pulled.vanished} {name} of ranges that were complete are listed no more; the table "
            "keeps them."
        )
    # One of two clocks is wrong; what is complete is decided by the earlier of them.
    if abs(skew) > _LARGE_SKEW:
        hours = skew.total_seconds() / 3600
        yield (
            f"The server's clock is {abs(hours):,.1f} hours "
            f"{'ahead of' if hours > 0 else 'behind'} this computer's. Set this computer's if it "
            "is wrong; until then the hours between the two are read each time."
        )
    if names := unconfirmed(rows, asked):
        yield (
            f"No row says anything of {' and '.join(names)}, so that nothing shows whether the "
            "server kept to it: the table may hold every record of the range."
        )


def set_aside_warnings(client: Client, resource: Resource, span: Span) -> Iterator[str]:
    """A warning about the records of a range that cannot be analysed."""
    notes = client.store.records(resource).notes(span)
    reasons = {note["key"]: note["code"] for note in notes if note["set_aside"]}
    if reasons:
        counted = Counter(reasons.values()).most_common()
        why = " ".join(f"{Code(code).meaning} ({number:,})" for code, number in counted)
        yield (
            f"{plural(len(reasons), resource.name.removesuffix('s'))} of this range set aside. "
            f"{why} They are in no table, so that counts and sums are lower bounds; "
            f"pva.issues({resource.name!r}) lists them."
        )


def _list(spans: list[Span]) -> str:
    return ", ".join(map(span_text, spans))
