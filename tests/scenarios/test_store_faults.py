"""Object and metadata stores in trouble, under a whole server: what clients are told, how long they
wait, what `/_ready` and the log say, and that all goes on by itself once the store does.
"""

from __future__ import annotations

import hashlib
import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests
from botocore.exceptions import ClientError

import s3_process
from clients import s3_client
from fault_proxy import (
    Exchange,
    FaultProxy,
    cut_answer,
    cut_request,
    lose_answer,
    refuse,
    silence,
)
from postgres_process import PostgresProcess, postgres_programs
from s3_process import BUCKET, S3Process
from server_process import ACCESS_KEY, SECRET_KEY, ServerProcess
from small_disk import SmallDisk, can_mount
from waiting import wait_until

pytestmark = pytest.mark.tarn_only
MakeServer = Callable[..., ServerProcess]

MIB = 1024 * 1024
ANSWER_SECONDS = 100  # a client's own patience: no answer takes nearly as long
QUICK = {"BLOCKSTORE_S3_RESPONSE_TIMEOUT": "1s", "BLOCKSTORE_S3_MAX_RETRIES": "2"}
OBJECTS = "/data/"  # what a request for an object's bytes has in its target


class Api:
    """A client that tells what it was told."""

    def __init__(self, server: ServerProcess, repository: str = "repo") -> None:
        self.server = server
        self.repository = repository
        self.s3 = s3_client(server, read_timeout=ANSWER_SECONDS, retries={"max_attempts": 0})

    def request(self, method: str, path: str, **values: Any) -> requests.Response:
        return requests.request(
            method,
            f"{self.server.url}/api/v1{path}",
            auth=(ACCESS_KEY, SECRET_KEY),
            timeout=ANSWER_SECONDS,
            **values,
        )

    def create(self, namespace: str) -> requests.Response:
        body = {"name": self.repository, "storage_namespace": namespace, "default_branch": "main"}
        return self.request("POST", "/repositories", json=body)

    def put(self, path: str, data: bytes) -> requests.Response:
        return self.request(
            "POST",
            f"/repositories/{self.repository}/branches/main/objects",
            params={"path": path},
            data=data,
            headers={"Content-Type": "application/octet-stream"},
        )

    def get(self, path: str) -> requests.Response:
        return self._objects("", path=path)

    def stat(self, path: str) -> requests.Response:
        return self._objects("/stat", path=path)

    def list(self) -> set[str]:
        answer = self._objects("/ls", amount="1000")
        assert answer.status_code == 200, answer.text
        return {item["path"] for item in answer.json()["results"]}

    def _objects(self, rest: str, **params: str) -> requests.Response:
        path = f"/repositories/{self.repository}/refs/main/objects{rest}"
        return self.request("GET", path, params=params)

    def commit(self, message: str = "a commit") -> requests.Response:
        path = f"/repositories/{self.repository}/branches/main/commits"
        return self.request("POST", path, json={"message": message})

    def put_by_s3(self, path: str, data: bytes) -> None:
        self.s3.put_object(Bucket=self.repository, Key=f"main/{path}", Body=data)

    def get_by_s3(self, path: str) -> bytes:
        answer = self.s3.get_object(Bucket=self.repository, Key=f"main/{path}")
        return bytes(answer["Body"].read())

    def refusal_by_s3(self, path: str, data: bytes = b"x") -> tuple[int, str]:
        """Status and code of a PUT that fails."""
        with pytest.raises(ClientError) as refused:
            self.put_by_s3(path, data)
        answer = refused.value.response
        return answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"]


def assert_told(answer: requests.Response, status: int) -> None:
    """In the API's own form, and without our secrets."""
    assert answer.status_code == status, answer.text
    assert answer.json()["message"]
    assert SECRET_KEY not in answer.text and s3_process.SECRET_KEY not in answer.text


def wait_for_words(server: ServerProcess, **words: str) -> None:
    """Until `/_ready` says them."""
    wait_until(
        lambda: words.items() <= server.readiness().items(),
        what=f"/_ready to say {words}",
        seconds=60,
    )


@pytest.fixture(scope="module")
def moto() -> Iterator[S3Process]:
    with S3Process() as process:
        yield process


@pytest.fixture
def proxy(moto: S3Process) -> Iterator[FaultProxy]:
    made = FaultProxy(moto.port)
    yield made
    made.close()


@pytest.fixture
def namespace(request: pytest.FixtureRequest) -> str:
    return f"s3://{BUCKET}/{request.node.name}"


# Healed before make_server's end, where servers are stopped and checked by fsck.
@pytest.fixture
def make_s3_server(
    moto: S3Process, proxy: FaultProxy, make_server: MakeServer
) -> Iterator[MakeServer]:
    def make(name: str = "data", **options: str) -> ServerProcess:
        values = {**moto.options(), "BLOCKSTORE_S3_ENDPOINT": proxy.url, **QUICK, **options}
        return make_server(name, options=values, troubled=True)

    yield make
    proxy.heal()


@pytest.fixture
def api(make_s3_server: MakeServer, namespace: str) -> Api:
    """Of a server on a store behind the proxy."""
    made = Api(make_s3_server().start())
    assert made.create(namespace).status_code == 201
    return made


def open_uploads(moto: S3Process, namespace: str) -> list[str]:
    prefix = namespace.removeprefix(f"s3://{BUCKET}/")
    answer = moto.client().list_multipart_uploads(Bucket=BUCKET, Prefix=prefix)
    return [upload["Key"] for upload in answer.get("Uploads", [])]


def test_a_store_that_is_down_at_start_is_named_and_its_coming_noticed(
    make_s3_server: MakeServer, proxy: FaultProxy, namespace: str
) -> None:
    proxy.down()
    server = make_s3_server()
    server.launch()
    wait_for_words(server, objects="unavailable", metadata="ok", code="503")
    assert server.is_alive()
    api = Api(server)
    assert_told(api.create(namespace), 503)
    assert api.s3.list_buckets()["Buckets"] == []
    proxy.up()
    wait_for_words(server, status="ready", code="200")
    assert api.create(namespace).status_code == 201
    api.put_by_s3("a", b"a")
    assert api.get_by_s3("a") == b"a"


def test_a_store_may_go_and_come_back(api: Api, proxy: FaultProxy) -> None:
    assert api.put("committed", b"committed").status_code == 201
    assert api.commit().status_code == 201
    assert api.put("staged", b"staged").status_code == 201
    proxy.down()
    assert_told(api.put("lost/rest", b"x" * MIB), 503)
    assert api.refusal_by_s3("lost/s3", b"x" * MIB) == (503, "ServiceUnavailable")
    assert_told(api.get("staged"), 503)
    assert_told(api.commit("cannot be"), 503)
    wait_for_words(api.server, objects="unavailable", metadata="ok", code="503")
    # What needs no bytes of the store goes on.
    assert api.server.is_alive() and api.server.is_healthy()
    assert api.list() == {"committed", "staged"}
    assert api.stat("committed").json()["size_bytes"] == len(b"committed")
    proxy.up()
    wait_for_words(api.server, status="ready", code="200")
    assert api.get("staged").content == b"staged"
    assert api.put("after", b"after").status_code == 201
    assert api.commit("after all").status_code == 201
    assert api.list() == {"committed", "staged", "after"}


def test_a_read_goes_on_where_the_stores_connection_broke(api: Api, proxy: FaultProxy) -> None:
    data = os.urandom(3 * MIB)
    api.put_by_s3("object", data)
    for part in (0.0, 0.3, 0.999):
        rule = proxy.plan(cut_answer(part), method="GET", target=OBJECTS, times=2)
        assert hashlib.sha256(api.get("object").content).digest() == hashlib.sha256(data).digest()
        assert rule.left == 0
        proxy.plan(cut_answer(part), method="GET", target=OBJECTS, times=2)
        assert hashlib.sha256(api.get_by_s3("object")).digest() == hashlib.sha256(data).digest()
        proxy.heal()


class CutOnce:
    """The first answer breaks off in its middle, later ones before their first byte."""

    def __init__(self) -> None:
        self.begun = False

    def __call__(self, exchange: Exchange) -> None:
        part, self.begun = (0.0 if self.begun else 0.5), True
        cut_answer(part)(exchange)


def test_a_read_that_cannot_go_on_is_seen_to_be_broken(api: Api, proxy: FaultProxy) -> None:
    """Never a short body that looks whole."""
    api.put_by_s3("object", os.urandom(3 * MIB))
    proxy.plan(CutOnce(), method="GET", target=OBJECTS)
    with pytest.raises(requests.RequestException):
        api.get("object")
    proxy.heal()
    proxy.plan(CutOnce(), method="GET", target=OBJECTS)
    with pytest.raises(Exception) as broken:  # each version of urllib3 and boto3 has its own
        api.get_by_s3("object")
    assert not isinstance(broken.value, ClientError)
    proxy.heal()
    assert len(api.get_by_s3("object")) == 3 * MIB


def test_a_write_survives_one_broken_connection(api: Api, proxy: FaultProxy) -> None:
    small, large = os.urandom(MIB), os.urandom(20 * MIB)
    for name, fault in (("cut", cut_request(100_000)), ("lost", lose_answer)):
        for data in (small, large):
            rule = proxy.plan(fault, method="PUT", target=OBJECTS, times=1)
            assert api.put(f"{name}/rest", data).status_code == 201
            assert rule.left == 0
            proxy.plan(fault, method="PUT", target=OBJECTS, times=1)
            api.put_by_s3(f"{name}/s3", data)
            assert api.get(f"{name}/rest").content == data
            assert api.get_by_s3(f"{name}/s3") == data


def test_a_write_that_cannot_be_leaves_nothing(
    api: Api, proxy: FaultProxy, moto: S3Process, namespace: str
) -> None:
    proxy.plan(cut_request(100_000), method="PUT", target=OBJECTS + "[^?]*$")
    proxy.plan(cut_request(100_000), method="PUT", target="partNumber=2&")
    for data in (os.urandom(MIB), os.urandom(20 * MIB)):
        assert_told(api.put("rest", data), 503)
        assert api.refusal_by_s3("s3", data) == (503, "ServiceUnavailable")
    assert api.list() == set()
    assert open_uploads(moto, namespace) == []


def test_a_clients_own_part_is_refused_and_may_be_sent_again(api: Api, proxy: FaultProxy) -> None:
    """Larger ones are streamed, so that the server cannot repeat them by itself."""
    data = os.urandom(17 * MIB)
    key = {"Bucket": "repo", "Key": "main/parts"}
    upload = api.s3.create_multipart_upload(**key)["UploadId"]
    rule = proxy.plan(cut_request(MIB), method="PUT", target="partNumber=1&", times=1)
    with pytest.raises(ClientError) as refused:
        api.s3.upload_part(**key, UploadId=upload, PartNumber=1, Body=data)
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503
    assert rule.left == 0
    part = api.s3.upload_part(**key, UploadId=upload, PartNumber=1, Body=data)
    parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    api.s3.complete_multipart_upload(**key, UploadId=upload, MultipartUpload=parts)
    assert api.get_by_s3("parts") == data


def test_a_silent_store_is_waited_for_within_bounds(api: Api, proxy: FaultProxy) -> None:
    api.put_by_s3("object", b"x" * MIB)
    proxy.plan(silence, target=OBJECTS)
    assert_told(api.put("rest", b"x" * MIB), 503)
    assert api.refusal_by_s3("s3", b"x" * MIB) == (503, "ServiceUnavailable")
    assert_told(api.get("object"), 503)
    proxy.heal()
    assert api.list() == {"object"}
    assert api.get("object").content == b"x" * MIB


STUCK = 160  # more than the connections a server would have to itself by default


def test_a_silent_store_stalls_only_who_needs_it(
    make_s3_server: MakeServer, proxy: FaultProxy, namespace: str
) -> None:
    server = make_s3_server(BLOCKSTORE_S3_RESPONSE_TIMEOUT="5m").start()
    slow, quick = Api(server, "slow"), Api(server, "quick")
    assert slow.create(namespace + "/slow").status_code == 201
    assert quick.create(namespace + "/quick").status_code == 201
    assert slow.put("object", b"x").status_code == 201
    before = server.resident_bytes()
    proxy.plan(silence, target="/slow/")

    def work(number: int) -> requests.Response:
        if number % 2:
            return slow.get("object")
        return slow.put(f"put{number}", b"x" * 100_000)

    with ThreadPoolExecutor(STUCK) as pool:
        waiting: list[Future[requests.Response]] = [pool.submit(work, i) for i in range(STUCK)]
        try:
            wait_until(lambda: proxy.held == STUCK, what="all to be stuck", seconds=60)
            assert server.readiness()["code"] == "200"
            assert server.is_alive()
            assert slow.stat("object").status_code == 200
            assert slow.list() == {"object"}
            assert quick.put("object", b"quick").status_code == 201
            assert quick.get("object").content == b"quick"
            assert quick.commit().status_code == 201
            assert quick.list() == {"object"}
            assert server.resident_bytes() - before < 96 * MIB
            assert not any(one.done() for one in waiting)
        finally:
            proxy.heal()
        codes = {one.result().status_code for one in waiting}
    assert codes <= {200, 201}, codes  # what was let go was sent again, and answered


def test_a_store_that_asks_to_slow_down_is_not_pestered(api: Api, proxy: FaultProxy) -> None:
    rule = proxy.plan(refuse(503, "SlowDown"))
    assert_told(api.put("rest", b"x"), 503)
    puts = rule.struck
    assert api.refusal_by_s3("s3") == (503, "SlowDown")
    tries = 1 + int(QUICK["BLOCKSTORE_S3_MAX_RETRIES"])
    assert tries <= puts < tries + 30  # and the probes meanwhile
    wait_for_words(api.server, objects="unavailable", code="503")
    proxy.heal()
    wait_for_words(api.server, status="ready")
    assert api.list() == set()
    assert api.put("rest", b"x").status_code == 201


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (403, "AccessDenied"),
        (403, "InvalidAccessKeyId"),
        (403, "SignatureDoesNotMatch"),
        (404, "NoSuchBucket"),
    ],
)
def test_a_store_that_refuses_us_is_told_apart_from_one_that_is_down(
    api: Api, proxy: FaultProxy, status: int, code: str
) -> None:
    assert api.put("before", b"before").status_code == 201
    wait_for_words(api.server, status="ready")
    proxy.plan(refuse(status, code))
    answer = api.put("rest", b"x")
    assert_told(answer, 400 if code == "NoSuchBucket" else 503)
    assert code in answer.json()["message"]
    assert api.refusal_by_s3("s3")[0] in (400, 503)
    wait_for_words(api.server, objects="refused", metadata="ok", code="503")
    log = "\n".join(api.server.errors_logged())  # not the keys shown at the first start
    assert "the object store refuses a bucket" in log and code in log
    assert s3_process.SECRET_KEY not in log and SECRET_KEY not in log
    proxy.heal()
    wait_for_words(api.server, status="ready", code="200")
    assert api.list() == {"before"}
    assert api.put("after", b"after").status_code == 201


def test_a_bucket_that_is_missing_at_start_is_told(make_s3_server: MakeServer) -> None:
    server = make_s3_server(BLOCKSTORE_DEFAULT_NAMESPACE_PREFIX="s3://no-such-bucket/lake").start()
    wait_for_words(server, objects="refused", metadata="ok", code="503")
    assert "no-such-bucket" in server.log_text()


class ElsewhereOnly:
    """A service that takes requests signed for its own region only."""

    def __init__(self, region: str) -> None:
        self.region = region
        self.refused = 0

    def __call__(self, exchange: Exchange) -> None:
        signed = exchange.header("Authorization")
        if not signed or f"/{self.region}/s3/aws4_request" in signed:
            return exchange.forward()
        self.refused += 1
        region = f"<Region>{self.region}</Region>"
        headers = {"x-amz-bucket-region": self.region}
        return refuse(400, "AuthorizationHeaderMalformed", region, headers)(exchange)


@pytest.mark.parametrize("discover", ["true", "false"])
def test_a_wrong_region_is_put_right(
    make_s3_server: MakeServer, proxy: FaultProxy, namespace: str, discover: str
) -> None:
    rule = ElsewhereOnly("eu-central-1")
    proxy.plan(rule)
    api = Api(make_s3_server(BLOCKSTORE_S3_DISCOVER_BUCKET_REGION=discover).start())
    assert api.create(namespace).status_code == 201
    assert api.put("object", b"x").status_code == 201
    assert api.get("object").content == b"x"
    assert rule.refused == 1  # and learnt


needs_mount = pytest.mark.skipif(not can_mount(), reason="may not mount a file system here")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with SmallDisk(tmp_path / "disk", 96 * MIB) as made:
        yield made


# As above: the disk outlives the servers on it, and has room for their fsck.
@pytest.fixture
def make_disk_server(disk: SmallDisk, make_server: MakeServer) -> Iterator[MakeServer]:
    def make(**options: str) -> ServerProcess:
        return make_server("data", options=options, troubled=True)

    yield make
    disk.make_room()


@needs_mount
def test_a_full_disk_of_objects_is_told_and_survived(
    make_disk_server: MakeServer, disk: SmallDisk
) -> None:
    objects = disk.path / "objects"
    server = make_disk_server(BLOCKSTORE_LOCAL_PATH=str(objects)).start()
    api = Api(server)
    assert api.create("local://repo").status_code == 201
    kept = os.urandom(MIB)
    assert api.put("kept", kept).status_code == 201
    assert api.commit().status_code == 201
    disk.fill()
    wait_for_words(server, status="full", objects="full", metadata="ok", code="200")
    for size in (1, 100_000, 4 * MIB):
        assert_told(api.put("rest", b"x" * size), 507)
        assert api.refusal_by_s3("s3", b"x" * size) == (507, "InsufficientStorage")
    upload = {"Bucket": "repo", "Key": "main/parts"}
    with pytest.raises(ClientError) as refused:
        upload["UploadId"] = api.s3.create_multipart_upload(**upload)["UploadId"]
        api.s3.upload_part(**upload, PartNumber=1, Body=b"x" * 5 * MIB)
    assert refused.value.response["Error"]["Code"] == "InsufficientStorage"
    assert api.get("kept").content == kept
    assert api.list() == {"kept"}
    disk.make_room()
    wait_for_words(server, status="ready", objects="ok")
    assert api.put("after", kept).status_code == 201
    assert api.commit().status_code == 201
    assert [path for path in (objects / ".tarn" / "tmp").rglob("*") if path.is_file()] == []


def stage_until_full(api: Api, name: str, like: dict[str, Any], most: int) -> list[str]:
    """Paths acknowledged until the first refusal, which says why. 300 KB of metadata, no bytes."""
    acknowledged: list[str] = []
    entry = {key: like[key] for key in ("physical_address", "checksum", "size_bytes")}
    for number in range(most):
        entry["metadata"] = {"filler": os.urandom(150_000).hex()}
        path = f"{name}/{number:05}"
        where = "/repositories/repo/branches/main/objects"
        answer = api.request("PUT", where, params={"path": path}, json=entry)
        if answer.status_code != 201:
            assert_told(answer, 507)
            return acknowledged
        acknowledged.append(path)
    return acknowledged


@needs_mount
def test_a_full_disk_of_metadata_is_told_and_survived(
    make_disk_server: MakeServer, disk: SmallDisk
) -> None:
    server = make_disk_server(DATABASE_LOCAL_PATH=str(disk.path / "metadata")).start()
    api = Api(server)
    assert api.create("local://repo").status_code == 201
    assert api.put("kept", b"kept").status_code == 201
    assert api.commit().status_code == 201
    kept = api.stat("kept").json()
    # Fewer than start a flush (16 MiB), which would give back the room of the log.
    acknowledged = stage_until_full(api, "before", kept, most=10)
    assert len(acknowledged) == 10
    with ThreadPoolExecutor(4) as pool:
        found = [pool.submit(stage_until_full, api, f"w{i}", kept, 5) for i in range(4)]
        disk.fill(leave=30 * MIB)  # a little less than the server keeps free
        acknowledged += [path for one in found for path in one.result()]
    wait_for_words(server, status="full", metadata="full", objects="ok", code="200")
    assert stage_until_full(api, "late", kept, most=1) == []
    assert api.refusal_by_s3("s3") == (507, "InsufficientStorage")
    assert_told(api.commit("cannot be"), 507)
    assert api.get("kept").content == b"kept"
    assert set(acknowledged) <= api.list()
    disk.make_room()
    wait_for_words(server, status="ready", metadata="ok")
    assert api.put("after", b"after").status_code == 201
    assert api.commit().status_code == 201
    server.restart()
    assert {"kept", "after", *acknowledged} <= api.list()


@pytest.fixture
def postgres() -> Iterator[PostgresProcess]:
    process = PostgresProcess()
    try:
        yield process.start()
    finally:
        process.remove()


@pytest.mark.skipif(postgres_programs() is None, reason="PostgreSQL is not installed")
def test_a_database_that_hangs_is_waited_for_within_bounds(
    postgres: PostgresProcess, make_server: MakeServer
) -> None:
    options = postgres.options() | {"DATABASE_POSTGRES_STATEMENT_TIMEOUT": "1s"}
    server = make_server(options=options, troubled=True).start()
    api = Api(server)
    assert api.create("local://repo").status_code == 201
    assert api.put("before", b"before").status_code == 201
    wait_for_words(server, status="ready")
    with postgres.hanging():
        wait_for_words(server, metadata="unavailable", objects="ok", code="503")
        assert server.is_alive()
        with ThreadPoolExecutor(3) as pool:
            answers = [pool.submit(api.put, "during", b"x"), pool.submit(api.stat, "before")]
            refusal = pool.submit(api.refusal_by_s3, "during")
            for answer in answers:
                assert_told(answer.result(), 503)
            assert refusal.result() == (503, "ServiceUnavailable")
    wait_for_words(server, status="ready", code="200")
    assert api.put("after", b"after").status_code == 201
    assert {"before", "after"} <= api.list()
