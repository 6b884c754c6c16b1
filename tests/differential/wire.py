"""HTTP without opinions: what is given goes on the wire unchanged, what comes back is kept whole."""

import base64
import http.client
from dataclasses import dataclass, field


@dataclass
class Reply:
    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    def header(self, name: str) -> str | None:
        return self.headers.get(name.lower())


class Connection:
    """One keep-alive connection to one server."""

    def __init__(self, port: int, key: str, secret: str):
        self.port = port
        self.key = key
        self.secret = secret
        self.basic = "Basic " + base64.b64encode(f"{key}:{secret}".encode()).decode()
        self._http: http.client.HTTPConnection | None = None

    def send(self, method: str, target: str, headers: list[tuple[str, str]], body: bytes | None) -> Reply:
        """Retries once when the server closed the idle connection under us."""
        for attempt in (1, 2):
            fresh = self._http is None
            if self._http is None:
                self._http = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
            try:
                return self._once(method, target, headers, body)
            except (http.client.HTTPException, OSError) as problem:
                self._http.close()
                self._http = None
                if attempt == 2 or (fresh and not isinstance(problem, ConnectionResetError)):
                    return Reply(0, {}, f"connection failed: {type(problem).__name__}".encode())
        raise AssertionError("unreachable")

    def _once(self, method, target, headers, body) -> Reply:
        assert self._http is not None
        self._http.putrequest(method, target, skip_host=any(k.lower() == "host" for k, _ in headers),
                              skip_accept_encoding=True)
        named = {k.lower() for k, _ in headers}
        for name, value in headers:
            self._http.putheader(name, value.encode("utf-8"))
        if "content-length" not in named and "transfer-encoding" not in named:
            if body is not None or method in ("POST", "PUT"):
                self._http.putheader("Content-Length", str(len(body or b"")))
        self._http.endheaders(body if body else None)
        answer = self._http.getresponse()
        content = answer.read()
        reply = Reply(answer.status, {}, content)
        for name, value in answer.getheaders():
            reply.headers[name.lower()] = value
        return reply
