"""Load sessions and messages: filtered pages of the API as one dataframe.

A loader checks its arguments, has the missing pages pulled into the store, and answers from
the store. An empty table therefore means that the account has no such records; whatever else
could have emptied it is an error.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from plivo_analysis import segments
from plivo_analysis.client import environment_client
from plivo_analysis.errors import FilterError, IncompletePullError
from plivo_analysis.filters import (
    MessageFilter,
    SessionFilter,
    checked_uuid,
    parse_range,
    shown_scope,
)
from plivo_analysis.frames import BACKENDS, from_rows, to_backend
from plivo_analysis.numbers import RECIPIENTS, disguise
from plivo_analysis.progress import Progress
from plivo_analysis.pull import RETENTION, Question, pull, read_one_record, stretches
from plivo_analysis.records import Code
from plivo_analysis.resources import MESSAGE_RESOURCE, RESOURCES, SESSION_RESOURCE
from plivo_analysis.schema import COVERAGE, ISSUES
from plivo_analysis.spans import Span, from_us, to_us, words

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date, datetime, timedelta
    from typing import Literal

    import polars as pl

    from plivo_analysis.client import Client
    from plivo_analysis.pull import Pulled
    from plivo_analysis.resources import Resource

    Instant = datetime | date | timedelta | str | None
    Recipients = Literal["full", "masked", "pseudonym"]
    Watcher = bool | Callable[[int, int, str], object] | None


def load_sessions(
    *,
    since: Instant = None,
    until: Instant = None,
    status: str | None = None,
    app_uuid: str | None = None,
    recipient: str | None = None,
    subaccount: str | None = None,
    brand_name: str | None = None,
    app_hash: str | None = None,
    country: str | None = None,
    alias: str | None = None,
    client: Client | None = None,
    backend: str | None = None,
    recipients: Recipients = "full",
    progress: Watcher = None,
    partial: Literal["raise", "return"] = "raise",
    verify: bool = False,
) -> Any:
    """Load Verify sessions that began within a range of time, each exactly once.

    Calling again asks the server only for what is new or was not yet final. What was read
    outlives the 90 days that the API goes back.

    Args:
        since: The start: an aware or naive (= UTC) datetime, a date, an ISO string, a
            timedelta or a text such as ``"7d"`` counted back from the account's now. By
            default 24 hours before the end.
        until: The end, not included; by default the account's now.
        status: ``"in-progress"``, ``"verified"`` or ``"expired"``.
        app_uuid: Of one Verify application.
        recipient: To one number, in E.164 form.
        subaccount: Of one subaccount, by its auth id.
        brand_name: Sent under one brand. No row carries it, so no row confirms it.
        app_hash: Sent for one Android app. No row carries it, so no row confirms it.
        country: To one country, by its two letters. Known to the official SDKs only.
        alias: Of the application of this name. Known to the official SDKs only.
        client: The account; by default the environment's.
        backend: ``"polars"`` or ``"pandas"``; by default the client's.
        recipients: ``"full"`` numbers, ``"masked"`` (calling code and last two digits) or a
            ``"pseudonym"`` that groups and joins like the number.
        progress: ``None`` shows a bar where somebody reads it; true, false, or a callable
            that is given requests done, requests expected and a sentence.
        partial: ``"raise"`` an error where a part of the range could not be read whole, or
            ``"return"`` what was read, with a warning.
        verify: Read complete ranges anew and warn of differences.

    Returns:
        One row a session, oldest first, with the columns of the table "sessions" in
        DATA.md: times in UTC, money as Decimal(18, 8), numbers as text.

    Raises:
        FilterError: An argument is wrong; nothing was asked.
        CredentialsError: There are no credentials, or they are not of Plivo's form.
        IncompletePullError: A part could not be read whole; it holds what was read.
        PlivoAnalysisError: The server could not be asked, or refused; see ``errors``.

    Source: the API's page "List all sessions".

    Example:
        >>> import plivo_analysis as pva
        >>> client = pva.demo(sessions=200)
        >>> sessions = pva.load_sessions(since="30d", status="verified", client=client)
        >>> set(sessions["status"])
        {'verified'}
    """
    chosen = SessionFilter.of(
        status=status,
        app_uuid=app_uuid,
        recipient=recipient,
        subaccount=subaccount,
        brand_name=brand_name,
        app_hash=app_hash,
        country=country,
        alias=alias,
    )
    del recipient  # a verbose traceback prints the variables of every frame
    return _load(
        Question(
            SESSION_RESOURCE,
            chosen,
            SessionFilter.of(),
            lambda now: parse_range(since, until, now=now),
            verify=verify,
        ),
        client or environment_client(),
        backend=backend,
        recipients=recipients,
        progress=progress,
        partial=partial,
    )


def load_messages(
    *,
    since: Instant = None,
    until: Instant = None,
    message_direction: str | None = None,
    message_state: str | None = None,
    message_type: str | None = None,
    error_code: str | int | None = None,
    subaccount: str | None = None,
    from_number: str | None = None,
    to_number: str | None = None,
    powerpack_id: str | None = None,
    destination_country_iso2: str | None = None,
    tendlc_campaign_id: str | None = None,
    tendlc_registration_status: str | None = None,
    conversation_id: str | None = None,
    conversation_origin: str | None = None,
    client: Client | None = None,
    backend: str | None = None,
    recipients: Recipients = "full",
    progress: Watcher = None,
    partial: Literal["raise", "return"] = "raise",
    verify: bool = False,
) -> Any:
    """Load message detail records (MDRs) of a range of time, each exactly once.

    Args:
        since: As in :func:`load_sessions`.
        until: As in :func:`load_sessions`.
        message_direction: ``"inbound"`` or ``"outbound"``.
        message_state: ``"queued"``, ``"sent"``, ``"delivered"``, ``"undelivered"``,
            ``"failed"``, ``"received"``, ``"rejected"`` or ``"read"``.
        message_type: ``"sms"``, ``"mms"`` or ``"whatsapp"``.
        error_code: One of Plivo's error codes; ``"000"`` for delivered.
        subaccount: Of one subaccount, by its auth id.
        from_number: From one sender.
        to_number: To one receiver.
        powerpack_id: Sent through one pool of senders.
        destination_country_iso2: To one country, by its two letters.
        tendlc_campaign_id: Of one US campaign.
        tendlc_registration_status: ``"registered"`` or ``"unregistered"``.
        conversation_id: Of one WhatsApp conversation.
        conversation_origin: ``"service"``, ``"utility"``, ``"authentication"`` or
            ``"marketing"``.
        client: As in :func:`load_sessions`.
        backend: As in :func:`load_sessions`.
        recipients: As in :func:`load_sessions`, for both numbers of a message.
        progress: As in :func:`load_sessions`.
        partial: As in :func:`load_sessions`.
        verify: As in :func:`load_sessions`.

    Returns:
        One row a message, oldest first, with the columns of the table "messages" in DATA.md.

    Raises:
        FilterError: An argument is wrong; nothing was asked.
        CredentialsError: There are no credentials, or they are not of Plivo's form.
        IncompletePullError: A part could not be read whole; it holds what was read.
        PlivoAnalysisError: The server could not be asked, or refused; see ``errors``.

    Source: the API's page "List all messages".

    Example:
        >>> import plivo_analysis as pva
        >>> client = pva.demo(sessions=200)
        >>> messages = pva.load_messages(since="30d", message_type="sms", client=client)
        >>> set(messages["message_type"])
        {'sms'}
    """
    chosen = MessageFilter.of(
        message_direction=message_direction,
        message_state=message_state,
        message_type=message_type,
        error_code=error_code,
        subaccount=subaccount,
        from_number=from_number,
        to_number=to_number,
        powerpack_id=powerpack_id,
        destination_country_iso2=destination_country_iso2,
        tendlc_campaign_id=tendlc_campaign_id,
        tendlc_registration_status=tendlc_registration_status,
        conversation_id=conversation_id,
        conversation_origin=conversation_origin,
    )
    del from_number, to_number  # a verbose traceback prints the variables of every frame
    return _load(
        Question(
            MESSAGE_RESOURCE,
            chosen,
            MessageFilter.of(),
            lambda now: parse_range(since, until, now=now),
            verify=verify,
        ),
        client or environment_client(),
        backend=backend,
        recipients=recipients,
        progress=progress,
        partial=partial,
    )


def load_session(
    session_uuid: str, *, client: Client | None = None, backend: str | None = None
) -> Any:
    """Load one session by its id.

    A session that is final and was read before costs no request.

    Args:
        session_uuid: The session.
        client: The account; by default the environment's.
        backend: ``"polars"`` or ``"pandas"``; by default the client's.

    Returns:
        One row with the columns of :func:`load_sessions`.

    Raises:
        FilterError: It is not a session's id; nothing was asked.
        ResourceNotFoundError: The account has no such session.
        BadResponseError: The session's record is not fit for analysis.
        PlivoAnalysisError: The server could not be asked, or refused; see ``errors``.

    Source: the API's page "Retrieve a session".

    Example:
        >>> import plivo_analysis as pva
        >>> client = pva.demo(sessions=50)
        >>> known = pva.load_sessions(since="90d", client=client)["session_uuid"][0]
        >>> pva.load_session(known, client=client).height
        1
    """
    key = checked_uuid("session_uuid", session_uuid)
    if key is None:
        raise FilterError("session_uuid is empty; it takes a session's UUID.")
    account = client or environment_client()
    chosen = _checked_backend(backend, account)
    row = read_one_record(account, SESSION_RESOURCE, key)
    return to_backend(from_rows([row], SESSION_RESOURCE.table), chosen)


def coverage(
    resource: str = "sessions",
    *,
    since: Instant = None,
    until: Instant = None,
    client: Client | None = None,
) -> Any:
    """Say what the store holds of a range, and how sure it is. It asks the server nothing.

    Args:
        resource: ``"sessions"`` or ``"messages"``.
        since: As in :func:`load_sessions`.
        until: As in :func:`load_sessions`.
        client: The account; by default the environment's.

    Returns:
        One row a part of the range, in order, in the client's backend: ``start``, ``end``,
        ``state`` (``complete``, ``live``: too young to be called complete, ``missing``,
        ``expired``: not kept and older than the API goes back), ``rows`` kept, ``open`` (how
        many of them may still change), ``read_at``, ``filters`` (what it was read with,
        empty for everything) and ``flags``.

    Raises:
        FilterError: An argument is wrong.

    Example:
        >>> import plivo_analysis as pva
        >>> client = pva.demo(sessions=50)
        >>> sessions = pva.load_sessions(since="7d", client=client)
        >>> pva.coverage(since="7d", client=client)["state"].to_list()
        ['complete', 'live']
    """
    account, described, span = _place(resource, since, until, client)
    archive = account.store.archive(described)
    now = to_us(account.now())
    rows = [
        {
            "start": from_us(part.span.start),
            "end": from_us(part.span.end),
            "state": part.state.value,
            "rows": archive.count(part.span),
            "open": len(archive.not_final(part.span, now)),
            "read_at": None if part.read_at is None else from_us(part.read_at),
            "filters": shown_scope(part.scope),
            "flags": ", ".join(part.flags),
        }
        for part in stretches(account, described, span)
    ]
    return to_backend(from_rows(rows, COVERAGE), account.backend)


def issues(
    resource: str = "sessions",
    *,
    since: Instant = None,
    until: Instant = None,
    client: Client | None = None,
) -> Any:
    """List what was odd about the records of a range. It asks the server nothing.

    Nothing is dropped: a field that cannot be read is null and listed here, and a record that
    is not fit for analysis is set aside and listed here.

    Args:
        resource: ``"sessions"`` or ``"messages"``.
        since: As in :func:`load_sessions`.
        until: As in :func:`load_sessions`.
        client: The account; by default the environment's.

    Returns:
        One row an oddity, in the client's backend: ``key`` (the record's uuid), ``instant``,
        ``code``, ``meaning``, ``path`` (the field), ``value`` (masked), ``set_aside`` and
        ``read_at``. Records set aside without a time are listed for every range.

    Raises:
        FilterError: An argument is wrong.

    Example:
        >>> import plivo_analysis as pva
        >>> client = pva.demo(sessions=50)
        >>> sessions = pva.load_sessions(since="7d", client=client)
        >>> pva.issues(since="7d", client=client).columns[:3]
        ['key', 'instant', 'code']
    """
    account, described, span = _place(resource, since, until, client)
    rows = [
        {
            **note,
            "instant": None if note["instant"] is None else from_us(note["instant"]),
            "meaning": Code.__members__[note["code"].upper()].meaning,
            "read_at": from_us(note["read_at"]),
        }
        for note in account.store.archive(described).notes(span)
    ]
    return to_backend(from_rows(rows, ISSUES), account.backend)


def _load(
    question: Question,
    client: Client,
    *,
    backend: str | None,
    recipients: str,
    progress: Watcher,
    partial: str,
) -> Any:
    chosen = _checked_backend(backend, client)
    _checked("recipients", recipients, RECIPIENTS)
    _checked("partial", partial, ("raise", "return"))
    question.period(client.now())  # a wrong range is named before any request
    bar = Progress(progress, noun=question.resource.name, limiter=client.limiter)
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
        >>> with pva.demo(sessions=50) as client:
        ...     everything = SessionFilter.of()
        ...     day = Question(SESSION_RESOURCE, everything, everything, lambda now: (now, now))
        ...     stored(client, day, Span(0, 10)).height
        0
    """
    resource, store = question.resource, client.store
    oldest = to_us(client.now()) - RETENTION
    frame = segments.read(store, resource, span, oldest=oldest)
    scope = question.filter.scope
    if not scope:
        return frame
    listed, lasting = (
        store.archive(resource).members(each) for each in (scope, question.filter.lasting.scope)
    )
    return segments.chosen(frame, question.filter, resource.key, listed, lasting)


def _report(pulled: Pulled, resource: Resource, frame: Any, *, raising: bool) -> None:
    if pulled.differences:
        warnings.warn(
            f"{pulled.differences} {resource.name} were new or had changed in ranges that were "
            "complete; the table holds them now.",
            stacklevel=4,
        )
    if pulled.vanished:
        warnings.warn(
            f"{pulled.vanished} {resource.name} of ranges that were complete are listed no more; "
            "the table keeps them.",
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
        warnings.warn(f"{lacking} The table lacks these.", stacklevel=4)


def shortfall(pulled: Pulled, frame: Any) -> IncompletePullError | None:
    """What a pull could not read whole, as the error that says so; None where it read all.

    Args:
        pulled: What the pull did.
        frame: What was read.

    Example:
        >>> from plivo_analysis.pull import Pulled
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


def _place(
    resource: str, since: Instant, until: Instant, client: Client | None
) -> tuple[Client, Resource, Span]:
    _checked("resource", resource, tuple(RESOURCES))
    account = client or environment_client()
    start, end = parse_range(since, until, now=account.now())
    return account, RESOURCES[resource], Span(to_us(start), to_us(end))


def _checked_backend(backend: str | None, client: Client) -> str:
    return _checked("backend", client.backend if backend is None else backend, BACKENDS)


def _checked(name: str, value: str, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        choices = " or ".join(repr(word) for word in allowed)
        raise FilterError(f"{name} is {value!r}; it can be {choices}.")
    return value
