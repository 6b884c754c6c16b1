"""A server whose changes of files are written down, and whose power can fail."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from power_loss import Journal
from server_process import ROOT, ServerProcess
from waiting import wait_until

SOURCE = Path(__file__).with_name("shim.cc")
COMPILER = os.environ.get("CXX", "clang++-19")
SYNC_US = 1500
START_SECONDS, PATIENCE_SECONDS, DIE_SECONDS = 90, 1, 20


def built_shim() -> Path:
    """The library, compiled if its source is newer."""
    library = ROOT / "build" / "crash" / "shim.so"
    if not library.exists() or library.stat().st_mtime < SOURCE.stat().st_mtime:
        library.parent.mkdir(parents=True, exist_ok=True)
        made = library.with_suffix(f".{os.getpid()}")
        flags = ["-std=c++20", "-O1", "-g1", "-Wall", "-Wextra", "-shared", "-fPIC"]
        subprocess.run([COMPILER, *flags, "-o", str(made), str(SOURCE), "-ldl"], check=True)
        made.rename(library)
    return library


@dataclass
class PowerServer(ServerProcess):
    """Keeps its data below a directory `volume`, which is all that is traced."""

    lose: str = ""
    journal: Journal | None = None
    control: int | None = None

    @classmethod
    def in_directory(cls, folder: Path, lose: str = "") -> PowerServer:
        (folder / "volume").mkdir(parents=True)
        return cls(data_dir=folder / "volume" / "state" / "data", lose=lose)

    @property
    def volume(self) -> Path:
        return self.data_dir.parents[1]

    @property
    def log_file(self) -> Path:
        return self.volume.with_suffix(".log")

    def tracing(self, control: int | None = None) -> dict[str, str]:
        """Begins a new journal; what the server needs to keep it."""
        log, grave = self.volume.with_suffix(".journal"), self.volume.with_suffix(".grave")
        self.journal = Journal(self.volume, log, grave)
        settings = {
            "LD_PRELOAD": str(built_shim()),
            "POWER_ROOT": str(self.volume),
            "POWER_LOG": str(log),
            "POWER_GRAVE": str(grave),
            "POWER_SYNC_US": str(SYNC_US),
        }
        if control is not None:
            settings["POWER_CONTROL"] = str(control)
        if self.lose:
            settings["POWER_LOSE"] = self.lose
        return settings

    def launch(self) -> None:
        assert not self.is_running(), "already running"
        reader, writer = os.pipe()
        environment = self.environment() | self.tracing(reader)
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(
                [*self.command("run"), "--listen", self.host, *self.arguments],
                stdout=log,
                stderr=log,
                env=environment,
                cwd=self.volume.parent,
                pass_fds=[reader],
            )
        os.close(reader)
        if self.control is not None:
            os.close(self.control)
        self.control = writer

    def start(self) -> PowerServer:
        self.launch()
        wait_until(self._is_ready, what=f"{self.url} to be healthy", seconds=START_SECONDS)
        return self

    def die_after(self, changes: int) -> None:
        """kill -9, by itself, once so many more changes of files and syncs have happened."""
        assert self.process is not None and self.control is not None
        os.write(self.control, f"{changes}\n".encode())
        try:
            self.process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:  # it had less to do
            os.write(self.control, b"0\n")
            self.process.wait(DIE_SECONDS)
        assert self.process.returncode == -9, f"ended by itself:\n{self.log_tail()}"

    def fail_power(self, how: str, chance: random.Random) -> Journal:
        """What the disk holds now may be what it holds after the power came back."""
        assert self.journal is not None
        self.journal.replay()
        self.journal.compare_with_disk()
        self.journal.fail_power(how, chance)
        return self.journal

    def fsck(self) -> None:
        result = subprocess.run(
            self.command("fsck", "--read-objects"),
            env=self.environment(),
            cwd=self.volume.parent,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        text = result.stdout + result.stderr
        assert result.returncode == 0 and ": clean" in text, f"fsck:\n{text}\n{self.log_tail()}"

    def leave(self) -> None:
        """Stops it, whatever state it is in."""
        if self.is_running():
            self.kill()
        if self.control is not None:
            os.close(self.control)
            self.control = None

    def forget(self) -> None:
        self.leave()
        for suffix in (".journal", ".log"):
            self.volume.with_suffix(suffix).unlink(missing_ok=True)
        shutil.rmtree(self.volume.with_suffix(".grave"), ignore_errors=True)
        shutil.rmtree(self.volume, ignore_errors=True)

