"""Requests for URLs, and uploads in parts through them, where objects are in an S3 service."""

from . import names
from .ops import Op
from .rest_requests import RestRequests

RANGES = [None, None, "bytes=0-0", "bytes=0-1", "bytes=0-", "bytes=-1", "junk", ""]
PARTS = [None, 0, 1, 3, 10001, -1, "x"]


class PresignRequests(RestRequests):
    """Sources of copies are uploaded first: what nobody stored is no object to copy from, and services differ about it."""

    def __init__(self, seed: int):
        super().__init__(seed, clock=True, blockstore="s3")
        table = [(8, self.upload), (8, self.presigned_stat), (8, self.presigned_get), (8, self.presigned_list), (4, self.presigned_address), (4, self.link_handed_out),
                 (10, self.parts), (2, self.commit), (1, self.delete_object), (1, self.create_branch), (2, self.broken), (1, self.server_config), (1, self.head_object)]
        self.weights = [w for w, _ in table]
        self.makers = [m for _, m in table]

    def asks(self):
        return self.pick(["true", "true", "true", "false", None])

    def presigned_stat(self) -> Op:
        return self.op("statObject", "GET", self.repo("refs", self.branch(), "objects", "stat"), query=self.query(("path", self.path()), ("presign", self.asks())))

    def presigned_get(self) -> Op:
        made = self.get_object()
        made.query = [*((k, v) for k, v in made.query if k != "presign"), ("presign", "true")]
        return made

    def presigned_list(self) -> Op:
        made = self.list_objects()
        made.query = [*((k, v) for k, v in made.query if k != "presign"), ("presign", "true")]
        return made

    def presigned_address(self) -> Op:
        branch, path = self.branch(), self.pick(names.PATHS)
        made = self.op("getPhysicalAddress", "GET", self.repo("branches", branch, "staging", "backing"), query=self.query(("path", path), ("presign", self.asks())))
        self.addresses.append((made.uid, branch, path))
        return made

    def server_config(self) -> Op:
        return self.op("getLakeFSVersion", "GET", ["config", "version"])

    def part(self, where: list[str], number, path: str, address: str) -> Op:
        return self.op("uploadPart", "PUT", [*where, "parts", str(number)], query=[("path", path)], json={"physical_address": address})

    def parts(self) -> list[Op]:
        """An upload of one part, copied from an object, with detours."""
        branch, path = self.pick(["main", "main", "main", self.branch()]), self.pick(names.PATHS)
        source = self.op("uploadObject", "POST", self.repo("branches", "main", "objects"), query=[("path", f"source/{self.uid}")], data=self.pick(names.BODIES))
        begun = self.op("createPresignMultipartUpload", "POST", self.repo("branches", branch, "staging", "pmpu"), query=self.query(("path", path), ("parts", self.pick(PARTS))))
        where = [*self.repo("branches", branch, "staging", "pmpu"), f"<<u:{begun.uid}>>"]
        address = f"<<a:{begun.uid}>>"
        ops = [source, begun]
        if self.chance(0.5):
            ops.append(self.part(where, self.pick([1, 2, 0, 10000, 10001]), path, address))
        copied = {"repository": "<<r>>", "ref": "main", "path": source.query[0][1]}
        if (wanted := self.pick(RANGES)) is not None:
            copied["range"] = wanted
        if self.chance(0.15):
            copied[self.pick(["repository", "ref", "path"])] = self.pick(["", "a b", "unknown"])
        copy = self.op("uploadPartCopy", "PUT", [*where, "parts", "1", "copy"], query=[("path", path)], json={"physical_address": address, "copy_source": copied})
        whole = self.op("uploadPartCopy", "PUT", [*where, "parts", "1", "copy"], query=[("path", path)],
                        json={"physical_address": address, "copy_source": {"repository": "<<r>>", "ref": "main", "path": source.query[0][1]}})
        ops += [copy, whole]
        good = {"physical_address": address, "parts": [{"part_number": 1, "etag": self.pick([f"<<e:{whole.uid}>>", f"\"<<e:{whole.uid}>>\""])}]}
        if (meta := self.pick([None, *names.METADATA])) is not None:
            good["user_metadata"] = meta
        if (kind := self.pick(names.CONTENT_TYPES)) is not None:
            good["content_type"] = kind
        for _ in range(self.rng.randrange(3)):
            ops.append(self.op("completePresignMultipartUpload", "PUT", where, query=[("path", self.pick([path, "elsewhere"]))],
                               json=self.pick([None, {**good, "parts": []}, {**good, "physical_address": ""}, {**good, "physical_address": "s3://<<r>>/elsewhere"}, {**good, "physical_address": address + "x"},
                                               {**good, "parts": [{"part_number": 1, "etag": "0" * 32}]}, {**good, "parts": [{"part_number": 2, "etag": "0" * 32}]}, {**good, "parts": [{"etag": "x"}]}])))
        if self.chance(0.3):
            gone = {"physical_address": address}
            ops += [self.op("abortPresignMultipartUpload", "DELETE", where, query=[("path", path)], json=self.pick([None, gone, {"physical_address": "x"}])) for _ in range(2)]
            ops.append(self.op("abortPresignMultipartUpload", "DELETE", where, query=[("path", path)], json=gone))
        else:
            ops.append(self.op("completePresignMultipartUpload", "PUT", where, query=[("path", path)], json=good))
        look = self.repo("refs", branch, "objects")
        return [*ops, self.op("statObject", "GET", [*look, "stat"], query=[("path", path), ("presign", "true")]), self.op("getObject", "GET", look, query=[("path", path)])]

    def broken(self) -> Op:
        where = self.repo("branches", self.branch(), "staging", "pmpu")
        return self.pick([
            lambda: self.op("createPresignMultipartUpload", "POST", where, query=self.query(("path", self.path()), ("parts", self.pick([-1, 10001, "x", ""])))),
            lambda: self.op("completePresignMultipartUpload", "PUT", [*where, "id"], query=self.query(("path", self.path())), json=self.pick([None, {"physical_address": "x", "parts": []}, {"parts": []}])),
            lambda: self.op("abortPresignMultipartUpload", "DELETE", [*where, "id"], query=self.query(("path", self.path())), json=self.pick([None, {}, {"physical_address": "x"}])),
            lambda: self.part([*where, "id"], self.pick([1, 0, "x"]), "p", self.pick(["x", "", "s3://<<r>>/data/x", "s3://<<r>>/data/x,y"]))])()
