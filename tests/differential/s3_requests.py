"""Random requests of the S3 gateway, signed by botocore."""

import base64
import hashlib
import random
import re
import urllib.parse
import xml.etree.ElementTree as ElementTree
from typing import Any

from . import names
from .ops import Op

try:
    from botocore.auth import S3SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials
except ImportError:  # said by available()
    S3SigV4Auth = None

KEYS = ["a", "a/", "a/b", "a/b/", "a/b/c", "a0", "aa", "b", "b/x", "c.txt", "dir/one", "dir/two", "dir/sub/one", "z/z/z"]
ODD_KEYS = ["/", "/a", "//", "a//b", "a b", "a+b", "a%2Fb", "%", "ä/ö", "日本/語", "..", "a/../b", "./x", "a&b<c>", "\"q\"", "?q", "#h", " ", "~", "x" * 1000, "é" * 500, "a,b;c=d", "*", "\U0001f600"]
VOLATILE = {"RequestId", "HostId", "LastModified", "CreationDate", "UploadId", "Initiated", "Owner", "Initiator", "NextContinuationToken", "ContinuationToken", "Message", "Resource", "Location", "NextKeyMarker",
            "NextUploadIdMarker"}
# What one of the two leaves out of a listing although S3 has it, or echoes differently.
OURS = {"EncodingType", "StartAfter", "KeyCount", "MaxKeys", "Owner", "NextMarker"}


def without(child):
    return [child[0], [c for c in child[1] if c[0] not in OURS]] if child[0] == "Contents" else child


def available() -> bool:
    return S3SigV4Auth is not None


def sign(line, method: str, target: str, headers: list[tuple[str, str]], body: bytes | None):
    """The same request with botocore's signature: host, date and payload hash included."""
    request = AWSRequest(method=method, url=f"http://127.0.0.1:{line.port}{target}", data=body or b"", headers=dict(headers))
    request.context["payload_signing_enabled"] = True
    S3SigV4Auth(Credentials(line.key, line.secret), "s3", "us-east-1").add_auth(request)
    signed = [("Host", f"127.0.0.1:{line.port}")]
    signed += [(k, v) for k, v in request.headers.items() if k.lower() != "host"]
    return method, target, signed, body


def parse(body: bytes) -> Any:
    """An XML answer as (name, text or children), without namespaces and what is volatile; repeated children stay in order."""
    def tree(node):
        name = re.sub(r"^\{.*\}", "", node.tag)
        if name in VOLATILE:
            return [name, "*"]
        children = [tree(child) for child in node]
        return [name, sorted(children, key=lambda c: c[0])] if children else [name, node.text or ""]
    root = ElementTree.fromstring(body)
    encoded = any(node.tag.endswith("}EncodingType") or node.tag == "EncodingType" for node in root)
    if encoded:
        for node in root.iter():
            if re.sub(r"^\{.*\}", "", node.tag) in ("Key", "Prefix", "Delimiter", "Marker", "NextMarker") and node.text:
                node.text = urllib.parse.unquote(node.text)
    kind, content = tree(root)
    if kind == "ListBucketResult":
        content = [without(c) for c in content if c[0] not in OURS]
    if kind == "Error" and isinstance(content, list):
        content = [c for c in content if c[0] == "Code"]  # the other elements are Tarn's own (spec A3.3)
    return [kind, content]


class S3Requests:
    def __init__(self, seed: int, blockstore: str):
        self.rng = random.Random(seed)
        self.scheme = blockstore
        self.uid = 0
        self.uploads: list[tuple[int, str]] = []
        self.parts: dict[int, list[tuple[int, int]]] = {}
        table = [(14, self.put), (10, self.get), (8, self.head), (16, self.list), (6, self.delete), (3, self.delete_many), (6, self.copy), (3, self.bucket), (4, self.create_upload), (6, self.upload_part),
                 (3, self.complete), (1, self.abort), (1, self.list_parts), (1, self.list_uploads), (1, self.sub_resource), (3, self.commit)]
        self.weights = [w for w, _ in table]
        self.makers = [m for _, m in table]

    def session(self, steps: int) -> list[Op]:
        ops = [self.rest("createRepository", "POST", ["repositories"], {"name": "<<r>>", "storage_namespace": f"{self.scheme}://<<r>>"}),
               self.put("main"), self.put("main"), self.commit("main"),
               self.rest("createBranch", "POST", ["repositories", "<<r>>", "branches"], {"name": "dev", "source": "main"}),
               self.rest("createTag", "POST", ["repositories", "<<r>>", "tags"], {"id": "v1.0", "ref": "main"})]
        while len(ops) < steps:
            ops.append(self.rng.choices(self.makers, self.weights)[0]())
        for ref in ("main", "dev", "v1.0"):
            ops.append(self.s3("ListObjectsV2", "GET", ["<<r>>"], query=[("list-type", "2"), ("prefix", ref + "/")]))
            ops.append(self.rest("listObjects", "GET", ["repositories", "<<r>>", "refs", ref, "objects", "ls"]))
        return ops

    def rest(self, name, method, path, json=None) -> Op:
        self.uid += 1
        return Op(self.uid, name, method, path, json=json)

    def s3(self, name, method, path, **rest) -> Op:
        self.uid += 1
        return Op(self.uid, name, method, path, api=False, signed=True, **rest)

    def chance(self, p: float) -> bool:
        return self.rng.random() < p

    def pick(self, pool):
        return self.rng.choice(pool)

    def bucket_name(self) -> str:
        return "<<r>>" if self.chance(0.98) else self.pick(["nobody", "api", "UPPER", "a", "a.b"])

    def ref(self, write: bool) -> str:
        if self.chance(0.05):
            return self.pick(["nobody", "main~1", "main@", "main$", "v1.0", "-x", "a b", "é"])
        return self.pick(["main", "main", "dev"] if write else ["main", "dev", "v1.0", "main@", "main~1"])

    def key(self, write: bool) -> list[str]:
        """As path segments, so that slashes inside a key stay slashes."""
        if self.chance(0.02):
            return self.pick([["main"], ["main", ""], ["", "x"], ["dev"]])
        path = self.pick(ODD_KEYS) if self.chance(0.2) else self.pick(KEYS)
        if self.chance(0.01):
            path = "x" * 1025
        return [self.ref(write), *path.split("/")]

    def at(self, key: list[str]) -> list[str]:
        return [self.bucket_name(), *key]

    def metadata(self) -> list[tuple[str, str]]:
        return self.pick([[], [], [("x-amz-meta-k", "v")], [("X-Amz-Meta-Mixed-Case", "V w")], [("x-amz-meta-a", "1"), ("x-amz-meta-b", "2")]])

    def put(self, ref=None) -> Op:
        data = self.pick(names.BODIES)
        headers = self.metadata()
        if self.chance(0.5):
            headers = [*headers, ("Content-Type", self.pick(["text/plain", "image/png", "text/html; charset=utf-8"]))]
        if self.chance(0.1):
            headers = [*headers, ("If-None-Match", self.pick(["*", "*", "\"x\""]))]
        if self.chance(0.1):
            digest = hashlib.md5(data).digest() if self.chance(0.8) else b"0" * 16
            headers = [*headers, ("Content-MD5", base64.b64encode(digest).decode())]
        if self.chance(0.05):
            headers = [*headers, ("x-amz-storage-class", self.pick(["STANDARD", "GLACIER"]))]
        key = [ref, *self.pick(KEYS).split("/")] if ref else self.key(True)
        return self.s3("PutObject", "PUT", ["<<r>>", *key] if ref else self.at(key), headers=headers, data=data)

    def conditions(self) -> list[tuple[str, str]]:
        headers = []
        if self.chance(0.25):
            headers.append(("Range", self.pick(names.RANGES)))
        if self.chance(0.15):
            headers.append((self.pick(["If-None-Match", "If-Match"]), self.pick(["*", "\"9dd4e461268c8034f5c8564e155c67a6\"", "9dd4e461268c8034f5c8564e155c67a6", "\"x\"", "\"x\", \"9dd4e461268c8034f5c8564e155c67a6\""])))
        if self.chance(0.08):
            headers.append((self.pick(["If-Modified-Since", "If-Unmodified-Since"]), self.pick(["Mon, 01 Jan 2001 00:00:00 GMT", "Fri, 01 Jan 2100 00:00:00 GMT", "soon"])))
        return headers

    def get(self) -> Op:
        query = [("response-content-type", "x/y")] if self.chance(0.03) else []
        return self.s3("GetObject", "GET", self.at(self.key(False)), headers=self.conditions(), query=query)

    def head(self) -> Op:
        return self.s3("HeadObject", "HEAD", self.at(self.key(False)), headers=self.conditions())

    def list(self) -> Op:
        ref = self.ref(False)
        prefix = self.pick([ref + "/" + self.pick(["", "", "a", "a/", "a/b", "dir", "dir/", "dir/s", "z", "nothing", "ä", "/"]), ref + "/", "", ref, "m", None])
        query: list[tuple[str, Any]] = []
        second = self.chance(0.6)
        if second:
            query.append(("list-type", "2"))
        if prefix is not None:
            query.append(("prefix", prefix))
        if self.chance(0.6):
            query.append(("delimiter", self.pick(["/", "/", "/", "b", ""])))
        if self.chance(0.4):
            query.append(("max-keys", self.pick([1, 2, 3, 0, 1000, 1001, -1, "x", 5])))
        if self.chance(0.25):
            query.append(("start-after" if second else "marker", ref + "/" + self.pick(["a", "a/", "a/b", "dir/", "dir/one", "zz", ""])))
        if self.chance(0.2):
            query.append(("encoding-type", self.pick(["url", "url", "xml"])))
        if second and self.chance(0.1):
            query.append(("fetch-owner", "true"))
        return self.s3("ListObjectsV2" if second else "ListObjects", "GET", [self.bucket_name()], query=query)

    def delete(self) -> Op:
        return self.s3("DeleteObject", "DELETE", self.at(self.key(True)))

    def delete_many(self) -> Op:
        from xml.sax.saxutils import escape
        keys = ["/".join(self.key(True)) for _ in range(self.pick([1, 2, 4]))]
        quiet = "<Quiet>true</Quiet>" if self.chance(0.3) else ""
        data = ("<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">" + quiet + "".join(f"<Object><Key>{escape(k)}</Key></Object>" for k in keys) + "</Delete>").encode()
        if self.chance(0.05):
            data = self.pick([b"", b"<Delete>", b"<Delete></Delete>", b"junk"])
        return self.s3("DeleteObjects", "POST", [self.bucket_name()], query=[("delete", "")], data=data, headers=[("Content-MD5", base64.b64encode(hashlib.md5(data).digest()).decode())])

    def copy(self) -> Op:
        source = "/<<r>>/" if self.chance(0.5) else "<<r>>/"
        source += urllib.parse.quote("/".join(self.key(False)), safe="/-_.~")
        headers = [("x-amz-copy-source", source)]
        if self.chance(0.3):
            headers += [("x-amz-metadata-directive", self.pick(["REPLACE", "COPY", "x"])), *self.metadata()]
        if self.chance(0.1):
            headers.append((self.pick(["x-amz-copy-source-if-match", "x-amz-copy-source-if-none-match"]), self.pick(["\"x\"", "*", "\"9dd4e461268c8034f5c8564e155c67a6\""])))
        return self.s3("CopyObject", "PUT", self.at(self.key(True)), headers=headers)

    def bucket(self) -> Op:
        kind = self.rng.randrange(6)
        if kind == 0:
            return self.s3("HeadBucket", "HEAD", [self.bucket_name()])
        if kind == 1:
            return self.s3("GetBucketLocation", "GET", [self.bucket_name()], query=[("location", "")])
        if kind == 2:
            return self.s3("GetBucketVersioning", "GET", [self.bucket_name()], query=[("versioning", "")])
        if kind == 3:
            return self.s3("ListBuckets", "GET", [""], query=[("prefix", "<<r>>")])
        if kind == 4:
            return self.s3("CreateBucket", "PUT", ["<<r>>"])
        return self.s3("DeleteBucket", "DELETE", ["<<r>>"])

    def sub_resource(self) -> Op:
        if self.chance(0.5):
            return self.s3("BucketSubResource", "GET", ["<<r>>"], query=[(self.pick(["acl", "policy", "cors", "tagging", "lifecycle", "encryption", "website", "versions", "notification", "replication", "object-lock", "logging"]), "")])
        return self.s3("ObjectSubResource", self.pick(["GET", "PUT"]), ["<<r>>", *self.key(True)], query=[(self.pick(["acl", "tagging", "retention", "legal-hold", "torrent", "attributes"]), "")], data=b"")

    def create_upload(self) -> Op:
        key = self.key(True)
        made = self.s3("CreateMultipartUpload", "POST", ["<<r>>", *key], query=[("uploads", "")], headers=self.metadata() + ([("Content-Type", "text/css")] if self.chance(0.5) else []))
        self.uploads.append((made.uid, key))
        self.parts[made.uid] = []
        return made

    def upload(self):
        if not self.uploads:
            return None
        uid, key = self.pick(self.uploads)
        return uid, (key if self.chance(0.95) else self.key(True))

    def upload_part(self) -> Op:
        found = self.upload()
        if found is None:
            return self.create_upload()
        uid, key = found
        number = self.pick([1, 1, 2, 2, 3]) if self.chance(0.95) else self.pick([0, 10001, -1, "x"])
        upload = f"<<u:{uid}>>" if self.chance(0.96) else "nothing"
        made = self.s3("UploadPart", "PUT", ["<<r>>", *key], query=[("partNumber", number), ("uploadId", upload)], data=self.pick(names.BODIES))
        if isinstance(number, int) and 0 < number <= 10000:
            self.parts[uid].append((number, made.uid))
        return made

    def complete(self) -> Op:
        found = self.upload()
        if found is None:
            return self.create_upload()
        uid, key = found
        last = dict(self.parts[uid])
        listed = sorted(last.items())
        if self.chance(0.1):
            listed = self.pick([[], listed[::-1], listed[:1], [*listed, (9, 1)]])
        data = "<CompleteMultipartUpload>" + "".join(f"<Part><PartNumber>{n}</PartNumber><ETag>\"{{{{e:{u}}}}}\"</ETag></Part>" for n, u in listed) + "</CompleteMultipartUpload>"
        made = self.s3("CompleteMultipartUpload", "POST", ["<<r>>", *key], query=[("uploadId", f"<<u:{uid}>>")], data=data.encode())
        return made

    def abort(self) -> Op:
        found = self.upload()
        if found is None:
            return self.create_upload()
        return self.s3("AbortMultipartUpload", "DELETE", ["<<r>>", *found[1]], query=[("uploadId", f"<<u:{found[0]}>>" if self.chance(0.8) else "nothing")])

    def list_parts(self) -> Op:
        found = self.upload()
        if found is None:
            return self.create_upload()
        return self.s3("ListParts", "GET", ["<<r>>", *found[1]], query=[("uploadId", f"<<u:{found[0]}>>"), *([("max-parts", 1)] if self.chance(0.3) else [])])

    def list_uploads(self) -> Op:
        return self.s3("ListMultipartUploads", "GET", ["<<r>>"], query=[("uploads", ""), *([("max-uploads", self.pick([1, 2]))] if self.chance(0.3) else [])])

    def commit(self, ref=None) -> Op:
        return self.rest("commit", "POST", ["repositories", "<<r>>", "branches", ref or self.pick(["main", "dev"]), "commits"], {"message": "m", "date": 1_600_000_000 + self.uid})
