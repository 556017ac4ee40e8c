"""Credentials are checked before they are sent, and the token shows itself nowhere."""

from __future__ import annotations

import copy
import pickle
import traceback
from typing import TYPE_CHECKING, Any

import pytest
from IPython.core.ultratb import VerboseTB

from plivo_analysis import Client
from plivo_analysis.errors import CredentialsError
from plivo_analysis.http.credentials import (
    Credentials,
    Secret,
    is_loopback,
    resolve,
)

if TYPE_CHECKING:
    from collections.abc import Callable

AUTH_ID = "MAXXXXXXXXXXXXXXXXXX"
TOKEN = "canary-token-0123456789-canary"


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PLIVO_AUTH_ID", "PLIVO_AUTH_TOKEN", "PLIVO_API_URL"):
        monkeypatch.delenv(name, raising=False)


def test_arguments_come_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLIVO_AUTH_ID", "SAYYYYYYYYYYYYYYYYYY")
    monkeypatch.setenv("PLIVO_AUTH_TOKEN", f" {TOKEN}\n")
    monkeypatch.setenv("PLIVO_API_URL", "http://localhost:8080")
    given = resolve()
    assert (given.auth_id, given.base_url) == ("SAYYYYYYYYYYYYYYYYYY", "http://localhost:8080")
    assert given.token.reveal() == TOKEN
    given = resolve(AUTH_ID, "another-token", "https://api.example.com")
    assert (given.auth_id, given.base_url) == (AUTH_ID, "https://api.example.com")
    assert given.token.reveal() == "another-token"


def test_the_public_api_is_the_default() -> None:
    assert resolve(AUTH_ID, Secret(TOKEN)).base_url == "https://api.plivo.com"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ((None, None), "PLIVO_AUTH_ID and PLIVO_AUTH_TOKEN are not set"),
        ((AUTH_ID, None), "PLIVO_AUTH_TOKEN is not set"),
        ((None, TOKEN), "PLIVO_AUTH_ID is not set"),
        (("  ", ""), "PLIVO_AUTH_ID and PLIVO_AUTH_TOKEN are not set"),
    ],
)
def test_missing_ones_are_named_with_both_variables_and_the_demo(
    given: tuple[Any, Any], said: str
) -> None:
    with pytest.raises(CredentialsError, match=said) as caught:
        resolve(*given)
    for remedy in ("Set PLIVO_AUTH_ID and PLIVO_AUTH_TOKEN", "pva.demo()"):
        assert remedy in str(caught.value)


@pytest.mark.parametrize(
    "auth_id",
    [
        "MA",
        AUTH_ID.lower(),
        AUTH_ID + "X",
        "XAXXXXXXXXXXXXXXXXXX",
        "../../Message",
        AUTH_ID + "/",
        "MAXXXXXXXXXXXXXXXXX\n",
        "MAXXXXXXXXXXXXXXXX%2",
        TOKEN,
    ],
)
def test_an_id_that_is_not_plivo_s_is_refused_and_not_repeated(auth_id: str) -> None:
    with pytest.raises(CredentialsError, match="it takes MA, or SA for a subaccount") as caught:
        resolve(auth_id, TOKEN)
    assert auth_id == "MA" or auth_id.strip() not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://api.plivo.com", "https://api.plivo.com"),
        ("https://api.plivo.com/", "https://api.plivo.com"),
        (" HTTPS://API.PLIVO.COM:8443 ", "https://api.plivo.com:8443"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://127.1.2.3", "http://127.1.2.3"),
        ("http://localhost:1", "http://localhost:1"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("https://[2001:db8::1]", "https://[2001:db8::1]"),
    ],
)
def test_an_address_is_kept_as_scheme_host_and_port(url: str, kept: str) -> None:
    assert resolve(AUTH_ID, TOKEN, url).base_url == kept


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://api.plivo.com", "http is for loopback addresses only"),
        ("http://10.0.0.1", "http is for loopback addresses only"),
        ("http://localhost.example.com", "http is for loopback addresses only"),
        ("http://127.0.0.1.example.com", "http is for loopback addresses only"),
        ("ftp://api.plivo.com", "its scheme is not https"),
        ("api.plivo.com", "it names no host"),
        ("https://", "it names no host"),
        ("https://user:pw@api.plivo.com", "it holds a user name or password"),
        ("https://@api.plivo.com", "it holds a user name or password"),
        ("https://api.plivo.com/v1", "it holds more than scheme, host and port"),
        ("https://api.plivo.com?x=1", "it holds more than scheme, host and port"),
        ("https://api.plivo.com#x", "it holds more than scheme, host and port"),
        ("https://api.plivo.com:99999", "its host or port is not valid"),
        ("https://[::1", "its host or port is not valid"),
        ("https://api.plivo.com\\@evil.example", "it holds a character that no address has"),
        ("https://api\t.plivo.com", "it holds a character that no address has"),
        ("https://аpi.plivo.com", "it holds a character that no address has"),
        ("https://api.plivo.com%2fevil", "it names no host"),
    ],
)
def test_an_unsafe_address_is_refused_with_the_form_that_is_safe(url: str, said: str) -> None:
    with pytest.raises(CredentialsError, match=f"{said}.* It takes the form https://api.plivo.com"):
        resolve(AUTH_ID, TOKEN, url)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.255.0.9", "::1"])
def test_loopback_is_this_computer(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "128.0.0.1", "example.com", "", "2130706433"])  # noqa: S104 - no bind
def test_other_hosts_are_not_loopback(host: str) -> None:
    assert not is_loopback(host)


def test_a_secret_prints_as_stars() -> None:
    secret = Secret(TOKEN)
    held = Credentials("https://api.plivo.com", AUTH_ID, secret)
    for text in (
        str(secret),
        repr(secret),
        f"{secret:>40}",
        f"{secret!r}",
        repr([secret]),
        repr(held),
    ):
        assert TOKEN not in text
        assert "***" in text


@pytest.mark.parametrize("act", [pickle.dumps, copy.copy, copy.deepcopy])
def test_a_secret_is_neither_pickled_nor_copied(act: Any) -> None:
    with pytest.raises(TypeError, match="neither pickled nor copied"):
        act(Secret(TOKEN))
    with pytest.raises(TypeError, match="neither pickled nor copied"):
        pickle.dumps(Credentials("https://api.plivo.com", AUTH_ID, Secret(TOKEN)))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("wrong", TOKEN), "is not one of Plivo's"),
        ((TOKEN, AUTH_ID), "The two seem to be swapped"),
        ((TOKEN, "also wrong"), "is not one of Plivo's"),
        ((AUTH_ID, TOKEN.encode()), "auth_token is not text"),
        ((AUTH_ID, {"token": TOKEN}), "auth_token is not text"),
        (([TOKEN], AUTH_ID), "auth_id is not text"),
        ((AUTH_ID, TOKEN, f"https://{AUTH_ID}:{TOKEN}@api.example.com"), "a user name or password"),
        ((AUTH_ID, TOKEN, f"https://api.example.com/?token={TOKEN}"), "more than scheme"),
        ((AUTH_ID, "x", TOKEN), "names no host"),
    ],
)
@pytest.mark.parametrize("ask", [resolve, Client], ids=["resolve", "Client"])
def test_a_verbose_traceback_of_a_refusal_shows_no_token(
    ask: Callable[..., object], given: tuple[Any, ...], said: str
) -> None:
    with pytest.raises(CredentialsError, match=said) as caught:
        ask(*given[:2], **({"base_url": given[2]} if given[2:] else {}))
    trace = caught.value.__traceback__
    assert trace is not None
    shown = str(VerboseTB(theme_name="nocolor").text(CredentialsError, caught.value, trace.tb_next))
    assert "resolve(" in shown
    assert TOKEN not in shown
    printed = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    assert TOKEN not in str([frame.locals for frame in printed.stack if __file__ != frame.filename])
