"""Large objects stream: the server's memory follows its configuration, not the object."""

from __future__ import annotations

import hashlib
import io
import os

import boto3.s3.transfer
import requests

from clients import create_repository, s3_client
from server_process import ACCESS_KEY, SECRET_KEY, ServerProcess

GIB = 1 << 30
TOTAL = int(float(os.environ.get("TARN_BIG_GIB", "1")) * GIB)
GROWTH_MAX = 64 << 20
BLOCK = hashlib.shake_256(b"tarn").digest(1 << 20)


class Pattern(io.RawIOBase):
    """`size` bytes, made as they are read: each MiB begins with its number."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self.at, io.SEEK_END: self.size}[whence]
        self.at = base + offset
        return self.at

    def tell(self) -> int:
        return self.at

    def __len__(self) -> int:
        return self.size

    def read(self, size: int | None = -1) -> bytes:
        wanted = self.size - self.at if size is None or size < 0 else size
        wanted = min(wanted, self.size - self.at)
        pieces = []
        while wanted > 0:
            number, offset = divmod(self.at, len(BLOCK))
            block = number.to_bytes(8, "big") + BLOCK[8:]
            piece = block[offset : offset + wanted]
            pieces.append(piece)
            self.at += len(piece)
            wanted -= len(piece)
        return b"".join(pieces)


def digest_of_pattern() -> str:
    digest = hashlib.md5()
    source = Pattern(TOTAL)
    while piece := source.read(1 << 20):
        digest.update(piece)
    return digest.hexdigest()


def digest_of_download(server: ServerProcess, path: str) -> tuple[int, str]:
    digest, size = hashlib.md5(), 0
    with requests.get(
        f"{server.url}/api/v1/repositories/big/refs/main/objects",
        params={"path": path},
        auth=(ACCESS_KEY, SECRET_KEY),
        stream=True,
        timeout=60,
    ) as answer:
        assert answer.status_code == 200
        for piece in answer.iter_content(1 << 20):
            digest.update(piece)
            size += len(piece)
    return size, digest.hexdigest()


def test_memory_stays_flat_while_a_large_object_goes_in_and_out(server: ServerProcess) -> None:
    create_repository(server, "big")
    s3 = s3_client(server)
    s3.put_object(Bucket="big", Key="main/warm", Body=Pattern(8 << 20))
    digest_of_download(server, "warm")
    before = server.resident_bytes()
    expected = digest_of_pattern()

    put = s3_client(server, request_checksum_calculation="when_required")
    answer = put.put_object(Bucket="big", Key="main/one-put", Body=Pattern(TOTAL))
    assert answer["ETag"].strip('"') == expected
    assert server.peak_resident_bytes() - before < GROWTH_MAX, "one put"
    assert digest_of_download(server, "one-put") == (TOTAL, expected)
    assert server.peak_resident_bytes() - before < GROWTH_MAX, "download"
    s3.delete_object(Bucket="big", Key="main/one-put")

    settings = boto3.s3.transfer.TransferConfig(multipart_chunksize=32 << 20, max_concurrency=4)
    s3.upload_fileobj(Pattern(TOTAL), "big", "main/in-parts", Config=settings)
    assert digest_of_download(server, "in-parts") == (TOTAL, expected)
    assert server.peak_resident_bytes() - before < GROWTH_MAX, "multipart"


def test_a_range_of_a_large_object_is_read_alone(server: ServerProcess) -> None:
    create_repository(server, "big")
    s3 = s3_client(server)
    size = 24 << 20
    s3.put_object(Bucket="big", Key="main/some", Body=Pattern(size))
    whole = Pattern(size).read()
    for first, last in ((0, 0), (12345, 9_999_999), (size - 7, size - 1)):
        answer = s3.get_object(Bucket="big", Key="main/some", Range=f"bytes={first}-{last}")
        assert answer["Body"].read() == whole[first : last + 1]
        assert answer["ContentRange"] == f"bytes {first}-{last}/{size}"
