"""HTTP/1.1 as thousands of clients speak it: one event loop, raw connections, signatures by hand.

The load test needs connections that misbehave, and a client so cheap that the server is what is
busy. Nothing here retries: whatever a server does shows.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import hmac
import socket
import struct
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from server_process import ACCESS_KEY, SECRET_KEY

REGION = "us-east-1"
EMPTY = hashlib.sha256(b"").hexdigest()
BASIC = "Basic " + base64.b64encode(f"{ACCESS_KEY}:{SECRET_KEY}".encode()).decode()
BUFFER = 1 << 18


class Gone(Exception):
    """The server ended the connection where an answer was due."""


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes = b""

    def text(self) -> str:
        return self.body[:300].decode(errors="replace")


@dataclass
class Request:
    method: str
    path: str  # percent-encoded
    query: Mapping[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    def target(self) -> str:
        if not self.query:
            return self.path
        return self.path + "?" + canonical_query(self.query)

    def head(self, host: str, length: int | None = None) -> bytes:
        lines = [f"{self.method} {self.target()} HTTP/1.1", f"Host: {host}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        size = len(self.body) if length is None else length
        if size or self.method in ("PUT", "POST"):
            lines.append(f"Content-Length: {size}")
        return "\r\n".join([*lines, "", ""]).encode()


def canonical_query(query: Mapping[str, str]) -> str:
    pairs = sorted((quote(name, safe="-_.~"), quote(value, safe="-_.~")) for name, value in
                   query.items())  # fmt: skip
    return "&".join(f"{name}={value}" for name, value in pairs)


def rest(method: str, path: str, query: Mapping[str, str] | None = None, body: bytes = b"",
         content_type: str = "application/json") -> Request:  # fmt: skip
    headers = {"Authorization": BASIC}
    if body or method in ("PUT", "POST"):
        headers["Content-Type"] = content_type
    return Request(method, "/api/v1" + path, query or {}, headers, body)


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")


class Signer:
    """Signature V4 of S3 requests, with the day's key kept."""

    def __init__(self, host: str) -> None:
        self.host = host
        self.day = ""
        self.key = b""

    def _key_of(self, day: str) -> bytes:
        if day != self.day:
            key = b"AWS4" + SECRET_KEY.encode()
            for part in (day, REGION, "s3", "aws4_request"):
                key = _hmac(key, part)
            self.day, self.key = day, key
        return self.key

    def sign(self, request: Request, hash_body: bool = True) -> Request:
        now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        payload = "UNSIGNED-PAYLOAD"
        if hash_body:
            payload = hashlib.sha256(request.body).hexdigest() if request.body else EMPTY
        headers = {name.lower(): value for name, value in request.headers.items()}
        headers |= {"x-amz-date": now, "x-amz-content-sha256": payload}
        signed = headers | {"host": self.host}
        names = ";".join(sorted(signed))
        lines = "".join(f"{name}:{signed[name]}\n" for name in sorted(signed))
        canonical = "\n".join(
            [request.method, request.path, canonical_query(request.query), lines, names, payload]
        )
        scope = f"{now[:8]}/{REGION}/s3/aws4_request"
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        text = f"AWS4-HMAC-SHA256\n{now}\n{scope}\n{digest}"
        signature = _hmac(self._key_of(now[:8]), text).hex()
        headers["Authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/{scope}, SignedHeaders={names}, "
            f"Signature={signature}"
        )
        request.headers = headers
        return request


class Connection:
    """A kept connection. `ask` opens it when there is none."""

    def __init__(self, port: int, receive_buffer: int | None = None) -> None:
        self.port = port
        self.host = f"127.0.0.1:{port}"
        self.receive_buffer = receive_buffer
        self.reader: asyncio.StreamReader | None = None
        self.writer: asyncio.StreamWriter | None = None

    async def open(self) -> None:
        raw = socket.socket()
        raw.setblocking(False)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.receive_buffer:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.receive_buffer)
        await asyncio.get_running_loop().sock_connect(raw, ("127.0.0.1", self.port))
        limit = self.receive_buffer or BUFFER
        self.reader, self.writer = await asyncio.open_connection(sock=raw, limit=limit)

    async def send(self, data: bytes) -> None:
        if self.writer is None:
            await self.open()
        assert self.writer is not None
        self.writer.write(data)
        await self.writer.drain()

    async def ask(self, request: Request, seconds: float = 300) -> Answer:
        """Waits long: a machine may stand still, and who gives up no longer knows what was done."""
        return await asyncio.wait_for(self._ask(request), seconds)

    async def _ask(self, request: Request) -> Answer:
        await self.send(request.head(self.host) + request.body)
        answer = await self.read_head()
        answer.body = await self._read_body(request.method, answer)
        if answer.headers.get("connection", "").lower() == "close":
            await self.close()
        return answer

    async def read_head(self) -> Answer:
        assert self.reader is not None
        try:
            head = await self.reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, OSError) as error:
            raise Gone(f"{type(error).__name__} before an answer") from error
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {}
        for line in lines:
            name, _, value = line.partition(":")
            if name:
                headers[name.lower()] = value.strip()
        return Answer(int(first.split(" ", 2)[1]), headers)

    async def _read_body(self, method: str, answer: Answer) -> bytes:
        assert self.reader is not None
        if method == "HEAD" or answer.status in (204, 304) or answer.status < 200:
            return b""
        try:
            if answer.headers.get("transfer-encoding") == "chunked":
                return await self._read_chunks()
            return await self.reader.readexactly(int(answer.headers["content-length"]))
        except (asyncio.IncompleteReadError, OSError) as error:
            raise Gone(f"{type(error).__name__} within an answer") from error

    async def _read_chunks(self) -> bytes:
        assert self.reader is not None
        pieces = []
        while True:
            size = int((await self.reader.readuntil(b"\r\n")).split(b";")[0], 16)
            piece = await self.reader.readexactly(size + 2)
            if size == 0:
                return b"".join(pieces)
            pieces.append(piece[:-2])

    async def ended_within(self, seconds: float) -> bool:
        """Whether the server ended the connection in that time."""
        assert self.reader is not None
        try:
            await asyncio.wait_for(self.reader.read(-1), seconds)
        except asyncio.TimeoutError:
            return False
        except OSError:
            pass
        return True

    async def close(self) -> None:
        if self.writer is not None:
            self.writer.close()
            with contextlib.suppress(OSError):
                await self.writer.wait_closed()
        self.reader = self.writer = None

    async def vanish(self) -> None:
        """As a machine that loses its power: a reset, no goodbye."""
        if self.writer is not None:
            raw = self.writer.get_extra_info("socket")
            with contextlib.suppress(OSError):
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.writer.transport.abort()
        self.reader = self.writer = None
