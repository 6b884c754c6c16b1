"""Servers whose objects are in an S3 service: moto, which is not ours, and Tarn itself."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import lakefs
import pytest
import requests
from botocore.exceptions import ClientError

from clients import lakefs_client, s3_client
from s3_process import BUCKET, S3Process
from server_process import ACCESS_KEY, ROOT, SECRET_KEY, ServerProcess

pytestmark = pytest.mark.tarn_only
MakeServer = Callable[..., ServerProcess]
FILES = 60
PART_BYTES = 5 * 1024 * 1024
LARGE_BYTES = 20 * 1024 * 1024 + 7


@pytest.fixture
def moto() -> Iterator[S3Process]:
    with S3Process() as process:
        yield process


# The service must outlive the servers, which are stopped and checked by make_server's own end.
@pytest.fixture
def make_s3_server(moto: S3Process, make_server: MakeServer) -> MakeServer:
    def make(name: str = "data", **options: str) -> ServerProcess:
        return make_server(name, options={**moto.options(), **options})

    return make


def create(server: ServerProcess, name: str, namespace: str) -> lakefs.Repository:
    return lakefs.Repository(name, client=lakefs_client(server)).create(
        storage_namespace=namespace, default_branch="main"
    )


def read_all(repository: lakefs.Repository, ref: str) -> dict[str, bytes]:
    found = repository.ref(ref)
    return {
        item.path: found.object(item.path).reader(mode="rb").read() for item in found.objects()
    }


def main_job(server: ServerProcess, repository: lakefs.Repository) -> dict[str, bytes]:
    """Uploads, a branch, a merge, a tag; what `main` then holds."""
    s3 = s3_client(server)
    content = {f"dir{i % 7}/file {i:03}": f"content {i}".encode() * 20 for i in range(FILES)}
    content["empty"] = b""

    def put(item: tuple[str, bytes]) -> None:
        s3.put_object(Bucket=repository.id, Key=f"main/{item[0]}", Body=item[1])

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(put, content.items()))
    main = repository.branch("main")
    main.commit("everything")
    fix = repository.branch("fix").create("main")
    fix.object("dir0/file 000").upload(b"changed")
    fix.object("dir1/file 001").delete()
    fix.object("new").upload(b"new")
    fix.commit("three changes")
    changes = {change.path: change.type for change in main.diff("fix")}
    assert changes == {"dir0/file 000": "changed", "dir1/file 001": "removed", "new": "added"}
    fix.merge_into(main)
    repository.tag("v1").create("main~1")
    del content["dir1/file 001"]
    return {**content, "dir0/file 000": b"changed", "new": b"new"}


def check_large_objects(server: ServerProcess, repository: str) -> None:
    """Larger than a part of ours, in one request and in parts; whole and by range."""
    s3 = s3_client(server)
    data = os.urandom(LARGE_BYTES)
    s3.put_object(Bucket=repository, Key="main/large/whole", Body=data)
    upload = s3.create_multipart_upload(Bucket=repository, Key="main/large/parts")["UploadId"]
    parts = []
    for number, start in enumerate(range(0, LARGE_BYTES, PART_BYTES), 1):
        answer = s3.upload_part(
            Bucket=repository,
            Key="main/large/parts",
            UploadId=upload,
            PartNumber=number,
            Body=data[start : start + PART_BYTES],
        )
        parts.append({"PartNumber": number, "ETag": answer["ETag"]})
    s3.complete_multipart_upload(
        Bucket=repository,
        Key="main/large/parts",
        UploadId=upload,
        MultipartUpload={"Parts": parts},
    )
    for name in ("whole", "parts"):
        key = f"main/large/{name}"
        body = s3.get_object(Bucket=repository, Key=key)["Body"].read()
        assert hashlib.sha256(body).digest() == hashlib.sha256(data).digest()
        piece = s3.get_object(Bucket=repository, Key=key, Range="bytes=5242870-5242890")
        assert piece["Body"].read() == data[5242870:5242891]
    s3.copy_object(
        Bucket=repository,
        Key="main/large/copy",
        CopySource={"Bucket": repository, "Key": "main/large/parts"},
    )
    head = s3.head_object(Bucket=repository, Key="main/large/copy")
    assert head["ContentLength"] == LARGE_BYTES


def test_the_main_job_on_a_service_that_is_not_ours(
    make_s3_server: MakeServer, moto: S3Process
) -> None:
    server = make_s3_server().start()
    repository = create(server, "repo", f"s3://{BUCKET}/some/prefix")
    expected = main_job(server, repository)
    server.restart()
    assert read_all(repository, "main") == expected
    check_large_objects(server, "repo")
    repository.branch("main").commit("large ones")

    stat = repository.ref("main").object("new").stat()
    assert stat.physical_address.startswith(f"s3://{BUCKET}/some/prefix/data/")
    key = stat.physical_address.removeprefix(f"s3://{BUCKET}/")
    assert moto.client().get_object(Bucket=BUCKET, Key=key)["Body"].read() == b"new"
    pages = moto.client().get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
    keys = [item["Key"] for page in pages for item in page["Contents"]]
    assert all(key.startswith(("some/prefix/data/", "some/prefix/_lakefs/")) for key in keys), keys
    assert not moto.client().list_multipart_uploads(Bucket=BUCKET).get("Uploads")

    storage = requests.get(f"{server.url}/api/v1/config", auth=(ACCESS_KEY, SECRET_KEY), timeout=30)
    told = storage.json()["storage_config"]
    assert told["blockstore_type"] == "s3"
    assert told["blockstore_namespace_ValidityRegex"] == "^s3://"


def test_a_bucket_that_does_not_exist_is_the_callers_mistake(make_s3_server: MakeServer) -> None:
    server = make_s3_server().start()
    answer = requests.post(
        f"{server.url}/api/v1/repositories",
        json={"name": "nowhere", "storage_namespace": "s3://no-such-bucket/x"},
        auth=(ACCESS_KEY, SECRET_KEY),
        timeout=60,
    )
    assert answer.status_code == 400, answer.text


def on_tarn(store: ServerProcess, **options: str) -> dict[str, str]:
    """Configuration of a server that keeps its objects in another one."""
    return {
        "BLOCKSTORE_TYPE": "s3",
        "BLOCKSTORE_S3_ENDPOINT": store.url,
        "BLOCKSTORE_S3_FORCE_PATH_STYLE": "true",
        "BLOCKSTORE_S3_CREDENTIALS_ACCESS_KEY_ID": ACCESS_KEY,
        "BLOCKSTORE_S3_CREDENTIALS_SECRET_ACCESS_KEY": SECRET_KEY,
        **options,
    }


# make_server stops and checks in the order of making: the one on top comes first.
@pytest.fixture
def tower(make_server: MakeServer) -> tuple[ServerProcess, ServerProcess]:
    """A server, and below it the server that keeps its objects."""
    top = make_server("top")
    bottom = make_server("bottom").start()
    create(bottom, "lake", "local://lake")
    top.options.update(on_tarn(bottom, BLOCKSTORE_S3_MAX_RETRIES="3"))
    return top.start(), bottom


def test_tarn_keeps_objects_in_tarn(tower: tuple[ServerProcess, ServerProcess]) -> None:
    top, bottom = tower
    repository = create(top, "repo", "s3://lake/main/store")
    expected = main_job(top, repository)
    check_large_objects(top, "repo")
    large = {f"large/{name}" for name in ("whole", "parts", "copy")}
    held = read_all(repository, "main")
    assert {path: data for path, data in held.items() if path not in large} == expected
    lakefs.Repository("lake", client=lakefs_client(bottom)).branch("main").commit("a snapshot")


def contract_binary() -> Path | None:
    """The backend's own tests, from whichever build there is."""
    found = [ROOT / "build" / name / "src/block/s3/tarn_block_s3_test" for name in ("asan", "dev")]
    return next((path for path in found if path.exists()), None)


def test_the_stores_contract_holds_on_tarn(make_server: MakeServer) -> None:
    binary = contract_binary()
    if binary is None:
        pytest.skip("the unit tests are not built")
    server = make_server().start()
    create(server, "lake", "local://lake")
    # Parts smaller than a service accepts, keys that are not UTF-8, and a completion that may be
    # repeated here, as on S3.
    beyond = ":".join(
        f"*{name}"
        for name in (
            "JoinsTheListedParts",
            "ABadListChangesNothing",
            "AddressesKeepTheirOddBytes",
            "ListsInByteOrderInAnyPageSize",
            "ListsByPrefixAndAfterAnyPoint",
            "ACompletedUploadIsUnknown",
        )
    )
    result = subprocess.run(
        [str(binary), f"--gtest_filter=Contract/*-{beyond}", "--gtest_brief=1"],
        env={
            **os.environ,
            "TARN_TEST_S3": server.url,
            "TARN_TEST_S3_KEYS": f"{ACCESS_KEY}:{SECRET_KEY}",
            "TARN_TEST_S3_SPACE": "s3://lake/main",
        },
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert result.returncode == 0, result.stdout[-5000:]
    assert "[  PASSED  ]" in result.stdout


def test_a_service_that_dies_loses_nothing_acknowledged(
    tower: tuple[ServerProcess, ServerProcess],
) -> None:
    top, bottom = tower
    repository = create(top, "repo", "s3://lake/main/store")
    s3 = s3_client(top)
    s3.put_object(Bucket="repo", Key="main/before", Body=b"before")
    bottom.kill()
    with pytest.raises(ClientError) as refused:
        s3.put_object(Bucket="repo", Key="main/during", Body=b"during")
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503
    assert top.is_healthy()
    bottom.start()
    s3.put_object(Bucket="repo", Key="main/after", Body=b"after")
    assert read_all(repository, "main") == {"before": b"before", "after": b"after"}
