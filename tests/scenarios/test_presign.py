"""Clients that read and write objects at the S3 service themselves, through URLs of the server.

The service is moto, which takes any signature, and Tarn, which does not.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import lakefs
import lakefs_sdk
import pytest
import requests
from lakefs_sdk import models

from clients import lakefs_client, sdk_client
from installation import reference_binary
from s3_process import BUCKET, S3Process
from server_process import ACCESS_KEY, SECRET_KEY, ServerProcess, free_port
from test_lakectl import PROGRAM as LAKECTL
from waiting import wait_until

pytestmark = pytest.mark.tarn_only
MakeServer = Callable[..., ServerProcess]
PART_BYTES = 5 * 1024 * 1024
SMALL_TAIL = b"the last part may be small"
KEYS = (ACCESS_KEY, SECRET_KEY)


@pytest.fixture(scope="module")
def moto() -> Iterator[S3Process]:
    with S3Process() as process:
        yield process


@pytest.fixture
def space(request: pytest.FixtureRequest) -> str:
    """A namespace of this test."""
    name = "".join(c if c.isalnum() else "-" for c in request.node.name)
    return f"s3://{BUCKET}/{name}"


def create(server: ServerProcess, name: str, namespace: str) -> lakefs.Repository:
    return lakefs.Repository(name, client=lakefs_client(server)).create(
        storage_namespace=namespace, default_branch="main"
    )


@pytest.fixture
def on_moto(make_server: MakeServer, moto: S3Process, space: str) -> ServerProcess:
    """A server whose repository "repo" is in moto."""
    server = make_server(options=moto.options()).start()
    create(server, "repo", space)
    return server


@pytest.fixture
def on_tarn(make_server: MakeServer) -> ServerProcess:
    """A server whose repository "repo" is in another Tarn, which looks at signatures."""
    top = make_server("top")  # made first, so that it is checked while the other one still runs
    bottom = make_server("bottom").start()
    create(bottom, "lake", "local://lake")
    top.options |= {
        "BLOCKSTORE_TYPE": "s3",
        "BLOCKSTORE_S3_ENDPOINT": bottom.url,
        "BLOCKSTORE_S3_FORCE_PATH_STYLE": "true",
        "BLOCKSTORE_S3_CREDENTIALS_ACCESS_KEY_ID": ACCESS_KEY,
        "BLOCKSTORE_S3_CREDENTIALS_SECRET_ACCESS_KEY": SECRET_KEY,
    }
    top.start()
    create(top, "repo", "s3://lake/main/store")
    return top


def objects_of(server: ServerProcess) -> lakefs_sdk.ObjectsApi:
    return lakefs_sdk.ObjectsApi(sdk_client(server))


def uploads_of(server: ServerProcess) -> lakefs_sdk.ExperimentalApi:
    return lakefs_sdk.ExperimentalApi(sdk_client(server))


def put(url: str, data: bytes) -> str:
    """What a client without keys does; the ETag."""
    answer = requests.put(url, data=data, timeout=60)
    assert answer.status_code == 200, answer.text
    return answer.headers["ETag"]


def fetch(url: str, **headers: str) -> requests.Response:
    return requests.get(url, headers=headers, timeout=60)


def storage_config(server: ServerProcess) -> dict[str, Any]:
    answer = requests.get(f"{server.url}/api/v1/config/storage", auth=KEYS, timeout=30)
    return answer.json()


def check_urls(server: ServerProcess) -> None:
    """All ways to a URL, with the clients that take them."""
    repository = lakefs.Repository("repo", client=lakefs_client(server))
    path = 'dir/a "b", ü.txt'
    stored = repository.branch("main").object(path)
    stored.upload(b"0123456789", pre_sign=True, content_type="text/plain", metadata={"k": "v"})
    with stored.reader(mode="rb", pre_sign=True) as reader:
        reader.seek(3)
        assert reader.read(4) == b"3456"
    assert stored.stat().content_type == "text/plain"
    assert stored.stat().metadata == {"k": "v"}

    api = objects_of(server)
    stats = api.stat_object("repo", "main", path, presign=True)
    assert stats.physical_address_expiry > stats.mtime
    whole = fetch(stats.physical_address)
    assert (whole.status_code, whole.content) == (200, b"0123456789")
    assert whole.headers["Content-Disposition"].startswith("attachment; filename*=utf-8''a%20%22b")
    part = fetch(stats.physical_address, Range="bytes=2-3")
    assert (part.status_code, part.content) == (206, b"23")
    listed = api.list_objects("repo", "main", presign=True, delimiter="/", prefix="dir/").results
    assert [fetch(item.physical_address).content for item in listed] == [b"0123456789"]

    where = f"{server.url}/api/v1/repositories/repo/refs/main/objects"
    answer = requests.get(
        where,
        params={"path": path, "presign": "true"},
        auth=KEYS,
        allow_redirects=False,
        timeout=30,
    )
    assert (answer.status_code, answer.content) == (302, b"")
    assert fetch(answer.headers["Location"]).content == b"0123456789"


def check_parts(server: ServerProcess) -> None:
    api = uploads_of(server)
    begun = api.create_presign_multipart_upload("repo", "main", "big", parts=2)
    assert len(begun.presigned_urls) == 2
    third = api.upload_part(
        "repo",
        "main",
        begun.upload_id,
        "big",
        3,
        models.UploadPartFrom(physical_address=begun.physical_address),
    )
    data = [os.urandom(PART_BYTES), os.urandom(PART_BYTES + 1), SMALL_TAIL]
    urls = [*begun.presigned_urls, third.presigned_url]
    parts = [
        models.UploadPart(part_number=number, etag=put(url, piece))
        for number, (url, piece) in enumerate(zip(urls, data, strict=True), 1)
    ]
    done = api.complete_presign_multipart_upload(
        "repo",
        "main",
        begun.upload_id,
        "big",
        models.CompletePresignMultipartUpload(
            physical_address=begun.physical_address,
            parts=parts,
            user_metadata={"K": "v"},
            content_type="a/b",
        ),
    )
    assert done.checksum.endswith("-3")
    assert begun.physical_address.endswith("/" + done.physical_address)
    stats = objects_of(server).stat_object("repo", "main", "big")
    assert (stats.content_type, stats.metadata) == ("a/b", {"K": "v"})
    assert stats.physical_address == begun.physical_address
    stored = lakefs.Repository("repo", client=lakefs_client(server)).ref("main").object("big")
    assert stored.reader(mode="rb", pre_sign=False).read() == b"".join(data)
    assert stored.reader(mode="rb", pre_sign=True).read() == b"".join(data)


def test_clients_go_to_the_service_themselves(on_moto: ServerProcess) -> None:
    told = storage_config(on_moto)
    assert told["pre_sign_support"] and told["pre_sign_multipart_upload"]
    assert not told["pre_sign_support_ui"]
    check_urls(on_moto)
    check_parts(on_moto)


def test_a_service_that_checks_signatures_takes_them(on_tarn: ServerProcess) -> None:
    check_urls(on_tarn)
    check_parts(on_tarn)
    begun = uploads_of(on_tarn).create_presign_multipart_upload("repo", "main", "x", parts=1)
    other = begun.presigned_urls[0].replace("partNumber=1", "partNumber=2")
    assert requests.put(other, data=b"x", timeout=30).status_code == 403


def keys_of(moto: S3Process, space: str) -> list[str]:
    prefix = space.removeprefix(f"s3://{BUCKET}/") + "/data/"
    found = moto.client().list_objects_v2(Bucket=BUCKET, Prefix=prefix)
    return [item["Key"] for item in found.get("Contents", [])]


def open_uploads(moto: S3Process, space: str) -> list[str]:
    prefix = space.removeprefix(f"s3://{BUCKET}/") + "/"
    found = moto.client().list_multipart_uploads(Bucket=BUCKET).get("Uploads", [])
    return [upload["Key"] for upload in found if upload["Key"].startswith(prefix)]


def test_an_aborted_upload_leaves_nothing(
    on_moto: ServerProcess, moto: S3Process, space: str
) -> None:
    api = uploads_of(on_moto)
    begun = api.create_presign_multipart_upload("repo", "main", "big", parts=2)
    for url in begun.presigned_urls:
        put(url, b"x" * 1000)
    assert len(open_uploads(moto, space)) == 1
    body = models.AbortPresignMultipartUpload(physical_address=begun.physical_address)
    api.abort_presign_multipart_upload(
        "repo", "main", begun.upload_id, "big", abort_presign_multipart_upload=body
    )
    assert (open_uploads(moto, space), keys_of(moto, space)) == ([], [])
    with pytest.raises(lakefs_sdk.exceptions.NotFoundException):
        api.abort_presign_multipart_upload(
            "repo", "main", begun.upload_id, "big", abort_presign_multipart_upload=body
        )
    with pytest.raises(lakefs_sdk.exceptions.NotFoundException):
        objects_of(on_moto).stat_object("repo", "main", "big")


def test_a_refused_completion_may_be_repeated(on_moto: ServerProcess) -> None:
    api = uploads_of(on_moto)
    begun = api.create_presign_multipart_upload("repo", "main", "big", parts=2)
    etags = [put(url, os.urandom(PART_BYTES)) for url in begun.presigned_urls]

    def complete(path: str, *parts: tuple[int, str]) -> models.ObjectStats:
        return api.complete_presign_multipart_upload(
            "repo",
            "main",
            begun.upload_id,
            path,
            models.CompletePresignMultipartUpload(
                physical_address=begun.physical_address,
                parts=[models.UploadPart(part_number=n, etag=etag) for n, etag in parts],
            ),
        )

    for path, parts in {
        "other": [(1, etags[0]), (2, etags[1])],
        "big": [(2, etags[1]), (1, etags[0])],
    }.items():
        with pytest.raises(lakefs_sdk.exceptions.BadRequestException):
            complete(path, *parts)
    with pytest.raises(lakefs_sdk.exceptions.BadRequestException):
        complete("big", (1, etags[0]), (2, '"' + "0" * 32 + '"'))
    on_moto.restart()
    assert complete("big", (1, etags[0]), (2, etags[1])).size_bytes == 2 * PART_BYTES


def test_the_operator_decides(
    make_server: MakeServer, moto: S3Process, space: str
) -> None:
    without = make_server(
        "without", options={**moto.options(), "BLOCKSTORE_S3_DISABLE_PRE_SIGNED": "true"}
    ).start()
    told = storage_config(without)
    assert not told["pre_sign_support"] and not told["pre_sign_multipart_upload"]
    repository = create(without, "repo", space)
    repository.branch("main").object("x").upload(b"through the server")
    answer = requests.get(
        f"{without.url}/api/v1/repositories/repo/refs/main/objects/stat?path=x&presign=true",
        auth=KEYS,
        timeout=30,
    )
    assert (answer.status_code, answer.json()["message"]) == (400, "operation not supported")
    answer = requests.post(
        f"{without.url}/api/v1/repositories/repo/branches/main/staging/pmpu?path=x",
        auth=KEYS,
        timeout=30,
    )
    assert answer.status_code == 501

    partly = make_server(
        "partly",
        options={
            **moto.options(),
            "BLOCKSTORE_S3_DISABLE_PRE_SIGNED_MULTIPART": "true",
            "BLOCKSTORE_S3_DISABLE_PRE_SIGNED_UI": "false",
            "BLOCKSTORE_S3_PRE_SIGNED_EXPIRY": "90s",
            "BLOCKSTORE_S3_PRE_SIGNED_ENDPOINT": "https://outside.example:9000",
        },
    ).start()
    told = storage_config(partly)
    assert told["pre_sign_support"] and told["pre_sign_support_ui"]
    assert not told["pre_sign_multipart_upload"]
    create(partly, "repo", space + "-2")
    issued = lakefs_sdk.StagingApi(sdk_client(partly)).get_physical_address(
        "repo", "main", "x", presign=True
    )
    url = urlsplit(issued.presigned_url)
    assert (url.scheme, url.netloc) == ("https", "outside.example:9000")
    assert parse_qs(url.query)["X-Amz-Expires"] == ["90"]


def test_storage_classes_are_the_services(
    on_moto: ServerProcess, moto: S3Process, space: str
) -> None:
    key = space.removeprefix(f"s3://{BUCKET}/") + "/elsewhere"
    moto.client().put_object(Bucket=BUCKET, Key=key, Body=b"rare", StorageClass="STANDARD_IA")
    api = objects_of(on_moto)
    for name, where in {"rare": f"s3://{BUCKET}/{key}", "gone": f"{space}/nothing"}.items():
        staged = models.ObjectStageCreation(physical_address=where, checksum="x", size_bytes=4)
        lakefs_sdk.InternalApi(sdk_client(on_moto)).stage_object("repo", "main", name, staged)
    lakefs.Repository("repo", client=lakefs_client(on_moto)).branch("main").object("usual").upload(
        b"x"
    )
    assert api.get_underlying_properties("repo", "main", "rare").storage_class == "STANDARD_IA"
    assert api.get_underlying_properties("repo", "main", "usual").storage_class == ""
    with pytest.raises(lakefs_sdk.exceptions.NotFoundException):
        api.get_underlying_properties("repo", "main", "gone")
    api.delete_object("repo", "main", "gone")  # or it would be found missing


@pytest.mark.skipif(LAKECTL is None, reason="no lakectl")
def test_lakectl_uploads_in_parts(on_moto: ServerProcess, tmp_path: Path) -> None:
    def lakectl(*words: str) -> str:
        done = subprocess.run(
            [str(LAKECTL), "--no-color", *words],
            env=os.environ
            | {
                "LAKECTL_SERVER_ENDPOINT_URL": on_moto.url,
                "LAKECTL_CREDENTIALS_ACCESS_KEY_ID": ACCESS_KEY,
                "LAKECTL_CREDENTIALS_SECRET_ACCESS_KEY": SECRET_KEY,
                "HOME": str(tmp_path),
            },
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    large, small = tmp_path / "large", tmp_path / "small"
    large.write_bytes(os.urandom(2 * PART_BYTES + 77))
    small.write_bytes(b"small")
    for file in (large, small):
        uri = f"lakefs://repo/main/{file.name}"
        lakectl("fs", "upload", "--pre-sign", "-s", str(file), uri)
        back = tmp_path / f"{file.name}.back"
        lakectl("fs", "download", "--pre-sign", uri, str(back))
        assert back.read_bytes() == file.read_bytes()
        assert fetch(lakectl("fs", "presign", uri).strip()).content == file.read_bytes()
    checksum = objects_of(on_moto).stat_object("repo", "main", "large").checksum
    assert "-" in checksum, "it went in parts"


def start_reference(folder: Path, moto: S3Process, port: int) -> subprocess.Popen[bytes]:
    binary = reference_binary()
    assert binary is not None
    options = moto.options() | {
        "DATABASE_TYPE": "mem",
        "COMMITTED_LOCAL_CACHE_DIR": str(folder / "cache"),
        "AUTH_ENCRYPT_SECRET_KEY": "scenario",
        "LISTEN_ADDRESS": f"127.0.0.1:{port}",
        "STATS_ENABLED": "false",
        "INSTALLATION_USER_NAME": "admin",
        "INSTALLATION_ACCESS_KEY_ID": ACCESS_KEY,
        "INSTALLATION_SECRET_ACCESS_KEY": SECRET_KEY,
    }
    with (folder / "reference.log").open("wb") as log:
        return subprocess.Popen(
            [str(binary), "run"],
            env=os.environ | {f"LAKEFS_{name}": value for name, value in options.items()},
            stdout=log,
            stderr=log,
            cwd=folder,
        )


@pytest.mark.skipif(reference_binary() is None, reason="the reference's binary is not here")
def test_an_upload_changes_hands_half_way(
    make_server: MakeServer, moto: S3Process, space: str, tmp_path: Path
) -> None:
    """Begun at one server, completed at the other one: the address says all there is to know."""
    port = free_port()
    process = start_reference(tmp_path, moto, port)
    try:
        ours = make_server(options=moto.options()).start()
        theirs = ServerProcess(data_dir=tmp_path / "theirs", port=port)
        wait_until(theirs.is_healthy, what="the reference to be healthy", seconds=60)
        create(theirs, "repo", space)
        # The second repository of a namespace is refused, but for this.
        key = space.removeprefix(f"s3://{BUCKET}/") + "/_lakefs/dummy"
        moto.client().delete_object(Bucket=BUCKET, Key=key)
        create(ours, "repo", space)
        for begins, ends in ((theirs, ours), (ours, theirs)):
            begun = uploads_of(begins).create_presign_multipart_upload(
                "repo", "main", "big", parts=1
            )
            first, last = os.urandom(PART_BYTES), SMALL_TAIL
            etags = [put(begun.presigned_urls[0], first)]
            api = uploads_of(ends)
            where = models.UploadPartFrom(physical_address=begun.physical_address)
            second = api.upload_part("repo", "main", begun.upload_id, "big", 2, where)
            etags.append(put(second.presigned_url, last))
            done = api.complete_presign_multipart_upload(
                "repo",
                "main",
                begun.upload_id,
                "big",
                models.CompletePresignMultipartUpload(
                    physical_address=begun.physical_address,
                    parts=[
                        models.UploadPart(part_number=number, etag=etag)
                        for number, etag in enumerate(etags, 1)
                    ],
                ),
            )
            assert done.size_bytes == PART_BYTES + len(SMALL_TAIL)
            assert objects_of(ends).get_object("repo", "main", "big") == first + last
    finally:
        process.kill()
        process.wait()
