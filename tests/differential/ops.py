"""A request before it knows to which server it goes.

Texts may hold <<c:17>> (the commit that step 17 made), <<p:17:8>> (its first 8 characters), <<a:17>> (the address it was
handed), <<u:17>> (its upload id), <<e:17>> (its ETag) and <<r>> (the repository): each side puts in its own.
"""

import json
import re
import urllib.parse
from dataclasses import dataclass, field
from typing import Any

PLACE = re.compile(r"<<(\w)(?::(\d+))?(?::(\d+))?>>")
ETAG = re.compile(rb"\{\{e:(\d+)\}\}")
SAFE = "-_.~"


@dataclass
class Op:
    uid: int
    name: str
    method: str
    path: list[str]
    query: list[tuple[str, Any]] = field(default_factory=list)
    headers: list[tuple[str, str]] = field(default_factory=list)
    json: Any = None
    data: bytes | None = None
    raw_target: str | None = None
    api: bool = True
    signed: bool = False  # S3
    login: bool = True
    pause: float = 0.0

    def line(self) -> str:
        """One line for a reproduction."""
        where = self.raw_target or "/" + "/".join(quote(s) for s in self.path)
        query = "&".join(f"{k}={v!r}" if isinstance(v, bytes) else f"{k}={quote(str(v))}" for k, v in self.query)
        parts = [f"[{self.uid}] {self.name}: {self.method} {where}" + (f"?{query}" if query else "")]
        if self.headers:
            parts.append(f"headers={self.headers}")
        if self.json is not None:
            parts.append(f"json={json.dumps(self.json)}")
        if self.data is not None:
            parts.append(f"data={self.data[:80]!r}" + ("…" if len(self.data) > 80 else ""))
        return shorten(" ".join(parts), 900)


def shorten(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most - 200]} … {text[-150:]}"


def quote(text: str) -> str:
    """Readable for reproductions: placeholders stay."""
    pieces = re.split(r"(<<[^>]*>>)", text)
    return "".join(p if p.startswith("<<") else urllib.parse.quote(p, safe=SAFE) for p in pieces)


class Side:
    """What one server answered so far: the ids that later requests name."""

    def __init__(self, repository: str):
        self.repository = repository
        self.commits: dict[int, str] = {}
        self.picked: set[int] = set()
        self.addresses: dict[int, str] = {}
        self.uploads: dict[int, str] = {}
        self.etags: dict[int, str] = {}

    def fill(self, value: Any) -> Any:
        if isinstance(value, str):
            return PLACE.sub(self._one, value)
        if isinstance(value, list):
            return [self.fill(v) for v in value]
        if isinstance(value, tuple):
            return tuple(self.fill(v) for v in value)
        if isinstance(value, dict):
            return {self.fill(k): self.fill(v) for k, v in value.items()}
        return value

    def _one(self, match: re.Match) -> str:
        kind, uid, length = match.group(1), match.group(2), match.group(3)
        if kind == "r":
            return self.repository
        number = int(uid)
        if kind in "cp":
            commit = self.commits.get(number, f"{number:064x}")
            if kind == "p":
                return commit[: int(length)]
            # The reference remembers for minutes that a cherry-pick's id did not exist before it was made.
            return commit[:24] if number in self.picked else commit
        table = {"a": self.addresses, "u": self.uploads, "e": self.etags}[kind]
        return table.get(number, "unknown")

    def target(self, op: Op) -> str:
        if op.raw_target is not None:
            target = self.fill(op.raw_target)
        else:
            target = ("/api/v1/" if op.api else "/") + "/".join(
                urllib.parse.quote(self.fill(s), safe=SAFE) for s in op.path)
        if not op.query:
            return target
        pairs = []
        for name, value in op.query:
            value = self.fill(value)
            if isinstance(value, bytes):
                pairs.append(f"{name}={value.decode('ascii')}")  # already encoded, perhaps badly
            elif value is None:
                pairs.append(name)
            else:
                pairs.append(f"{name}={urllib.parse.quote(str(value), safe=SAFE)}")
        return target + "?" + "&".join(pairs)

    def request(self, op: Op) -> tuple[str, str, list[tuple[str, str]], bytes | None]:
        headers = [(k, self.fill(v)) for k, v in op.headers]
        body = op.data
        if body is not None and b"{{e:" in body:  # part lists: braces, as a body may hold anything
            body = ETAG.sub(lambda m: self.etags.get(int(m.group(1)), "unknown").encode(), body)
        if op.json is not None:
            body = json.dumps(self.fill(op.json)).encode()
            if not any(k.lower() == "content-type" for k, _ in headers):
                headers.append(("Content-Type", "application/json"))
        return op.method, self.target(op), headers, body

    def learn(self, op: Op, reply) -> None:
        if not 200 <= reply.status < 300:
            return
        text = reply.body
        if op.name == "createBranch":
            self._commit(op, text.decode(errors="replace"))
            return
        document = {}
        if text.startswith(b"{"):
            try:
                document = json.loads(text)
            except ValueError:
                return
        for key in ("reference", "id", "commit_id"):
            if isinstance(document.get(key), str):
                self._commit(op, document[key])
        if op.name in ("getPhysicalAddress", "createPresignMultipartUpload"):
            self.addresses[op.uid] = document.get("physical_address", "")
            self.uploads[op.uid] = document.get("upload_id", "")
        if op.name == "uploadPartCopy":
            self.etags[op.uid] = reply.header("etag") or ""
        if op.signed:
            self._learn_s3(op, reply)

    def _commit(self, op: Op, text: str) -> None:
        if re.fullmatch(r"[0-9a-f]{64}", text) and op.uid not in self.commits:
            self.commits[op.uid] = text
            if op.name == "cherryPick":
                self.picked.add(op.uid)

    def _learn_s3(self, op: Op, reply) -> None:
        upload = re.search(rb"<UploadId>([^<]+)</UploadId>", reply.body)
        if upload:
            self.uploads[op.uid] = upload.group(1).decode()
        tag = reply.header("etag")
        found = re.search(rb"<ETag>(?:&#34;|&quot;|\")?([^<&\"]+)", reply.body)
        if tag:
            self.etags[op.uid] = tag.strip('"')
        elif found:
            self.etags[op.uid] = found.group(1).decode()
