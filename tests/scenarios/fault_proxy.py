"""Stands between a server and an HTTP service of its (S3, DynamoDB) and breaks what it is told to.

    proxy.plan(cut_answer(0.5), method="GET", target="/data/", times=2)
    proxy.down(); proxy.up(); proxy.heal()
"""

from __future__ import annotations

import http.client
import re
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HOP_HEADERS = ("connection", "keep-alive", "transfer-encoding", "expect", "date", "server")
HELD_SECONDS = 600  # nothing is silent for longer


@dataclass
class Exchange:
    """One request on its way, for the faults."""

    proxy: FaultProxy
    handler: BaseHTTPRequestHandler

    def header(self, name: str) -> str:
        return self.handler.headers.get(name, "")

    def read_body(self, most: int | None = None) -> bytes:
        """The request's body, or its first bytes."""
        length = int(self.header("Content-Length") or 0)
        return self.handler.rfile.read(length if most is None else min(most, length))

    def hang_up(self) -> None:
        """With a reset: whoever reads must not take it for an end."""
        connection = self.handler.connection
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.handler.close_connection = True
        raise ConnectionAbortedError

    def ask(self) -> tuple[http.client.HTTPResponse, bytes]:
        """What the service answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.proxy.target_port, timeout=60)
        try:
            connection.putrequest(
                self.handler.command, self.handler.path, skip_host=True, skip_accept_encoding=True
            )
            for name, value in self.handler.headers.items():
                if name.lower() not in HOP_HEADERS:
                    connection.putheader(name, value)
            connection.endheaders(self.read_body())
            answer = connection.getresponse()
            return answer, answer.read()
        finally:
            connection.close()

    def answer(self, status: int, headers: list[tuple[str, str]], body: bytes, sent: int) -> None:
        """Sends the head, and the first `sent` bytes of the body."""
        self.handler.send_response_only(status)
        for name, value in headers:
            self.handler.send_header(name, value)
        self.handler.end_headers()
        if self.handler.command != "HEAD":
            self.handler.wfile.write(body[:sent])
            self.handler.wfile.flush()

    def forward(self, part: float = 1.0) -> None:
        """Asks the service and passes on its answer, or the first part of its body."""
        answer, body = self.ask()
        headers = [
            (name, value)
            for name, value in answer.getheaders()
            if name.lower() not in HOP_HEADERS + ("content-length",)
        ]
        length = answer.getheader("Content-Length")
        if self.handler.command != "HEAD" or length is None:
            length = str(len(body))
        if answer.status not in (204, 304):
            headers.append(("Content-Length", length))
        self.answer(answer.status, headers, body, int(len(body) * part))


Fault = Callable[[Exchange], None]


def refuse(status: int, code: str = "", extra: str = "", headers: dict[str, str] | None = None) -> Fault:
    """Answers by itself, with S3's document."""

    def strike(exchange: Exchange) -> None:
        exchange.read_body()
        text = f"<Error><Code>{code}</Code><Message>on purpose</Message>{extra}</Error>"
        body = text.encode() if code and exchange.handler.command != "HEAD" else b""
        given = [*(headers or {}).items(), ("Content-Length", str(len(body)))]
        exchange.answer(status, given, body, len(body))

    return strike


def silence(exchange: Exchange) -> None:
    """No answer until the proxy is healed; then the connection ends."""
    exchange.proxy.hold()
    exchange.hang_up()


def lose_answer(exchange: Exchange) -> None:
    """The service does it, and nobody hears."""
    exchange.ask()
    exchange.hang_up()


def cut_request(after_bytes: int) -> Fault:
    """The connection breaks while the request's body is sent."""

    def strike(exchange: Exchange) -> None:
        exchange.read_body(after_bytes)
        exchange.hang_up()

    return strike


def cut_answer(part: float) -> Fault:
    """The connection breaks after that part of the answer's body."""

    def strike(exchange: Exchange) -> None:
        exchange.forward(part)
        exchange.hang_up()

    return strike


@dataclass
class Rule:
    fault: Fault
    method: str
    target: re.Pattern[str]
    left: int | None  # None: for ever
    struck: int = 0


class FaultProxy:
    """On a port of its own, which it keeps while it is down."""

    def __init__(self, target_port: int) -> None:
        self.target_port = target_port
        self._lock = threading.Lock()
        self._rules: list[Rule] = []
        self._connections: set[socket.socket] = set()
        self._healed = threading.Event()
        self._held = 0
        self._server: ThreadingHTTPServer | None = None
        self.port = 0
        self.up()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def held(self) -> int:
        """Requests that are being kept without an answer."""
        with self._lock:
            return self._held

    def plan(
        self, fault: Fault, *, method: str = "", target: str = "", times: int | None = None
    ) -> Rule:
        """From now on, for requests of the method whose target the pattern is found in."""
        rule = Rule(fault, method, re.compile(target), times)
        with self._lock:
            self._rules.append(rule)
            self._healed.clear()
        return rule

    def heal(self) -> None:
        """No further faults; what was held is let go."""
        with self._lock:
            self._rules.clear()
            self._healed.set()
        if self._server is None:
            self.up()

    def hold(self) -> None:
        with self._lock:
            self._held += 1
        self._healed.wait(HELD_SECONDS)
        with self._lock:
            self._held -= 1

    def up(self) -> None:
        assert self._server is None
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def setup(self) -> None:
                super().setup()
                with proxy._lock:
                    proxy._connections.add(self.connection)

            def finish(self) -> None:
                with proxy._lock:
                    proxy._connections.discard(self.connection)
                try:
                    super().finish()
                except OSError:
                    pass

            def handle(self) -> None:
                try:
                    super().handle()
                except (OSError, http.client.HTTPException):
                    self.close_connection = True

            def log_message(self, *_: object) -> None:
                pass

            def serve(self) -> None:
                exchange = Exchange(proxy, self)
                proxy._pick(self.command, self.path)(exchange)

            do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = serve

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            block_on_close = False
            request_queue_size = 512

            def shutdown_request(self, request: socket.socket) -> None:  # type: ignore[override]
                self.close_request(request)  # no polite end: a reset stays one

            def handle_error(self, *_: object) -> None:
                pass

        self._server = Server(("127.0.0.1", self.port), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def down(self) -> None:
        """Nobody listens, and every connection breaks."""
        assert self._server is not None
        self._server.shutdown()
        self._server.server_close()
        self._server = None
        with self._lock:
            connections = list(self._connections)
        for connection in connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # it has just ended by itself

    def close(self) -> None:
        with self._lock:
            self._rules.clear()
            self._healed.set()
        if self._server is not None:
            self.down()

    def _pick(self, method: str, target: str) -> Fault:
        with self._lock:
            for rule in self._rules:
                if rule.left == 0 or rule.method not in ("", method):
                    continue
                if not rule.target.search(target):
                    continue
                rule.struck += 1
                if rule.left is not None:
                    rule.left -= 1
                return rule.fault
        return Exchange.forward
