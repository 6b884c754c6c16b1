"""Clients that do not behave: idle, slow, stuck, gone. None of them may cost the others anything,
and each ends as the configuration says (server.idle_timeout, header_timeout, stall_timeout)."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from load_clients import BLOCK, REPO, SHARED, Tally
from load_wire import Connection, Gone, Request, Signer, rest

LARGE = "large"  # an object of this name on main, as large as BLOCK
IDLE_REQUEST = Request("GET", "/_health")
READ_BYTES = 1024  # of a slow reader, per second
READ_BUFFER = 4096  # so that the server notices


@dataclass
class Limits:
    """As the server is configured, in seconds; `late` is what a sweep and a busy machine add."""

    idle: float
    head: float
    stall: float
    late: float


class Rude:
    def __init__(self, port: int, tally: Tally, limits: Limits, until: float) -> None:
        self.port = port
        self.tally = tally
        self.limits = limits
        self.until = until
        self.counts: Counter[str] = Counter()
        self.random = random.Random(7)
        self.signer = Signer(f"127.0.0.1:{port}")

    def left(self) -> float:
        return self.until - time.monotonic()

    async def pause(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, min(seconds, self.left())))

    def upload(self, path: str) -> Request:
        return rest("POST", f"/repositories/{REPO}/branches/{SHARED}/objects", {"path": path},
                    content_type="application/octet-stream")  # fmt: skip

    def large(self, s3: bool) -> Request:
        if s3:
            return self.signer.sign(Request("GET", f"/{REPO}/main/{LARGE}"))
        return rest("GET", f"/repositories/{REPO}/refs/main/objects", {"path": LARGE})

    async def forever(self, work: Callable[[], Awaitable[None]]) -> None:
        """One such client after the other, until the load ends."""
        while self.left() > 0:
            try:
                await work()
            except (Gone, OSError, asyncio.TimeoutError, AssertionError) as error:
                self.tally.fail(f"{work.__name__}: {error!r}")
                await self.pause(1)

    # --- idle ---

    async def keep(self, connection: Connection, touched: bool) -> None:
        """Holds one connection. A touched one asks now and then and is served each time; another is
        closed by the server when it is due, not before, and begins again."""
        await self.pause(self.random.random() * self.limits.idle / 2)
        while self.left() > 0:
            began = time.monotonic()  # the server's time starts later: by this it is never early
            answer = await connection.ask(IDLE_REQUEST)
            assert answer.status in (200, 204), answer.status
            self.counts["idle asked"] += 1
            if touched:
                await self.pause(self.limits.idle * (0.3 + 0.3 * self.random.random()))
                continue
            most = self.limits.idle + self.limits.late
            if self.left() < most:
                await self.pause(self.left())
                return
            assert await connection.ended_within(most), f"idle, still open after {most} s"
            took = time.monotonic() - began
            assert took >= self.limits.idle, f"idle, closed after {took} s"
            self.counts["idle closed by the server"] += 1
            await connection.close()

    async def idle(self, connection: Connection, touched: bool) -> None:
        try:
            await self.keep(connection, touched)
        except (Gone, OSError, asyncio.TimeoutError, AssertionError) as error:
            self.tally.fail(f"idle connection: {error!r}")

    # --- slow ---

    async def slow_reader(self) -> None:
        """1 KiB a second. What it has read when the load ends is right so far; if the socket's
        buffers are so large that the server sees no progress, it may cut it, after its timeout."""
        connection = Connection(self.port, READ_BUFFER)
        began = time.monotonic()
        await connection.send(self.large(self.random.random() < 0.5).head(connection.host))
        answer = await connection.read_head()
        assert answer.status == 200, answer.status
        assert connection.reader is not None
        seen = 0
        while self.left() > 0 and seen < len(BLOCK):
            try:
                piece = await connection.reader.read(READ_BYTES)
            except OSError:
                piece = b""
            if not piece:
                took = time.monotonic() - began
                assert took >= self.limits.stall, f"a slow reader was cut after {took} s"
                self.counts["slow readers cut after the stall timeout"] += 1
                break
            assert piece == BLOCK[seen : seen + len(piece)]
            seen += len(piece)
            await self.pause(1)
        self.counts["slow readers"] += 1
        self.counts["slow readers' bytes"] += seen
        await connection.vanish()

    async def slow_writer(self) -> None:
        """A body in drops, each long before the stall timeout: it is stored like any other."""
        connection = Connection(self.port)
        drops, size = 12, 300
        seconds = min(1.0, self.limits.stall / 6)
        if self.left() < drops * seconds:
            await self.pause(self.left())
            return
        number = self.random.randrange(1 << 30)
        request = self.upload(f"hot/slow-{number}")
        await connection.send(request.head(connection.host, drops * size))
        for turn in range(drops):
            await asyncio.sleep(seconds)
            await connection.send(BLOCK[turn * size : (turn + 1) * size])
        answer = await asyncio.wait_for(connection.read_head(), 60)
        # Others commit to this branch all the time.
        assert answer.status in (201, 429), answer.status
        self.counts["slow writers"] += 1
        await connection.close()

    async def _get_stuck(self, what: str, sent: bytes, limit: float) -> None:
        """The server says 408 and hangs up when it is due, not before."""
        if self.left() < limit:
            await self.pause(self.left())
            return
        connection = Connection(self.port)
        began = time.monotonic()
        await connection.send(sent)
        try:
            answer = await asyncio.wait_for(connection.read_head(), limit + self.limits.late)
            assert answer.status == 408, answer.status
        except Gone:
            pass
        took = time.monotonic() - began
        assert took >= limit, f"{what}: cut after {took} s"
        self.counts[what] += 1
        await connection.close()

    async def stuck_writer(self) -> None:
        head = self.upload("hot/stuck").head(self.signer.host, 100_000)
        await self._get_stuck("stuck writers cut", head + BLOCK[:5_000], self.limits.stall)

    async def stuck_head(self) -> None:
        sent = b"GET / HTTP/1.1\r\nHost: "
        await self._get_stuck("stuck heads cut", sent, self.limits.head)

    # --- gone ---

    async def vanisher(self) -> None:
        connection = Connection(self.port)
        body = BLOCK[: self.random.randrange(1, 300_000)]
        upload = self.upload(f"hot/gone-{self.random.randrange(20)}")
        upload.body = body
        put = self.signer.sign(
            Request("PUT", f"/{REPO}/{SHARED}/hot/gone", {}, {}, body), hash_body=False
        )
        chunked = self.upload("hot/gone-chunked")
        chunked.headers["Transfer-Encoding"] = "chunked"
        head = chunked.head(connection.host).replace(b"Content-Length: 0\r\n", b"")
        commit = rest("POST", f"/repositories/{REPO}/branches/{SHARED}/commits",
                      body=b'{"message":"gone"}')  # fmt: skip
        half = len(body) // 2
        ways: dict[str, bytes] = {
            "without a word": b"",
            "in a head": upload.head(connection.host)[:40],
            "before the body": upload.head(connection.host),
            "in a body": upload.head(connection.host) + body[:half],
            "in an S3 body": put.head(connection.host) + body[:half],
            "in a chunk": head + b"fff\r\n" + BLOCK[:1000],
            "before the answer": upload.head(connection.host) + body,
            "before a commit's answer": commit.head(connection.host) + commit.body,
            "in an answer": self.large(False).head(connection.host),
            "in an S3 answer": self.large(True).head(connection.host),
        }
        way = self.random.choice(list(ways))
        await connection.open()
        # The server may close first, of a broken body for example: that is its right.
        with contextlib.suppress(OSError):
            await connection.send(ways[way])
            if way.endswith(" answer") and "before" not in way:
                with contextlib.suppress(Gone):
                    await connection.read_head()
        await asyncio.sleep(self.random.random() * 0.05)
        if self.random.random() < 0.7:
            await connection.vanish()
        else:
            await connection.close()
        self.counts[f"gone {way}"] += 1
        await self.pause(self.random.random() * 0.1)
