"""Random requests of the HTTP API. Which names exist is left to chance: pools are small enough to meet."""

import random
from typing import Any

from . import names
from .ops import Op

EPOCH = 1_600_000_000


class RestRequests:
    """`clock` allows what takes the server's own time or fresh addresses (merges, uploads): ids then differ."""

    def __init__(self, seed: int, clock: bool, blockstore: str, protect: bool = False, many_keys: bool = False):
        self.rng = random.Random(seed)
        self.clock = clock
        self.protect = protect
        self.scheme = blockstore
        self.metadata = names.METADATA + (names.MANY_KEYS if many_keys else [])
        self.commits: list[int] = []
        self.addresses: list[tuple[int, str, str]] = []
        self.uid = 0
        self.dates = EPOCH
        table = [
            (14, self.link), (10, self.stage), (6, self.stat), (10, self.list_objects), (6, self.get_object), (3, self.head_object),
            (6, self.delete_object), (3, self.delete_objects), (12, self.commit), (6, self.create_branch), (2, self.delete_branch),
            (2, self.get_branch), (3, self.list_branches), (4, self.create_tag), (2, self.get_tag), (1, self.delete_tag), (2, self.list_tags),
            (6, self.log), (9, self.diff_refs), (5, self.diff_branch), (3, self.merge_base), (3, self.reset), (2, self.hard_reset),
            (3, self.user_metadata), (1, self.underlying), (4, self.get_commit), (1, self.commit_record), (2, self.repository),
            (2, self.repository_metadata), (1, self.presigned), (1, self.preflight), (1, self.physical_address), (4, self.malformed),
            (1, self.server_wide), (1, self.protection_reads), (2, self.fill), (1, self.create_repository), (1, self.read_only)]
        if clock:
            table += [(8, self.merge), (4, self.revert), (4, self.cherry_pick), (10, self.upload), (4, self.copy), (2, self.link_handed_out)]
        if protect:
            table += [(3, self.protect_branch)]
        self.weights = [w for w, _ in table]
        self.makers = [m for _, m in table]
        self.queue: list[Op] = []

    def session(self, steps: int) -> list[Op]:
        ops = self.beginning()
        while len(ops) < steps:
            self.queue = []
            made = self.rng.choices(self.makers, self.weights)[0]()
            ops += [made] if isinstance(made, Op) else made
        return ops + self.sweep()

    def beginning(self) -> list[Op]:
        ops = [self.op("createRepository", "POST", ["repositories"], json={"name": "<<r>>", "storage_namespace": f"{self.scheme}://<<r>>"})]
        for path in self.rng.sample(names.PATHS, 8):
            ops.append(self.stage(branch="main", path=path))
        ops.append(self.commit(branch="main", good=True))
        for branch in names.BRANCHES[1:6]:
            if self.chance(0.7):
                made = self.op("createBranch", "POST", self.repo("branches"), json={"name": branch, "source": "main"})
                self.commits.append(made.uid)
                ops.append(made)
        return ops

    def sweep(self) -> list[Op]:
        """Everything that can be seen, so that no difference stays hidden in the state."""
        ops = [self.op("listBranches", "GET", self.repo("branches"), query=[("amount", 1000), ("show_hidden", "true")]),
               self.op("listTags", "GET", self.repo("tags"), query=[("amount", 1000)])]
        for branch in names.BRANCHES[:6]:
            ops.append(self.op("listObjects", "GET", self.repo("refs", branch, "objects", "ls"), query=[("amount", 1000)]))
            ops.append(self.op("listObjects", "GET", self.repo("refs", branch + "@", "objects", "ls"), query=[("amount", 1000)]))
            ops.append(self.op("logCommits", "GET", self.repo("refs", branch, "commits"), query=[("amount", 1000)]))
            ops.append(self.op("diffBranch", "GET", self.repo("branches", branch, "diff"), query=[("amount", 1000)]))
        return ops

    # pieces

    def op(self, name: str, method: str, path: list[str], **rest) -> Op:
        self.uid += 1
        return Op(self.uid, name, method, path, **rest)

    def repo(self, *rest: str) -> list[str]:
        if self.chance(0.006):
            return ["repositories", self.pick(["nobody", "UPPER", "a", "x" * 64, "", "-a", "a.b", "é"]), *rest]
        return ["repositories", "<<r>>", *rest]

    def chance(self, p: float) -> bool:
        return self.rng.random() < p

    def pick(self, pool):
        return self.rng.choice(pool)

    def branch(self) -> str:
        if self.chance(0.04):
            return self.pick(names.BAD_BRANCHES)
        if self.chance(0.02):
            return self.pick(names.TAGS)
        return self.pick(names.BRANCHES[:6]) if self.chance(0.85) else self.pick(names.BRANCHES)

    def ref(self) -> str:
        if self.chance(0.06):
            return self.pick(names.BAD_REFS if self.clock else names.BAD_REFS + names.SHORT_REFS)
        roll = self.rng.random()
        if roll < 0.5 or not self.commits:
            base = self.pick(names.BRANCHES[:6])
        elif roll < 0.7:
            base = self.pick(names.TAGS)
        elif roll < 0.9:
            base = f"<<c:{self.pick(self.commits)}>>"
        else:
            base = f"<<p:{self.pick(self.commits)}:{self.pick([10, 12, 20, 63])}>>"
        return base + self.pick(names.MODIFIERS)

    def path(self) -> Any:
        roll = self.rng.random()
        if roll < 0.03:
            return self.pick(names.RAW_PATHS + names.NOT_UTF8 if self.clock else names.RAW_PATHS)
        if roll < 0.05:
            return self.pick(names.BAD_PATHS)
        if roll < 0.25:
            return self.pick(names.ODD_PATHS)
        return self.pick(names.PATHS)

    def text_path(self) -> str:
        roll = self.rng.random()
        if roll < 0.03:
            return self.pick(names.BAD_PATHS)
        return self.pick(names.ODD_PATHS) if roll < 0.25 else self.pick(names.PATHS)

    def amount(self) -> Any:
        return self.pick(names.BAD_AMOUNTS) if self.chance(0.05) else self.pick(names.AMOUNTS)

    def boolean(self) -> Any:
        return self.pick(names.BAD_BOOLS) if self.chance(0.05) else self.pick(names.BOOLS)

    def query(self, *pairs: tuple[str, Any], twice: float = 0.006) -> list[tuple[str, Any]]:
        kept = [(k, v) for k, v in pairs if v is not None]
        if kept and self.chance(twice):
            kept.append(self.pick(kept))
        if self.chance(0.01):
            kept.append(("unknown", "x"))
        return kept

    def paging(self, afters=None) -> list[tuple[str, Any]]:
        return [("after", self.pick(afters or names.AFTERS)), ("amount", self.amount())]

    def date(self) -> int:
        if self.chance(0.3) and not self.clock:
            return self.dates  # ties
        self.dates += 1 + self.rng.randrange(3)
        if self.chance(0.1):
            return self.dates - 5000 - self.uid
        return self.dates

    # objects

    def entry(self) -> dict:
        entry: dict[str, Any] = {"checksum": self.pick(["d41d8cd98f00b204e9800998ecf8427e", "c1", "c2", "c3"]), "size_bytes": self.pick([0, 1, 2, 10**12]),
                                 "mtime": EPOCH + self.rng.randrange(4)}
        if self.chance(0.02):
            entry["checksum"] = self.pick(["", "\"quoted\"", " x ", "\"\""])
        if self.chance(0.02):
            entry["size_bytes"] = self.pick([-1, 1.5, "1", None, 2**63 - 1, 2**63])
        if self.chance(0.01):
            entry["mtime"] = self.pick([0, -1, 2**62, None, "1"])
        if (kind := self.pick(names.CONTENT_TYPES)) is not None:
            entry["content_type"] = kind
        return entry

    def link(self, branch=None, path=None) -> Op:
        body = self.entry()
        body["staging"] = {"physical_address": f"{self.scheme}://elsewhere/{self.rng.randrange(6)}"}
        if self.chance(0.02):
            body["staging"] = self.pick([{}, {"physical_address": ""}, {"physical_address": f"{self.scheme}://<<r>>/data/x"}, {"physical_address": f"{self.scheme}://<<r>>/data/x,y"},
                                         {"physical_address": "s3://bucket/x"}, {"physical_address": f"{self.scheme}://<<r>>/other"}, {"physical_address": "nothing"},
                                         {"physical_address": f"{self.scheme}://<<r>>/data/gbd0abc0000000000000/gbd0abc0000000000000,AAAA"},
                                         {"physical_address": f"{self.scheme}://elsewhere/x", "presigned_url": None}])
        if (meta := self.pick(self.metadata)) is not None:
            body["user_metadata"] = meta
        headers = []
        if self.chance(0.08):
            headers.append(("If-None-Match", self.pick(["*", "*", "*", "\"x\"", ""])))
        if self.chance(0.01):
            headers.append(("If-Match", self.pick(["*", "\"x\"", ""])))
        return self.op("linkPhysicalAddress", "PUT", self.repo("branches", branch or self.branch(), "staging", "backing"), query=self.query(("path", path or self.path())),
                       json=body, headers=headers)

    def stage(self, branch=None, path=None) -> Op:
        if self.scheme == "local" and not self.chance(0.1):
            return self.link(branch, path)  # both refuse to stage what lies below the store's own directory
        body = self.entry()
        body["physical_address"] = f"{self.scheme}://<<r>>/fixed/{self.rng.randrange(6)}"
        if self.chance(0.02):
            body["physical_address"] = self.pick(["", "s3://bucket/x", "nothing", f"{self.scheme}://<<r>>", f"{self.scheme}://<<r>>/", f"{self.scheme}://<<r>>x/y", f"{self.scheme}://other/x",
                                                  f"{self.scheme}:x", "://", f"{self.scheme}://<<r>>/a b%20"])
        if (meta := self.pick(self.metadata)) is not None:
            body["metadata"] = meta
        return self.op("stageObject", "PUT", self.repo("branches", branch or self.branch(), "objects"), query=self.query(("path", path or self.path())), json=body)

    def fill(self) -> list[Op]:
        branch, folder = self.pick(names.BRANCHES[:4]), self.pick(["fill/", "a/b/", "n"])
        return [self.stage(branch, f"{folder}{i:03}") for i in range(self.rng.randrange(5, 25))]

    def upload(self) -> Op:
        headers, data = [], self.pick(names.BODIES)
        if (kind := self.pick(names.CONTENT_TYPES)) is not None:
            headers.append(("Content-Type", kind))
        roll = self.rng.random()
        if roll < 0.3:
            part = self.pick(["", "Content-Type: text/css\r\n"])
            data = (b"--bound\r\nContent-Disposition: form-data; name=\"" + self.pick([b"content", b"content", b"content", b"other"]) + b"\"; filename=\"f\"\r\n" + part.encode() + b"\r\n" + data +
                    b"\r\n--bound--\r\n")
            headers = [("Content-Type", self.pick(["multipart/form-data; boundary=bound", "multipart/form-data; boundary=\"bound\"", "multipart/form-data"]) if self.chance(0.2)
                        else "multipart/form-data; boundary=bound")]
        if self.chance(0.15):
            headers.append(("If-None-Match", self.pick(["*", "*", "\"x\"", ""])))
        if self.chance(0.03):
            headers.append(("If-Match", self.pick(["*", "\"x\""])))
        if self.chance(0.2):
            headers += [("x-lakefs-meta-Key", "value"), ("X-Lakefs-Internal-Mode", "x")]
        return self.op("uploadObject", "POST", self.repo("branches", self.branch(), "objects"), query=self.query(("path", self.path()), ("force", self.pick([None, None, None, self.boolean()]))),
                       headers=headers, data=data)

    def copy(self) -> Op:
        body = {"src_path": self.text_path()}
        if self.chance(0.6):
            body["src_ref"] = self.ref()
        if self.chance(0.05):
            body["shallow"] = True
        return self.op("copyObject", "POST", self.repo("branches", self.branch(), "objects", "copy"), query=self.query(("dest_path", self.path())), json=body)

    def stat(self) -> Op:
        return self.op("statObject", "GET", self.repo("refs", self.ref(), "objects", "stat"),
                       query=self.query(("path", self.path()), ("user_metadata", self.pick([None, None, self.boolean()])), ("presign", self.pick([None] * 8 + [self.boolean()]))))

    def get_object(self) -> Op:
        headers = []
        if self.chance(0.3):
            headers.append(("Range", self.pick(names.RANGES)))
        if self.chance(0.15):
            headers.append(("If-None-Match", self.pick(["*", "\"d41d8cd98f00b204e9800998ecf8427e\"", "d41d8cd98f00b204e9800998ecf8427e", "\"9dd4e461268c8034f5c8564e155c67a6\"", ""])))
        return self.op("getObject", "GET", self.repo("refs", self.ref() if self.chance(0.6) else self.branch(), "objects"), query=self.query(("path", self.path()), ("presign", self.pick([None] * 9 + [self.boolean()]))),
                       headers=headers)

    def head_object(self) -> Op:
        headers = [("Range", self.pick(names.RANGES))] if self.chance(0.3) else []
        return self.op("headObject", "HEAD", self.repo("refs", self.ref(), "objects"), query=self.query(("path", self.path())), headers=headers)

    def underlying(self) -> Op:
        return self.op("getUnderlyingProperties", "GET", self.repo("refs", self.ref(), "objects", "underlyingProperties"), query=self.query(("path", self.path())))

    def list_objects(self) -> Op:
        return self.op("listObjects", "GET", self.repo("refs", self.ref() if self.chance(0.6) else self.branch(), "objects", "ls"),
                       query=self.query(("prefix", self.pick(names.PREFIXES) if self.chance(0.7) else None), *self.paging(), ("delimiter", self.pick(names.DELIMITERS)),
                                        ("user_metadata", self.pick([None, None, None, self.boolean()])), ("presign", self.pick([None] * 9 + [self.boolean()]))))

    def delete_object(self) -> Op:
        return self.op("deleteObject", "DELETE", self.repo("branches", self.branch(), "objects"), query=self.query(("path", self.path()), ("no_tombstone", self.pick([None] * 6 + [self.boolean()]))))

    def delete_objects(self) -> Op:
        count = self.pick([0, 1, 2, 5, 5, 30]) if self.chance(0.98) else 1001
        paths = [self.text_path() for _ in range(count)]
        if not all(0 < len(p.encode()) <= 1024 for p in paths):
            paths = [p for p in paths if not 0 < len(p.encode()) <= 1024][:1]  # one such path spoils the reference's whole batch
        return self.op("deleteObjects", "POST", self.repo("branches", self.branch(), "objects", "delete"), json={"paths": paths})

    def user_metadata(self) -> Op:
        return self.op("updateObjectUserMetadata", "PUT", self.repo("branches", self.branch(), "objects", "stat", "user_metadata"), query=self.query(("path", self.path())),
                       json={"set": self.pick(self.metadata)})

    def physical_address(self) -> Op:
        branch, path = self.branch(), self.pick(names.PATHS)
        made = self.op("getPhysicalAddress", "GET", self.repo("branches", branch, "staging", "backing"), query=self.query(("path", path), ("presign", self.pick([None] * 4 + [self.boolean()]))))
        self.addresses.append((made.uid, branch, path))
        return made

    def link_handed_out(self) -> Op:
        if not self.addresses:
            return self.physical_address()
        uid, branch, path = self.pick(self.addresses)
        if self.chance(0.3):
            path = self.pick(names.PATHS)
        made = self.link(branch if self.chance(0.7) else self.branch(), path)
        made.json["staging"] = {"physical_address": f"<<a:{uid}>>"}
        return made

    def preflight(self) -> Op:
        if self.chance(0.6):
            return self.op("uploadObjectPreflight", "GET", self.repo("branches", self.branch(), "objects", "stage_allowed"), query=self.query(("path", self.path())))
        return self.op("createBranchProtectionRulePreflight", "GET", self.repo(self.pick(["branch_protection", "gc"]), *self.pick([["set_allowed"], ["rules", "set_allowed"]])))

    def presigned(self) -> Op:
        where = self.repo("branches", self.branch(), "staging", "pmpu")
        roll = self.rng.randrange(3)
        if roll == 0:
            return self.op("createPresignMultipartUpload", "POST", where, query=self.query(("path", self.path()), ("parts", self.pick([None, 0, 1, 10001, -1]))))
        if roll == 1:
            return self.op("completePresignMultipartUpload", "PUT", [*where, "id"], query=self.query(("path", self.path())),
                           json=self.pick([None, {"physical_address": "x", "parts": []}, {"physical_address": "x", "parts": [{"part_number": 1, "etag": "e"}]}]))
        return self.op("abortPresignMultipartUpload", "DELETE", [*where, "id"], query=self.query(("path", self.path())), json={"physical_address": "x"})

    # branches and tags

    def create_branch(self) -> Op:
        name = self.branch() if self.chance(0.95) else (f"<<c:{self.pick(self.commits)}>>" if self.commits else "x")
        body: dict[str, Any] = {"name": name, "source": self.ref() if self.chance(0.5) else self.pick(names.BRANCHES[:4])}
        if self.chance(0.1):
            body["hidden"] = self.pick([True, False])
        if self.chance(0.02):
            body.pop(self.pick(["name", "source"]))
        made = self.op("createBranch", "POST", self.repo("branches"), json=body)
        self.commits.append(made.uid)
        return made

    def delete_branch(self) -> Op:
        return self.op("deleteBranch", "DELETE", self.repo("branches", self.branch()), query=self.query(("force", self.pick([None, None, self.boolean()]))))

    def get_branch(self) -> Op:
        return self.op("getBranch", "GET", self.repo("branches", self.branch() if self.chance(0.7) else self.ref()))

    def list_branches(self) -> Op:
        return self.op("listBranches", "GET", self.repo("branches"), query=self.query(("prefix", self.pick([None, None, "", "w", "dev", "m", "é"])), *self.paging([None, None, "", "w", "w-", "dev", "zz", "W"]),
                                                                                      ("show_hidden", self.pick([None, None, self.boolean()]))))

    def tag(self) -> str:
        if self.chance(0.08):
            return self.pick(names.BAD_TAGS)
        if self.chance(0.05):
            return self.pick(names.BRANCHES)
        return self.pick(names.TAGS)

    def create_tag(self) -> Op:
        name = self.tag() if self.chance(0.95) else (f"<<c:{self.pick(self.commits)}>>" if self.commits else "x")
        body = {"id": name, "ref": self.ref()}
        if self.chance(0.02):
            body.pop(self.pick(["id", "ref"]))
        return self.op("createTag", "POST", self.repo("tags"), json=body)

    def get_tag(self) -> Op:
        return self.op("getTag", "GET", self.repo("tags", self.tag()))

    def delete_tag(self) -> Op:
        return self.op("deleteTag", "DELETE", self.repo("tags", self.tag()), query=self.query(("force", self.pick([None, None, self.boolean()]))))

    def list_tags(self) -> Op:
        return self.op("listTags", "GET", self.repo("tags"), query=self.query(("prefix", self.pick([None, None, "", "v", ".", "é", "v1"])), *self.paging([None, None, "", "v", "v1", "-", "zz"])))

    # commits

    def commit(self, branch=None, good=False) -> Op:
        body: dict[str, Any] = {"message": self.pick(names.MESSAGES), "date": self.date()}
        if self.chance(0.3):
            body["metadata"] = self.pick([m for m in self.metadata if m is not None])
        if self.chance(0.2):
            body["allow_empty"] = self.pick([True, True, False])
        query = []
        if not good:
            if self.chance(0.02):
                body.pop("message")
            if self.chance(0.02):
                body["date"] = self.pick([0, -1, 2**40, "x", None, 1.5])
            if body.get("date", 1) is None:
                body["date"] = EPOCH
            if self.chance(0.02):
                query = [("source_metarange", self.pick(["0" * 64, "x", ""]))]
        made = self.op("commit", "POST", self.repo("branches", branch or self.branch(), "commits"), json=body, query=query)
        self.commits.append(made.uid)
        return made

    def get_commit(self) -> Op:
        return self.op("getCommit", "GET", self.repo("commits", self.ref()))

    def commit_record(self) -> Op:
        body = {"commit_id": self.pick(["0" * 64, "x", ""]), "version": self.pick([1, 0, -1]), "committer": "c", "message": "m", "metarange_id": self.pick(["", "0" * 64]), "creation_date": EPOCH,
                "parents": [], "generation": 1, "metadata": {}}
        if self.chance(0.6):
            from .normal import commit_id
            body["metadata"] = self.pick([{}, {"a": "b"}])
            body["parents"] = self.pick([[], ["0" * 64], ["x", "y"]])
            body["committer"] = self.pick(["c", "", "ü"])
            body["commit_id"] = commit_id({**body, "meta_range_id": body["metarange_id"]})
            if body["version"] < 0:
                body["version"] = 1
        return self.op("CreateCommitRecord", "POST", self.repo("commits"), json=body)

    def log(self) -> Op:
        roll = self.rng.random()
        query = self.query(("after", self.ref() if self.chance(0.2) else None), ("amount", self.amount()), ("limit", self.pick([None, None, None, self.boolean()])),
                           ("first_parent", self.pick([None, None, self.boolean()])),
                           ("since", self.pick(["2020-09-13T12:26:45Z", "2020-09-13T12:26:40+00:00", "1970-01-01T00:00:00Z", "yesterday", "2100-01-01T00:00:00Z", ""]) if self.chance(0.15) else None),
                           ("stop_at", self.ref() if self.chance(0.15) else None), twice=0)
        if roll < 0.25:
            query += [("objects", self.text_path()) for _ in range(self.pick([1, 1, 2]))]
        if 0.2 < roll < 0.4:
            query += [("prefixes", self.pick(names.PREFIXES)) for _ in range(self.pick([1, 1, 2]))]
        return self.op("logCommits", "GET", self.repo("refs", self.ref(), "commits"), query=query)

    def diff_refs(self) -> Op:
        kind = self.pick([None, "two_dot", "two_dot", "three_dot", "three_dot", "two_dots", ""]) if self.chance(0.3) else self.pick([None, "two_dot", "three_dot"])
        return self.op("diffRefs", "GET", self.repo("refs", self.ref() if self.chance(0.5) else self.pick(names.BRANCHES[:5]), "diff", self.ref() if self.chance(0.5) else self.pick(names.BRANCHES[:5])),
                       query=self.query(("type", kind), ("prefix", self.pick(names.PREFIXES) if self.chance(0.4) else None), *self.paging(), ("delimiter", self.pick(names.DELIMITERS)),
                                        ("include_right_stats", self.pick([None, None, self.boolean()]))))

    def diff_branch(self) -> Op:
        return self.op("diffBranch", "GET", self.repo("branches", self.branch(), "diff"),
                       query=self.query(("prefix", self.pick(names.PREFIXES) if self.chance(0.4) else None), *self.paging(), ("delimiter", self.pick(names.DELIMITERS))))

    def merge_base(self) -> Op:
        return self.op("findMergeBase", "GET", self.repo("refs", self.ref(), "merge", self.branch() if self.chance(0.7) else self.ref()))

    def merge(self) -> Op:
        body: dict[str, Any] | None = {}
        if self.chance(0.3):
            body["message"] = self.pick(names.MESSAGES)
        if self.chance(0.2):
            body["metadata"] = self.pick([m for m in self.metadata if m is not None])
        if self.chance(0.4):
            body["strategy"] = self.pick(["", "dest-wins", "source-wins", "dest-wins", "source-wins", "ours"])
        for flag, odds in (("force", 0.05), ("allow_empty", 0.15), ("squash_merge", 0.2)):
            if self.chance(odds):
                body[flag] = self.pick([True, True, False])
        if not body and self.chance(0.5):
            body = None
        made = self.op("mergeIntoBranch", "POST", self.repo("refs", self.ref() if self.chance(0.4) else self.pick(names.BRANCHES[:5]), "merge", self.branch()), json=body)
        self.commits.append(made.uid)
        return made

    def revert(self) -> Op:
        body: dict[str, Any] = {"ref": self.ref(), "parent_number": self.pick([0, 0, 0, 1, 1, 2, 3, -1])}
        if self.chance(0.2):
            body["commit_overrides"] = self.pick([{}, {"message": "over"}, {"metadata": {"o": "1"}}, {"message": "", "metadata": {}}])
        if self.chance(0.3):
            body["allow_empty"] = True
        if self.chance(0.03):
            body.pop(self.pick(["ref", "parent_number"]))
        return self.op("revertBranch", "POST", self.repo("branches", self.branch(), "revert"), json=body)

    def cherry_pick(self) -> Op:
        body: dict[str, Any] = {"ref": self.ref()}
        if self.chance(0.3):
            body["parent_number"] = self.pick([0, 1, 1, 2, 3, -1])
        if self.chance(0.2):
            body["commit_overrides"] = self.pick([{}, {"message": "over"}, {"metadata": {"o": "1"}}, {"message": "", "metadata": {}}])
        made = self.op("cherryPick", "POST", self.repo("branches", self.branch(), "cherry-pick"), json=body)
        self.commits.append(made.uid)
        return made

    def reset(self) -> Op:
        body: dict[str, Any] = {"type": self.pick(["reset", "common_prefix", "object", "common_prefix", "object"])}
        if self.chance(0.03):
            body["type"] = self.pick(["hard", "", None, 1])
        if self.chance(0.9) and body["type"] != "reset" or self.chance(0.05):
            body["path"] = self.pick(names.PREFIXES) if self.chance(0.5) else self.text_path()
        return self.op("resetBranch", "PUT", self.repo("branches", self.branch()), json=body)

    def hard_reset(self) -> Op:
        return self.op("hardResetBranch", "PUT", self.repo("branches", self.branch(), "hard_reset"), query=self.query(("ref", self.ref()), ("force", self.pick([None, None, self.boolean()]))))

    # repositories and the rest

    def repository(self) -> Op:
        if self.chance(0.5):
            return self.op("getRepository", "GET", self.repo())
        return self.op("listRepositories", "GET", ["repositories"], query=self.query(("prefix", self.pick(["<<r>>", "<<r>>-", "zzzz"])), *self.paging([None, "", "<<r>>", "zzz"]), ("search", self.pick([None, None, "x", "<<r>>"]))))

    def create_repository(self) -> list[Op]:
        name = self.pick(["<<r>>", "<<r>>-s", "UPPER", "ab", "-x", "<<r>>_x", "x" * 64, ""])
        body: dict[str, Any] = {"name": name, "storage_namespace": self.pick([f"{self.scheme}://{name}", f"{self.scheme}://<<r>>", "s3://bucket", "nothing", "", f"{self.scheme}://<<r>>/nested{self.uid}"])}
        if name == "":
            body["storage_namespace"] = f"{self.scheme}://<<r>>/e"
        if self.chance(0.2):
            body["storage_id"] = self.pick(["", "x"])
        if self.chance(0.2):
            body["default_branch"] = self.pick(["trunk", "", "main"])
        if self.chance(0.1):
            body.pop(self.pick(list(body)))
        made = self.op("createRepository", "POST", ["repositories"], json=body, query=self.query(("bare", self.pick([None, None, None, self.boolean()]))))
        look = ["repositories", "<<r>>-s"]
        return [made, self.op("getRepository", "GET", look), self.op("listBranches", "GET", [*look, "branches"]), self.op("logCommits", "GET", [*look, "refs", "main", "commits"])]

    def read_only(self) -> list[Op]:
        """A repository nobody may write to unless forced."""
        name = "<<r>>-ro"
        ops = [self.op("createRepository", "POST", ["repositories"], json={"name": name, "storage_namespace": f"{self.scheme}://{name}", "read_only": self.pick([True, True, True, False])})]
        writes = [self.link, self.stage, self.commit, self.create_branch, self.create_tag, self.delete_object, self.delete_objects, self.reset, self.hard_reset, self.delete_branch, self.user_metadata,
                  self.delete_tag, self.repository_metadata, self.get_branch, self.list_objects]
        writes += [self.merge, self.revert, self.cherry_pick, self.upload, self.copy] if self.clock else []
        for make in self.rng.sample(writes, 4):
            made = make()
            if len(made.path) > 1 and made.path[0] == "repositories":
                made.path = [made.path[0], name, *("main" if p in names.BRANCHES and self.chance(0.7) else p for p in made.path[2:])]
            if self.chance(0.4) and not any(k == "force" for k, _ in made.query):
                made.query = [*made.query, ("force", self.boolean())]
            ops.append(made)
        return [*ops, self.op("getRepository", "GET", ["repositories", name]), self.op("diffBranch", "GET", ["repositories", name, "branches", "main", "diff"]),
                self.op("logCommits", "GET", ["repositories", name, "refs", "main", "commits"])]

    def repository_metadata(self) -> Op:
        where = self.repo("metadata")
        roll = self.rng.randrange(3)
        if roll == 0:
            return self.op("getRepositoryMetadata", "GET", where)
        if roll == 1:
            return self.op("setRepositoryMetadata", "POST", where, json={"metadata": self.pick([{}, {"a": "1"}, {"b": "2", "c": "ü"}, {"": ""}, {"a": "3"}])})
        return self.op("deleteRepositoryMetadata", "DELETE", where, json={"keys": self.pick([[], ["a"], ["b", "nothing"], [""]])})

    def protection_reads(self) -> Op:
        if self.chance(0.5):
            return self.op("getBranchProtectionRules", "GET", self.repo("settings", "branch_protection"))
        return self.op("internalGetBranchProtectionRules", "GET", self.repo("branch_protection"))

    def protect_branch(self) -> Op:
        rule = {"pattern": self.pick(["main", "w*", "w?1", "[wW]", "{dev,x}", "nothing", "", "[", "*-*"])}
        roll = self.rng.randrange(4)
        if roll == 0:
            made = self.op("internalCreateBranchProtectionRule", "POST", self.repo("branch_protection"), json=rule)
        elif roll == 1:
            made = self.op("internalDeleteBranchProtectionRule", "DELETE", self.repo("branch_protection"), json=rule)
        else:
            headers = [("If-Match", self.pick(["", "x", "*", "\"x\""]))] if self.chance(0.3) else []
            made = self.op("setBranchProtectionRules", "PUT", self.repo("settings", "branch_protection"), headers=headers, json=self.pick([[], [rule], [rule, {"pattern": "dev"}], [rule, rule], {}, [{}]]))
        made.pause = 6.5  # the reference takes that long to look again
        return made

    def server_wide(self) -> Op:
        name, method, path = self.pick([
            ("getConfig", "GET", "config"), ("getLakeFSVersion", "GET", "config/version"), ("getStorageConfig", "GET", "config/storage"), ("getGarbageCollectionConfig", "GET", "config/garbage-collection"),
            ("healthCheck", "GET", "healthcheck"), ("getSetupState", "GET", "setup_lakefs"), ("getCurrentUser", "GET", "user"), ("getAuthCapabilities", "GET", "auth/capabilities"), ("listUsers", "GET", "auth/users"),
            ("getUser", "GET", "auth/users/admin"), ("getUser", "GET", "auth/users/nobody"), ("deleteUser", "DELETE", "auth/users/nobody"), ("listUserCredentials", "GET", "auth/users/admin/credentials"),
            ("getCredentials", "GET", "auth/users/admin/credentials/nothing"), ("deleteCredentials", "DELETE", "auth/users/admin/credentials/nothing"), ("createUser", "POST", "auth/users"),
            ("login", "POST", "auth/login"), ("postStatsEvents", "POST", "statistics"), ("setup", "POST", "setup_lakefs"), ("setupCommPrefs", "POST", "setup_comm_prefs"),
            ("listUserCredentials", "GET", "auth/users/nobody/credentials"), ("createCredentials", "POST", "auth/users/nobody/credentials")])
        bodies = {"createUser": [{"id": "second"}, {"id": ""}, {"id": "a/b"}, {"id": "a%b"}, {}, {"id": "x", "invite_user": True}],
                  "login": [{"access_key_id": "x", "secret_access_key": "y"}, {}, {"access_key_id": "x"}],
                  "postStatsEvents": [{"events": []}, {"events": [{"class": "", "name": "n", "count": 1}]}, {"events": [{"class": "c", "name": "", "count": 1}]}, {"events": [{"class": "c", "name": "n", "count": -1}]}, {}],
                  "setup": [{"username": "x"}, {}, {"username": ""}], "setupCommPrefs": [{}, {"featureUpdates": True, "securityUpdates": False}]}
        made = self.op(name, method, path.split("/"), json=self.pick(bodies[name]) if name in bodies else None)
        if self.chance(0.2):
            made.login = False
        return made

    def malformed(self) -> Op:
        """Not what the contract says: wrong routes, bodies, types, credentials."""
        roll = self.rng.randrange(9)
        base = self.rng.choices(self.makers, [0 if m in (self.malformed, self.fill, self.create_repository, self.read_only) or m == getattr(self, "protect_branch", None) else w for m, w in zip(self.makers, self.weights)])[0]()
        if roll == 0:
            base.headers = [h for h in base.headers if h[0] != "Authorization"] + [("Authorization", self.pick(["Basic !!!", "Basic eDp5", "Bearer x", "Bearer", "Digest x", "Basic", "Bearer a.b.c"]))]
            base.login = False
        elif roll == 1:
            base.login = False
        elif roll == 2:
            base.headers = [("Content-Type", self.pick(["text/plain", "application/xml", "Application/JSON", "application/json; charset=utf-8", "", "application/json;x"]))]
        elif roll == 3 and base.json is not None:
            base.json, base.data = None, self.pick([b"", b"{", b"null", b"[]", b"{}", b"{\"a\":", b"\"x\"", b"{} x", b"1", b"{\"message\":\"a\",\"message\":\"b\",\"date\":1600000000}", b"\xff", b"{\"message\":1}",
                                                    b"{\"message\":null}", b"{\"message\":\"\\ud800\",\"date\":1600000000}"])
            base.headers = [("Content-Type", "application/json")]
        elif roll == 4:
            base.method = self.pick(["PATCH", "OPTIONS", "PUT", "DELETE", "POST", "GET", "TRACE"])
            if base.method in ("PUT", "POST", "DELETE"):
                base.method = "PATCH"
        elif roll == 5:
            base.path = base.path + self.pick([[""], ["x"], ["", "x"]])
        elif roll == 6:
            base.path = [p.upper() if i == 0 else p for i, p in enumerate(base.path)]
        elif roll == 7 and base.json is not None and isinstance(base.json, dict) and base.json:
            victim = self.pick(sorted(base.json))
            base.json = {**base.json, victim: self.pick([None, 1, "x", [], {}, True, -1, 1.5])}
            if "date" in base.json and not isinstance(base.json["date"], int):
                pass
        elif roll == 8:
            base.method, base.json, base.data = "GET", None, None
            base.name = "route"
            base.path = self.pick([["nothing"], [""], ["repositories", ""], ["repositories", "<<r>>", "nothing"], ["repositories", "<<r>>", "refs", "main"], ["auth"], ["repositories", "<<r>>", "branches", "main", "objects"]])
        return base
