"""tarn kv copy: an installation moves to another database and back, interrupted on the way."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import lakefs
import pytest

from clients import create_repository, lakefs_client, s3_client
from dynamo_process import DynamoProcess
from postgres_process import PostgresProcess, postgres_programs
from server_process import ServerProcess, binary
from waiting import wait_until

pytestmark = pytest.mark.tarn_only
MakeServer = Callable[..., ServerProcess]
OBJECTS = 700


def copy_command(source: str, target: str, *more: str) -> list[str]:
    return [str(binary()), "kv", "copy", "--from", source, "--to", target, *more]


def copy(
    server: ServerProcess, source: str, target: str, *more: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        copy_command(source, target, *more),
        env=server.environment() | DynamoProcess.environment(),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def fill(server: ServerProcess) -> None:
    repository = create_repository(server, "moved")
    s3 = s3_client(server)

    def put(number: int) -> None:
        s3.put_object(Bucket="moved", Key=f"main/o{number:04}", Body=str(number).encode())

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(put, range(20)))
        repository.branch("main").commit("twenty")
        list(pool.map(put, range(20, OBJECTS)))
    repository.branch("other").create("main")
    repository.tag("v1").create("main")


def contents(server: ServerProcess) -> dict[str, object]:
    repository = lakefs.Repository("moved", client=lakefs_client(server))
    return {
        "objects": {item.path: item.checksum for item in repository.branch("main").objects()},
        "log": [entry.id for entry in repository.branch("main").log()],
        "tags": {tag.id: tag.get_commit().id for tag in repository.tags()},
        "branches": sorted(branch.id for branch in repository.branches()),
    }


@pytest.fixture
def source(make_server: MakeServer) -> Iterator[tuple[ServerProcess, dict[str, object]]]:
    """A stopped server with data, and what it said it holds."""
    server = make_server().start()
    fill(server)
    said = contents(server)
    assert server.stop() == 0
    yield server, said


def server_beside(
    make_server: MakeServer, source: ServerProcess, name: str, options: dict[str, str]
) -> ServerProcess:
    """Another server on the same objects with the same secret."""
    server = make_server(
        name, options={"BLOCKSTORE_LOCAL_PATH": str(source.data_dir / "objects"), **options}
    )
    server.data_dir.mkdir()
    shutil.copy(source.data_dir / "secret.key", server.data_dir)
    return server


def test_an_interrupted_copy_to_dynamodb_goes_on_and_the_way_back_is_the_same(
    source: tuple[ServerProcess, dict[str, object]], make_server: MakeServer, tmp_path: Path
) -> None:
    server, said = source
    with DynamoProcess() as dynamo:
        process = subprocess.Popen(
            copy_command(str(server.data_dir), dynamo.uri()),
            env=server.environment() | dynamo.environment(),
            stdout=subprocess.DEVNULL,
        )
        # Hundreds of rows against a slow emulator: killed as soon as it has begun, it is not done.
        wait_until(lambda: dynamo.has_item(b"tarn/kv-copy", b"state"), what="the copy to begin")
        process.kill()
        process.wait()
        moved = server_beside(make_server, server, "moved", dynamo.options())
        refused = moved.run_command("run", "--listen", "127.0.0.1:0", seconds=30)
        assert refused.returncode == 1 and "unfinished copy" in refused.stderr
        other = copy(server, f"rocksdb:{tmp_path / 'nowhere'}", dynamo.uri())
        assert other.returncode == 1 and "no metadata there" in other.stderr

        resumed = copy(server, str(server.data_dir), dynamo.uri())
        assert resumed.returncode == 0, resumed.stderr
        assert "resumed" in resumed.stdout and "are the same" in resumed.stdout
        moved.start()
        assert contents(moved) == said
        assert moved.stop() == 0
        moved.assert_clean()

        back = f"rocksdb:{tmp_path / 'back'}"
        careless = copy(server, dynamo.uri(), back)
        assert careless.returncode == 1 and "--source-is-stopped" in careless.stderr
        assert copy(server, dynamo.uri(), back, "--source-is-stopped").returncode == 0
        verified = copy(server, str(server.data_dir), back, "--verify-only")
        # The server that ran on the table has written its own start there.
        assert "rows" in verified.stdout
        moved.process = None
        moved.options = {
            "BLOCKSTORE_LOCAL_PATH": str(server.data_dir / "objects"),
            "DATABASE_LOCAL_PATH": str(tmp_path / "back"),
        }
        moved.start()
        assert contents(moved) == said


def test_a_copy_between_embedded_stores_verifies_and_refuses_what_is_used(
    source: tuple[ServerProcess, dict[str, object]], make_server: MakeServer, tmp_path: Path
) -> None:
    server, said = source
    target = f"rocksdb:{tmp_path / 'copy'}"
    server.start()
    busy = copy(server, str(server.data_dir), target)
    assert busy.returncode == 1 and "in use by another process" in busy.stderr
    assert server.stop() == 0
    done = copy(server, str(server.data_dir), target)
    assert done.returncode == 0 and "are the same" in done.stdout, done.stderr
    again = copy(server, str(server.data_dir), target)
    assert again.returncode == 1 and "not empty" in again.stderr
    assert copy(server, str(server.data_dir), target, "--verify-only").returncode == 0
    moved = server_beside(
        make_server, server, "moved", {"DATABASE_LOCAL_PATH": str(tmp_path / "copy")}
    )
    moved.start()
    assert contents(moved) == said
    lakefs.Repository("moved", client=lakefs_client(moved)).branch("main").object("late").upload(b"x")
    assert moved.stop() == 0
    differs = copy(server, str(server.data_dir), target, "--verify-only")
    assert differs.returncode == 1
    assert "late: only in the target" in differs.stderr
    same = copy(server, str(server.data_dir), str(server.data_dir))
    assert same.returncode == 1 and "the same store" in same.stderr


@pytest.mark.skipif(postgres_programs() is None, reason="PostgreSQL is not installed")
def test_postgresql_takes_an_embedded_store_and_gives_it_back(
    source: tuple[ServerProcess, dict[str, object]], make_server: MakeServer, tmp_path: Path
) -> None:
    server, said = source
    postgres = PostgresProcess().start()
    try:
        done = copy(server, str(server.data_dir), postgres.url)
        assert done.returncode == 0 and "are the same" in done.stdout, done.stderr
        moved = server_beside(
            make_server, server, "moved",
            {"DATABASE_TYPE": "postgres", "DATABASE_POSTGRES_CONNECTION_STRING": postgres.url},
        )  # fmt: skip
        moved.start()
        assert contents(moved) == said
        assert moved.stop() == 0
        moved.assert_clean()
        back = copy(
            server, postgres.url, f"rocksdb:{tmp_path / 'back'}", "--source-is-stopped"
        )
        assert back.returncode == 0 and "are the same" in back.stdout, back.stderr
        moved.options = {
            "BLOCKSTORE_LOCAL_PATH": str(server.data_dir / "objects"),
            "DATABASE_LOCAL_PATH": str(tmp_path / "back"),
        }
        moved.start()
        assert contents(moved) == said
        assert moved.stop() == 0
    finally:
        postgres.remove()
