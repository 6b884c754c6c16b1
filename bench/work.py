"""The work: what is measured, in the order in which it builds on itself."""

import random
from dataclasses import dataclass

from harness import Harness, Operation
from prepared import HEAD, UNMEASURED, S3Requests, quoted
from server import Server


@dataclass
class Scale:
    keys: int = 120_000
    keys_per_folder: int = 500
    reads: int = 8_000  # cheap requests per round
    scans: int = 600  # dearer ones
    changes: int = 1_000  # on each side of a merge
    log_commits: int = 1_000
    repositories: int = 1_000

    def key(self, index: int) -> str:
        return f"year={index // self.keys_per_folder:04}/part-{index % self.keys_per_folder:05}.parquet"

    def divided(self, by: int) -> "Scale":
        parts = {name: max(20, value // by) for name, value in vars(self).items()}
        return Scale(**(parts | {"keys_per_folder": self.keys_per_folder}))


def repository(name: str) -> str:
    return f"/repositories/{name}"


def create_repository(server: Server, name: str) -> None:
    server.must("POST", "/repositories",
                {"name": name, "storage_namespace": server.namespace(name), "default_branch": "main"})


def data_folder(server: Server, repo: str) -> str:
    """Where the server itself would put an object's bytes, in the form it accepts them in."""
    key = f"{server.name}/{repo}"
    if key not in _data_folders:
        address = server.must("GET", f"{repository(repo)}/branches/main/staging/backing?path=any")["physical_address"]
        _data_folders[key] = address[:address.rindex("/data/")] + "/data"
    return _data_folders[key]


_data_folders: dict[str, str] = {}


def create_branch(server: Server, name: str, source: str = "main", repo: str = "big") -> None:
    server.must("POST", repository(repo) + "/branches", {"name": name, "source": source})


def commit(server: Server, branch: str, repo: str = "big") -> str:
    return server.must("POST", f"{repository(repo)}/branches/{branch}/commits", {"message": "bench"})["id"]


class Tree:
    """One repository of many keys, staged through the API."""

    def __init__(self, harness: Harness, scale: Scale):
        self.harness, self.scale = harness, scale
        self.heads: dict[str, str] = {}  # by server: the commit of the whole tree

    def run(self) -> None:
        for server in self.harness.servers:
            create_repository(server, "big")
        h, s = self.harness, self.scale
        rounds = h.rounds
        shuffled = list(range(s.keys))
        random.Random(1).shuffle(shuffled)
        h.measure(Operation(
            "stage an entry", "metadata",
            lambda server, n: [self.stage(server, "main", i) for i in shuffled[n::rounds]], connections=64))
        h.measure(Operation("stat, staged", "metadata", self.stats("main"), warm=True))
        h.measure(Operation("list 100, staged", "listing", self.lists("main"), count=s.scans, warm=True))
        h.measure(Operation(f"list directories of {s.keys} staged keys", "listing", self.folders("main"),
                            connections=4, count=max(4, s.scans // 20)))
        h.measure(Operation(f"commit of {s.keys} staged", "bulk", self.commit_request("main"),
                            connections=1, rounds=1))
        for server in h.servers:
            self.heads[server.name] = server.must("GET", repository("big") + "/branches/main")["commit_id"]
        h.measure(Operation("stat on a branch", "metadata", self.stats("main"), warm=True))
        h.measure(Operation("stat at a commit", "metadata", self.stats(None), warm=True))
        h.measure(Operation("list 100 on a branch", "listing", self.lists("main"), count=s.scans, warm=True))
        h.measure(Operation("list 100 at a commit", "listing", self.lists(None), count=s.scans, warm=True))
        h.measure(Operation(f"list directories of {s.keys} keys", "listing", self.folders("main"),
                            connections=8, count=s.scans // 2, warm=True))
        h.measure(Operation("create a branch", "metadata", self.branches, connections=8))
        self.change()
        self.delete()

    def stage(self, server: Server, branch: str, index: int, version: int = 0) -> bytes:
        return server.api.stage("big", branch, self.scale.key(index),
                                f"{data_folder(server, 'big')}/v{version}/{index:08}", 4096 + version)

    def stats(self, ref):
        def requests(server: Server, number: int) -> list[bytes]:
            chosen = random.Random(number + 7)
            at = f"{repository('big')}/refs/{ref or self.heads[server.name]}/objects/stat"
            return [server.api("GET", at, path=self.scale.key(chosen.randrange(self.scale.keys)))
                    for _ in range(self.scale.reads)]
        return requests

    def lists(self, ref):
        def requests(server: Server, number: int) -> list[bytes]:
            chosen = random.Random(number + 8)
            at = f"{repository('big')}/refs/{ref or self.heads[server.name]}/objects/ls"
            return [server.api("GET", at, amount=100, after=self.scale.key(chosen.randrange(self.scale.keys)))
                    for _ in range(self.scale.scans)]
        return requests

    def folders(self, ref: str):
        return lambda server, _: [server.api("GET", f"{repository('big')}/refs/{ref}/objects/ls",
                                             amount=1000, delimiter="/")]

    def commit_request(self, branch: str):
        return lambda server, _: [server.api("POST", f"{repository('big')}/branches/{branch}/commits",
                                             {"message": "all"})]

    def branches(self, server: Server, number: int) -> list[bytes]:
        return [server.api("POST", repository("big") + "/branches", {"name": f"b-{number}-{i}", "source": "main"})
                for i in range(self.scale.scans)]

    def change(self) -> None:
        h, s = self.harness, self.scale
        for server in h.servers:
            create_branch(server, "single")
        h.measure(Operation(f"commit of one change among {s.keys}", "commit", self.one_change,
                            connections=1, samples=10))
        h.measure(Operation(f"commit of {s.changes} changes among {s.keys}", "bulk", self.many_changes, connections=1))
        at = repository("big") + "/refs/main/diff/changed-0"
        h.measure(Operation(f"diff of {s.changes} changes", "metadata",
                            lambda server, _: [server.api("GET", at, amount=1000)],
                            connections=8, count=s.scans // 4, warm=True))
        h.measure(Operation("diff of a branch's one staged change", "metadata", self.uncommitted,
                            connections=8, count=s.scans, warm=True))
        h.measure(Operation(f"merge, {s.changes} changes on each side", "bulk", self.merge, connections=1))

    def one_change(self, server: Server, sample: int) -> list[bytes]:
        key = self.scale.key(random.Random(sample).randrange(self.scale.keys))
        self.stage_now(server, "single", [key], sample + 1)
        return self.commit_request("single")(server, sample)

    def stage_now(self, server: Server, branch: str, keys: list[str], version: int) -> None:
        for number, key in enumerate(keys):
            server.must("PUT", f"{repository('big')}/branches/{branch}/objects?path={quoted(key)}",
                        {"physical_address": f"{data_folder(server, 'big')}/{branch}/{version}-{number}",
                         "checksum": f"{version:032x}", "size_bytes": 4096, "mtime": 1_700_000_000})

    def spread_keys(self, seed: int) -> list[str]:
        return [self.scale.key(i) for i in random.Random(seed).sample(range(self.scale.keys), self.scale.changes)]

    def many_changes(self, server: Server, number: int) -> list[bytes]:
        create_branch(server, f"changed-{number}")
        self.stage_now(server, f"changed-{number}", self.spread_keys(number), 1000 + number)
        return self.commit_request(f"changed-{number}")(server, number)

    def uncommitted(self, server: Server, number: int) -> list[bytes]:
        create_branch(server, f"dirty-{number}")
        self.stage_now(server, f"dirty-{number}", [self.scale.key(number)], 5000)
        return [server.api("GET", f"{repository('big')}/branches/dirty-{number}/diff", amount=100)]

    def merge(self, server: Server, number: int) -> list[bytes]:
        left, right = (set(self.spread_keys(seed)) for seed in (100 + number, 200 + number))
        for side, keys in ((f"ours-{number}", right - left), (f"theirs-{number}", left)):
            create_branch(server, side)
            self.stage_now(server, side, sorted(keys), 9000 + number)
            commit(server, side)
        return [server.api("POST", f"{repository('big')}/refs/theirs-{number}/merge/ours-{number}", {})]

    def delete(self) -> None:
        h, s = self.harness, self.scale
        gone = s.keys * 5 // 6
        for server in h.servers:
            create_branch(server, "emptied")

        def deletes(server: Server, number: int) -> list[bytes]:
            paths = [s.key(i) for i in range(gone)][number::h.rounds]
            return [server.api("POST", repository("big") + "/branches/emptied/objects/delete",
                               {"paths": paths[at:at + 1000]}) for at in range(0, len(paths), 1000)]

        h.measure(Operation("delete 1,000 objects", "bulk", deletes, connections=4))
        h.measure(Operation(
            f"list 100 behind {gone} staged deletes", "listing",
            lambda server, _: [server.api("GET", repository("big") + "/refs/emptied/objects/ls", amount=100)],
            connections=4, count=max(4, s.scans // 50)))


class History:
    """Commits on one branch."""

    def __init__(self, harness: Harness, scale: Scale):
        self.harness, self.scale = harness, scale

    def run(self) -> None:
        h, s = self.harness, self.scale
        for server in h.servers:
            create_repository(server, "history")
            create_repository(server, "busy")
        h.measure(Operation("commit without changes", "commit", lambda server, n: [
            self.commit_empty(server, "history")] * (s.log_commits // h.rounds), connections=1))
        at = repository("history") + "/refs/main/commits"
        h.measure(Operation(f"log of {s.log_commits} commits, by 1,000", "metadata", self.whole_log,
                            connections=1, count=max(3, s.scans // 20)))
        h.measure(Operation("log, first 100", "metadata",
                            lambda server, _: [server.api("GET", at, amount=100)], count=s.scans, warm=True))
        h.measure(Operation("32 clients: stage and commit, one branch", "metadata", self.busy,
                            flags=lambda index: UNMEASURED if index % 2 == 0 else 0, may_fail=True))

    def commit_empty(self, server: Server, repo: str) -> bytes:
        return server.api("POST", repository(repo) + "/branches/main/commits",
                          {"message": "m", "allow_empty": True})

    def whole_log(self, server: Server, _: int) -> list[bytes]:
        at, after, requests = repository("history") + "/refs/main/commits", "", []
        while True:
            requests.append(server.api("GET", at, amount=1000, **({"after": after} if after else {})))
            page = server.must("GET", f"{at}?amount=1000&after={after}")["pagination"]
            if not page["has_more"]:
                return requests
            after = page["next_offset"]

    def busy(self, server: Server, number: int) -> list[bytes]:
        requests = []
        for i in range(self.scale.scans):
            requests.append(server.api.stage("busy", "main", f"k-{number}-{i}", f"{data_folder(server, 'busy')}/{number}-{i}"))
            requests.append(self.commit_empty(server, "busy"))
        return requests


class Objects:
    """Bytes, through the API and through S3."""

    def __init__(self, harness: Harness, scale: Scale):
        self.harness, self.scale = harness, scale

    def run(self) -> None:
        h, s = self.harness, self.scale
        for server in h.servers:
            create_repository(server, "objects")
        small, large = 4096, 1 << 20
        writes, large_writes = s.reads // 4, max(32, s.scans // 6)
        h.measure(Operation("upload 4 KiB", "upload", lambda server, n: [
            server.api("POST", repository("objects") + "/branches/main/objects", self.body(small, i), path=f"up/{n}-{i}")
            for i in range(writes)]))
        h.measure(Operation("S3 PUT 4 KiB", "upload", lambda server, n: self.puts(server, small, writes, n)))
        h.measure(Operation("S3 PUT 1 MiB", "upload",
                            lambda server, n: self.puts(server, large, 32, n), connections=8, count=large_writes))
        for size, label, count, connections in ((small, "4 KiB", s.reads, 32), (large, "1 MiB", large_writes * 4, 8)):
            keys = writes if size == small else 32
            h.measure(Operation(f"S3 GET {label}", "read", self.reads("GET", size, keys), connections, count, warm=True))
            h.measure(Operation(f"S3 HEAD {label}", "read", self.reads("HEAD", size, keys), connections=32,
                                count=s.reads, flags=HEAD, warm=True))
        h.measure(Operation("read 4 KiB through the API", "read", self.api_reads, warm=True))

    @staticmethod
    def body(size: int, index: int) -> bytes:
        return random.Random(index).randbytes(1024) * (size // 1024)

    def puts(self, server: Server, size: int, keys: int, number: int) -> list[bytes]:
        sign = S3Requests(server.keys, server.port)
        return [sign("PUT", "objects", f"main/s3/{size}/{number}-{i}", self.body(size, i)) for i in range(keys)]

    def reads(self, method: str, size: int, keys: int):
        def requests(server: Server, number: int) -> list[bytes]:
            sign, chosen = S3Requests(server.keys, server.port), random.Random(number)
            return [sign(method, "objects", f"main/s3/{size}/0-{chosen.randrange(keys)}")
                    for _ in range(min(2000, self.scale.reads))]
        return requests

    def api_reads(self, server: Server, number: int) -> list[bytes]:
        chosen, keys = random.Random(number), self.scale.reads // 4
        at = repository("objects") + "/refs/main/objects"
        return [server.api("GET", at, path=f"s3/4096/0-{chosen.randrange(keys)}") for _ in range(self.scale.reads)]


def create_repositories(harness: Harness, scale: Scale) -> None:
    harness.measure(Operation("create a repository", "metadata", lambda server, n: [
        server.api("POST", "/repositories", {"name": f"many-{n}-{i}", "storage_namespace": server.namespace(f"many-{n}-{i}")})
        for i in range(scale.repositories // harness.rounds)], connections=8))
