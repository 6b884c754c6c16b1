"""The main job: version real tables and a real tree of files with nothing but real clients."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import lakefs
import lakefs_sdk
import pytest
from botocore.exceptions import ClientError

from clients import create_repository, duckdb_connection, lakefs_client, s3_client, sdk_client
from real_data import source_tree, write_tables
from server_process import ServerProcess

WRITERS = 8
REPOSITORY = "real"
WEATHER = "tables/seattle-weather.parquet"


@dataclass
class Workspace:
    """The clients of one scenario, and what each ref must hold."""

    server: ServerProcess
    folder: Path
    repository: lakefs.Repository
    s3: Any
    sdk: lakefs_sdk.ApiClient
    duck: duckdb.DuckDBPyConnection
    main: dict[str, bytes] = field(default_factory=dict)

    def branch(self, name: str) -> lakefs.Branch:
        return self.repository.branch(name)

    def put_all(self, branch: str, objects: dict[str, bytes]) -> None:
        def put(item: tuple[str, bytes]) -> None:
            self.s3.put_object(Bucket=REPOSITORY, Key=f"{branch}/{item[0]}", Body=item[1])

        with ThreadPoolExecutor(WRITERS) as pool:
            list(pool.map(put, objects.items()))

    def checksums(self, ref: str) -> dict[str, str]:
        """What the API says a ref holds: path and MD5."""
        objects = self.repository.ref(ref).objects()
        return {item.path: item.checksum for item in objects}

    def etags(self, ref: str) -> dict[str, str]:
        """What S3 says a ref holds: path and ETag."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(
            Bucket=REPOSITORY, Prefix=f"{ref}/"
        )
        return {
            item["Key"].removeprefix(f"{ref}/"): item["ETag"].strip('"')
            for page in pages
            for item in page.get("Contents", [])
        }

    def changes(self, left: str, right: str) -> dict[str, str]:
        changes = self.repository.ref(left).diff(right)
        return {change.path: change.type for change in changes}

    def metarange(self, ref: str) -> str:
        return self.repository.ref(ref).get_commit().meta_range_id

    def tables(self, ref: str) -> list[str]:
        """What DuckDB finds by a pattern."""
        rows = self.duck.execute(f"FROM glob('s3://{REPOSITORY}/{ref}/tables/*.parquet')")
        return sorted(row[0].removeprefix(f"s3://{REPOSITORY}/{ref}/") for row in rows.fetchall())

    def mean_temperature(self, ref: str) -> float:
        path = f"s3://{REPOSITORY}/{ref}/{WEATHER}"
        (value,) = self.duck.execute(f"SELECT avg(temp_max) FROM '{path}'").fetchone() or (None,)
        assert value is not None
        return float(value)


def md5(data: bytes) -> str:
    return hashlib.md5(data).hexdigest()


def md5s(objects: dict[str, bytes]) -> dict[str, str]:
    return {path: md5(data) for path, data in objects.items()}


@pytest.fixture
def work(server: ServerProcess, tmp_path: Path) -> Workspace:
    return Workspace(
        server=server,
        folder=tmp_path,
        repository=create_repository(server, REPOSITORY),
        s3=s3_client(server),
        sdk=sdk_client(server),
        duck=duckdb_connection(server),
    )


def upload_everything(work: Workspace) -> None:
    """Tables through the lakefs package, the tree through boto3."""
    main = work.branch("main")
    for name, path in write_tables(work.folder / "tables").items():
        data = path.read_bytes()
        main.object(f"tables/{name}.parquet").upload(data, content_type="application/x-parquet")
        work.main[f"tables/{name}.parquet"] = data
    tree = {key: path.read_bytes() for key, path in source_tree().items()}
    work.put_all("main", tree)
    work.main |= tree


def change_one_percent(work: Workspace) -> tuple[dict[str, bytes], dict[str, str]]:
    """Changes, removes and adds files on branch `fix`; returns its content and the diff."""
    keys = [key for key in sorted(work.main) if not key.startswith("tables/")]
    chosen = keys[::100]
    removed, changed = chosen[:3], chosen[3:]
    edits = {key: work.main[key] + b"\n# changed on the branch\n" for key in changed}
    added = {"notes/what-changed.txt": b"one percent\n", "notes/\u00fcn\u00efcode name.txt": b"ok"}
    work.put_all("fix", edits | added)
    work.s3.delete_objects(
        Bucket=REPOSITORY, Delete={"Objects": [{"Key": f"fix/{key}"} for key in removed]}
    )
    content = {**work.main, **edits, **added}
    for key in removed:
        del content[key]
    expected = dict.fromkeys(edits, "changed")
    expected |= dict.fromkeys(removed, "removed") | dict.fromkeys(added, "added")
    return content, expected


def rewrite_table_with_duckdb(work: Workspace, content: dict[str, bytes]) -> None:
    """DuckDB reads a table from `main` and writes it, one degree warmer, to `fix`."""
    work.duck.execute(
        f"COPY (SELECT * REPLACE (temp_max + 1 AS temp_max) "
        f"FROM 's3://{REPOSITORY}/main/{WEATHER}') "
        f"TO 's3://{REPOSITORY}/fix/{WEATHER}' (FORMAT parquet)"
    )
    answer = work.s3.get_object(Bucket=REPOSITORY, Key=f"fix/{WEATHER}")
    content[WEATHER] = answer["Body"].read()


def test_versioning_real_data_from_upload_to_reset(work: Workspace) -> None:
    upload_everything(work)
    main = work.branch("main")
    first = main.commit("Real tables and files", metadata={"source": "packages"}).get_commit()
    expected_main = md5s(work.main)
    assert len(expected_main) > 2000
    assert work.checksums("main") == expected_main
    assert work.etags("main") == expected_main
    assert list(main.uncommitted()) == []
    assert work.tables("main") == sorted(key for key in work.main if key.startswith("tables/"))
    work.repository.tag("v1").create("main")

    fix = work.branch("fix").create("main")
    content, expected_diff = change_one_percent(work)
    rewrite_table_with_duckdb(work, content)
    expected_diff[WEATHER] = "changed"
    assert {item.path: item.type for item in fix.uncommitted()} == expected_diff
    assert work.changes("main", "fix") == {}, "a diff of refs never shows uncommitted work"
    second = fix.commit("Change one percent", metadata={"share": "1%"}).get_commit()
    assert work.changes("main", "fix") == expected_diff
    assert work.checksums("fix") == work.etags("fix") == md5s(content)
    assert work.checksums("main") == expected_main, "a branch must not leak into another"
    cold, warm = work.mean_temperature("main"), work.mean_temperature("fix")
    assert warm == pytest.approx(cold + 1)

    merged = fix.merge_into(main, message="Take the fix")
    assert work.checksums("main") == md5s(content)
    assert work.metarange("main") == work.metarange("fix")
    assert work.mean_temperature("main") == pytest.approx(warm)
    work.repository.tag("v2").create(merged)
    log = [commit.id for commit in main.log()]
    assert log[:3] == [merged, second.id, first.id]

    main.revert("main", parent_number=1)
    assert work.metarange("main") == first.meta_range_id, "the same tree has the same id"
    assert work.checksums("main") == expected_main

    some_key = next(iter(expected_main))
    main.object("scratch.txt").upload(b"not to be kept")
    main.object(some_key).delete()
    assert len(list(main.uncommitted())) == 2
    main.reset_changes("object", "scratch.txt")
    assert [item.path for item in main.uncommitted()] == [some_key]
    main.reset_changes()
    assert list(main.uncommitted()) == []
    assert work.checksums("main") == expected_main

    lakefs_sdk.ExperimentalApi(work.sdk).hard_reset_branch(REPOSITORY, "main", "v2")
    assert main.get_commit().id == merged
    assert work.checksums("main") == md5s(content)
    read_old_data(work, first.id, merged, cold, warm)


def read_old_data(work: Workspace, first: str, merged: str, cold: float, warm: float) -> None:
    """Every way to name a commit reads the bytes it was made with."""
    for ref in ("v1", first, first[:12], "v2~1", "main^1"):
        assert work.mean_temperature(ref) == pytest.approx(cold), ref
        read = work.s3.get_object(Bucket=REPOSITORY, Key=f"{ref}/{WEATHER}")["Body"].read()
        assert read == work.main[WEATHER], ref
    for ref in ("v2", merged, "main", "fix"):
        assert work.mean_temperature(ref) == pytest.approx(warm), ref
    with pytest.raises(ClientError) as refused:
        work.s3.put_object(Bucket=REPOSITORY, Key="v1/late.txt", Body=b"x")
    assert 400 <= refused.value.response["ResponseMetadata"]["HTTPStatusCode"] < 500


def test_the_generated_client_accepts_every_answer(work: Workspace) -> None:
    """lakefs-sdk validates what it reads; here it does the whole round."""
    refs = lakefs_sdk.RefsApi(work.sdk)
    branches = lakefs_sdk.BranchesApi(work.sdk)
    commits = lakefs_sdk.CommitsApi(work.sdk)
    objects = lakefs_sdk.ObjectsApi(work.sdk)
    tags = lakefs_sdk.TagsApi(work.sdk)
    source = work.folder / "one.txt"
    source.write_bytes(b"first version")
    objects.upload_object(REPOSITORY, "main", "a/one.txt", content=str(source))
    made = commits.commit(REPOSITORY, "main", lakefs_sdk.CommitCreation(message="one"))
    branches.create_branch(REPOSITORY, lakefs_sdk.BranchCreation(name="dev", source="main"))
    source.write_bytes(b"second version")
    objects.upload_object(REPOSITORY, "dev", "a/one.txt", content=str(source))
    work.put_all("dev", {f"many/{i:03}": b"%d" % i for i in range(25)})
    page = branches.diff_branch(REPOSITORY, "dev", amount=10)
    assert page.pagination.has_more and len(page.results) == 10
    commits.commit(REPOSITORY, "dev", lakefs_sdk.CommitCreation(message="two"))
    squash = lakefs_sdk.Merge(squash_merge=True)
    merged = refs.merge_into_branch(REPOSITORY, "dev", "main", merge=squash)
    assert commits.get_commit(REPOSITORY, merged.reference).parents == [made.id]
    tags.create_tag(REPOSITORY, lakefs_sdk.TagCreation(id="v1", ref=made.id))
    old = objects.get_object(REPOSITORY, "v1", "a/one.txt")
    assert bytes(old) == b"first version"
    stat = objects.stat_object(REPOSITORY, "main", "a/one.txt")
    assert (stat.checksum, stat.size_bytes) == (md5(b"second version"), 14)
    folded = objects.list_objects(REPOSITORY, "main", delimiter="/")
    assert [(item.path, item.path_type) for item in folded.results] == [
        ("a/", "common_prefix"),
        ("many/", "common_prefix"),
    ]
    undo = lakefs_sdk.RevertCreation(ref="main", parent_number=1)
    branches.revert_branch(REPOSITORY, "main", undo)
    assert len(refs.diff_refs(REPOSITORY, "v1", "main").results) == 0
    pick = lakefs_sdk.CherryPickCreation(ref="dev")
    picked = branches.cherry_pick(REPOSITORY, "main", pick)
    assert picked.metadata["cherry-pick-origin"]


def test_a_conflicting_merge_changes_nothing_until_told_which_side_wins(work: Workspace) -> None:
    main, dev = work.branch("main"), work.branch("dev")
    main.object("both").upload(b"base")
    main.commit("base")
    dev.create("main")
    main.object("both").upload(b"ours")
    main.commit("ours")
    dev.object("both").upload(b"theirs")
    dev.commit("theirs")
    before = main.get_commit().id
    with pytest.raises(lakefs.exceptions.ConflictException):
        dev.merge_into(main)
    assert main.get_commit().id == before
    dev.merge_into(main, strategy="source-wins")
    assert main.object("both").reader("rb").read() == b"theirs"
    client = lakefs_client(work.server)
    assert [repo.id for repo in lakefs.repositories(client=client)] == [REPOSITORY]
