"""What a process holds, from /proc and from its own metrics."""

from __future__ import annotations

import asyncio
import os
import re
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import requests

from server_process import ServerProcess

MIB = 1 << 20


def gauge(server: ServerProcess, name: str) -> int:
    """Asked on a connection of its own, which counts as one."""
    text = requests.get(f"{server.url}/metrics", timeout=30).text
    found = re.search(rf"^{name} (\d+)$", text, re.MULTILINE)
    assert found, f"no {name}"
    return int(found[1])


def descriptors(server: ServerProcess) -> Counter[str]:
    """Open descriptors by what they are: sockets, others, and below the data directory by its part:
    "objects" for files, "objects/" for directories."""
    assert server.process is not None
    kinds: Counter[str] = Counter()
    for entry in Path(f"/proc/{server.process.pid}/fd").iterdir():
        try:
            target = os.readlink(entry)
        except FileNotFoundError:
            continue
        if target.startswith("socket:"):
            kinds["sockets"] += 1
        elif target.startswith(f"{server.data_dir}/"):
            part = Path(target).relative_to(server.data_dir).parts[0]
            kinds[part + "/" if os.path.isdir(target) else part] += 1
        else:
            kinds["others"] += 1
    return kinds


def temporary_files(server: ServerProcess) -> list[str]:
    root = server.data_dir / "objects" / ".tarn" / "tmp"
    return [str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()]


@dataclass
class Watch:
    """Samples of resident memory, and how late this process itself was: a load generator that
    starves measures itself."""

    server: ServerProcess
    samples: list[tuple[float, int]] = field(default_factory=list)
    lateness: list[float] = field(default_factory=list)

    async def run(self, until: float, every: float = 0.5) -> None:
        while time.monotonic() < until:
            self.samples.append((time.monotonic(), self.server.resident_bytes()))
            due = time.monotonic() + every
            await asyncio.sleep(every)
            self.lateness.append(time.monotonic() - due)

    def median_between(self, begin: float, end: float) -> int:
        """Of the samples in that part of the run, 0..1; in bytes."""
        first, last = self.samples[0][0], self.samples[-1][0]
        span = last - first
        part = sorted(
            size for at, size in self.samples if begin <= (at - first) / span <= end
        )  # fmt: skip
        return part[len(part) // 2]

    def peak(self) -> int:
        return max(size for _, size in self.samples)
