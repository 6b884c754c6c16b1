"""A server as a child process: tarn, or the reference beside it when a scenario checks itself.

TARN_BINARY                        another tarn than build/release/tarn
TARN_SCENARIO_SERVER=reference     run against TARN_REFERENCE_BINARY instead
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import requests

from waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]
ACCESS_KEY = "AKIATARNSCENARIO0001"
SECRET_KEY = "scenario-secret-key-0123456789abcdefghij"
LOG_TAIL_LINES = 60
START_SECONDS = 30
STOP_SECONDS = 45


def reference_is_wanted() -> bool:
    return os.environ.get("TARN_SCENARIO_SERVER", "tarn") == "reference"


def binary() -> Path:
    if reference_is_wanted():
        return Path(os.environ["TARN_REFERENCE_BINARY"])
    return Path(os.environ.get("TARN_BINARY", ROOT / "build" / "release" / "tarn"))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclass
class ServerProcess:
    """One server with its data directory. `start`, `stop` and `kill` may alternate at will."""

    data_dir: Path
    options: dict[str, str] = field(default_factory=dict)
    arguments: list[str] = field(default_factory=list)
    scheme: str = "http"
    ca_file: str | None = None
    port: int = field(default_factory=free_port)
    fsck_seconds: float = 120
    troubled: bool = False  # its stores fail on purpose: it may log errors
    process: subprocess.Popen[bytes] | None = None

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.host}"

    @property
    def log_file(self) -> Path:
        return self.data_dir.parent / f"{self.data_dir.name}.log"

    def environment(self) -> dict[str, str]:
        clean = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("TARN_", "LAKEFS_"))
        }
        prefix = "LAKEFS_" if reference_is_wanted() else "TARN_"
        values = {
            "INSTALLATION_USER_NAME": "admin",
            "INSTALLATION_ACCESS_KEY_ID": ACCESS_KEY,
            "INSTALLATION_SECRET_ACCESS_KEY": SECRET_KEY,
            **self.options,
        }
        if reference_is_wanted():
            values |= {
                "STATS_ENABLED": "false",
                "DATABASE_TYPE": "local",
                "DATABASE_LOCAL_PATH": str(self.data_dir / "metadata"),
                "BLOCKSTORE_TYPE": "local",
                "BLOCKSTORE_LOCAL_PATH": str(self.data_dir / "objects"),
                "COMMITTED_LOCAL_CACHE_DIR": str(self.data_dir / "cache"),
                "AUTH_ENCRYPT_SECRET_KEY": "scenario",
                "LISTEN_ADDRESS": self.host,
            }
        return clean | {prefix + name: value for name, value in values.items()}

    def command(self, *words: str) -> list[str]:
        if reference_is_wanted():
            return [str(binary()), *words]
        return [str(binary()), *words, "--data-dir", str(self.data_dir)]

    def launch(self) -> None:
        """Starts the process without waiting for it."""
        assert self.process is None or self.process.poll() is not None, "already running"
        self.data_dir.mkdir(parents=True, exist_ok=True)
        words = self.command("run")
        if not reference_is_wanted():
            words += ["--listen", self.host, *self.arguments]
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(
                words, stdout=log, stderr=log, env=self.environment(), cwd=self.data_dir
            )

    def start(self) -> ServerProcess:
        self.launch()
        wait_until(self._is_ready, what=f"{self.url} to be healthy", seconds=START_SECONDS)
        return self

    def _is_ready(self) -> bool:
        if self.process is None or self.process.poll() is not None:
            raise AssertionError(f"the server ended at start:\n{self.log_tail()}")
        return self.is_healthy()

    def is_healthy(self) -> bool:
        try:
            answer = requests.get(
                f"{self.url}/api/v1/healthcheck", timeout=5, verify=self.ca_file or True
            )
        except requests.RequestException:
            return False
        return answer.status_code == 204

    def is_alive(self) -> bool:
        """What tells whoever restarts dead processes, whatever the stores do."""
        try:
            return requests.get(f"{self.url}/_health", timeout=5).status_code == 200
        except requests.RequestException:
            return False

    def readiness(self) -> dict[str, str]:
        """What a load balancer hears, with the status as `code`; empty if nobody answers."""
        try:
            answer = requests.get(f"{self.url}/_ready", timeout=5)
        except requests.RequestException:
            return {}
        return {**answer.json(), "code": str(answer.status_code)}

    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def stop(self) -> int:
        """SIGTERM, and the exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOP_SECONDS)

    def kill(self) -> None:
        """kill -9: no chance to finish anything."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def restart(self) -> None:
        if self.is_running():
            self.stop()
        self.start()

    def resident_bytes(self) -> int:
        return self._status_bytes("VmRSS")

    def peak_resident_bytes(self) -> int:
        return self._status_bytes("VmHWM")

    def _status_bytes(self, name: str) -> int:
        assert self.process is not None
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        found = re.search(rf"^{name}:\s+(\d+) kB$", status, re.MULTILINE)
        assert found, status
        return int(found[1]) * 1024

    def log_text(self) -> str:
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def log_tail(self) -> str:
        return "\n".join(self.log_text().splitlines()[-LOG_TAIL_LINES:])

    def errors_logged(self) -> list[str]:
        """Lines of level error: someone should look. A refused reload is the operator's own."""
        lines = re.findall(r"^\S+Z error .*$", self.log_text(), re.MULTILINE)
        return [line for line in lines if "reload failed" not in line]

    def run_command(self, *words: str, seconds: float = 120) -> subprocess.CompletedProcess[str]:
        """A command of the binary on this data directory, beside or after the server."""
        return subprocess.run(
            self.command(*words),
            env=self.environment(),
            cwd=self.data_dir,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )

    def assert_clean(self) -> None:
        """fsck of a stopped server: every ref, commit, range and object is whole."""
        if reference_is_wanted():
            return
        assert not self.is_running(), "fsck needs the server stopped"
        result = self.run_command("fsck", "--read-objects", seconds=self.fsck_seconds)
        text = result.stdout + result.stderr
        assert result.returncode == 0, f"fsck:\n{text}\nserver log:\n{self.log_tail()}"
        assert ": clean" in text, text
