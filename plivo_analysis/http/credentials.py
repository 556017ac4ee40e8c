"""Credentials: whose account, at which address, and a token that is shown nowhere.

Everything is checked before anything is sent: an id becomes part of a path, and the token goes
to whatever host the address names. Plain ``http`` is for loopback only, since on any other way
the token could be read.
"""

from __future__ import annotations

import base64
import ipaddress
import os
import re
from dataclasses import dataclass
from typing import NoReturn
from urllib.parse import urlsplit

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

    @classmethod
    def of(cls, value: object) -> Secret | None:
        """An argument wrapped, whatever it is, so that no frame shows it; None stays None.

        Example:
            >>> Secret.of("not-a-real-token"), Secret.of(None)
            (***, None)
        """
        return value if value is None or isinstance(value, Secret) else cls(value)  # type: ignore[arg-type] # checked later

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

    @property
    def basic(self) -> str:
        """What HTTP's Basic authentication sends: both in base64."""
        return base64.b64encode(f"{self.auth_id}:{self.token.reveal()}".encode()).decode()


def resolve(
    auth_id: str | Secret | None = None,
    auth_token: str | Secret | None = None,
    base_url: str | Secret | None = None,
) -> Credentials:
    """Credentials from the arguments, or from the environment where an argument is missing.

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
    # A verbose traceback prints the arguments and variables of every frame, and the token may
    # have been given in place of the id or within the address. Hence each is wrapped before
    # anything can fail, checked by functions that return what is wrong, and refused here.
    auth_id, auth_token, base_url = Secret.of(auth_id), Secret.of(auth_token), Secret.of(base_url)
    auth_id = _given("auth_id", auth_id, ID_VARIABLE)
    auth_token = _given("auth_token", auth_token, TOKEN_VARIABLE)
    base_url = _given("base_url", base_url, URL_VARIABLE) or Secret(PUBLIC_URL)
    missing = [
        name
        for name, value in ((ID_VARIABLE, auth_id), (TOKEN_VARIABLE, auth_token))
        if value is None
    ]
    if auth_id is None or auth_token is None:
        raise CredentialsError(
            f"No credentials: {' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not "
            f"set. Set {ID_VARIABLE} and {TOKEN_VARIABLE}, or pass auth_id and auth_token to "
            "pva.Client. To try the package without an account, use pva.demo()."
        )
    address, unusable = _base_url(base_url)
    if unusable:
        raise CredentialsError(
            f"The API's address (base_url or {URL_VARIABLE}) cannot be used: {unusable}. It takes "
            f"the form {PUBLIC_URL}, or http://127.0.0.1:8080 for a server on this computer."
        )
    if not _AUTH_ID.fullmatch(auth_id.reveal()):
        swapped = bool(_AUTH_ID.fullmatch(auth_token.reveal()))
        raise CredentialsError(
            f"The auth id (auth_id or {ID_VARIABLE}) is not one of Plivo's: it takes MA, or SA for "
            "a subaccount, and 18 capital letters or digits. It stands beside the auth token "
            f"({TOKEN_VARIABLE}) on the console's overview page. "
            + ("The two seem to be swapped. " if swapped else "")
            + "Without an account: pva.demo()."
        )
    return Credentials(address, auth_id.reveal(), auth_token)


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


def _given(name: str, value: Secret | None, variable: str) -> Secret | None:
    """The argument, or else the environment's value; blank counts as not given."""
    if value is None:
        value = Secret(os.environ.get(variable, ""))
    if not isinstance(value.reveal(), str):
        raise CredentialsError(f"{name} is not text; pass it as a str, or set {variable}.")
    return Secret(value.reveal().strip()) if value.reveal().strip() else None


def _base_url(given: Secret) -> tuple[str, str]:
    """The API's address as scheme, host and port; and what makes it unusable, if anything."""
    url = given.reveal()
    # urlsplit drops control characters, so they are refused first.
    if any(not " " < character < "\x7f" for character in url) or "\\" in url:
        return "", "it holds a character that no address has"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "", "its host or port is not valid"
    host = (parts.hostname or "").lower()
    reasons = {
        "it names no host": not _HOST.fullmatch(host),
        "it holds a user name or password": "@" in parts.netloc,
        "it holds more than scheme, host and port": (
            parts.path not in {"", "/"} or parts.query or parts.fragment
        ),
        "http is for loopback addresses only, as it would show the token": (
            parts.scheme == "http" and not is_loopback(host)
        ),
        "its scheme is not https": parts.scheme not in {"https", "http"},
    }
    shown = f"[{host}]" if ":" in host else host
    address = f"{parts.scheme}://{shown}" + (f":{port}" if port is not None else "")
    return address, next((reason for reason, applies in reasons.items() if applies), "")
