"""`tarn takeover check` of a large installation: it reads, quickly, in little memory.

TARN_TAKEOVER_OBJECTS  staged objects, 20,000 if not said (`make nightly`: 1,000,000)

The installation is made by a server and multiplied inside PostgreSQL: half of the objects are staged on
one branch, half on many branches, a hundred each; beside them are a tenth as many commits, and tags.
"""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from clients import create_repository
from postgres_process import PostgresProcess, postgres_programs
from server_process import ServerProcess

pytestmark = [
    pytest.mark.tarn_only,
    pytest.mark.skipif(postgres_programs() is None, reason="PostgreSQL is not installed"),
]
OBJECTS = int(os.environ.get("TARN_TAKEOVER_OBJECTS", "20000"))
PER_BRANCH = 100
BRANCHES = OBJECTS // 2 // PER_BRANCH
COMMITS = OBJECTS // 10
TAGS = OBJECTS // 100
SECONDS_MAX = 60  # for a million; a few thousand take as long as the start of the program
PEAK_KIB_MAX = 96 * 1024


@pytest.fixture
def postgres() -> Iterator[PostgresProcess]:
    process = PostgresProcess().start()
    yield process
    process.remove()


def multiply(postgres: PostgresProcess) -> None:
    """More records of each kind that the server has written; bytes of one length are replaced."""
    postgres.query(
        "INSERT INTO kv SELECT s.partition_key, convert_to('many/' || lpad(i::text, 9, '0'), 'UTF8'), s.value "
        f"FROM kv s, generate_series(1, {OBJECTS // 2}) i WHERE s.key = convert_to('seed', 'UTF8')"
    )
    # A branch's record holds its name and its staging token, which is a partition's name.
    postgres.query(
        f"""
        WITH main AS (
          SELECT partition_key, value, (SELECT partition_key FROM kv WHERE key = convert_to('seed', 'UTF8')) AS token,
                 (SELECT value FROM kv WHERE key = convert_to('seed', 'UTF8')) AS entry
          FROM kv WHERE key = convert_to('branches/main', 'UTF8')),
        branches AS (
          SELECT i, partition_key, entry, overlay(token PLACING convert_to(lpad(i::text, 8, '0'), 'UTF8')
                   FROM length(token) - 7) AS token, token AS old, value
          FROM main, generate_series(1, {BRANCHES}) i),
        named AS (
          INSERT INTO kv SELECT partition_key, convert_to('branches/b' || lpad(i::text, 8, '0'), 'UTF8'),
            overlay(value PLACING token FROM position(old IN value)) FROM branches)
        INSERT INTO kv SELECT token, convert_to('few/' || lpad(j::text, 4, '0'), 'UTF8'), entry
        FROM branches, generate_series(1, {PER_BRANCH}) j
        """
    )
    for kind, number in (("commits", COMMITS), ("tags", TAGS)):
        postgres.query(
            f"INSERT INTO kv SELECT s.partition_key, convert_to('{kind}/' || md5(i::text) || md5(i::text), 'UTF8'), "
            f"s.value FROM generate_series(1, {number}) i, (SELECT * FROM kv WHERE substring(key FROM 1 FOR "
            f"{len(kind) + 1}) = convert_to('{kind}/', 'UTF8') ORDER BY key LIMIT 1) s"
        )
    postgres.query("ANALYZE kv")


def checksum(postgres: PostgresProcess) -> str:
    return postgres.query("SELECT count(*), sum(hashtext(encode(key, 'hex') || md5(value))::bigint) FROM kv")


def watch_memory(process: subprocess.Popen[bytes]) -> int:
    """Waits for its end; the peak of what was resident. What wait4() says counts our own before the exec."""
    peak = 0
    while process.poll() is None:
        with contextlib.suppress(OSError):
            found = re.search(r"^VmHWM:\s+(\d+) kB$", Path(f"/proc/{process.pid}/status").read_text(), re.MULTILINE)
            peak = max(peak, int(found[1])) if found else peak
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.02)
    return peak


def test_a_large_installation_is_looked_at_in_a_minute(postgres: PostgresProcess, tmp_path: Path) -> None:
    server = ServerProcess(data_dir=tmp_path / "data", options=postgres.options()).start()
    repository = create_repository(server, "large")
    repository.branch("main").object("first").upload(b"first")
    repository.branch("main").commit("first")
    repository.tag("first").create("main")
    repository.branch("main").object("seed").upload(b"seed")
    server.stop()
    multiply(postgres)
    before = checksum(postgres)

    report = tmp_path / "report"
    started = time.monotonic()
    with report.open("w") as output:
        process = subprocess.Popen(
            server.command("takeover", "check"), env=server.environment(), stdout=output, stderr=output
        )
    peak_kib = watch_memory(process)
    took = time.monotonic() - started

    text = report.read_text()
    print(f"{OBJECTS} objects, {BRANCHES} branches, {COMMITS} commits: {took:.1f} s, {peak_kib} KiB")
    assert process.returncode == 0, text
    counted = re.search(r"large \(.*\): (\d+) branches, (\d+) tags, (\d+) commits, (\d+) staged", text)
    assert counted, text
    branches, tags, commits, staged = map(int, counted.groups())
    assert branches == BRANCHES + 1 and tags == TAGS + 1
    assert commits - COMMITS in (1, 2)
    assert staged == OBJECTS // 2 + BRANCHES * PER_BRANCH + 1
    assert took < SECONDS_MAX
    assert peak_kib < PEAK_KIB_MAX
    assert checksum(postgres) == before, "it only reads"
