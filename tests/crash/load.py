"""Mixed load over both protocols until the server dies, with a record of what was acknowledged."""

from __future__ import annotations

import hashlib
import random
import threading
from dataclasses import dataclass, field
from typing import Any

import requests
from botocore.exceptions import BotoCoreError, ClientError
from urllib3.exceptions import HTTPError

from clients import s3_client
from ledger import Ledger, Snapshot, Upload
from server_process import ACCESS_KEY, SECRET_KEY, ServerProcess

REPOSITORY = "power"
WRITERS, BRANCHERS = 4, 2
KEYS = 12
SMALL, LARGE, PART = 900, 200_000, 5 << 20
LOST = (requests.RequestException, BotoCoreError, ClientError, HTTPError, OSError)
TOO_MANY_TRIES = (409, 423, 503)


class Refused(requests.RequestException):
    def __init__(self, response: requests.Response) -> None:
        super().__init__(f"{response.status_code}: {response.text[:300]}")
        self.status = response.status_code
        self.text = response.text


class Rest:
    """The HTTP API without an SDK between."""

    def __init__(self, server: ServerProcess) -> None:
        self.base = f"{server.url}/api/v1/repositories"
        self.session = requests.Session()
        self.session.auth = (ACCESS_KEY, SECRET_KEY)

    def call(self, method: str, path: str, **values: Any) -> requests.Response:
        response = self.session.request(method, self.base + path, timeout=30, **values)
        if response.status_code >= 400:
            raise Refused(response)
        return response

    def on_repository(self, method: str, path: str, **values: Any) -> requests.Response:
        return self.call(method, f"/{REPOSITORY}{path}", **values)

    def listing(self, ref: str, prefix: str = "") -> dict[str, str]:
        """Key to value, in the form the ledgers keep."""
        found: dict[str, str] = {}
        after = ""
        while True:
            page = self.on_repository(
                "GET",
                f"/refs/{ref}/objects/ls",
                params={"amount": 1000, "after": after, "prefix": prefix},
            ).json()
            for item in page["results"]:
                mark = item.get("metadata", {}).get("mark", "")
                found[item["path"]] = f"{item['checksum']} {mark}"
            if not page["pagination"]["has_more"]:
                return found
            after = page["pagination"]["next_offset"]


def md5(data: bytes) -> str:
    return hashlib.md5(data).hexdigest()


def body(key: str, number: int) -> bytes:
    """Every version of every key has other bytes, so that a stale one is recognised."""
    chance = random.Random(f"{key} {number}")
    return chance.randbytes(LARGE if number % 13 == 0 else SMALL)


def parts_of(upload: Upload) -> list[bytes]:
    chance = random.Random(f"{upload.key} {upload.number}")
    sizes = [PART, SMALL] if upload.number % 4 == 0 else [SMALL]
    return [chance.randbytes(size) for size in sizes]


def joined_etag(parts: list[bytes]) -> str:
    digest = hashlib.md5(b"".join(hashlib.md5(part).digest() for part in parts)).hexdigest()
    return f"{digest}-{len(parts)}"


@dataclass
class Known:
    """What all rounds together have told the clients."""

    main: Ledger = field(default_factory=Ledger)
    trunk: Ledger = field(default_factory=Ledger)
    branches: Ledger = field(default_factory=Ledger)  # name -> "there"
    on_branches: dict[str, Ledger] = field(default_factory=dict)
    tags: Ledger = field(default_factory=Ledger)
    contents: dict[str, str] = field(default_factory=dict)  # ETag -> MD5 of the bytes
    commits: list[Snapshot] = field(default_factory=list)  # of main, of this round
    merges: list[Snapshot] = field(default_factory=list)  # into trunk, of this round
    all_commits: set[str] = field(default_factory=set)
    all_merges: set[str] = field(default_factory=set)
    uploads: dict[int, Upload] = field(default_factory=dict)  # by writer
    numbers: int = 0

    def acknowledged(self) -> int:
        return self.main.acknowledged + self.trunk.acknowledged + self.branches.acknowledged


class Load:
    def __init__(self, server: ServerProcess, known: Known, seed: int) -> None:
        self.server, self.known, self.seed = server, known, seed
        self.s3 = s3_client(server, retries={"max_attempts": 0}, read_timeout=30)
        self.dying, self.stopping = threading.Event(), threading.Event()
        self.surprises: list[str] = []
        self.threads: list[threading.Thread] = []

    def start(self) -> None:
        known = self.known
        known.numbers += 1
        jobs = [(self._write, i) for i in range(WRITERS)]
        jobs += [(self._branch, i) for i in range(BRANCHERS)]
        jobs += [(self._multipart, 0), (self._commit, 0)]
        self.dying.clear()
        self.stopping.clear()
        self.threads = [threading.Thread(target=self._run, args=job) for job in jobs]
        for thread in self.threads:
            thread.start()

    def join(self) -> None:
        for thread in self.threads:
            thread.join(60)
            assert not thread.is_alive(), "a client still waits for a dead server"
        assert not self.surprises, self.surprises

    def stop(self) -> None:
        """Ends after the steps that are under way; the server lives on."""
        self.stopping.set()
        self.join()

    def _run(self, job: Any, worker: int) -> None:
        chance = random.Random(f"{self.seed} {self.known.numbers} {job.__name__} {worker}")
        rest = Rest(self.server)
        try:
            for step in range(1_000_000):
                if self.stopping.is_set():
                    return
                job(rest, worker, self.known.numbers * 1_000_000 + step, chance)
        except LOST as error:
            if not self.dying.is_set():
                self.surprises.append(f"{job.__name__} {worker}: {error!r}")
        except BaseException as error:
            self.surprises.append(f"{job.__name__} {worker}: {error!r}")
            raise

    # --- one step of each kind of client ---

    def _write(self, rest: Rest, worker: int, number: int, chance: random.Random) -> None:
        steps = [self._put] * 6 + [self._upload] * 3 + [self._delete, self._delete_some]
        steps += [self._copy, self._stage, self._set_metadata]
        key = f"w{worker}/k{chance.randrange(KEYS):02}"
        try:
            chance.choice(steps)(rest, key, number)
        except Refused as error:  # its outcome stays open: the write may be staged or not
            if error.status not in TOO_MANY_TRIES and "too many tries" not in error.text:
                raise

    def _remember(self, etag: str, data: bytes) -> str:
        self.known.contents[etag] = md5(data)
        return f"{etag} "

    def _put(self, _: Rest, key: str, number: int) -> None:
        data = body(key, number)
        change = self.known.main.begin(key, self._remember(md5(data), data))
        self.s3.put_object(Bucket=REPOSITORY, Key=f"main/{key}", Body=data)
        self.known.main.end(change)

    def _upload(self, rest: Rest, key: str, number: int) -> None:
        data = body(key, number)
        change = self.known.main.begin(key, self._remember(md5(data), data))
        upload(rest, "main", key, data)
        self.known.main.end(change)

    def _delete(self, rest: Rest, key: str, _: int) -> None:
        change = self.known.main.begin(key, None)
        rest.on_repository("DELETE", "/branches/main/objects", params={"path": key})
        self.known.main.end(change)

    def _delete_some(self, _: Rest, key: str, number: int) -> None:
        keys = [key, f"{key[:-1]}{number % 10}"] if key[-1] != str(number % 10) else [key]
        changes = [self.known.main.begin(one, None) for one in keys]
        done = self.s3.delete_objects(
            Bucket=REPOSITORY, Delete={"Objects": [{"Key": f"main/{one}"} for one in keys]}
        )
        failed = {error["Key"] for error in done.get("Errors", [])}
        for one, change in zip(keys, changes, strict=True):
            if f"main/{one}" not in failed:
                self.known.main.end(change)

    def _copy(self, _: Rest, key: str, number: int) -> None:
        source = f"{key.split('/')[0]}/k{number % KEYS:02}"
        value = self.known.main.known(source)
        if value is None or source == key or len(self.known.main.allowed(source, *[FAR] * 2)) > 1:
            return
        change = self.known.main.begin(key, value)
        self.s3.copy_object(
            Bucket=REPOSITORY, Key=f"main/{key}", CopySource=f"{REPOSITORY}/main/{source}"
        )
        self.known.main.end(change)

    def _stage(self, rest: Rest, key: str, number: int) -> None:
        """An entry over bytes that another key has already."""
        source = f"{key.split('/')[0]}/k{number % KEYS:02}"
        if self.known.main.known(source) is None:
            return
        try:
            found = rest.on_repository(
                "GET", "/refs/main/objects/stat", params={"path": source}
            ).json()
        except Refused as error:
            if error.status == 404:
                return
            raise
        # Absolute, as entries name bytes outside their namespace.
        inside = found["physical_address"].split("/objects/")[-1]
        address = self.server.data_dir / "objects" / inside
        change = self.known.main.begin(key, f"{found['checksum']} staged")
        rest.on_repository(
            "PUT",
            "/branches/main/objects",
            params={"path": key},
            json={
                "physical_address": f"local://{address}",
                "checksum": found["checksum"],
                "size_bytes": found["size_bytes"],
                "metadata": {"mark": "staged"},
            },
        )
        self.known.main.end(change)

    def _set_metadata(self, rest: Rest, key: str, number: int) -> None:
        value = self.known.main.known(key)
        if value is None or len(self.known.main.allowed(key, *[FAR] * 2)) > 1:
            return
        change = self.known.main.begin(key, f"{value.split(' ')[0]} n{number}")
        rest.on_repository(
            "PUT",
            "/branches/main/objects/stat/user_metadata",
            params={"path": key},
            json={"set": {"mark": f"n{number}"}},
        )
        self.known.main.end(change)

    def _multipart(self, _: Rest, worker: int, number: int, chance: random.Random) -> None:
        upload = Upload(f"m{worker}/k{chance.randrange(KEYS):02}", number)
        self.known.uploads[worker] = upload
        target = {"Bucket": REPOSITORY, "Key": f"main/{upload.key}"}
        upload.id = self.s3.create_multipart_upload(**target)["UploadId"]
        self.finish_upload(upload)
        del self.known.uploads[worker]

    def finish_upload(self, upload: Upload) -> None:
        """What has not been done of it yet."""
        target = {"Bucket": REPOSITORY, "Key": f"main/{upload.key}", "UploadId": upload.id}
        parts = parts_of(upload)
        for i in range(len(upload.etags), len(parts)):
            done = self.s3.upload_part(**target, PartNumber=i + 1, Body=parts[i])
            upload.etags.append(done["ETag"])
        value = self._remember(joined_etag(parts), b"".join(parts))
        change = self.known.main.begin(upload.key, value)
        upload.completing = True
        numbered = [{"PartNumber": i + 1, "ETag": etag} for i, etag in enumerate(upload.etags)]
        self.s3.complete_multipart_upload(**target, MultipartUpload={"Parts": numbered})
        self.known.main.end(change)

    def _commit(self, rest: Rest, _: int, number: int, __: random.Random) -> None:
        begin = self.known.main.now()
        try:
            made = rest.on_repository(
                "POST", "/branches/main/commits", json={"message": f"commit {number}"}
            ).json()["id"]
        except Refused as error:
            if "no changes" not in error.text and error.status not in TOO_MANY_TRIES:
                raise
            return
        self.known.commits.append(Snapshot(begin, self.known.main.now(), made))
        if number % 3 == 0:
            change = self.known.tags.begin(f"t{number}", made)
            rest.on_repository("POST", "/tags", json={"id": f"t{number}", "ref": made})
            self.known.tags.end(change)

    def _branch(self, rest: Rest, worker: int, number: int, chance: random.Random) -> None:
        """A branch from trunk, a few changes, a commit, a merge into trunk; then it goes or not."""
        known = self.known
        name = f"x{worker}-{number}"
        there = known.branches.begin(name, "there")
        rest.on_repository("POST", "/branches", json={"name": name, "source": "trunk"})
        known.branches.end(there)
        own = Ledger()
        prefix = f"b{worker}/"
        for key, value in rest.listing(name, prefix).items():
            own.end(own.begin(key, value))
        known.on_branches[name] = own
        changed: dict[str, str | None] = {}
        for i in range(3):
            key = f"{prefix}k{chance.randrange(KEYS):02}"
            self._change_on_branch(rest, own, name, key, number * 4 + i)
            changed[key] = own.known(key)
        try:
            rest.on_repository("POST", f"/branches/{name}/commits", json={"message": name})
            self._merge(rest, name, changed)
        except Refused as error:  # its changes may add up to none
            if "no changes" not in error.text and error.status not in TOO_MANY_TRIES:
                raise
        if chance.random() < 0.7:
            gone = known.branches.begin(name, None)
            rest.on_repository("DELETE", f"/branches/{name}")
            known.branches.end(gone)

    def _change_on_branch(
        self, rest: Rest, own: Ledger, name: str, key: str, number: int
    ) -> None:
        if number % 7 == 0:
            change = own.begin(key, None)
            rest.on_repository("DELETE", f"/branches/{name}/objects", params={"path": key})
        else:
            data = body(key, number)
            change = own.begin(key, self._remember(md5(data), data))
            upload(rest, name, key, data)
        own.end(change)

    def _merge(self, rest: Rest, name: str, changed: dict[str, str | None]) -> None:
        trunk = self.known.trunk
        begin = trunk.now()
        changes = [trunk.begin(key, value) for key, value in changed.items()]
        done = rest.on_repository("POST", f"/refs/{name}/merge/trunk", json={"message": name})
        for change in changes:
            trunk.end(change)
        self.known.merges.append(Snapshot(begin, trunk.now(), done.json()["reference"]))


FAR = 1 << 61


def upload(rest: Rest, branch: str, key: str, data: bytes) -> None:
    rest.on_repository(
        "POST",
        f"/branches/{branch}/objects",
        params={"path": key},
        headers={"Content-Type": "application/octet-stream"},
        data=data,
    )
