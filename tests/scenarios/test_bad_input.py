"""Bad input of any kind: the protocol's own error, nothing changed, and the server lives on."""

from __future__ import annotations

import base64
import json
import socket
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from clients import REGION, create_repository
from server_process import ACCESS_KEY, SECRET_KEY, ServerProcess

# The reference takes several of these as good, or answers 500: defects that are not copied.
pytestmark = pytest.mark.tarn_only

REPO = "robust"
BRANCH = f"/repositories/{REPO}/branches/main"
REFS = f"/repositories/{REPO}/refs"
JSON = {"Content-Type": "application/json"}
OCTETS = {"Content-Type": "application/octet-stream"}
DEEP = b"[" * 20_000
MIB = 1 << 20
XML_BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">'
    b'<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    b"<Delete><Object><Key>&b;&x;</Key></Object></Delete>"
)
MANY_KEYS = b"<Delete>" + b"<Object><Key>main/a</Key></Object>" * 1001 + b"</Delete>"


@dataclass
class Case:
    name: str
    method: str
    path: str
    statuses: tuple[int, ...]
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    params: dict[str, str] = field(default_factory=dict)


def document(value: Any) -> bytes:
    return json.dumps(value).encode()


REST_CASES = [
    Case("half a document", "POST", "/repositories", (400,), b"{", JSON),
    Case("an array for an object", "POST", "/repositories", (400,), b"[]", JSON),
    Case("no body", "POST", "/repositories", (400,), b"", JSON),
    Case("deep nesting", "POST", "/repositories", (400,), DEEP, JSON),
    Case("bytes that are not UTF-8", "POST", "/repositories", (400,), b'{"name":"\xff\xfe"}', JSON),
    Case("a number for a name", "POST", "/repositories", (400,),
         document({"name": 5, "storage_namespace": "local://x"}), JSON),
    Case("a name with capitals and blanks", "POST", "/repositories", (400,),
         document({"name": "Bad Name", "storage_namespace": "local://x"}), JSON),
    Case("a namespace that climbs", "POST", "/repositories", (400,),
         document({"name": "climbs", "storage_namespace": "local://../../etc"}), JSON),
    Case("a namespace of another store", "POST", "/repositories", (400,),
         document({"name": "elsewhere", "storage_namespace": "s3://bucket/x"}), JSON),
    Case("a namespace in use", "POST", "/repositories", (400,),
         document({"name": "again", "storage_namespace": f"local://{REPO}"}), JSON),
    Case("too large a document", "POST", "/repositories", (413,), b" " * (17 * MIB), JSON),
    Case("a branch that climbs", "POST", f"/repositories/{REPO}/branches", (400,),
         document({"name": "../x", "source": "main"}), JSON),
    Case("a branch of nothing", "POST", f"/repositories/{REPO}/branches", (404,),
         document({"name": "x", "source": "no-such"}), JSON),
    Case("a page of abc", "GET", f"{REFS}/main/objects/ls", (400,), params={"amount": "abc"}),
    Case("a flag of maybe", "GET", f"{REFS}/main/objects/stat", (400,),
         params={"path": "kept", "presign": "maybe"}),
    Case("no path", "GET", f"{REFS}/main/objects", (400,)),
    Case("a path outside", "GET", f"{REFS}/main/objects", (404,),
         params={"path": "../../../../etc/passwd"}),
    Case("a path with a zero byte", "GET", f"{REFS}/main/objects", (400, 404),
         params={"path": "a\0b"}),
    Case("an ancestor too far", "GET", f"{REFS}/main~9999999999999999999/objects/ls", (400, 404)),
    Case("an ancestor beyond the first", "GET", f"{REFS}/main~1000/objects/ls", (400, 404)),
    Case("a reference of signs", "GET", f"{REFS}/~^@$/objects/ls", (400, 404)),
    Case("an unknown reference", "GET", f"{REFS}/no-such/objects/ls", (404,)),
    Case("an unknown repository", "GET", "/repositories/no-such", (404,)),
    Case("an unknown path", "GET", "/no/such/thing", (404,)),
    Case("a key as long as a book", "POST", f"{BRANCH}/objects", (400,), b"x", OCTETS,
         {"path": "k" * 5000}),
    Case("an upload without a path", "POST", f"{BRANCH}/objects", (400,), b"x", OCTETS),
    Case("a form without a boundary", "POST", f"{BRANCH}/objects", (400,), b"--x\r\n",
         {"Content-Type": "multipart/form-data"}, {"path": "a"}),
    Case("a form that breaks off", "POST", f"{BRANCH}/objects", (400,),
         b'--x\r\nContent-Disposition: form-data; name="content"\r\n\r\nabc',
         {"Content-Type": "multipart/form-data; boundary=x"}, {"path": "a"}),
    Case("a commit of nothing", "POST", f"{BRANCH}/commits", (400,),
         document({"message": "empty"}), JSON),
    Case("metadata of numbers", "POST", f"{BRANCH}/commits", (400,),
         document({"message": "x", "metadata": {"a": 1}}), JSON),
    Case("a merge by coin", "POST", f"{REFS}/main/merge/main", (400,),
         document({"strategy": "coin"}), JSON),
    Case("a merge into nothing", "POST", f"{REFS}/main/merge/no-such", (404,), b"{}", JSON),
    Case("a revert of nothing", "POST", f"{BRANCH}/revert", (400, 404),
         document({"ref": "no-such", "parent_number": 0}), JSON),
    Case("a reset of what", "PUT", BRANCH, (400,), document({"type": "what"}), JSON),
    Case("an address outside the namespace", "PUT", f"{BRANCH}/objects", (400,),
         document({"physical_address": "local:///etc/passwd", "checksum": "0" * 32,
                   "size_bytes": 1}), JSON, {"path": "stolen"}),
    Case("an address that climbs", "PUT", f"{BRANCH}/objects", (400,),
         document({"physical_address": f"local://{REPO}/../../../etc/passwd",
                   "checksum": "0" * 32, "size_bytes": 1}), JSON, {"path": "stolen"}),
    Case("a tag with blanks", "POST", f"/repositories/{REPO}/tags", (400,),
         document({"id": "a b", "ref": "main"}), JSON),
]  # fmt: skip

S3_CASES = [
    Case("a bulk delete that is no XML", "POST", f"/{REPO}?delete=", (400,), b"not xml"),
    Case("a bulk delete with entities", "POST", f"/{REPO}?delete=", (400,), XML_BOMB),
    Case("a bulk delete of too many", "POST", f"/{REPO}?delete=", (400,), MANY_KEYS),
    Case("a bulk delete without keys", "POST", f"/{REPO}?delete=", (400,), b"<Delete></Delete>"),
    Case("a wrong MD5", "PUT", f"/{REPO}/main/a", (400,), b"x",
         {"Content-MD5": base64.b64encode(b"\0" * 16).decode()}),
    Case("an MD5 that is none", "PUT", f"/{REPO}/main/a", (400,), b"x", {"Content-MD5": "%%%"}),
    Case("a wrong CRC32", "PUT", f"/{REPO}/main/a", (400,), b"x",
         {"x-amz-checksum-crc32": "AAAAAA=="}),
    Case("a part number of zero", "PUT", f"/{REPO}/main/a?partNumber=0&uploadId=u", (400, 404)),
    Case("a part number of abc", "PUT", f"/{REPO}/main/a?partNumber=abc&uploadId=u", (400,)),
    Case("a part number too high", "PUT", f"/{REPO}/main/a?partNumber=10001&uploadId=u", (400,)),
    Case("completing no upload", "POST", f"/{REPO}/main/a?uploadId=none", (404,),
         b"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>x</ETag></Part>"
         b"</CompleteMultipartUpload>"),
    Case("completing with nonsense", "POST", f"/{REPO}/main/a?uploadId=none", (400, 404), b"<<<"),
    Case("a copy from nowhere", "PUT", f"/{REPO}/main/a", (400, 404),
         headers={"x-amz-copy-source": "nowhere"}),
    Case("a copy that climbs", "PUT", f"/{REPO}/main/a", (400, 404),
         headers={"x-amz-copy-source": f"/{REPO}/main/../../../etc/passwd"}),
    Case("a page of abc", "GET", f"/{REPO}?list-type=2&max-keys=abc", (400,)),
    Case("a page of minus one", "GET", f"/{REPO}?list-type=2&max-keys=-1", (400,)),
    Case("a token that is none", "GET", f"/{REPO}?list-type=2&continuation-token=%21", (400,)),
    Case("an unknown encoding", "GET", f"/{REPO}?encoding-type=rot13", (400,)),
    Case("a range outside", "GET", f"/{REPO}/main/kept", (416,), headers={"Range": "bytes=99-"}),
    Case("writing to a commit", "PUT", f"/{REPO}/main~0/a", (400, 403, 404, 405), b"x"),
    Case("an unknown branch", "PUT", f"/{REPO}/no-such/a", (404,), b"x"),
    Case("an unknown repository", "GET", "/no-such/main/a", (404,)),
    Case("a bucket name that is none", "GET", "/UPPER_case", (400, 404)),
    Case("an unknown sub-resource", "GET", f"/{REPO}/main/kept?torrent=", (400, 501)),
    Case("an unknown method", "PATCH", f"/{REPO}/main/kept", (400, 405, 501), b"x"),
]  # fmt: skip

RAW_CASES = {
    "no HTTP at all": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 hello\r\n\r\n",
    "a line of noise": b"\xff\xfe\xfd\r\n\r\n",
    "a negative length": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
    "two lengths": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n"
    b"Content-Length: 2\r\n\r\nab",
    "length and chunks": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a folded header": b"GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n folded\r\n\r\n",
    "a blank in a name": b"GET / HTTP/1.1\r\nHost: a\r\nX : 1\r\n\r\n",
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "an unknown coding": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n",
}


@pytest.fixture(scope="module")
def target(shared_server: ServerProcess) -> ServerProcess:
    main = create_repository(shared_server, REPO).branch("main")
    main.object("kept").upload(b"kept")
    main.commit("kept")
    return shared_server


@pytest.fixture(autouse=True)
def nothing_changed(target: ServerProcess) -> Iterator[None]:
    """The case leaves one repository with one committed object, and a healthy server."""
    yield
    assert target.is_healthy()
    api = f"{target.url}/api/v1/repositories"
    with requests.Session() as session:
        session.auth = (ACCESS_KEY, SECRET_KEY)
        repositories = session.get(api, timeout=10).json()["results"]
        objects = session.get(f"{api}/{REPO}/refs/main/objects/ls", timeout=10).json()["results"]
        staged = session.get(f"{api}/{REPO}/branches/main/diff", timeout=10).json()["results"]
        branches = session.get(f"{api}/{REPO}/branches", timeout=10).json()["results"]
    assert [item["id"] for item in repositories] == [REPO]
    assert [item["path"] for item in objects] == ["kept"]
    assert [item["id"] for item in branches] == ["main"]
    assert staged == []


def assert_rest_error(answer: requests.Response, statuses: tuple[int, ...]) -> None:
    assert answer.status_code in statuses, f"{answer.status_code}: {answer.text[:500]}"
    assert answer.headers["Content-Type"].startswith("application/json")
    message = answer.json()["message"]
    assert message and "src/" not in message and ".cc:" not in message


def assert_s3_error(answer: requests.Response, statuses: tuple[int, ...]) -> None:
    assert answer.status_code in statuses, f"{answer.status_code}: {answer.text[:500]}"
    root = ElementTree.fromstring(answer.content)
    assert root.tag == "Error"
    assert root.findtext("Code") and root.findtext("RequestId")
    assert "root:" not in answer.text


@pytest.mark.parametrize("case", REST_CASES, ids=lambda case: case.name)
def test_the_api_explains(target: ServerProcess, case: Case) -> None:
    answer = requests.request(
        case.method,
        f"{target.url}/api/v1{case.path}",
        params=case.params,
        headers=case.headers,
        data=case.body,
        auth=(ACCESS_KEY, SECRET_KEY),
        timeout=30,
    )
    assert_rest_error(answer, case.statuses)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Basic !!!"},
        {"Authorization": "Basic " + base64.b64encode(b"no colon").decode()},
        {"Authorization": "Basic " + base64.b64encode(b"who:what").decode()},
        {"Authorization": "Bearer a.b.c"},
        {"Authorization": "Bearer"},
        {"Cookie": "internal_auth_session=nonsense"},
    ],
    ids=["none", "no base64", "no colon", "unknown key", "bad token", "empty token", "bad cookie"],
)
def test_the_api_refuses_strangers(target: ServerProcess, headers: dict[str, str]) -> None:
    answer = requests.get(f"{target.url}/api/v1/repositories", headers=headers, timeout=10)
    assert_rest_error(answer, (401,))


def send_signed(
    target: ServerProcess,
    method: str,
    path: str,
    body: bytes = b"",
    headers: dict[str, str] | None = None,
    secret: str = SECRET_KEY,
    key: str = ACCESS_KEY,
) -> requests.Response:
    request = AWSRequest(method, f"{target.url}{path}", headers=headers or {}, data=body)
    S3SigV4Auth(Credentials(key, secret), "s3", REGION).add_auth(request)
    prepared = request.prepare()
    return requests.request(
        method, prepared.url, headers=dict(prepared.headers), data=body, timeout=30
    )


@pytest.mark.parametrize("case", S3_CASES, ids=lambda case: case.name)
def test_s3_explains(target: ServerProcess, case: Case) -> None:
    answer = send_signed(target, case.method, case.path, case.body, case.headers)
    assert_s3_error(answer, case.statuses)


def test_s3_refuses_a_wrong_secret_an_unknown_key_and_no_signature(target: ServerProcess) -> None:
    path = f"/{REPO}/main/stolen"
    wrong = send_signed(target, "PUT", path, b"x", secret="wrong")
    assert_s3_error(wrong, (403,))
    assert "SignatureDoesNotMatch" in wrong.text
    unknown = send_signed(target, "PUT", path, b"x", key="AKIANOBODY")
    assert_s3_error(unknown, (403,))
    assert "InvalidAccessKeyId" in unknown.text
    broken = {"Authorization": "AWS4-HMAC-SHA256 Credential=x, Signature=y"}
    answer = requests.put(f"{target.url}{path}", headers=broken, data=b"x", timeout=10)
    assert_s3_error(answer, (400, 403))


def test_s3_stores_nothing_when_the_body_is_not_the_one_that_was_signed(
    target: ServerProcess,
) -> None:
    request = AWSRequest("PUT", f"{target.url}/{REPO}/main/swapped", data=b"signed bytes")
    S3SigV4Auth(Credentials(ACCESS_KEY, SECRET_KEY), "s3", REGION).add_auth(request)
    headers = dict(request.prepare().headers) | {"X-Amz-Content-Sha256": "0" * 64}
    assert_s3_error(
        requests.put(request.url, headers=headers, data=b"signed bytes", timeout=10), (400, 403)
    )
    headers = dict(request.prepare().headers)
    assert_s3_error(
        requests.put(request.url, headers=headers, data=b"others bytes", timeout=10), (400, 403)
    )


@pytest.mark.parametrize("name", RAW_CASES)
def test_what_is_not_http_is_refused_and_the_connection_closed(
    target: ServerProcess, name: str
) -> None:
    with socket.create_connection(("127.0.0.1", target.port), timeout=10) as raw:
        raw.sendall(RAW_CASES[name])
        answer = b""
        while piece := raw.recv(65536):
            answer += piece
    status = int(answer.split(b" ", 2)[1]) if answer else 400
    assert 400 <= status < 500 or status in (501, 505), answer[:300]


def test_an_upload_that_breaks_off_stores_nothing(target: ServerProcess) -> None:
    token = base64.b64encode(f"{ACCESS_KEY}:{SECRET_KEY}".encode()).decode()
    with socket.create_connection(("127.0.0.1", target.port), timeout=10) as raw:
        raw.sendall(
            f"POST /api/v1{BRANCH}/objects?path=half HTTP/1.1\r\nHost: a\r\n"
            f"Authorization: Basic {token}\r\nContent-Type: application/octet-stream\r\n"
            f"Content-Length: 1000000\r\n\r\n".encode()
        )
        raw.sendall(b"x" * 5000)
        raw.shutdown(socket.SHUT_WR)
        while raw.recv(65536):
            pass
