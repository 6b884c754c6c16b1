"""From the reference's embedded database to Tarn, by the way that docs/operating/from-lakefs.md describes.

Needs the reference's binaries (installation.py, test_lakectl.py); skipped without them.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import lakefs
import pytest
import requests

from clients import lakefs_client
from installation import START_SECONDS, reference_binary
from postgres_process import PostgresProcess, postgres_programs
from server_process import ACCESS_KEY, SECRET_KEY, ServerProcess
from test_lakectl import PROGRAM as LAKECTL
from waiting import wait_until

pytestmark = [
    pytest.mark.tarn_only,
    pytest.mark.skipif(
        reference_binary() is None or LAKECTL is None or postgres_programs() is None,
        reason="needs the reference, its command line and PostgreSQL",
    ),
]
SECRET = "the same for all three"


def set_up(server: ServerProcess) -> None:
    """Makes the administrator; on its embedded database the reference has read it from its environment."""
    keys = {"access_key_id": ACCESS_KEY, "secret_access_key": SECRET_KEY}
    answer = requests.post(
        f"{server.url}/api/v1/setup_lakefs", json={"username": "admin", "key": keys}, timeout=60
    )
    assert answer.status_code in (200, 409), answer.text


@contextmanager
def reference(folder: Path, database: dict[str, str]) -> Iterator[ServerProcess]:
    """The reference on this database and the folder's blocks; its port and keys are ServerProcess's."""
    server = ServerProcess(data_dir=folder)
    values = {
        "STATS_ENABLED": "false",
        "BLOCKSTORE_TYPE": "local",
        "BLOCKSTORE_LOCAL_PATH": str(folder / "blocks"),
        "COMMITTED_LOCAL_CACHE_DIR": str(folder / f"cache{server.port}"),
        "AUTH_ENCRYPT_SECRET_KEY": SECRET,
        "LISTEN_ADDRESS": server.host,
        "INSTALLATION_USER_NAME": "admin",
        "INSTALLATION_ACCESS_KEY_ID": ACCESS_KEY,
        "INSTALLATION_SECRET_ACCESS_KEY": SECRET_KEY,
        **database,
    }
    clean = {n: v for n, v in os.environ.items() if not n.startswith(("TARN_", "LAKEFS_"))}
    with (folder / f"reference{server.port}.log").open("ab") as log:
        process = subprocess.Popen(
            [str(reference_binary()), "run"], stdout=log, stderr=log, cwd=folder,
            env=clean | {f"LAKEFS_{n}": v for n, v in values.items()} | {"HOME": str(folder)},
        )  # fmt: skip
    try:
        wait_until(server.is_healthy, what="the reference to serve", seconds=START_SECONDS)
        set_up(server)
        yield server
    finally:
        process.terminate()
        process.wait(timeout=45)


def lakectl(server: ServerProcess, *words: str) -> str:
    done = subprocess.run(
        [str(LAKECTL), "--no-color", *words], capture_output=True, text=True, timeout=120,
        env=os.environ | {
            "LAKECTL_SERVER_ENDPOINT_URL": server.url,
            "LAKECTL_CREDENTIALS_ACCESS_KEY_ID": ACCESS_KEY,
            "LAKECTL_CREDENTIALS_SECRET_ACCESS_KEY": SECRET_KEY,
            "HOME": str(server.data_dir),
        },
    )  # fmt: skip
    assert done.returncode == 0, f"lakectl {words}: {done.stdout} {done.stderr}"
    return done.stdout


def test_an_embedded_installation_comes_over_by_way_of_postgresql(tmp_path: Path) -> None:
    local = {"DATABASE_TYPE": "local", "DATABASE_LOCAL_PATH": str(tmp_path / "metadata")}
    dump = tmp_path / "refs.json"
    with reference(tmp_path, local) as old:
        client = lakefs_client(old)
        repository = lakefs.Repository("lake", client=client).create(storage_namespace="local://lake")
        main = repository.branch("main")
        main.object("a/one").upload(b"one")
        first = main.commit("first").id
        repository.tag("v1").create(first)
        dev = repository.branch("dev").create("main")
        dev.object("a/two").upload(b"two")
        second = dev.commit("second").id
        lakectl(old, "refs-dump", "lakefs://lake", "--output", str(dump))
    assert json.loads(dump.read_text())

    here = ServerProcess(
        data_dir=tmp_path / "tarn",
        options=local | {"BLOCKSTORE_LOCAL_PATH": str(tmp_path / "blocks"), "AUTH_ENCRYPT_SECRET_KEY": SECRET},
    )
    here.data_dir.mkdir()
    for words in (("takeover", "check"), ("run",)):
        refused = here.run_command(*words)
        assert refused.returncode == 1, refused.stdout + refused.stderr
        assert "move the installation to PostgreSQL first" in refused.stderr + refused.stdout

    postgres = PostgresProcess().start()
    try:
        with reference(tmp_path, postgres.options()) as new:
            lakectl(new, "repo", "create-bare", "lakefs://lake", "local://lake", "--default-branch", "main")
            lakectl(new, "refs-restore", "lakefs://lake", "--manifest", str(dump))
        here.options |= postgres.options()
        checked = here.run_command("takeover", "check")
        assert checked.returncode == 0, checked.stdout + checked.stderr
        assert "2 branches, 1 tags, 3 commits, 0 staged entries" in checked.stdout
        here.start()
        lake = lakefs.Repository("lake", client=lakefs_client(here))
        assert [commit.id for commit in lake.branch("dev").log()][:2] == [second, first]
        assert lake.ref("v1").object("a/one").reader("rb").read() == b"one"
        assert lake.branch("dev").object("a/two").reader("rb").read() == b"two"
        lake.branch("dev").merge_into(lake.branch("main"))
        assert requests.get(f"{here.url}/api/v1/healthcheck", timeout=5).status_code == 204
        assert here.stop() == 0
        here.assert_clean()
    finally:
        if here.is_running():
            here.kill()
        postgres.remove()
