"""S3 as its own clients speak it: boto3 in every checksum mode, aws-cli, s3fs, pyarrow."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lakefs
import pyarrow
import pyarrow.fs
import pyarrow.parquet
import pytest
import requests
import s3fs
from botocore.exceptions import ClientError

from clients import REGION, create_repository, s3_client
from server_process import ACCESS_KEY, ROOT, SECRET_KEY, ServerProcess

BUCKET = "bucket"
PART_BYTES = 5 << 20
CHECKSUM_MODES = ("when_required", "when_supported")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture(scope="module")
def repository(shared_server: ServerProcess) -> lakefs.Repository:
    return create_repository(shared_server, BUCKET)


@pytest.fixture
def branch(repository: lakefs.Repository, request: pytest.FixtureRequest) -> Iterator[str]:
    """A branch of its own for each test."""
    name = f"t-{hashlib.md5(request.node.name.encode()).hexdigest()[:12]}"
    repository.branch(name).create("main")
    yield name


@pytest.fixture(scope="module", params=CHECKSUM_MODES)
def s3(shared_server: ServerProcess, request: pytest.FixtureRequest) -> Any:
    return s3_client(
        shared_server,
        request_checksum_calculation=request.param,
        response_checksum_validation=request.param,
    )


def status_of(error: pytest.ExceptionInfo[ClientError]) -> int:
    return int(error.value.response["ResponseMetadata"]["HTTPStatusCode"])


def code_of(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


def metadata_of(answer: dict[str, Any]) -> dict[str, str]:
    """Header names have no case, so neither have keys of metadata."""
    return {key.lower(): value for key, value in answer["Metadata"].items()}


def test_objects_come_back_as_they_were_put(s3: Any, branch: str) -> None:
    key = f"{branch}/dir/a b+c/\u00fc\u4e16.bin"
    data = bytes(range(256)) * 300
    put = s3.put_object(
        Bucket=BUCKET, Key=key, Body=data, ContentType="image/x-thing", Metadata={"who": "me"}
    )
    got = s3.get_object(Bucket=BUCKET, Key=key)
    assert got["Body"].read() == data
    assert got["ETag"] == put["ETag"] == f'"{hashlib.md5(data).hexdigest()}"'
    assert (got["ContentType"], metadata_of(got)) == ("image/x-thing", {"who": "me"})
    head = s3.head_object(Bucket=BUCKET, Key=key)
    assert (head["ContentLength"], metadata_of(head)) == (len(data), {"who": "me"})
    assert head["LastModified"].tzinfo is not None


def test_an_empty_object_and_a_directory_marker_are_objects(s3: Any, branch: str) -> None:
    for key in ("empty", "folder/"):
        s3.put_object(Bucket=BUCKET, Key=f"{branch}/{key}", Body=b"")
        assert s3.get_object(Bucket=BUCKET, Key=f"{branch}/{key}")["Body"].read() == b""


def test_multipart_upload_in_parts_out_of_order(s3: Any, branch: str) -> None:
    where = {"Bucket": BUCKET, "Key": f"{branch}/parts"}
    parts = {1: b"a" * PART_BYTES, 2: b"b" * PART_BYTES, 3: b"the end"}
    upload = s3.create_multipart_upload(**where, ContentType="text/x-parts")["UploadId"]
    tags = {
        number: s3.upload_part(**where, UploadId=upload, PartNumber=number, Body=parts[number])
        for number in (3, 1, 2)
    }
    done = s3.complete_multipart_upload(
        **where,
        UploadId=upload,
        MultipartUpload={
            "Parts": [{"PartNumber": n, "ETag": tags[n]["ETag"]} for n in sorted(tags)]
        },
    )
    assert done["ETag"].strip('"').endswith("-3")
    got = s3.get_object(**where)
    assert got["Body"].read() == b"".join(parts[n] for n in sorted(parts))
    assert got["ContentType"] == "text/x-parts"


def test_an_aborted_upload_leaves_nothing(s3: Any, branch: str) -> None:
    where = {"Bucket": BUCKET, "Key": f"{branch}/given-up"}
    upload = s3.create_multipart_upload(**where)["UploadId"]
    s3.upload_part(**where, UploadId=upload, PartNumber=1, Body=b"x" * PART_BYTES)
    s3.abort_multipart_upload(**where, UploadId=upload)
    with pytest.raises(ClientError) as missing:
        s3.get_object(**where)
    assert code_of(missing) == "NoSuchKey"
    with pytest.raises(ClientError) as gone:
        s3.abort_multipart_upload(**where, UploadId=upload)
    assert code_of(gone) == "NoSuchUpload"


@pytest.mark.tarn_only
def test_uploads_in_progress_and_their_parts_are_listed(s3: Any, branch: str) -> None:
    where = {"Bucket": BUCKET, "Key": f"{branch}/pending"}
    upload = s3.create_multipart_upload(**where)["UploadId"]
    for number, data in ((2, b"second"), (1, b"1st")):
        s3.upload_part(**where, UploadId=upload, PartNumber=number, Body=data)
    parts = s3.list_parts(**where, UploadId=upload)["Parts"]
    assert [(part["PartNumber"], part["Size"]) for part in parts] == [(1, 3), (2, 6)]
    uploads = s3.list_multipart_uploads(Bucket=BUCKET)["Uploads"]
    assert upload in {item["UploadId"] for item in uploads}
    s3.abort_multipart_upload(**where, UploadId=upload)
    uploads = s3.list_multipart_uploads(Bucket=BUCKET).get("Uploads", [])
    assert upload not in {item["UploadId"] for item in uploads}


def test_copies_keep_bytes_and_may_replace_metadata(s3: Any, branch: str) -> None:
    source = {"Bucket": BUCKET, "Key": f"{branch}/source"}
    s3.put_object(**source, Body=b"copied", Metadata={"kept": "yes"})
    s3.copy_object(Bucket=BUCKET, Key=f"{branch}/same", CopySource=source)
    same = s3.head_object(Bucket=BUCKET, Key=f"{branch}/same")
    assert metadata_of(same) == {"kept": "yes"}
    s3.copy_object(
        Bucket=BUCKET,
        Key=f"{branch}/other",
        CopySource=source,
        MetadataDirective="REPLACE",
        Metadata={"new": "1"},
    )
    other = s3.get_object(Bucket=BUCKET, Key=f"{branch}/other")
    assert (other["Body"].read(), metadata_of(other)) == (b"copied", {"new": "1"})


def test_a_part_may_be_copied_from_an_object(s3: Any, branch: str) -> None:
    source = {"Bucket": BUCKET, "Key": f"{branch}/source"}
    s3.put_object(**source, Body=b"0123456789" * (PART_BYTES // 10 + 1))
    where = {"Bucket": BUCKET, "Key": f"{branch}/assembled"}
    upload = s3.create_multipart_upload(**where)["UploadId"]
    part = s3.upload_part_copy(
        **where,
        UploadId=upload,
        PartNumber=1,
        CopySource=source,
        CopySourceRange=f"bytes=10-{PART_BYTES + 9}",
    )
    tag = part["CopyPartResult"]["ETag"]
    s3.complete_multipart_upload(
        **where, UploadId=upload, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": tag}]}
    )
    body = s3.get_object(**where)["Body"].read()
    assert (len(body), body[:10]) == (PART_BYTES, b"0123456789")


def test_listing_folds_pages_and_continues(s3: Any, branch: str) -> None:
    keys = [f"d{i % 3}/f{i:02}" for i in range(30)] + ["top"]
    for key in keys:
        s3.put_object(Bucket=BUCKET, Key=f"{branch}/{key}", Body=b"x")
    for operation in ("list_objects", "list_objects_v2"):
        pages = list(
            s3.get_paginator(operation).paginate(
                Bucket=BUCKET, Prefix=f"{branch}/", PaginationConfig={"PageSize": 7}
            )
        )
        found = [item["Key"] for page in pages for item in page.get("Contents", [])]
        assert found == sorted(f"{branch}/{key}" for key in keys), operation
        assert len(pages) == 5
        folded = getattr(s3, operation)(Bucket=BUCKET, Prefix=f"{branch}/", Delimiter="/")
        prefixes = [item["Prefix"] for item in folded["CommonPrefixes"]]
        assert prefixes == [f"{branch}/d{i}/" for i in range(3)]
        assert [item["Key"] for item in folded["Contents"]] == [f"{branch}/top"]


def test_many_objects_are_deleted_at_once(s3: Any, branch: str) -> None:
    for i in range(20):
        s3.put_object(Bucket=BUCKET, Key=f"{branch}/{i}", Body=b"x")
    names = [{"Key": f"{branch}/{i}"} for i in range(15)] + [{"Key": f"{branch}/never-was"}]
    answer = s3.delete_objects(Bucket=BUCKET, Delete={"Objects": names})
    assert "Errors" not in answer
    assert len(answer["Deleted"]) == 16
    assert s3.list_objects_v2(Bucket=BUCKET, Prefix=f"{branch}/")["KeyCount"] == 5


def test_put_if_none_match_creates_once(s3: Any, branch: str) -> None:
    where = {"Bucket": BUCKET, "Key": f"{branch}/once"}
    s3.put_object(**where, Body=b"first", IfNoneMatch="*")
    with pytest.raises(ClientError) as refused:
        s3.put_object(**where, Body=b"second", IfNoneMatch="*")
    assert (status_of(refused), code_of(refused)) == (412, "PreconditionFailed")
    assert s3.get_object(**where)["Body"].read() == b"first"


@pytest.mark.tarn_only
def test_reads_honour_conditions(s3: Any, branch: str) -> None:
    where = {"Bucket": BUCKET, "Key": f"{branch}/conditional"}
    tag = s3.put_object(**where, Body=b"seen")["ETag"]
    with pytest.raises(ClientError) as unchanged:
        s3.get_object(**where, IfNoneMatch=tag)
    assert status_of(unchanged) == 304
    with pytest.raises(ClientError) as other:
        s3.get_object(**where, IfMatch='"0123"')
    assert status_of(other) == 412
    assert s3.get_object(**where, IfMatch=tag)["Body"].read() == b"seen"


def test_ranges_of_every_form(s3: Any, branch: str) -> None:
    where = {"Bucket": BUCKET, "Key": f"{branch}/ranged"}
    data = bytes(range(100))
    s3.put_object(**where, Body=data)
    for asked, expected in (
        ("bytes=0-0", data[:1]),
        ("bytes=10-19", data[10:20]),
        ("bytes=90-", data[90:]),
        ("bytes=-5", data[-5:]),
        ("bytes=50-5000", data[50:]),
    ):
        answer = s3.get_object(**where, Range=asked)
        assert answer["Body"].read() == expected, asked
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 206
    with pytest.raises(ClientError) as outside:
        s3.get_object(**where, Range="bytes=100-")
    assert (status_of(outside), code_of(outside)) == (416, "InvalidRange")


def test_presigned_urls_put_and_get(s3: Any, branch: str) -> None:
    where = {"Bucket": BUCKET, "Key": f"{branch}/presigned thing"}
    put = s3.generate_presigned_url("put_object", Params=where, ExpiresIn=60)
    assert requests.put(put, data=b"by url", timeout=20).status_code == 200
    get = s3.generate_presigned_url("get_object", Params=where, ExpiresIn=60)
    assert requests.get(get, timeout=20).content == b"by url"
    forged = requests.get(get.replace("presigned", "presigneD"), timeout=20)
    assert forged.status_code == 403
    assert "SignatureDoesNotMatch" in forged.text


@pytest.mark.tarn_only
def test_presigned_urls_of_signature_version_2(shared_server: ServerProcess, branch: str) -> None:
    s3 = s3_client(shared_server, signature_version="s3")
    where = {"Bucket": BUCKET, "Key": f"{branch}/old"}
    s3.put_object(**where, Body=b"signed the old way")
    get = s3.generate_presigned_url("get_object", Params=where, ExpiresIn=60)
    assert requests.get(get, timeout=20).content == b"signed the old way"


@pytest.mark.tarn_only
def test_checksums_are_verified(shared_server: ServerProcess, branch: str, repository: Any) -> None:
    s3 = s3_client(shared_server)
    for algorithm in ("CRC32", "SHA1", "SHA256"):
        s3.put_object(
            Bucket=BUCKET, Key=f"{branch}/{algorithm}", Body=b"sum", ChecksumAlgorithm=algorithm
        )
    with pytest.raises(ClientError) as wrong:
        s3.put_object(
            Bucket=BUCKET, Key=f"{branch}/md5", Body=b"sum", ContentMD5="AAAAAAAAAAAAAAAAAAAAAA=="
        )
    assert code_of(wrong) == "BadDigest"
    assert "md5" not in [item.path for item in repository.branch(branch).objects()]


@pytest.mark.tarn_only
def test_what_is_not_served_is_refused_by_name(s3: Any, branch: str) -> None:
    where = {"Bucket": BUCKET, "Key": f"{branch}/thing"}
    s3.put_object(**where, Body=b"untouched")
    for call in (
        lambda: s3.put_object_acl(**where, ACL="public-read"),
        lambda: s3.put_bucket_versioning(
            Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"}
        ),
        lambda: s3.put_bucket_policy(Bucket=BUCKET, Policy="{}"),
        lambda: s3.restore_object(**where, RestoreRequest={"Days": 1}),
    ):
        with pytest.raises(ClientError) as refused:
            call()
        assert status_of(refused) in (400, 405, 501), refused.value
    assert s3.get_object(**where)["Body"].read() == b"untouched"


def test_buckets_are_repositories(s3: Any, branch: str) -> None:
    assert BUCKET in [item["Name"] for item in s3.list_buckets()["Buckets"]]
    s3.head_bucket(Bucket=BUCKET)
    s3.get_bucket_location(Bucket=BUCKET)
    with pytest.raises(ClientError) as missing:
        s3.head_bucket(Bucket="no-such-repository")
    assert status_of(missing) == 404
    with pytest.raises(ClientError) as absent:
        s3.get_object(Bucket=BUCKET, Key="no-such-branch/key")
    assert status_of(absent) == 404


def test_virtual_host_style_reaches_the_same_repository(
    shared_server: ServerProcess, branch: str
) -> None:
    s3_client(shared_server).put_object(Bucket=BUCKET, Key=f"{branch}/vhost", Body=b"either way")
    host = f"{BUCKET}.s3.local.lakefs.io"
    s3 = s3_client(shared_server)
    s3.meta.events.register(
        "before-sign.s3.GetObject",
        lambda request, **_: request.headers.add_header("Host", host),
    )
    s3.meta.events.register(
        "before-sign.s3.GetObject",
        lambda request, **_: setattr(
            request, "url", request.url.replace(f"/{BUCKET}/{branch}", f"/{branch}")
        ),
    )
    got = s3.get_object(Bucket=BUCKET, Key=f"{branch}/vhost")
    assert got["Body"].read() == b"either way"


def test_s3fs_works_like_a_file_system(shared_server: ServerProcess, branch: str) -> None:
    fs = s3fs.S3FileSystem(
        key=ACCESS_KEY,
        secret=SECRET_KEY,
        endpoint_url=shared_server.url,
        client_kwargs={"region_name": REGION},
        skip_instance_cache=True,
        use_listings_cache=False,
    )
    base = f"{BUCKET}/{branch}"
    fs.pipe({f"{base}/a/{i}": b"%d" % i for i in range(12)})
    assert sorted(fs.ls(f"{base}/a", detail=False)) == sorted(f"{base}/a/{i}" for i in range(12))
    with fs.open(f"{base}/big", "wb", block_size=PART_BYTES) as out:
        out.write(b"q" * (2 * PART_BYTES + 3))
    assert fs.info(f"{base}/big")["size"] == 2 * PART_BYTES + 3
    with fs.open(f"{base}/big", "rb") as source:
        source.seek(-3, os.SEEK_END)
        assert source.read() == b"qqq"
    fs.mv(f"{base}/a/1", f"{base}/b/1")
    fs.rm(f"{base}/a", recursive=True)
    assert fs.find(base) == [f"{base}/b/1", f"{base}/big"]


@pytest.mark.tarn_only
def test_pyarrow_reads_and_writes_datasets(shared_server: ServerProcess, branch: str) -> None:
    fs = pyarrow.fs.S3FileSystem(
        access_key=ACCESS_KEY,
        secret_key=SECRET_KEY,
        endpoint_override=shared_server.host,
        scheme="http",
        region=REGION,
    )
    table = pyarrow.table({"year": [2020, 2020, 2021], "n": [1, 2, 3]})
    pyarrow.parquet.write_to_dataset(
        table, f"{BUCKET}/{branch}/set", partition_cols=["year"], filesystem=fs
    )
    read = pyarrow.parquet.read_table(f"{BUCKET}/{branch}/set", filesystem=fs)
    assert sorted(read["n"].to_pylist()) == [1, 2, 3]
    with fs.open_output_stream(f"{BUCKET}/{branch}/stream") as out:
        out.write(b"z" * (6 << 20))
    assert fs.get_file_info(f"{BUCKET}/{branch}/stream").size == 6 << 20
    with fs.open_input_file(f"{BUCKET}/{branch}/stream") as source:
        assert source.read_at(4, 1 << 20) == b"zzzz"
    fs.delete_file(f"{BUCKET}/{branch}/stream")
    assert fs.get_file_info(f"{BUCKET}/{branch}/stream").type == pyarrow.fs.FileType.NotFound


def aws_program() -> Path:
    return Path(os.environ.get("TARN_AWS_CLI", ROOT / "build" / "venv-aws" / "bin" / "aws"))


@pytest.mark.skipif(not aws_program().exists(), reason=f"{aws_program()} is not installed")
def test_aws_cli_copies_lists_syncs_and_removes(
    shared_server: ServerProcess, branch: str, tmp_path: Path
) -> None:
    environment = os.environ | {
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_ENDPOINT_URL": shared_server.url,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
    }

    def aws(*words: str) -> str:
        done = subprocess.run(
            [str(aws_program()), *words],
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    source = tmp_path / "source"
    (source / "deep").mkdir(parents=True)
    (source / "one.txt").write_bytes(b"one")
    (source / "deep" / "large").write_bytes(os.urandom(9 << 20))
    base = f"s3://{BUCKET}/{branch}"
    aws("s3", "sync", str(source), base)
    assert "deep/large" in aws("s3", "ls", f"{base}/", "--recursive")
    aws("s3", "cp", f"{base}/", str(tmp_path / "back"), "--recursive")
    for name in ("one.txt", "deep/large"):
        assert (tmp_path / "back" / name).read_bytes() == (source / name).read_bytes()
    url = aws("s3", "presign", f"{base}/one.txt").strip()
    assert requests.get(url, timeout=20).content == b"one"
    aws("s3", "rm", base, "--recursive")
    listing = ["--bucket", BUCKET, "--prefix", f"{branch}/", "--query", "Contents"]
    assert aws("s3api", "list-objects-v2", *listing).strip() == "null"
