"""Requests as bytes, prepared before anything is timed: the API's with Basic credentials, S3's signed."""

import base64
import datetime
import hashlib
import hmac
import json
import pathlib
import struct
import urllib.parse
from dataclasses import dataclass

HEAD, UNMEASURED = 1, 2  # flags of load.cc
REGION = "us-east-1"


@dataclass(frozen=True)
class Keys:
    access_key_id: str
    secret_access_key: str

    def basic(self) -> str:
        pair = f"{self.access_key_id}:{self.secret_access_key}".encode()
        return "Basic " + base64.b64encode(pair).decode()


def quoted(text: str) -> str:
    return urllib.parse.quote(text, safe="")


def raw(method: str, target: str, headers: dict[str, str], body: bytes = b"") -> bytes:
    lines = [f"{method} {target} HTTP/1.1"] + [f"{k}: {v}" for k, v in headers.items()]
    if body or method in ("PUT", "POST"):
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class ApiRequests:
    """Builds requests as a generated SDK sends them."""

    def __init__(self, keys: Keys):
        self.headers = {
            "Host": "127.0.0.1:8000",
            "User-Agent": "OpenAPI-Generator/1.84.0/python",
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "Authorization": keys.basic(),
        }

    def __call__(self, method: str, at: str, body=None, /, **query) -> bytes:
        target = "/api/v1" + at + ("?" + urllib.parse.urlencode(query) if query else "")
        if body is None:
            return raw(method, target, self.headers)
        if isinstance(body, bytes):
            return raw(method, target, self.headers | {"Content-Type": "application/octet-stream"}, body)
        return raw(method, target, self.headers | {"Content-Type": "application/json"}, json.dumps(body).encode())

    def stage(self, repository: str, branch: str, key: str, address: str, size: int = 4096) -> bytes:
        return self(
            "PUT",
            f"/repositories/{repository}/branches/{branch}/objects",
            {
                "physical_address": address,
                "checksum": hashlib.md5(key.encode()).hexdigest(),
                "size_bytes": size,
                "mtime": 1_700_000_000,
                "content_type": "application/octet-stream",
            },
            path=key,
        )


class S3Requests:
    """Builds header-signed requests (SigV4) as an AWS SDK sends them."""

    def __init__(self, keys: Keys, port: int):
        self.keys = keys
        self.host = f"127.0.0.1:{port}"

    def __call__(self, method: str, bucket: str, key: str, body: bytes = b"", query: str = "") -> bytes:
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
        digest = hashlib.sha256(body).hexdigest()
        path = f"/{bucket}/{urllib.parse.quote(key)}"
        signed = {"host": self.host, "x-amz-content-sha256": digest, "x-amz-date": now}
        names = ";".join(signed)
        canonical = "\n".join([method, path, query, *(f"{k}:{v}" for k, v in signed.items()), "", names, digest])
        scope = f"{now[:8]}/{REGION}/s3/aws4_request"
        text = "\n".join(["AWS4-HMAC-SHA256", now, scope, hashlib.sha256(canonical.encode()).hexdigest()])
        key_bytes = b"AWS4" + self.keys.secret_access_key.encode()
        for part in scope.split("/"):
            key_bytes = hmac.new(key_bytes, part.encode(), hashlib.sha256).digest()
        signature = hmac.new(key_bytes, text.encode(), hashlib.sha256).hexdigest()
        headers = {
            "Host": self.host,
            "User-Agent": "Boto3/1.34.0 md/Botocore#1.34.0 ua/2.0 os/linux lang/python#3.11",
            "X-Amz-Date": now,
            "X-Amz-Content-SHA256": digest,
            "Authorization": f"AWS4-HMAC-SHA256 Credential={self.keys.access_key_id}/{scope}, "
            f"SignedHeaders={names}, Signature={signature}",
            "amz-sdk-invocation-id": "5b3a1b0e-7d7e-4f5c-9d57-1f5f0a4a2a77",
            "amz-sdk-request": "attempt=1",
        }
        if method == "PUT":
            headers["Content-Type"] = "binary/octet-stream"
        return raw(method, path + ("?" + query if query else ""), headers, body)


def write_requests(path: pathlib.Path, requests, flags=None) -> pathlib.Path:
    """`flags` is one number for all, or a function of the request's index."""
    with open(path, "wb") as out:
        for index, request in enumerate(requests):
            flag = flags(index) if callable(flags) else (flags or 0)
            out.write(struct.pack("<BI", flag, len(request)) + request)
    return path
