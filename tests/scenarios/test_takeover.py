"""Taking over an installation of the reference in place, working on it, and handing it back.

The fixture is what lakeFS 1.84 left on PostgreSQL and a local block store, with its own answers
about everything in it. It is no part of this repository: see installation.py for where it is
looked for. The half that starts the reference again needs its binary as well.
"""

from __future__ import annotations

import hashlib
import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from installation import Installation, Program, Questions, fixture_folder, reference_binary
from postgres_process import PostgresProcess, postgres_programs
from server_process import binary

pytestmark = pytest.mark.tarn_only

REPOSITORIES = ["quick", "imported", "big", "untouched", "frozen"]
# Listings of hundreds of thousands of objects take long; TARN_TAKEOVER_FULL=1 asks for all of them.
FULL = bool(os.environ.get("TARN_TAKEOVER_FULL"))
LONG_LISTING = 10_000


def skip_loudly(reason: str) -> None:
    warnings.warn(f"TAKEOVER NOT TESTED: {reason}", stacklevel=2)
    pytest.skip(reason)


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgresProcess]:
    if postgres_programs() is None:
        skip_loudly("PostgreSQL is not installed")
    process = PostgresProcess(settings={"max_locks_per_transaction": "256"}).start()
    yield process
    process.remove()


def lay_out(folder: Path, postgres: PostgresProcess) -> Installation:
    fixture = fixture_folder()
    if fixture is None:
        skip_loudly("the fixture lakefs-1.84-postgres is not here: set FIXTURES")
        raise AssertionError
    postgres.query("DROP TABLE IF EXISTS kv CASCADE")
    return Installation(folder, postgres, fixture)


@pytest.fixture
def installation(tmp_path: Path, postgres: PostgresProcess) -> Installation:
    return lay_out(tmp_path, postgres)


def tarn(installation: Installation) -> Program:
    return Program(installation, binary())


def assert_fsck_clean(installation: Installation) -> None:
    """The bytes of `big` are not part of the fixture, those of `imported` not everywhere."""
    checks = [("--no-objects",), ("--repository", "quick"), ("--repository", "untouched")]
    if installation.has_external:
        checks.append(("--repository", "imported"))
    for words in checks:
        result = tarn(installation).run_command("fsck", *words)
        text = result.stdout + result.stderr
        assert result.returncode == 0 and ": clean" in text, f"{words}: {text[-3000:]}"


def check_repository(ask: Questions, name: str, expected: dict[str, Any]) -> None:
    """Every answer that the reference's were recorded of."""
    assert ask.repository(name) == expected["repository"]
    assert ask.metadata(name) == expected["metadata"]
    assert ask.branches(name) == expected["branches"]
    assert ask.tags(name) == expected["tags"]
    assert ask.branch_protection(name) == sorted(expected["branch_protection"], key=lambda r: r["pattern"])
    assert ask.gc_rules(name) == expected["gc_rules"]
    assert ask.pulls(name) == expected["pulls"]
    assert ask.action_runs(name) == expected["action_runs"]
    for ref, commits in expected["logs"].items():
        assert ask.log(name, ref) == commits, ref
    for commit, record in expected["commits"].items():
        assert ask.commit(name, commit) == record, commit
    for ref, listing in expected["objects"].items():
        if listing["count"] > LONG_LISTING and ref != "main" and not FULL:
            continue
        found = ask.objects(name, ref)
        for row in listing.get("rows", []):
            row["metadata"] = row["metadata"] or None
        assert found == {k: v for k, v in listing.items() if k in found}, ref
    for branch, changes in expected["uncommitted"].items():
        assert ask.uncommitted(name, branch) == changes, branch
    for ref, changes in expected["diff_from_main"].items():
        assert ask.diff(name, ref, "two_dot") == changes, ref
    for ref, changes in expected["three_dot_from_main"].items():
        assert ask.diff(name, ref, "three_dot") == changes, ref


def check_contents(ask: Questions, name: str, expected: dict[str, str]) -> None:
    for where, digest in expected.items():
        ref, path = where.split("/", 1)
        answer = ask.content(name, ref, path)
        assert answer.status_code == 200, f"{where}: {answer.status_code} {answer.text}"
        assert hashlib.sha256(answer.content).hexdigest() == digest, where


def test_every_recorded_answer_is_given_again(installation: Installation) -> None:
    with tarn(installation) as program:
        ask = Questions(program)
        repositories = installation.expect["repositories"]
        assert [r["id"] for r in ask.pages("/repositories")] == sorted(repositories)
        user = ask.get("/user")["user"]
        assert user["id"] == "admin"
        keys = list(ask.pages("/auth/users/admin/credentials"))
        assert [key["access_key_id"] for key in keys] == [installation.login[0]]
        for name, expected in repositories.items():
            check_repository(ask, name, expected)
            if name != "imported" or installation.has_external:
                check_contents(ask, name, expected.get("content_sha256", {}))
    assert_fsck_clean(installation)


def test_reading_it_changes_nothing_but_the_start_record(installation: Installation) -> None:
    """Whoever only looks leaves the database as it was."""
    rows = "SELECT md5(string_agg(md5(partition_key || '|'::bytea || key || '|'::bytea || value), '' ORDER BY partition_key, key)) FROM kv"
    before = installation.postgres.query(rows)
    result = tarn(installation).run_command("takeover", "check")
    assert result.returncode == 0, result.stdout + result.stderr
    assert installation.postgres.query(rows) == before
    text = result.stdout
    assert "5 repositories" in text, text
    assert "schema version 4" in text, text
    for word in ("quick", "imported", "big", "untouched", "frozen", "read-only", "admin", installation.login[0]):
        assert word in text, f"{word} in {text}"


def s3(program: Program) -> Any:
    key, secret = program.installation.login
    return boto3.session.Session().client(
        "s3", endpoint_url=program.url, aws_access_key_id=key, aws_secret_access_key=secret,
        region_name="us-east-1",
        config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1}),
    )  # fmt: skip


def finish_open_upload(program: Program) -> bytes:
    """The multipart upload that the reference left open goes on: another part, then the end."""
    upload = program.installation.expect["open_multipart"]
    where = {"Bucket": upload["bucket"], "Key": upload["key"], "UploadId": upload["upload_id"]}
    client = s3(program)
    parts = client.list_parts(**where).get("Parts", [])
    number = max((part["PartNumber"] for part in parts), default=0) + 1
    last = client.upload_part(**where, PartNumber=number, Body=b"the end of it")
    done = [{"PartNumber": p["PartNumber"], "ETag": p["ETag"]} for p in parts]
    done.append({"PartNumber": number, "ETag": last["ETag"]})
    client.complete_multipart_upload(**where, MultipartUpload={"Parts": done})
    content: bytes = client.get_object(Bucket=upload["bucket"], Key=upload["key"])["Body"].read()
    assert content.endswith(b"the end of it")
    assert len(content) == sum(part["Size"] for part in parts) + len(b"the end of it")
    return content


def work(ask: Questions, word: str) -> None:
    """What people do: branches, objects, commits, a merge, a tag, a conflict, a revert, a reset."""
    name = "quick"
    ask.post(f"/repositories/{name}/branches", {"name": f"{word}-work", "source": "dev"})
    for number in range(12):
        ask.upload(name, f"{word}-work", f"{word}/file-{number:02}", f"{word} {number}".encode())
    ask.request(
        "DELETE", f"/repositories/{name}/branches/{word}-work/objects",
        params={"path": "tables/events/day=03/part-0000.csv"},
    )  # fmt: skip
    ask.commit_branch(name, f"{word}-work", f"{word} works")
    ask.post(f"/repositories/{name}/refs/{word}-work/merge/dev", {"message": f"{word} merges"})
    ask.post(f"/repositories/{name}/tags", {"id": f"{word}-tag", "ref": "dev"})
    second = ask.upload(name, f"{word}-work", f"{word}/second", b"to be reverted")
    assert second["path"] == f"{word}/second"
    reverted = ask.commit_branch(name, f"{word}-work", f"{word} will be reverted")
    answer = ask.request(
        "POST", f"/repositories/{name}/branches/{word}-work/revert", json={"ref": reverted, "parent_number": 0}
    )  # fmt: skip
    assert answer.status_code == 204, answer.text
    ask.upload(name, f"{word}-work", f"{word}/left uncommitted", b"staged")
    ask.upload("big", "edit", f"{word}/in big", b"one more of many")
    ask.commit_branch("big", "edit", f"{word} changes the big one")
    ask.post("/repositories/big/refs/edit/merge/main", {"message": f"{word} merges into big"})
    ask.upload("untouched", "main", f"{word}/first", b"touched")
    ask.commit_branch("untouched", "main", f"{word} touches")
    refused = ask.request(
        "POST", "/repositories/frozen/branches/main/objects", params={"path": "x"}, data=b"x",
        headers={"Content-Type": "application/octet-stream"},
    )  # fmt: skip
    assert refused.status_code == 403, refused.text


def commit_what_was_left(ask: Questions) -> None:
    """Staged changes of the reference, with a tombstone and with sealed tokens, become commits."""
    for branch in ("staged", "sealed"):
        before = {c["path"]: c["type"] for c in ask.uncommitted("quick", branch)}
        parent = ask.log("quick", branch)[0]
        commit = ask.commit_branch("quick", branch, f"what was left on {branch}")
        diff = ask.pages(f"/repositories/quick/refs/{parent}/diff/{commit}", type="two_dot")
        assert {c["path"]: c["type"] for c in diff} == before
        assert ask.uncommitted("quick", branch) == []


def snapshots(ask: Questions) -> dict[str, Any]:
    return {
        name: ask.snapshot(name, refs=["main"] if name == "big" and not FULL else None)
        for name in REPOSITORIES
    }


def assert_same(found: dict[str, Any], expected: dict[str, Any]) -> None:
    for name in REPOSITORIES:
        for what, value in expected[name].items():
            assert found[name][what] == value, f"{name}: {what}"


def test_work_goes_on_and_goes_back(installation: Installation) -> None:
    with tarn(installation) as program:
        ask = Questions(program)
        work(ask, "tarn")
        commit_what_was_left(ask)
        content = finish_open_upload(program)
        ask.commit_branch("quick", "dev", "the upload that was open")
        mine = snapshots(ask)
    assert_fsck_clean(installation)

    path = reference_binary()
    if path is None:
        skip_loudly("the reference's binary is not here, so nothing was handed back")
        return
    with Program(installation, path) as program:
        ask = Questions(program)
        assert_same(snapshots(ask), mine)
        upload = installation.expect["open_multipart"]
        branch, key = upload["key"].split("/", 1)
        assert ask.content("quick", branch, key).content == content
        assert ask.content("quick", "tarn-work", "tarn/left uncommitted").content == b"staged"
        work(ask, "lakefs")
        ask.commit_branch("quick", "tarn-work", "lakefs commits what tarn staged")
        theirs = snapshots(ask)

    with tarn(installation) as program:
        ask = Questions(program)
        assert_same(snapshots(ask), theirs)
        work(ask, "again")
    assert_fsck_clean(installation)


def test_administrator_of_an_older_release_is_taken_along(installation: Installation) -> None:
    """Before the built-in mode had its own partition, user and key stood among all users."""
    key = installation.login[0]
    installation.postgres.query(
        "UPDATE kv SET partition_key = 'auth', key = 'users/admin' WHERE partition_key = 'basicAuth' AND key = 'users/superAdmin'"
    )
    installation.postgres.query(
        f"UPDATE kv SET partition_key = 'auth', key = 'uCredentials/admin/credentials/{key}' WHERE partition_key = 'basicAuth'"
    )
    assert installation.postgres.query("SELECT count(*) FROM kv WHERE partition_key = 'basicAuth'") == "0"
    with tarn(installation) as program:
        ask = Questions(program)
        assert ask.get("/user")["user"]["id"] == "admin"
        ask.upload("untouched", "main", "x", b"x")
    path = reference_binary()
    if path is None:
        skip_loudly("the reference's binary is not here, so nothing was handed back")
        return
    with Program(installation, path) as program:
        assert Questions(program).get("/user")["user"]["id"] == "admin"
