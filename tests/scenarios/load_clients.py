"""Clients that behave: each works on a branch of its own and on one that all share, knows what it
wrote, and says of every answer whether it was expected."""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from urllib.parse import quote
from xml.etree import ElementTree

from load_wire import Answer, Connection, Gone, Request, Signer, rest

REPO = "load"
SHARED = "shared"
BLOCK = hashlib.shake_256(b"load").digest(6 << 20)
PART = 5 << 20
PATHS_MAX = 40
NAMESPACE = {"s3": "http://s3.amazonaws.com/doc/2006-03-01/"}

# What is not a success and yet right, and why. Everything else fails the test.
EXPLAINED = {
    ("commit shared", 400): "no changes: another client's commit took them along",
    ("commit shared", 429): "too many tries: others moved the branch each time",
    ("put shared", 429): "too many tries: the branch was being committed each time",
    ("put shared", 409): "the same, in S3's words (ConditionalRequestConflict)",
    ("delete shared", 429): "too many tries: the branch was being committed each time",
    ("merge to shared", 400): "no changes, or somebody's write is staged there (dirty branch)",
    ("merge to shared", 409): "conflict: the rule for merge bases may choose too old a commit",
    ("merge from shared", 409): "the same",
    ("merge to shared", 429): "too many tries: others moved the branch each time",
    ("merge from shared", 400): "no changes: everything is there already",
    ("commit own", 400): "no changes: nothing was written since the last commit",
    ("put if absent", 412): "it is there",
}


@dataclass
class Tally:
    """What all clients did."""

    done: Counter[str] = field(default_factory=Counter)
    explained: Counter[tuple[str, int]] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    slowest: dict[str, float] = field(default_factory=dict)

    def note(self, name: str, took: float) -> None:
        self.done[name] += 1
        self.slowest[name] = max(took, self.slowest.get(name, 0.0))

    def fail(self, text: str) -> None:
        if len(self.wrong) < 100:
            self.wrong.append(text)


class WorkingClient:
    def __init__(self, number: int, port: int, tally: Tally, big: bool) -> None:
        self.number = number
        self.random = random.Random(number)
        self.wire = Connection(port)
        self.signer = Signer(self.wire.host)
        self.tally = tally
        self.big = big
        self.branch = f"client-{number}"
        self.known: dict[str, bytes] = {}  # the bytes at each path of the own branch
        # Paths whose bytes another path owns. Shown addresses of such are not to be used again: the
        # store's root is in them twice, as in the reference's.
        self.linked: set[str] = set()
        self.serial = 0
        self.operations: list[tuple[int, Callable[[], Awaitable[None]]]] = [
            (10, self.upload), (6, self.stage), (12, self.stat), (8, self.read), (6, self.list),
            (3, self.delete), (4, self.commit), (2, self.commit_shared), (2, self.merge_in),
            (2, self.merge_out), (4, self.diff), (2, self.branches), (2, self.tags), (3, self.log),
            (1, self.reset), (1, self.revert), (12, self.s3_put), (10, self.s3_get),
            (6, self.s3_range), (8, self.s3_head), (6, self.s3_list), (3, self.s3_multipart),
            (4, self.s3_copy), (3, self.s3_delete), (1, self.s3_delete_many), (2, self.s3_once),
        ]  # fmt: skip

    async def run(self, until: float) -> None:
        weights = [weight for weight, _ in self.operations]
        works = [work for _, work in self.operations]
        while time.monotonic() < until:
            work = self.random.choices(works, weights)[0]
            try:
                await work()
            except (Gone, OSError, asyncio.TimeoutError, AssertionError) as error:
                self.tally.fail(f"client {self.number}, {work.__name__}: {error!r}")
                await self.wire.close()
        await self.wire.close()

    # --- asking ---

    async def ask(self, name: str, request: Request, *fine: int) -> Answer | None:
        """The answer if its status is one of `fine`, None if another one is explained."""
        began = time.monotonic()
        answer = await self.wire.ask(request)
        self.tally.note(name, time.monotonic() - began)
        if answer.status in fine:
            return answer
        if (name, answer.status) in EXPLAINED:
            self.tally.explained[name, answer.status] += 1
            return None
        self.tally.fail(f"{name}: {answer.status} {answer.text()}")
        return None

    async def ask_s3(self, name: str, method: str, key: str, *fine: int, body: bytes = b"",
                     query: dict[str, str] | None = None,
                     headers: dict[str, str] | None = None) -> Answer | None:  # fmt: skip
        path = f"/{REPO}/{quote(key, safe='-_.~/')}" if key else f"/{REPO}"
        request = Request(method, path, query or {}, headers or {}, body)
        return await self.ask(name, self.signer.sign(request, len(body) < PART), *fine)

    def at(self, branch: str, rest_of_path: str = "") -> str:
        return f"/repositories/{REPO}/branches/{branch}{rest_of_path}"

    def refs(self, ref: str, rest_of_path: str = "") -> str:
        return f"/repositories/{REPO}/refs/{ref}{rest_of_path}"

    # --- choosing ---

    def bytes(self, most: int = 20_000) -> bytes:
        size = int(most * self.random.random() ** 3)
        begin = self.random.randrange(len(BLOCK) - size)
        return BLOCK[begin : begin + size]

    def new_path(self) -> str:
        if len(self.known) >= PATHS_MAX or self.known and self.random.random() < 0.3:
            return self.some_path()
        self.serial += 1
        folder = self.random.choice(["a", "b/c", "b/ü ß"])
        return f"{self.branch}/{folder}/{self.serial:06}"

    def some_path(self) -> str:
        return self.random.choice(list(self.known))

    def wrote(self, path: str, data: bytes) -> None:
        self.known[path] = data
        self.linked.discard(path)

    # --- the HTTP API ---

    async def start(self) -> None:
        body = json.dumps({"name": self.branch, "source": "main"}).encode()
        await self.ask("branch", rest("POST", f"/repositories/{REPO}/branches", body=body), 201)

    async def upload(self) -> None:
        path, data = self.new_path(), self.bytes()
        request = rest("POST", self.at(self.branch, "/objects"), {"path": path}, data,
                       "application/octet-stream")  # fmt: skip
        if await self.ask("upload", request, 201):
            self.wrote(path, data)

    async def stage(self) -> None:
        """A second name for the bytes of a first."""
        if not self.known:
            return
        source, path = self.some_path(), self.new_path()
        stat = await self._stat(source) if source not in self.linked and source != path else None
        if stat is None:
            return
        body = {
            name: stat[name] for name in ("physical_address", "checksum", "size_bytes")
        } | {"content_type": "a/b", "metadata": {"from": source}}  # fmt: skip
        request = rest("PUT", self.at(self.branch, "/objects"), {"path": path},
                       json.dumps(body).encode())  # fmt: skip
        if await self.ask("stage", request, 201):
            self.known[path] = self.known[source]
            self.linked.add(path)

    async def _stat(self, path: str) -> dict[str, object] | None:
        request = rest("GET", self.refs(self.branch, "/objects/stat"), {"path": path})
        answer = await self.ask("stat", request, 200)
        return json.loads(answer.body) if answer else None

    async def stat(self) -> None:
        if not self.known:
            return
        path = self.some_path()
        stat = await self._stat(path)
        assert stat is None or stat["size_bytes"] == len(self.known[path]), (path, stat)

    async def read(self) -> None:
        if not self.known:
            return
        path = self.some_path()
        request = rest("GET", self.refs(self.branch, "/objects"), {"path": path})
        answer = await self.ask("read", request, 200)
        assert answer is None or answer.body == self.known[path], path

    async def list(self) -> None:
        query = {"prefix": f"{self.branch}/", "amount": "1000"}
        request = rest("GET", self.refs(self.branch, "/objects/ls"), query)
        answer = await self.ask("list", request, 200)
        if answer:
            found = {item["path"] for item in json.loads(answer.body)["results"]}
            assert found == set(self.known), found ^ set(self.known)

    async def delete(self) -> None:
        if not self.known:
            return
        path = self.some_path()
        request = rest("DELETE", self.at(self.branch, "/objects"), {"path": path})
        if await self.ask("delete", request, 204):
            del self.known[path]

    async def _commit(self, name: str, branch: str) -> bool:
        body = json.dumps({"message": f"client {self.number}", "metadata": {"a": "b"}}).encode()
        request = rest("POST", self.at(branch, "/commits"), body=body)
        return await self.ask(name, request, 201) is not None

    async def commit(self) -> None:
        await self._commit("commit own", self.branch)

    async def commit_shared(self) -> None:
        key = f"{SHARED}/hot/{self.number}"
        data = self.bytes(2_000)
        if await self.ask_s3("put shared", "PUT", key, 200, body=data):
            request = rest("GET", self.refs(SHARED, "/objects"), {"path": f"hot/{self.number}"})
            answer = await self.ask("read shared", request, 200)
            assert answer is None or answer.body == data, key
        await self._commit("commit shared", SHARED)

    async def merge_in(self) -> None:
        await self._commit("commit own", self.branch)
        request = rest("POST", self.refs(SHARED, f"/merge/{self.branch}"), body=b"{}")
        await self.ask("merge from shared", request, 200)

    async def merge_out(self) -> None:
        request = rest("POST", self.refs(self.branch, f"/merge/{SHARED}"), body=b"{}")
        await self.ask("merge to shared", request, 200)

    async def diff(self) -> None:
        query = {"amount": "100", "type": self.random.choice(["two_dot", "three_dot"])}
        await self.ask("diff", rest("GET", self.refs("main", f"/diff/{self.branch}"), query), 200)
        await self.ask("uncommitted", rest("GET", self.at(self.branch, "/diff")), 200)

    async def branches(self) -> None:
        self.serial += 1
        name = f"{self.branch}-{self.serial}"
        body = json.dumps({"name": name, "source": self.branch}).encode()
        if await self.ask("branch", rest("POST", f"/repositories/{REPO}/branches", body=body), 201):
            query = {"prefix": self.branch}
            await self.ask("branches", rest("GET", f"/repositories/{REPO}/branches", query), 200)
            await self.ask("branch gone", rest("DELETE", self.at(name)), 204)

    async def tags(self) -> None:
        self.serial += 1
        body = json.dumps({"id": f"t-{self.number}-{self.serial}", "ref": self.branch}).encode()
        if await self.ask("tag", rest("POST", f"/repositories/{REPO}/tags", body=body), 201):
            path = f"/repositories/{REPO}/tags/t-{self.number}-{self.serial}"
            await self.ask("tag gone", rest("DELETE", path), 204)

    async def log(self) -> None:
        request = rest("GET", self.refs(self.branch, "/commits"), {"amount": "20"})
        await self.ask("log", request, 200)

    async def reset(self) -> None:
        """Of a path nobody has: what is staged stays."""
        body = json.dumps({"type": "common_prefix", "path": "nobody/"}).encode()
        await self.ask("reset", rest("PUT", self.at(self.branch), body=body), 204)

    async def revert(self) -> None:
        """A commit and its opposite, which leave the tree as it was."""
        if not await self._commit("commit own", self.branch):
            return
        request = rest("POST", self.at(self.branch, "/objects"),
                       {"path": f"reverted/{self.number}"}, self.bytes(100),
                       "application/octet-stream")  # fmt: skip
        if not await self.ask("upload", request, 201):
            return
        if await self._commit("commit own", self.branch):
            body = json.dumps({"ref": self.branch, "parent_number": 0}).encode()
            await self.ask("revert own", rest("POST", self.at(self.branch, "/revert"), body=body),
                           204)  # fmt: skip

    # --- S3 ---

    async def s3_put(self) -> None:
        path, data = self.new_path(), self.bytes(100_000)
        if await self.ask_s3("s3 put", "PUT", f"{self.branch}/{path}", 200, body=data):
            self.wrote(path, data)

    async def s3_once(self) -> None:
        if not self.known:
            return
        await self.ask_s3("put if absent", "PUT", f"{self.branch}/{self.some_path()}",
                          body=b"x", headers={"If-None-Match": "*"})  # fmt: skip

    async def s3_get(self) -> None:
        if not self.known:
            return
        path = self.some_path()
        answer = await self.ask_s3("s3 get", "GET", f"{self.branch}/{path}", 200)
        assert answer is None or answer.body == self.known[path], path

    async def s3_range(self) -> None:
        path = next((path for path, data in self.known.items() if len(data) > 100), None)
        if path is None:
            return
        first = self.random.randrange(50)
        last = self.random.randrange(first, len(self.known[path]))
        answer = await self.ask_s3("s3 range", "GET", f"{self.branch}/{path}", 206,
                                   headers={"Range": f"bytes={first}-{last}"})  # fmt: skip
        assert answer is None or answer.body == self.known[path][first : last + 1], path

    async def s3_head(self) -> None:
        if not self.known:
            return
        path = self.some_path()
        answer = await self.ask_s3("s3 head", "HEAD", f"{self.branch}/{path}", 200)
        length = answer and int(answer.headers["content-length"])
        assert answer is None or length == len(self.known[path]), path

    async def s3_list(self) -> None:
        query = {"list-type": "2", "prefix": f"{self.branch}/{self.branch}/", "max-keys": "20"}
        answer = await self.ask_s3("s3 list", "GET", "", 200, query=query)
        if answer:
            root = ElementTree.fromstring(answer.body)
            keys = root.findall("s3:Contents/s3:Key", NAMESPACE)
            assert len(keys) == min(20, len(self.known)), answer.text()

    async def s3_copy(self) -> None:
        if not self.known:
            return
        source, path = self.some_path(), self.new_path()
        if source == path:
            return
        headers = {"x-amz-copy-source": quote(f"/{REPO}/{self.branch}/{source}")}
        if await self.ask_s3("s3 copy", "PUT", f"{self.branch}/{path}", 200, headers=headers):
            self.wrote(path, self.known[source])

    async def s3_delete(self) -> None:
        if not self.known:
            return
        path = self.some_path()
        if await self.ask_s3("s3 delete", "DELETE", f"{self.branch}/{path}", 204):
            del self.known[path]

    async def s3_delete_many(self) -> None:
        paths = self.random.sample(list(self.known), min(3, len(self.known)))
        keys = "".join(f"<Object><Key>{self.branch}/{path}</Key></Object>" for path in paths)
        body = f"<Delete>{keys}</Delete>".encode()
        if paths and await self.ask_s3("s3 delete many", "POST", "", 200, body=body,
                                       query={"delete": ""}):  # fmt: skip
            for path in paths:
                del self.known[path]

    def _parts(self) -> list[bytes]:
        if self.big and self.random.random() < 0.05:
            return [BLOCK[:PART], self.bytes(100_000) + b"end"]
        return [self.bytes(200_000) + b"end"]

    async def s3_multipart(self) -> None:
        path = self.new_path()
        key = f"{self.branch}/{path}"
        begun = await self.ask_s3("s3 begin", "POST", key, 200, query={"uploads": ""})
        if begun is None:
            return
        upload = ElementTree.fromstring(begun.body).findtext("s3:UploadId", "", NAMESPACE)
        parts, listed = self._parts(), ""
        for number, data in enumerate(parts, 1):
            query = {"partNumber": str(number), "uploadId": upload}
            answer = await self.ask_s3("s3 part", "PUT", key, 200, body=data, query=query)
            if answer is None:
                return
            etag = answer.headers["etag"]
            listed += f"<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>"
        if self.random.random() < 0.2:
            await self.ask_s3("s3 abort", "DELETE", key, 204, query={"uploadId": upload})
            return
        body = f"<CompleteMultipartUpload>{listed}</CompleteMultipartUpload>".encode()
        done = await self.ask_s3("s3 complete", "POST", key, 200, body=body,
                                 query={"uploadId": upload})  # fmt: skip
        if done:
            assert b"<Error>" not in done.body, done.text()
            self.wrote(path, b"".join(parts))
