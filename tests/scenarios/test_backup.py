"""Backup of a server under load, and its restoration: every moment in it is one that was."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import lakefs
import pytest

from clients import create_repository, lakefs_client
from server_process import ServerProcess
from test_crash import WRITERS, Ledger, Load
from waiting import wait_until

pytestmark = pytest.mark.tarn_only
MakeServer = Callable[..., ServerProcess]


@dataclass
class TimedLedger(Ledger):
    """Which outcome each key had when: between begin and end either the old one or the new."""

    events: dict[str, list[tuple[float, float, str | None]]] = field(default_factory=dict)
    begun: dict[str, float] = field(default_factory=dict)

    def begin(self, key: str, outcome: str | None) -> None:
        self.begun[key] = time.monotonic()
        self.events.setdefault(key, []).append((self.begun[key], float("inf"), outcome))
        super().begin(key, outcome)

    def end(self, key: str, outcome: str | None) -> None:
        self.events[key][-1] = (self.begun[key], time.monotonic(), outcome)
        super().end(key, outcome)

    def possible(self, key: str, since: float, until: float) -> set[str | None]:
        """What a look between the two moments may have found."""
        before: str | None = None
        outcomes = set()
        for begin, end, outcome in list(self.events.get(key, [])):
            if end <= since:
                before = outcome
            elif begin < until:
                outcomes.add(outcome)
        return outcomes | {before}


def restore(make_server: MakeServer, backup: Path, name: str) -> ServerProcess:
    restored = make_server(name)
    restored.data_dir.mkdir()
    result = restored.run_command("restore", "--from", str(backup))
    assert result.returncode == 0, result.stderr
    restored.assert_clean()
    return restored.start()


def objects_of(server: ServerProcess, repository: str, ref: str) -> dict[str, str]:
    found = lakefs.Repository(repository, client=lakefs_client(server)).ref(ref).objects()
    return {item.path: item.checksum for item in found}


def test_a_backup_under_load_is_one_moment_and_comes_back_whole(
    make_server: MakeServer, tmp_path: Path
) -> None:
    server = make_server().start()
    repository = create_repository(server, "crash")
    ledgers = [TimedLedger() for _ in range(WRITERS)]
    load = Load(server, repository, 0, list(ledgers))
    load.start()
    wait_until(
        lambda: load.surprises or (load.acknowledged() >= 300 and len(load.commits) >= 3),
        what="writes and commits to be under way",
        seconds=60,
    )
    committed = list(load.commits)
    since = time.monotonic()
    result = server.run_command("backup", "--to", str(tmp_path / "backup"))
    until = time.monotonic()
    assert result.returncode == 0, result.stderr
    assert "by the running server" in result.stdout
    enough = load.acknowledged() + 100
    wait_until(lambda: load.surprises or load.acknowledged() >= enough, what="more writes")
    load.dying.set()
    server.kill()
    load.join()
    server.start()

    restored = restore(make_server, tmp_path / "backup", "restored")
    found = objects_of(restored, "crash", "main")
    wrong = [
        f"{key}: {found.get(key)}"
        for ledger in ledgers
        for key in ledger.events
        if found.get(key) not in ledger.possible(key, since, until)
    ]
    assert not wrong, wrong[:10]
    assert len(found) > WRITERS
    main = lakefs.Repository("crash", client=lakefs_client(restored)).branch("main")
    log = {entry.id for entry in main.log()}
    assert set(committed) <= log, "a commit from before the backup is missing"
    for path in list(found)[:20]:
        assert main.object(path).reader("rb").read()
    assert main.commit("life goes on", allow_empty=True).id


def stopped_server(make_server: MakeServer) -> ServerProcess:
    server = make_server().start()
    main = create_repository(server, "kept").branch("main")
    for number in range(20):
        main.object(f"o{number}").upload(f"content {number}".encode())
    main.commit("one")
    main.object("staged").upload(b"staged")
    assert server.stop() == 0
    return server


def test_a_stopped_servers_backup_is_checked_by_sha256sum_and_restores_the_same(
    make_server: MakeServer, tmp_path: Path
) -> None:
    server = stopped_server(make_server)
    backup = tmp_path / "backup"
    result = server.run_command("backup", "--to", str(backup))
    assert result.returncode == 0, result.stderr
    check = subprocess.run(
        ["sha256sum", "--quiet", "--check", "SHA256SUMS"], cwd=backup, check=False
    )
    assert check.returncode == 0
    again = server.run_command("backup", "--to", str(backup))
    assert again.returncode == 1 and "not empty" in again.stderr
    restored = restore(make_server, backup, "restored")
    server.start()
    assert objects_of(restored, "kept", "main") == objects_of(server, "kept", "main")
    main = lakefs.Repository("kept", client=lakefs_client(restored)).branch("main")
    assert [item.path for item in main.uncommitted()] == ["staged"]


def test_a_damaged_or_unfinished_backup_and_a_used_place_are_refused(
    make_server: MakeServer, tmp_path: Path
) -> None:
    server = stopped_server(make_server)
    backup = tmp_path / "backup"
    assert server.run_command("backup", "--to", str(backup)).returncode == 0
    used = server.run_command("restore", "--from", str(backup))
    assert used.returncode == 1 and "is not empty" in used.stderr

    def restore_to(name: str) -> tuple[ServerProcess, subprocess.CompletedProcess[str]]:
        place = ServerProcess(data_dir=tmp_path / name)
        place.data_dir.mkdir()
        return place, place.run_command("restore", "--from", str(backup))

    manifest = (backup / "BACKUP").read_bytes()
    (backup / "BACKUP").unlink()
    assert "not finished" in restore_to("without-manifest")[1].stderr
    (backup / "BACKUP").write_bytes(manifest)
    victim = next(path for path in (backup / "objects").rglob("*") if path.stat().st_size == 9)
    content = victim.read_bytes()
    victim.write_bytes(b"X" + content[1:])
    place, result = restore_to("damaged")
    assert result.returncode == 1 and "is damaged" in result.stderr
    assert not (place.data_dir / "metadata").exists(), "no store that a server could open"
    victim.unlink()
    assert "lacks" in restore_to("missing")[1].stderr
    victim.write_bytes(content)
    assert restore_to("good")[1].returncode == 0


def test_what_holds_no_metadata_is_not_backed_up(make_server: MakeServer, tmp_path: Path) -> None:
    server = ServerProcess(data_dir=tmp_path / "nothing")
    server.data_dir.mkdir()
    result = server.run_command("backup", "--to", str(tmp_path / "backup"))
    assert result.returncode == 1 and "no metadata" in result.stderr
    assert list(server.data_dir.iterdir()) == [], "looking must not make anything"
