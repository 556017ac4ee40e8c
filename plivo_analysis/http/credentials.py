"""Credentials: whose account, at which address, and a token that shows itself nowhere.

Everything is checked before anything is sent: an id becomes part of a path, and the token goes
to whatever host the address names. Plain ``http`` is for loopback only, since on any other way
the token could be read.
"""

from __future__ import annotations

import ipaddress
import os
import re
from dataclasses import dataclass
from typing import NoReturn
from urllib.parse import SplitResult, urlsplit

from plivo_analysis.errors import CredentialsError

ID_VARIABLE = "PLIVO_AUTH_ID"
TOKEN_VARIABLE = "PLIVO_AUTH_TOKEN"  # noqa: S105 - the variable's name, not its value
URL_VARIABLE = "PLIVO_API_URL"
PUBLIC_URL = "https://api.plivo.com"

_AUTH_ID = re.compile(r"[MS]A[A-Z0-9]{18}")
_HOST = re.compile(r"[A-Za-z0-9.:-]+")


class Secret:
    """A token. It prints as ``***``, and does not pickle or copy.

    Args:
        value: The token itself.

    Example:
        >>> token = Secret("not-a-real-token")
        >>> f"{token} {token!r} {[token]}"
        '*** *** [***]'
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The token in clear, for the one line that sends it."""
        return self._value

    def __repr__(self) -> str:
        return "***"

    def __format__(self, _spec: str) -> str:
        return "***"

    def __reduce__(self) -> NoReturn:
        raise TypeError("A token is neither pickled nor copied; read it anew where it is needed.")


@dataclass(frozen=True, slots=True)
class Credentials:
    """An account and the key to it.

    Args:
        base_url: Scheme, host and port of the API, no path.
        auth_id: The account or subaccount.
        token: Its token.

    Example:
        >>> Credentials(PUBLIC_URL, "MA" + "X" * 18, Secret("not-a-real-token"))
        Credentials(base_url='https://api.plivo.com', auth_id='MAXXXXXXXXXXXXXXXXXX', token=***)
    """

    base_url: str
    auth_id: str
    token: Secret


def resolve(
    auth_id: str | None = None,
    auth_token: str | Secret | None = None,
    base_url: str | None = None,
) -> Credentials:
    """Credentials from the arguments, and where they are silent from the environment.

    Args:
        auth_id: The account; by default ``PLIVO_AUTH_ID``.
        auth_token: Its token; by default ``PLIVO_AUTH_TOKEN``.
        base_url: The API's address; by default ``PLIVO_API_URL``, else the public API.

    Raises:
        CredentialsError: One is missing, or not of Plivo's form.

    Example:
        >>> resolve("MA" + "X" * 18, "not-a-real-token", "http://127.0.0.1:8080/").base_url
        'http://127.0.0.1:8080'
    """
    # Bound anew before anything can fail: a verbose traceback prints the arguments of frames.
    auth_token = _token(auth_token)
    given_id = _given(auth_id, ID_VARIABLE)
    missing = [
        name
        for name, value in ((ID_VARIABLE, given_id), (TOKEN_VARIABLE, auth_token))
        if value is None
    ]
    if given_id is None or auth_token is None:
        raise CredentialsError(
            f"No credentials: {' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not "
            f"set. Set {ID_VARIABLE} and {TOKEN_VARIABLE}, or pass auth_id and auth_token to "
            "pva.Client. To try the package without an account, use pva.demo()."
        )
    address = _given(base_url, URL_VARIABLE) or PUBLIC_URL
    return Credentials(checked_base_url(address), checked_auth_id(given_id), auth_token)


def checked_auth_id(auth_id: str) -> str:
    """The auth id, if it is one.

    Raises:
        CredentialsError: It is not ``MA`` or ``SA`` and 18 capital letters or digits.

    Example:
        >>> checked_auth_id("MA" + "X" * 18)
        'MAXXXXXXXXXXXXXXXXXX'
    """
    if not _AUTH_ID.fullmatch(auth_id):
        # Not shown: what stands there by mistake may well be the token.
        raise CredentialsError(
            f"The auth id (auth_id or {ID_VARIABLE}) is not one of Plivo's: it takes MA, or SA for "
            "a subaccount, and 18 capital letters or digits. It stands beside the auth token "
            f"({TOKEN_VARIABLE}) on the console's overview page. Without an account: pva.demo()."
        )
    return auth_id


def checked_base_url(url: str) -> str:
    """The API's address as scheme, host and port.

    Raises:
        CredentialsError: It is not ``https`` (or ``http`` on loopback), or has more than that.

    Example:
        >>> checked_base_url("https://API.plivo.com/")
        'https://api.plivo.com'
    """
    parts, port = _split(url)
    host = (parts.hostname or "").lower()
    if not _HOST.fullmatch(host):
        raise _unusable("it names no host")
    if parts.username is not None or parts.password is not None:
        raise _unusable("it holds a user name or password")
    if parts.path not in {"", "/"} or parts.query or parts.fragment:
        raise _unusable("it holds more than scheme, host and port")
    if parts.scheme == "http":
        if not is_loopback(host):
            raise _unusable("http is for loopback addresses only, as it would show the token")
    elif parts.scheme != "https":
        raise _unusable("its scheme is not https")
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}" + (f":{port}" if port is not None else "")


def is_loopback(host: str) -> bool:
    """Whether a host is this computer itself.

    Example:
        >>> [is_loopback(host) for host in ("localhost", "127.8.8.8", "::1", "10.0.0.1")]
        [True, True, True, False]
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _given(value: str | None, variable: str) -> str | None:
    """The argument, or else the environment's word; blank counts as not given."""
    return (value if value is not None else os.environ.get(variable, "")).strip() or None


def _token(value: str | Secret | None) -> Secret | None:
    given = _given(value.reveal() if isinstance(value, Secret) else value, TOKEN_VARIABLE)
    return None if given is None else Secret(given)


def _split(url: str) -> tuple[SplitResult, int | None]:
    """The parts of an address; urlsplit drops control characters, so they are refused first."""
    if any(not " " < character < "\x7f" for character in url) or "\\" in url:
        raise _unusable("it holds a character that no address has")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = None, None
    if parts is None:
        raise _unusable("its host or port is not valid")
    return parts, port


def _unusable(why: str) -> CredentialsError:
    return CredentialsError(
        f"The API's address (base_url or {URL_VARIABLE}) cannot be used: {why}. It takes the form "
        f"{PUBLIC_URL}, or http://127.0.0.1:8080 for a server on this computer."
    )
