"""Certificates that do not hold, each shown by a real server: asked once, and the remedy named."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import pytest

import plivo_analysis as pva
from plivo_analysis.emulator import AUTH_ID, AUTH_TOKEN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(
    shutil.which("openssl") is None, reason="openssl, which makes certificates, is not installed"
)

EXTENSIONS = """
[authority]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign
[server]
basicConstraints = critical, CA:false
subjectAltName = {names}
"""
HERE = "DNS:localhost, IP:127.0.0.1"
EMPTY = b'{"meta": {"limit": 20, "offset": 0, "next": null}, "sessions": []}'
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (
    len(EMPTY),
    EMPTY,
)


class Authority:
    """Makes certificates, as a network that replaces them would.

    Args:
        folder: Where its files lie.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.file = folder / "authority.pem"
        self._request("authority")
        self._sign("authority", "-signkey", "authority.key", "-days", "30")

    def certificate(self, names: str = HERE, *, days: int = 30) -> Path:
        """A certificate for these names, with its key in the same file."""
        self._request("server")
        signed = ["-CA", "authority.pem", "-CAkey", "authority.key", "-set_serial", "1"]
        self._sign("server", *signed, "-days", str(days), names=names)
        chain = self._folder / "chain.pem"
        parts = [self._folder / name for name in ("server.key", "server.pem")]
        chain.write_text("".join(part.read_text() for part in parts))
        return chain

    def self_signed(self) -> Path:
        """A certificate that vouches for itself."""
        self._request("server")
        self._sign("server", "-signkey", "server.key", "-days", "30")
        chain = self._folder / "chain.pem"
        parts = [self._folder / name for name in ("server.key", "server.pem")]
        chain.write_text("".join(part.read_text() for part in parts))
        return chain

    def _request(self, name: str) -> None:
        key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        subject = ["-subj", f"/CN={name}"]
        self._openssl("req", *key, *subject, "-keyout", f"{name}.key", "-out", f"{name}.csr")

    def _sign(self, name: str, *options: str, names: str = HERE) -> None:
        (self._folder / "extensions").write_text(EXTENSIONS.format(names=names))
        wanted = ["-extfile", "extensions", "-extensions", name]
        self._openssl(
            "x509", "-req", "-in", f"{name}.csr", *wanted, *options, "-out", f"{name}.pem"
        )

    def _openssl(self, *words: str) -> None:
        subprocess.run(["openssl", *words], cwd=self._folder, check=True, capture_output=True)


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    for name in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
    return Authority(tmp_path)


@contextmanager
def secure_server(certificate: Path) -> Iterator[tuple[str, list[bytes]]]:
    """A server behind TLS; each connection leaves what it asked, or nothing."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    heard: list[bytes] = []
    ending = threading.Event()

    def serve() -> None:
        while not ending.is_set():
            try:
                plain, _ = listening.accept()
            except TimeoutError:
                continue
            heard.append(b"")
            with suppress(OSError), plain, context.wrap_socket(plain, server_side=True) as secure:
                heard[-1] = secure.recv(65536)
                secure.sendall(ANSWER)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0.02)
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"https://127.0.0.1:{listening.getsockname()[1]}", heard
        finally:
            ending.set()
            thread.join()


def client(url: str) -> pva.Client:
    return pva.Client(AUTH_ID, AUTH_TOKEN, base_url=url, store=False, requests_per_minute=1e9)


UNFIT: dict[str, tuple[Callable[[Authority], Path], str]] = {
    "self-signed": (lambda made: made.self_signed(), "self-signed certificate"),
    "of an unknown authority": (lambda made: made.certificate(), "unable to get local issuer"),
}
UNFIT_THOUGH_TRUSTED: dict[str, tuple[Callable[[Authority], Path], str]] = {
    "expired": (lambda made: made.certificate(days=-1), "certificate has expired"),
    "for another host": (
        lambda made: made.certificate("DNS:api.example.com"),
        "certificate is not valid for '127.0.0.1'",
    ),
}


def assert_refused(url: str, heard: list[bytes], reason: str) -> None:
    with client(url) as asking, pytest.raises(pva.TransportError, match=reason) as raised:
        pva.load_sessions(client=asking)
    said = str(raised.value)
    assert "could not be verified" in said
    assert "REQUESTS_CA_BUNDLE or SSL_CERT_FILE" in said
    assert "verify" not in said.replace("verified", "")  # no hint at a way around it
    assert heard == [b""]  # one connection, and not a byte of the request


@pytest.mark.parametrize(("make", "reason"), UNFIT.values(), ids=list(UNFIT))
def test_a_certificate_of_nobody_trusted_is_refused_at_once(
    make: Callable[[Authority], Path], reason: str, authority: Authority
) -> None:
    with secure_server(make(authority)) as (url, heard):
        assert_refused(url, heard, reason)


@pytest.mark.parametrize(
    ("make", "reason"), UNFIT_THOUGH_TRUSTED.values(), ids=list(UNFIT_THOUGH_TRUSTED)
)
def test_a_certificate_that_is_old_or_anothers_is_refused_whoever_signed_it(
    make: Callable[[Authority], Path],
    reason: str,
    authority: Authority,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.file))
    with secure_server(make(authority)) as (url, heard):
        assert_refused(url, heard, reason)


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"])
def test_the_file_that_the_remedy_names_makes_it_work(
    variable: str, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, str(authority.file))
    with secure_server(authority.certificate()) as (url, heard), client(url) as asking:
        assert pva.load_sessions(client=asking).is_empty()
    assert heard[0].startswith(b"GET /v1/Account/")


def test_a_file_of_certificates_that_is_not_there_is_named_before_anything_is_sent(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.file.with_name("nowhere.pem")))
    with (
        secure_server(authority.certificate()) as (url, heard),
        pytest.raises(pva.TransportError, match=r"REQUESTS_CA_BUNDLE names a file .* not there"),
    ):
        client(url)
    assert heard == []
