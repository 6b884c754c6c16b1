"""Runs one operation on every server in turn and keeps what was measured."""

import json
import pathlib
import socket
import statistics
import subprocess
from dataclasses import dataclass, field
from typing import Callable

from prepared import write_requests
from server import CLIENT_CORE, Server


@dataclass
class Operation:
    """`requests(server, round)` prepares the work; what it does by itself is not measured."""

    name: str
    kind: str  # metadata, listing, commit, bulk, upload, read: which target applies
    requests: Callable[[Server, int], list[bytes]]
    connections: int = 32
    count: int | None = None  # default: each request once
    flags: object = 0
    warm: bool = False  # a tenth of the work first, unmeasured
    rounds: int | None = None  # default: the run's
    samples: int = 1  # > 1: `requests` is asked that often, one request each, alone on the server
    may_fail: bool = False


@dataclass
class Harness:
    servers: list[Server]
    load: pathlib.Path
    scratch: pathlib.Path
    rounds: int
    results: list[dict] = field(default_factory=list)

    def measure(self, operation: Operation) -> None:
        kept = {server.name: [] for server in self.servers}
        for number in range(operation.rounds or self.rounds):
            order = self.servers if number % 2 == 0 else self.servers[::-1]
            for server in order:
                kept[server.name].append(self._alone(operation, server, number))
        self.results.append(
            {"name": operation.name, "kind": operation.kind, "connections": operation.connections,
             "servers": {name: summary(runs) for name, runs in kept.items()}, "rounds": kept}
        )
        self._print(self.results[-1])

    def _alone(self, operation: Operation, server: Server, number: int) -> dict:
        for other in self.servers:
            if other is not server:
                other.freeze()
        try:
            if operation.samples > 1:
                return self._sampled(operation, server, number)
            requests = operation.requests(server, number)
            file = write_requests(self.scratch / "requests", requests, operation.flags)
            count = operation.count or len(requests)
            if operation.warm:
                self._run(server, operation, file, max(1, count // 10))
            return self._run(server, operation, file, count)
        finally:
            for other in self.servers:
                other.thaw()

    def _sampled(self, operation: Operation, server: Server, number: int) -> dict:
        runs = []
        for sample in range(operation.samples):
            requests = operation.requests(server, number * operation.samples + sample)
            file = write_requests(self.scratch / "requests", requests, operation.flags)
            runs.append(self._run(server, operation, file, len(requests)))
        latencies = sorted(run["p50_us"] for run in runs)
        mean = statistics.fmean
        return {
            "ops_per_second": 1e6 / mean(latencies),
            "cpu_us": mean(run["cpu_us"] for run in runs),
            "p50_us": statistics.median(latencies),
            "p99_us": latencies[-1],
            "failed": sum(run["failed"] for run in runs),
        }

    def _run(self, server: Server, operation: Operation, file: pathlib.Path, count: int) -> dict:
        command = ["taskset", "-c", str(CLIENT_CORE), self.load, str(server.port), str(server.pid),
                   str(operation.connections), str(count), file]
        out = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        good = sum(n for status, n in out["statuses"].items() if 200 <= int(status) < 300)
        failed = out["answered"] - good
        if failed and not operation.may_fail:
            raise RuntimeError(f"{operation.name} on {server.name}: {out['statuses']}\n{replay(server, file)}")
        # Requests that only prepare the next one are part of its cost, not operations themselves.
        done = max(1, out["measured"] - failed)
        return {
            "ops_per_second": done / out["seconds"],
            "cpu_us": out["cpu_seconds"] * 1e6 / done,
            "p50_us": out["p50_us"],
            "p99_us": out["p99_us"],
            "failed": failed,
        }

    def _print(self, result: dict) -> None:
        parts = [
            f"{name} {s['cpu_us']:>10.1f} us cpu, {s['ops_per_second']:>9.1f}/s, "
            f"p50 {s['p50_us']:>8.0f}, p99 {s['p99_us']:>8.0f} us"
            + (f", {s['failed']} FAILED" if s["failed"] else "")
            for name, s in result["servers"].items()
        ]
        print(f"{result['name']:<44} " + " | ".join(parts), flush=True)


def replay(server: Server, file: pathlib.Path) -> str:
    """What the server says to the first request, for the message about a failure."""
    data = file.read_bytes()
    length = int.from_bytes(data[1:5], "little")
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(data[5:5 + length])
        return connection.recv(4096).decode(errors="replace")


def summary(runs: list[dict]) -> dict:
    median = {key: statistics.median(run[key] for run in runs) for key in runs[0] if key != "failed"}
    return {key: round(value, 2) for key, value in median.items()} | {"failed": sum(run["failed"] for run in runs)}
