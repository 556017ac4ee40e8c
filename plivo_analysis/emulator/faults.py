"""What may go wrong between the service and its client, one fault a request.

A server is given a script of them; each request takes the next one, and a ``None`` lets its
request pass. A fault either takes the place of the true answer or spoils its delivery.
"""

from __future__ import annotations

import gzip
import json
import zlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

_FOREVER = 10**9
_REASONS = {200: "OK", 204: "No Content", 207: "Multi-Status"}
_HTML = b"<html><head><title>Sorry</title></head><body><h1>Sorry</h1></body></html>"


@dataclass(frozen=True)
class Answer:
    """An answer before it is sent.

    Example:
        >>> Answer(200, b"{}").content_type
        'application/json'
    """

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str | None = "application/json"

    def with_defaults(self, **headers: str) -> Answer:
        """The same with further headers, where it has none of that name.

        Example:
            >>> Answer(200, b"{}", {"Date": "now"}).with_defaults(Date="then").headers
            {'Date': 'now'}
        """
        return replace(self, headers={**headers, **self.headers})

    def head(self, *, length: int | None, **further: str) -> bytes:
        """The first line and the headers, as bytes; no length where none is given.

        Example:
            >>> Answer(200, b"{}").head(length=2).splitlines()[-2]
            b'Content-Length: 2'
        """
        lines = [f"HTTP/1.1 {self.status} {_REASONS.get(self.status, 'Status')}"]
        if self.content_type:
            lines.append(f"Content-Type: {self.content_type}")
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in further.items()]
        if length is not None:
            lines.append(f"Content-Length: {length}")
        return "\r\n".join([*lines, "", ""]).encode("latin-1")


class Line(Protocol):
    """The connection, as a fault sees it.

    Example:
        >>> hasattr(Line, "reset")
        True
    """

    def send(self, data: bytes) -> None:
        """Put bytes on the wire at once."""

    def drop(self) -> None:
        """End the connection in good order once the fault is over."""

    def reset(self) -> None:
        """Break the connection."""

    def wait(self, seconds: float) -> bool:
        """Let time pass; true when the server is closing or the client has gone."""


@dataclass(frozen=True)
class Fault:
    """One fault. Build it with one of the functions below, which say what each does.

    Attributes:
        name: For the log and for messages of tests.
        replaces: The answer that takes the true one's place, or nothing.
        deliver: How the answer is put on the wire, or nothing for the usual way.

    Example:
        >>> Fault.status(503).replaces.status
        503
    """

    name: str
    replaces: Answer | None = None
    deliver: Callable[[Line, Answer], None] | None = None

    @classmethod
    def status(cls, status: int, *, html: bool = False, error: object = "it broke") -> Fault:
        """An answer of that status, with an error in JSON or a page in HTML.

        Example:
            >>> Fault.status(503, html=True).replaces.content_type
            'text/html'
        """
        if html:
            return cls(f"{status} html", Answer(status, _HTML, content_type="text/html"))
        body = json.dumps({"api_id": "00000000-0000-4000-8000-000000000000", "error": error})
        return cls(f"{status}", Answer(status, body.encode()))

    @classmethod
    def rate_limited(cls, retry_after: str | None = None, *, html: bool = False) -> Fault:
        """A 429, with any text as its ``Retry-After``.

        Example:
            >>> Fault.rate_limited("abc").replaces.headers
            {'Retry-After': 'abc'}
        """
        fault = cls.status(429, html=html, error="too many requests")
        if fault.replaces is None or retry_after is None:
            return fault
        answer = fault.replaces.with_defaults(**{"Retry-After": retry_after})
        return replace(fault, replaces=answer)

    @classmethod
    def redirect(cls, url: str, status: int = 302) -> Fault:
        """An answer that sends the client elsewhere.

        Example:
            >>> Fault.redirect("http://127.0.0.1:9/").replaces.headers
            {'Location': 'http://127.0.0.1:9/'}
        """
        return cls(f"{status} to {url}", Answer(status, b"", {"Location": url}))

    @classmethod
    def body(
        cls, body: bytes, content_type: str | None = "application/json", status: int = 200
    ) -> Fault:
        """An answer with any bytes as its body.

        Example:
            >>> Fault.body(b"null").replaces.body
            b'null'
        """
        return cls("body", Answer(status, body, content_type=content_type))

    @classmethod
    def gzip_bomb(cls, size: int = 1 << 30) -> Fault:
        """A small body that unpacks to ``size`` bytes of spaces.

        Example:
            >>> len(Fault.gzip_bomb(1 << 20).replaces.body) < 5_000
            True
        """
        packer = zlib.compressobj(9, zlib.DEFLATED, 31)
        block = b" " * (1 << 20)
        parts = [packer.compress(block) for _ in range(max(1, size >> 20))]
        packed = b"".join([*parts, packer.flush()])
        return cls("gzip bomb", Answer(200, packed, {"Content-Encoding": "gzip"}))

    @classmethod
    def encoded(cls, encodings: int = 2, *, broken: bool = False) -> Fault:
        """The true answer, packed that many times, and spoilt if asked.

        Example:
            >>> Fault.encoded(2).name
            'gzip x 2'
        """

        def deliver(line: Line, answer: Answer) -> None:
            body = answer.body
            for _ in range(encodings):
                body = gzip.compress(body)
            if broken:
                body = body[::-1]
            coding = ", ".join(["gzip"] * encodings)
            line.send(answer.head(length=len(body), Content_Encoding=coding) + body)

        return cls(f"gzip x {encodings}", deliver=deliver)

    @classmethod
    def charset(cls, charset: str = "utf-16") -> Fault:
        """The true answer in another encoding of text, which the header does not name.

        Example:
            >>> Fault.charset().name
            'utf-16'
        """

        def deliver(line: Line, answer: Answer) -> None:
            body = answer.body.decode().encode(charset)
            line.send(answer.head(length=len(body)) + body)

        return cls(charset, deliver=deliver)

    @classmethod
    def reset(cls, *, mid_body: bool = False) -> Fault:
        """The connection is reset before the headers, or in the middle of the body.

        Example:
            >>> Fault.reset().name
            'reset'
        """

        def deliver(line: Line, answer: Answer) -> None:
            if mid_body:
                line.send(answer.head(length=len(answer.body)) + _half(answer.body))
                line.wait(0.05)  # or the reset overtakes the bytes
            line.reset()

        return cls("reset", deliver=deliver)

    @classmethod
    def cut(cls, *, chunked: bool = False, announced: bool = True) -> Fault:
        """Half the body, then the end of the connection.

        Args:
            chunked: Whether the body goes in chunks, whose last never comes.
            announced: Whether its whole length is announced; if not, the end of the connection
                is the end of the body, and the client gets half a JSON text in good order.

        Example:
            >>> Fault.cut(chunked=True).name
            'cut'
        """

        def deliver(line: Line, answer: Answer) -> None:
            half = _half(answer.body)
            if chunked:
                head = answer.head(length=None, Transfer_Encoding="chunked")
                line.send(head + f"{len(half):x}\r\n".encode() + half + b"\r\n")
            elif announced:
                line.send(answer.head(length=len(answer.body)) + half)
            else:
                line.send(answer.head(length=None, Connection="close") + half)
            line.drop()

        return cls("cut", deliver=deliver)

    @classmethod
    def dribble(cls, bytes_per_second: float = 1.0) -> Fault:
        """The true answer, its body one byte at a time.

        Example:
            >>> Fault.dribble().name
            'dribble'
        """

        def deliver(line: Line, answer: Answer) -> None:
            line.send(answer.head(length=len(answer.body)))
            for position in range(len(answer.body)):
                line.send(answer.body[position : position + 1])
                if line.wait(1 / bytes_per_second):
                    line.drop()
                    break

        return cls("dribble", deliver=deliver)

    @classmethod
    def hang(cls, seconds: float = _FOREVER) -> Fault:
        """No answer for so long, by default for ever; then the connection ends.

        Example:
            >>> Fault.hang().name
            'hang'
        """

        def deliver(line: Line, _answer: Answer) -> None:
            line.wait(seconds)
            line.drop()

        return cls("hang", deliver=deliver)

    @classmethod
    def delay(cls, seconds: float) -> Fault:
        """The true answer, late.

        Example:
            >>> Fault.delay(0.5).name
            'delay'
        """

        def deliver(line: Line, answer: Answer) -> None:
            line.wait(seconds)
            line.send(answer.head(length=len(answer.body)) + answer.body)

        return cls("delay", deliver=deliver)


def _half(body: bytes) -> bytes:
    return body[: len(body) // 2]
