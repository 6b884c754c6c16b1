"""lakectl, the reference's command line, unchanged against Tarn.

The binary is taken from TARN_LAKECTL or unpacked from ../shared/peers; without one all is skipped.
"""

from __future__ import annotations

import lzma
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from server_process import ACCESS_KEY, ROOT, SECRET_KEY, ServerProcess

PACKED = ROOT.parent / "shared" / "peers" / "lakectl-1.84.0-linux-amd64.xz"
UNPACKED = ROOT / "build" / "peers" / "lakectl"
Lakectl = Callable[..., str]


def find_program() -> Path | None:
    if "TARN_LAKECTL" in os.environ:
        return Path(os.environ["TARN_LAKECTL"])
    if not UNPACKED.exists() and PACKED.exists():
        UNPACKED.parent.mkdir(parents=True, exist_ok=True)
        partial = UNPACKED.with_suffix(f".{os.getpid()}")
        with lzma.open(PACKED) as packed, partial.open("wb") as out:
            shutil.copyfileobj(packed, out)
        partial.chmod(0o755)
        partial.rename(UNPACKED)
    return UNPACKED if UNPACKED.exists() else None


PROGRAM = find_program()
pytestmark = pytest.mark.skipif(
    PROGRAM is None, reason=f"no lakectl: neither TARN_LAKECTL nor {PACKED}"
)


@pytest.fixture
def lakectl(server: ServerProcess, tmp_path: Path) -> Lakectl:
    environment = os.environ | {
        "LAKECTL_SERVER_ENDPOINT_URL": server.url,
        "LAKECTL_CREDENTIALS_ACCESS_KEY_ID": ACCESS_KEY,
        "LAKECTL_CREDENTIALS_SECRET_ACCESS_KEY": SECRET_KEY,
        "HOME": str(tmp_path),
    }

    def run(*words: str, fails: bool = False) -> str:
        done = subprocess.run(
            [str(PROGRAM), "--no-color", *words],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        text = done.stdout + done.stderr
        assert (done.returncode != 0) == fails, f"lakectl {' '.join(words)}:\n{text}"
        return text

    return run


def test_doctor_finds_nothing_wrong(lakectl: Lakectl) -> None:
    assert lakectl("doctor") == "Valid configuration\n"


def test_the_everyday_commands(lakectl: Lakectl, tmp_path: Path) -> None:
    repo = "lakefs://daily"
    lakectl("repo", "create", repo, "local://daily", "-d", "main")
    assert "daily" in lakectl("repo", "list")
    tree = tmp_path / "tree"
    (tree / "deep" / "er").mkdir(parents=True)
    for number in range(20):
        (tree / "deep" / "er" / f"{number}.txt").write_text(f"number {number}\n")
    lakectl("fs", "upload", "-r", "-s", f"{tree}/", f"{repo}/main/tree/")
    assert lakectl("fs", "cat", f"{repo}/main/tree/deep/er/7.txt") == "number 7\n"
    assert "tree/" in lakectl("fs", "ls", f"{repo}/main/")
    assert "Checksum" in lakectl("fs", "stat", f"{repo}/main/tree/deep/er/7.txt")
    assert "+ added tree/deep/er/19.txt" in lakectl("diff", f"{repo}/main")
    lakectl("commit", f"{repo}/main", "-m", "twenty files", "--meta", "who=lakectl")
    log = lakectl("log", f"{repo}/main")
    assert "twenty files" in log and "lakectl" in log

    lakectl("branch", "create", f"{repo}/dev", "-s", f"{repo}/main")
    assert "dev" in lakectl("branch", "list", repo)
    edited = tmp_path / "edited"
    edited.write_text("edited\n")
    lakectl("fs", "upload", "-s", str(edited), f"{repo}/dev/tree/deep/er/7.txt")
    lakectl("fs", "rm", f"{repo}/dev/tree/deep/er/8.txt")
    lakectl("commit", f"{repo}/dev", "-m", "edit and remove")
    diff = lakectl("diff", f"{repo}/main", f"{repo}/dev")
    assert "~ modified tree/deep/er/7.txt" in diff and "- removed tree/deep/er/8.txt" in diff
    lakectl("merge", f"{repo}/dev", f"{repo}/main", "-m", "take it")
    assert lakectl("fs", "cat", f"{repo}/main/tree/deep/er/7.txt") == "edited\n"

    lakectl("tag", "create", f"{repo}/v1", f"{repo}/main")
    assert "v1" in lakectl("tag", "list", repo)
    lakectl("branch", "revert", f"{repo}/main", "main", "-m", "1", "--yes")
    assert lakectl("fs", "cat", f"{repo}/main/tree/deep/er/7.txt") == "number 7\n"
    assert lakectl("fs", "cat", f"{repo}/v1/tree/deep/er/7.txt") == "edited\n"
    lakectl("fs", "upload", "-s", str(edited), f"{repo}/main/not-kept")
    lakectl("branch", "reset", f"{repo}/main", "--yes")
    lakectl("fs", "stat", f"{repo}/main/not-kept", fails=True)
    lakectl("tag", "delete", f"{repo}/v1", "--yes")
    lakectl("branch", "delete", f"{repo}/dev", "--yes")
    assert "dev" not in lakectl("branch", "list", repo)


def test_local_checkout_commit_and_status(lakectl: Lakectl, tmp_path: Path) -> None:
    repo = "lakefs://synced"
    lakectl("repo", "create", repo, "local://synced")
    source = tmp_path / "source"
    source.mkdir()
    (source / "kept.txt").write_text("kept\n")
    lakectl("fs", "upload", "-r", "-s", f"{source}/", f"{repo}/main/data/")
    lakectl("commit", f"{repo}/main", "-m", "start")
    folder = tmp_path / "clone"
    lakectl("local", "clone", f"{repo}/main/data/", str(folder))
    assert (folder / "kept.txt").read_text() == "kept\n"
    (folder / "new.txt").write_text("new\n")
    assert "new.txt" in lakectl("local", "status", str(folder))
    lakectl("local", "commit", str(folder), "-m", "from the clone")
    assert lakectl("fs", "cat", f"{repo}/main/data/new.txt") == "new\n"


def test_a_mistake_is_explained_and_fails(lakectl: Lakectl) -> None:
    lakectl("repo", "create", "lakefs://mistakes", "local://mistakes")
    assert "not found" in lakectl("log", "lakefs://nowhere/main", fails=True)
    assert "no changes" in lakectl("commit", "lakefs://mistakes/main", "-m", "x", fails=True)
    assert "not unique" in lakectl(
        "repo", "create", "lakefs://mistakes", "local://elsewhere", fails=True
    )
