"""What may go wrong between the service and its client, one fault a request.

A server is given a script of them; each request takes the next one, and a ``None`` lets its
request pass. A fault replaces the true response, changes it, or spoils its delivery.
"""

from __future__ import annotations

import gzip
import json
import zlib
from dataclasses import dataclass, field, replace
from datetime import timedelta
from email.utils import format_datetime, parsedate_to_datetime
from math import inf
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_REASONS = {200: "OK", 204: "No Content", 207: "Multi-Status"}
_HTML = b"<html><head><title>Sorry</title></head><body><h1>Sorry</h1></body></html>"


@dataclass(frozen=True)
class Response:
    """A response before it is sent.

    Example:
        >>> Response(200, b"{}").content_type
        'application/json'
    """

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str | None = "application/json"

    def with_defaults(self, **headers: str) -> Response:
        """The same with further headers, where it has none of that name.

        Example:
            >>> Response(200, b"{}", {"Date": "now"}).with_defaults(Date="then").headers
            {'Date': 'now'}
        """
        return replace(self, headers={**headers, **self.headers})

    def head(self, framing: str | None = None) -> bytes:
        """The first line and the headers, as bytes.

        Args:
            framing: The header that says where the body ends, by default its length.

        Example:
            >>> Response(200, b"{}").head().splitlines()[-2]
            b'Content-Length: 2'
        """
        lines = [f"HTTP/1.1 {self.status} {_REASONS.get(self.status, 'Status')}"]
        if self.content_type:
            lines.append(f"Content-Type: {self.content_type}")
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        lines.append(framing or f"Content-Length: {len(self.body)}")
        return "\r\n".join([*lines, "", ""]).encode("latin-1")

    @property
    def half(self) -> bytes:
        """The first half of the body."""
        return self.body[: len(self.body) // 2]


@dataclass(frozen=True)
class Fault:
    """One fault. Build it with one of the functions below, which say what each does.

    Attributes:
        name: For the log and for messages of tests.
        replaces: Stands in for the true response; the account is then not asked.
        changes: Makes another response of the true one.
        deliver: How the response goes over the wire, if not at once: bytes that are sent, and
            numbers of seconds that pass.
        ends: What becomes of the connection afterwards. Closed, it ends in good order.

    Example:
        >>> Fault.status(503).replaces.status
        503
    """

    name: str
    replaces: Response | None = None
    changes: Callable[[Response], Response] | None = None
    deliver: Callable[[Response], Iterable[bytes | float]] | None = None
    ends: Literal["open", "closed", "reset"] = "open"

    @classmethod
    def status(
        cls, status: int, *, html: bool = False, error: object = "it broke", **headers: str
    ) -> Fault:
        """A response of that status, with an error in JSON or a page in HTML.

        Example:
            >>> Fault.status(503, html=True).replaces.content_type
            'text/html'
        """
        if html:
            return cls(f"{status} html", Response(status, _HTML, headers, "text/html"))
        body = json.dumps({"api_id": "00000000-0000-4000-8000-000000000000", "error": error})
        return cls(f"{status}", Response(status, body.encode(), headers))

    @classmethod
    def rate_limited(cls, retry_after: str | None = None, *, html: bool = False) -> Fault:
        """A 429, with any text as its ``Retry-After``.

        Example:
            >>> Fault.rate_limited("abc").replaces.headers
            {'Retry-After': 'abc'}
        """
        headers = {} if retry_after is None else {"Retry-After": retry_after}
        return cls.status(429, html=html, error="too many requests", **headers)

    @classmethod
    def redirect(cls, url: str, status: int = 302) -> Fault:
        """A response that sends the client elsewhere.

        Example:
            >>> Fault.redirect("http://127.0.0.1:9/").replaces.headers
            {'Location': 'http://127.0.0.1:9/'}
        """
        return cls(f"{status} to {url}", Response(status, b"", {"Location": url}))

    @classmethod
    def body(
        cls, body: bytes, content_type: str | None = "application/json", status: int = 200
    ) -> Fault:
        """A response with any bytes as its body.

        Example:
            >>> Fault.body(b"null").replaces.body
            b'null'
        """
        return cls("body", Response(status, body, content_type=content_type))

    @classmethod
    def emptied(
        cls, status: int = 200, *, total_count: int | None = None, **fields: object
    ) -> Fault:
        """The true response with an empty list, no next page, and what contradicts it.

        Args:
            status: Such as 202, 203, 206, 207 or 226.
            total_count: A count beside the empty list.
            **fields: Such as ``errors=["…"]`` or ``success=False``.

        Example:
            >>> Fault.emptied(206).name
            'emptied 206'
        """

        def empty(response: Response) -> Response:
            content = {**json.loads(response.body), **fields}
            for key in {"sessions", "objects"} & content.keys():
                content[key] = []
            if content.get("meta"):
                content["meta"]["next"] = None
                if total_count is not None:
                    content["meta"]["total_count"] = total_count
            return replace(response, status=status, body=json.dumps(content).encode())

        return cls(f"emptied {status}", changes=empty)

    @classmethod
    def date(cls, date: str | timedelta | None) -> Fault:
        """The true response with another ``Date`` header: a text, off by a time, or none.

        Example:
            >>> Fault.date("Thu, 01 Jan 1970 00:00:00 GMT").name
            'date'
        """

        def change(response: Response) -> Response:
            headers = dict(response.headers)
            true_date = headers.pop("Date", "")
            if isinstance(date, timedelta):
                headers["Date"] = format_datetime(
                    parsedate_to_datetime(true_date) + date, usegmt=True
                )
            elif date is not None:
                headers["Date"] = date
            return replace(response, headers=headers)

        return cls("date", changes=change)

    @classmethod
    def gzip_bomb(cls, size: int = 1 << 30) -> Fault:
        """A small body that unpacks to ``size`` bytes of spaces.

        Example:
            >>> len(Fault.gzip_bomb(1 << 20).replaces.body) < 5_000
            True
        """
        packer = zlib.compressobj(9, zlib.DEFLATED, 31)  # 31: with the header of gzip
        block = b" " * (1 << 20)
        parts = [packer.compress(block) for _ in range(max(1, size >> 20))]
        packed = b"".join([*parts, packer.flush()])
        return cls("gzip bomb", Response(200, packed, {"Content-Encoding": "gzip"}))

    @classmethod
    def encoded(cls, encodings: int = 2, *, broken: bool = False) -> Fault:
        """The true response, packed that many times, and spoilt if asked.

        Example:
            >>> Fault.encoded(2).name
            'gzip x 2'
        """

        def pack(response: Response) -> Response:
            body = response.body
            for _ in range(encodings):
                body = gzip.compress(body)
            if broken:
                body = body[::-1]
            coding = ", ".join(["gzip"] * encodings)
            return replace(response, body=body).with_defaults(**{"Content-Encoding": coding})

        return cls(f"gzip x {encodings}", changes=pack)

    @classmethod
    def charset(cls, charset: str = "utf-16") -> Fault:
        """The true response in another encoding of text, which the header does not name.

        Example:
            >>> Fault.charset().name
            'utf-16'
        """

        def encode(response: Response) -> Response:
            return replace(response, body=response.body.decode().encode(charset))

        return cls(charset, changes=encode)

    @classmethod
    def reset(cls, *, mid_body: bool = False) -> Fault:
        """The connection is reset before the headers, or in the middle of the body.

        Example:
            >>> Fault.reset().ends
            'reset'
        """

        def deliver(response: Response) -> list[bytes | float]:
            # The pause is there because the reset may overtake the bytes.
            return [response.head() + response.half, 0.05] if mid_body else []

        return cls("reset", deliver=deliver, ends="reset")

    @classmethod
    def cut(cls, *, chunked: bool = False, announced: bool = True) -> Fault:
        """Half the body, then the end of the connection.

        Args:
            chunked: Whether the body goes in chunks, whose last never comes.
            announced: Whether its whole length is announced; if not, the end of the connection
                is the end of the body, and the client gets half a JSON text in good order.

        Example:
            >>> Fault.cut(chunked=True).ends
            'closed'
        """

        def deliver(response: Response) -> list[bytes]:
            half = response.half
            if chunked:
                head = response.head("Transfer-Encoding: chunked")
                return [head + f"{len(half):x}\r\n".encode() + half + b"\r\n"]
            head = response.head() if announced else response.head("Connection: close")
            return [head + half]

        return cls("cut", deliver=deliver, ends="closed")

    @classmethod
    def dribble(cls, bytes_per_second: float = 1.0) -> Fault:
        """The true response, its body one byte at a time.

        Example:
            >>> Fault.dribble().name
            'dribble'
        """

        def deliver(response: Response) -> Iterator[bytes | float]:
            yield response.head()
            for byte in response.body:
                yield bytes([byte])
                yield 1 / bytes_per_second

        return cls("dribble", deliver=deliver)

    @classmethod
    def hang(cls, seconds: float = inf) -> Fault:
        """No response for so long, by default for ever; then the connection ends.

        Example:
            >>> Fault.hang().name
            'hang'
        """
        return cls("hang", deliver=lambda _response: [seconds], ends="closed")

    @classmethod
    def delay(cls, seconds: float) -> Fault:
        """The true response, late.

        Example:
            >>> Fault.delay(0.5).name
            'delay'
        """
        return cls("delay", deliver=lambda response: [seconds, response.head() + response.body])
