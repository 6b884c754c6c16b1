"""Takes out of an answer what may differ between two servers: fresh ids, the present time, addresses."""

import email.utils
import hashlib
import json
import re
import time
import urllib.parse
import xml.etree.ElementTree as ElementTree
from typing import Any

HEX64 = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
PRESIGNED = re.compile(r"http://127\.0\.0\.1:\d+/[^\s\"?]*\?[^\s\"]*X-Amz-Signature=[^\s\"]*")
FRESH_ADDRESS = re.compile(r"data/[0-9a-v]{20}/[0-9a-v]{20}(,[\w=-]+)?")
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
SERVICE_IDS = re.compile(r"RequestID: \S*, HostID: \S*,")
RUN = re.compile(r"run id '[0-9a-v]{20}'")
PREFIX = re.compile(r"(?<![0-9a-f])[0-9a-f]{10,63}(?![0-9a-f])")
TIMES = {"creation_date", "mtime", "physical_address_expiry", "presigned_url_expiry", "token_expiration"}
SECONDS_ARE_NOW = 6 * 3600  # as long as a sweep may take; dates of our own choice are years ago
UNORDERED = ("getBranchProtectionRules", "internalGetBranchProtectionRules")  # the reference keeps them in a map
HEADERS = ("content-type", "etag", "last-modified", "content-range", "accept-ranges", "cache-control", "expires",
           "content-disposition", "x-content-type-options", "x-frame-options", "content-security-policy", "location")
S3_HEADERS = {"etag", "content-length", "content-range", "content-type", "accept-ranges", "last-modified", "cache-control", "content-disposition"}


class Normal:
    """One side's view. `ids` says what becomes of 64-hex ids: "exact" keeps them (nothing in this history depends on a
    clock), "named" replaces each by the order in which it was first seen, so that equal histories give equal answers,
    "masked" makes them all one (where not even two references agree on which are equal)."""

    def __init__(self, ids: str, directory: str):
        self.mode = ids
        self.directory = directory
        self.ids: dict[str, str] = {}

    def text(self, text: str) -> str:
        text = text.replace(self.directory, "<dir>")
        text = text.split("\nSchema:")[0]
        text = PRESIGNED.sub(lambda m: self.url(m.group(0)), text)
        text = FRESH_ADDRESS.sub(lambda m: "data/<part>/<id>" + (",<sig>" if m.group(1) else ""), text)
        text = SERVICE_IDS.sub("<ids of the service>", text)
        text = UUID.sub("<uuid>", text)
        text = RUN.sub("run id '<run>'", text)
        if self.mode == "masked":
            text = PREFIX.sub("<id>", HEX64.sub("<id>", text))
        elif self.mode == "named":
            text = HEX64.sub(lambda m: self.ids.setdefault(m.group(0), f"<id {len(self.ids)}>"), text)
            text = PREFIX.sub(self._prefix, text)
        return text

    @staticmethod
    def url(url: str) -> str:
        """What it is for, without the signature and in one order; the servers' stores have ports of their own."""
        parts = urllib.parse.urlsplit(url)
        query = {k: v for k, v in urllib.parse.parse_qsl(parts.query) if k not in ("X-Amz-Signature", "X-Amz-Date", "X-Amz-Credential", "x-id")}
        if "uploadId" in query:
            query["uploadId"] = "<upload>"
        return f"<store>{urllib.parse.unquote(parts.path)}?{sorted(query.items())}"

    def _prefix(self, match: re.Match) -> str:
        for full, label in self.ids.items():
            if full.startswith(match.group(0)):
                return f"<{len(match.group(0))} of {label}>"
        return match.group(0)

    def tree(self, value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            return {self.text(k): self.tree(v, k) for k, v in sorted(value.items())}
        if isinstance(value, list):
            return [self.tree(v, key) for v in value]
        if key == "upload_id" and isinstance(value, str):
            return "<upload>"
        if isinstance(value, str):
            return self.text(value)
        if key in TIMES and isinstance(value, int) and abs(value - time.time()) < SECONDS_ARE_NOW:
            return "<now>"
        return value

    def headers(self, op, reply) -> dict[str, str]:
        kept = {name: self.text(reply.headers[name]) for name in HEADERS if name in reply.headers}
        if "last-modified" in kept:
            try:
                moment = email.utils.parsedate_to_datetime(kept["last-modified"]).timestamp()
                if abs(moment - time.time()) < SECONDS_ARE_NOW:
                    kept["last-modified"] = "<now>"
            except (ValueError, OverflowError):
                pass
        kept["x-request-id"] = "present" if "x-request-id" in reply.headers else "absent"
        if op.method == "HEAD" or op.name == "getObject":
            kept["content-length"] = reply.headers.get("content-length", "none") if reply.status < 300 else ""
        return kept

    def reply(self, op, reply) -> dict[str, Any]:
        if op.signed:
            return {"status": reply.status, "headers": self.s3_headers(op, reply), "body": self.s3_body(reply)}
        return {"status": reply.status, "headers": self.headers(op, reply), "body": self.body(op, reply)}

    def s3_headers(self, op, reply) -> dict[str, str]:
        if reply.status >= 300:
            return {}
        kept = {n: v for n, v in reply.headers.items() if n in S3_HEADERS or n.startswith("x-amz-meta-")}
        if op.name not in ("GetObject", "HeadObject"):
            kept = {"etag": kept["etag"]} if "etag" in kept else {}
        elif "last-modified" in kept:
            kept["last-modified"] = "<time>"
        return kept

    def s3_body(self, reply) -> Any:
        from .s3_requests import parse
        if reply.body.startswith((b"<?xml", b"<Error")):
            try:
                return parse(reply.body)
            except ElementTree.ParseError as problem:
                return f"bad XML: {problem}"
        try:
            return self.text(reply.body.decode())
        except UnicodeDecodeError:
            return reply.body.hex()

    def body(self, op, reply) -> Any:
        if reply.header("content-type") == "application/json":
            try:
                document = json.loads(reply.body)
                if op.name in UNORDERED and isinstance(document, list):
                    document.sort(key=json.dumps)
                return self.tree(document)
            except (ValueError, OverflowError):
                pass
        try:
            return self.text(reply.body.decode())
        except UnicodeDecodeError:
            return reply.body.hex()


def _digest(chunks: list) -> bytes:
    total = hashlib.sha256()
    for kind, value in chunks:
        total.update(_encode(kind, value))
    return total.digest()


def _size(number: int) -> bytes:
    return b"\x02\x08" + (number & (2**64 - 1)).to_bytes(8, "big")


def _encode(kind: str, value: Any) -> bytes:
    if kind == "string":
        raw = value.encode()
        return b"\x01" + _size(len(raw)) + raw
    if kind == "int":
        return _size(value)
    if kind == "list":
        return b"\x03" + _size(len(value)) + b"".join(_encode("string", v) for v in value)
    if kind == "map":
        pairs = sorted((k.encode(), k, v) for k, v in value.items())
        return b"\x04" + _size(len(pairs)) + b"".join(_encode("string", k) + _encode("string", v) for _, k, v in pairs)
    if kind == "digest":
        return b"\x05" + b"\x00" + _size(len(value)) + value
    raise AssertionError(kind)


def commit_id(commit: dict) -> str:
    """The id that a commit document must have, from its own fields."""
    parents = _digest([("list", commit["parents"])])
    return _digest([
        ("string", "commit:v1"), ("string", commit["committer"]), ("string", commit["message"]),
        ("string", commit["meta_range_id"]), ("int", commit["creation_date"]), ("map", commit["metadata"] or {}),
        ("digest", parents)]).hex()


def wrong_commit_ids(value: Any) -> list[str]:
    """Every commit document inside whose id is not the digest of its content."""
    if isinstance(value, list):
        return [w for v in value for w in wrong_commit_ids(v)]
    if not isinstance(value, dict):
        return []
    wrong = [w for v in value.values() for w in wrong_commit_ids(v)]
    if {"id", "parents", "meta_range_id", "committer"} <= value.keys() and commit_id(value) != value["id"]:
        wrong.append(value["id"])
    return wrong
