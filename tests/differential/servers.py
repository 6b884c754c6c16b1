"""Starts the pair of servers: Tarn and the reference, or the reference twice (self-comparison)."""

import json
import lzma
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time

from . import store
from .wire import Connection

ROOT = pathlib.Path(__file__).resolve().parents[2]
PEER = ROOT.parent / "shared" / "peers" / "lakefs-1.84.0-linux-amd64.xz"
KEY = "AKIAJDIFFERENTIALCHK"
SECRET = "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"


class Unavailable(Exception):
    """A server cannot be started here; the message says why."""


def reference_binary() -> pathlib.Path:
    given = os.environ.get("REFERENCE_BINARY")
    if given:
        return pathlib.Path(given)
    if not PEER.exists():
        raise Unavailable(f"the reference is absent: no {PEER}")
    target = ROOT / "build" / "peers" / "lakefs"
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        fresh = target.with_suffix(f".{os.getpid()}")
        with lzma.open(PEER) as packed, open(fresh, "wb") as plain:
            shutil.copyfileobj(packed, plain)
        fresh.chmod(0o755)
        fresh.rename(target)
    return target


def tarn_binary() -> pathlib.Path:
    given = os.environ.get("TARN_BINARY")
    if given:
        return pathlib.Path(given)
    built = []
    for preset in ("release", "dev"):
        for place in ("tarn", "src/app/tarn"):
            found = ROOT / "build" / preset / place
            if found.exists():
                built.append(found)
    if built:
        return max(built, key=lambda found: found.stat().st_mtime)
    raise Unavailable("tarn is not built")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """One server on an empty data directory of its own; both sides get the same key pair."""

    def __init__(self, kind: str, blockstore: str, port: int | None = None):
        self.kind = kind
        self.port = port or free_port()
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix=f"differential-{kind}-"))
        self.log = open(self.directory / "log", "wb")
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("LAKEFS_", "TARN_"))}
        environment |= {
            "LAKEFS_DATABASE_TYPE": "local",
            "LAKEFS_DATABASE_LOCAL_PATH": str(self.directory / "kv"),
            "LAKEFS_BLOCKSTORE_TYPE": blockstore,
            "LAKEFS_BLOCKSTORE_LOCAL_PATH": str(self.directory / "blocks"),
            "LAKEFS_AUTH_ENCRYPT_SECRET_KEY": "one long text for both of the servers",
            "LAKEFS_LISTEN_ADDRESS": f"127.0.0.1:{self.port}",
            "LAKEFS_LOGGING_LEVEL": "ERROR",
        }
        self.store = store.Store() if blockstore == "s3" else None
        if self.store is not None:
            environment |= self.store.environment()
        if kind == "tarn":
            command = [str(tarn_binary()), "run"]
        else:
            environment |= {
                "LAKEFS_COMMITTED_LOCAL_CACHE_DIR": str(self.directory / "cache"),
                "LAKEFS_STATS_ENABLED": "false",
            }
            command = [str(reference_binary()), "run"]
        self.process = subprocess.Popen(command, env=environment, cwd=self.directory, stdout=self.log,
                                        stderr=subprocess.STDOUT)
        self._set_up()

    def connect(self) -> Connection:
        return Connection(self.port, KEY, SECRET)

    def make_space(self, repository: str) -> None:
        """What a repository's namespace needs before there is one."""
        if self.store is not None:
            self.store.make_bucket(repository)

    def alive(self) -> bool:
        return self.process.poll() is None

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self.store is not None:
            self.store.stop()
        self.log.close()
        shutil.rmtree(self.directory, ignore_errors=True)

    def log_tail(self) -> str:
        return (self.directory / "log").read_bytes()[-3000:].decode(errors="replace")

    def _set_up(self) -> None:
        deadline = time.monotonic() + 60
        line = self.connect()
        while line.send("GET", "/api/v1/healthcheck", [], None).status != 204:
            if not self.alive() or time.monotonic() > deadline:
                raise Unavailable(f"{self.kind} did not start:\n{self.log_tail()}")
            time.sleep(0.1)
        body = {"username": "admin", "key": {"access_key_id": KEY, "secret_access_key": SECRET}}
        reply = line.send("POST", "/api/v1/setup_lakefs", [("Content-Type", "application/json")],
                          json.dumps(body).encode())
        if reply.status != 200:
            raise Unavailable(f"set-up of {self.kind} answered {reply.status}: {reply.body!r}")
