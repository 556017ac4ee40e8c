"""The loaders: what may be asked of an account, argument by argument.

The signatures are written out for editors; a test holds them to the declaration of the
resource. A loader hands on all of its arguments at once, so that none can be left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plivo_analysis.api.checks import checked_uuid
from plivo_analysis.api.resources import MESSAGE_RESOURCE, SESSION_RESOURCE
from plivo_analysis.loaders.answer import Request, account, answer, checked_backend
from plivo_analysis.storage.database import shows_no_values
from plivo_analysis.sync.refresh import read_one_record
from plivo_analysis.tables.convert import from_rows, to_backend

if TYPE_CHECKING:
    from typing import Literal

    from plivo_analysis.client import Client
    from plivo_analysis.loaders.answer import Instant, Recipients, Watcher


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
        status: How far the session is: ``"in-progress"``, ``"verified"`` or ``"expired"``.
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
            ``"pseudonym"`` that groups and joins like the number. The other two mask the
            numbers in every other text too, in any spelling.
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

    Warns:
        PlivoAnalysisWarning: Records were set aside; no row says whether the server kept to a
            filter; a verification found differences; a part is missing.

    Source: the API's page "List all sessions".

    Example:
        >>> import plivo_analysis as pva
        >>> client = pva.demo(sessions=200)
        >>> sessions = pva.load_sessions(since="30d", status="verified", client=client)
        >>> set(sessions["status"])
        {'verified'}
    """
    try:
        request = Request.of(SESSION_RESOURCE, locals())
    finally:
        del recipient  # a verbose traceback prints the variables of every frame
    return answer(request)


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
        message_direction: From the account or to it: ``"inbound"`` or ``"outbound"``.
        message_state: How far the message is: ``"queued"``, ``"sent"``, ``"delivered"``,
            ``"undelivered"``, ``"failed"``, ``"received"``, ``"rejected"`` or ``"read"``.
        message_type: How it was sent: ``"sms"``, ``"mms"`` or ``"whatsapp"``.
        error_code: With one of Plivo's error codes; ``"000"`` for delivered.
        subaccount: Of one subaccount, by its auth id.
        from_number: From one sender, by its number or its exact name.
        to_number: To one receiver.
        powerpack_id: Sent through one pool of senders.
        destination_country_iso2: To one country, by its two letters.
        tendlc_campaign_id: Of one US campaign.
        tendlc_registration_status: Whether its US sender was registered: ``"registered"`` or
            ``"unregistered"``.
        conversation_id: Of one WhatsApp conversation.
        conversation_origin: What began the WhatsApp conversation: ``"service"``,
            ``"utility"``, ``"authentication"`` or ``"marketing"``.
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
    try:
        request = Request.of(MESSAGE_RESOURCE, locals())
    finally:
        del from_number, to_number  # a verbose traceback prints the variables of every frame
    return answer(request)


@shows_no_values
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
    of = account(client)
    chosen = checked_backend(backend, of)
    row = read_one_record(of, SESSION_RESOURCE, key)
    return to_backend(from_rows([row], SESSION_RESOURCE.table), chosen)
