"""A file system of a few megabytes, to be full on command. Needs the right to mount."""

from __future__ import annotations

import errno
import functools
import os
import subprocess
import tempfile
from pathlib import Path

BALLAST = "ballast"
PIECE = 64 * 1024


class SmallDisk:
    """Mounted with the block, gone with it."""

    def __init__(self, path: Path, size: int) -> None:
        self.path = path
        self.size = size

    def __enter__(self) -> SmallDisk:
        self.path.mkdir(parents=True, exist_ok=True)
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={self.size}", "tarn-test", str(self.path)],
            check=True,
            capture_output=True,
        )
        return self

    def __exit__(self, *_: object) -> None:
        # Lazily: what still has a file open keeps it, and the name is free at once.
        subprocess.run(["umount", "-l", str(self.path)], check=True)

    def fill(self, leave: int = 0) -> None:
        """Until nothing, or no more than `leave` bytes, is free."""
        with (self.path / BALLAST).open("ab", buffering=0) as ballast:
            while (free := self._free() - leave) > 0:
                try:
                    ballast.write(b"\0" * min(PIECE, free))
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise
                    return

    def make_room(self) -> None:
        (self.path / BALLAST).unlink(missing_ok=True)

    def _free(self) -> int:
        found = os.statvfs(self.path)
        return found.f_bavail * found.f_frsize


@functools.cache
def can_mount() -> bool:
    with tempfile.TemporaryDirectory() as folder:
        try:
            with SmallDisk(Path(folder), 1024 * 1024):
                return True
        except (OSError, subprocess.CalledProcessError):
            return False
