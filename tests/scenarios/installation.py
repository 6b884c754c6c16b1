"""An installation of the reference, laid out from its fixture, and what any server answers about it.

FIXTURES  the folder with lakefs-1.84-postgres, if not ../shared/fixtures beside the checkout
"""

from __future__ import annotations

import hashlib
import json
import lzma
import os
import subprocess
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import requests

from postgres_process import PostgresProcess
from server_process import ROOT, binary, free_port
from waiting import wait_until

NAME = "lakefs-1.84-postgres"
EXTERNAL = Path("/srv/lake-external")  # named by the imported entries
SECRET = "tarn fixture secret, not a real one"
REFERENCE = ROOT.parent / "shared" / "peers" / "lakefs-1.84.0-linux-amd64.xz"
START_SECONDS = 60
PAGE = 1000


def fixture_folder() -> Path | None:
    given = os.environ.get("FIXTURES")
    folder = (Path(given) if given else ROOT.parent / "shared" / "fixtures") / NAME
    return folder if (folder / "postgres.sql.xz").exists() else None


def reference_binary() -> Path | None:
    """The reference's server, unpacked on first use."""
    if given := os.environ.get("TARN_REFERENCE_BINARY"):
        return Path(given)
    unpacked = ROOT / "build" / "peers" / "lakefs"
    if not unpacked.exists() and REFERENCE.exists():
        unpacked.parent.mkdir(parents=True, exist_ok=True)
        fresh = unpacked.with_suffix(f".{os.getpid()}")
        fresh.write_bytes(lzma.decompress(REFERENCE.read_bytes()))
        fresh.chmod(0o755)
        fresh.replace(unpacked)
    return unpacked if unpacked.exists() else None


class Installation:
    """Database, blocks and the configuration file that both programs take as it is."""

    def __init__(self, folder: Path, postgres: PostgresProcess, fixture: Path) -> None:
        self.folder = folder
        self.postgres = postgres
        self.blocks = folder / "blocks"
        self.config_file = folder / "lakefs.yaml"
        self.expect = json.loads(lzma.decompress((fixture / "expect.json.xz").read_bytes()))
        keys = json.loads((fixture / "credentials.json").read_text())
        self.login = (keys["access_key_id"], keys["secret_access_key"])
        self._load_database(fixture / "postgres.sql.xz")
        with tarfile.open(fixture / "blocks.tar.xz") as archive:
            archive.extractall(self.blocks)
        self.has_external = self._unpack_external(fixture / "external.tar.xz")
        self.config_file.write_text(self.config())

    def _load_database(self, dump: Path) -> None:
        lines = lzma.decompress(dump.read_bytes()).decode().splitlines()
        # Guards of newer psql programs, which older ones do not know.
        text = [line for line in lines if not line.startswith(("\\restrict", "\\unrestrict"))]
        script = self.folder / "dump.sql"
        script.write_text("\n".join(text))
        script.chmod(0o644)
        subprocess.run(
            [self.postgres.programs / "psql", "-q", "-v", "ON_ERROR_STOP=1", "-f", script, self.postgres.url],
            check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip

    @staticmethod
    def _unpack_external(archive: Path) -> bool:
        try:
            EXTERNAL.mkdir(parents=True, exist_ok=True)
            with tarfile.open(archive) as files:
                files.extractall(EXTERNAL)
        except PermissionError:
            return (EXTERNAL / "import" / "one.txt").exists()
        return True

    def config(self) -> str:
        """As an operator of the reference has it."""
        return f"""\
database:
  type: postgres
  postgres:
    connection_string: {self.postgres.url}
    max_open_connections: 12
    connection_max_lifetime: 5m
blockstore:
  type: local
  local:
    path: {self.blocks}
    import_enabled: true
    allowed_external_prefixes:
      - {EXTERNAL}
committed:
  local_cache:
    dir: {self.folder / "cache"}
auth:
  encrypt:
    secret_key: {SECRET}
logging:
  format: text
  level: INFO
stats:
  enabled: false
"""


@dataclass
class Program:
    """Tarn or the reference on an installation."""

    installation: Installation
    path: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def name(self) -> str:
        return "tarn" if self.path == binary() else "reference"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log_file(self) -> Path:
        return self.installation.folder / f"{self.name}.log"

    def __enter__(self) -> Program:
        clean = {n: v for n, v in os.environ.items() if not n.startswith(("TARN_", "LAKEFS_"))}
        environment = clean | {
            "LAKEFS_LISTEN_ADDRESS": f"127.0.0.1:{self.port}",
            "LAKEFS_STATS_ENABLED": "false",
            "HOME": str(self.installation.folder),
        }
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(
                [str(self.path), "run", "--config", str(self.installation.config_file)],
                stdout=log, stderr=log, env=environment, cwd=self.installation.folder,
            )  # fmt: skip
        wait_until(self._healthy, what=f"{self.name} to serve", seconds=START_SECONDS)
        return self

    def __exit__(self, *_: object) -> None:
        assert self.process is not None
        self.process.terminate()
        try:
            code = self.process.wait(timeout=45)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        if self.name == "tarn":
            assert code == 0, self.log_tail()

    def _healthy(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, f"{self.name} ended at start:\n{self.log_tail()}"
        try:
            return requests.get(f"{self.url}/api/v1/healthcheck", timeout=5).status_code == 204
        except requests.ConnectionError:
            return False

    def log_tail(self) -> str:
        return "\n".join(self.log_file.read_text(errors="replace").splitlines()[-40:])

    def run_command(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self.path), *words, "--config", str(self.installation.config_file)],
            capture_output=True, text=True, timeout=300, check=False,
            env={n: v for n, v in os.environ.items() if not n.startswith(("TARN_", "LAKEFS_"))},
        )  # fmt: skip


class Questions:
    """What the fixture records, asked again: the same words for either program."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.session = requests.Session()
        self.session.auth = program.installation.login

    def request(self, method: str, path: str, **values: Any) -> requests.Response:
        return self.session.request(
            method, f"{self.program.url}/api/v1{path}", timeout=120, **values
        )

    def get(self, path: str, **params: Any) -> Any:
        answer = self.request("GET", path, params=params)
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text}"
        return answer.json()

    def post(self, path: str, body: Any, **params: Any) -> Any:
        answer = self.request("POST", path, json=body, params=params)
        assert answer.status_code in (200, 201), f"{path}: {answer.status_code} {answer.text}"
        return answer.json() if "json" in answer.headers.get("Content-Type", "") else answer.text

    def pages(self, path: str, **params: Any) -> Iterator[Any]:
        after = ""
        while True:
            page = self.get(path, amount=PAGE, after=after, **params)
            yield from page["results"]
            if not page["pagination"]["has_more"]:
                return
            after = page["pagination"]["next_offset"]

    def repository(self, name: str) -> Any:
        return self.get(f"/repositories/{name}")

    def metadata(self, name: str) -> Any:
        return self.get(f"/repositories/{name}/metadata")

    def branches(self, name: str) -> Any:
        return list(self.pages(f"/repositories/{name}/branches", show_hidden="true"))

    def tags(self, name: str) -> Any:
        return list(self.pages(f"/repositories/{name}/tags"))

    def branch_protection(self, name: str) -> Any:
        rules = self.get(f"/repositories/{name}/settings/branch_protection")
        return sorted(rules, key=lambda rule: rule["pattern"])

    def gc_rules(self, name: str) -> Any:
        answer = self.request("GET", f"/repositories/{name}/settings/gc_rules")
        return answer.json() if answer.status_code == 200 else answer.status_code

    def pulls(self, name: str) -> Any:
        listed = list(self.pages(f"/repositories/{name}/pulls"))
        return [{k: v for k, v in pull.items() if k != "description"} for pull in listed]

    def action_runs(self, name: str) -> Any:
        keys = ("branch", "commit_id", "event_type", "run_id", "status")
        runs = list(self.pages(f"/repositories/{name}/actions/runs"))
        return [{key: run[key] for key in keys} for run in runs]

    def log(self, name: str, ref: str) -> list[str]:
        return [c["id"] for c in self.pages(f"/repositories/{name}/refs/{ref}/commits")]

    def commit(self, name: str, commit: str) -> Any:
        found = self.get(f"/repositories/{name}/commits/{commit}")
        return found | {"metadata": found.get("metadata") or {}}

    def objects(self, name: str, ref: str) -> Any:
        """Count, digest and, of few, the rows: as the fixture's README defines them."""
        digest = hashlib.sha256()
        rows = []
        count = 0
        for item in self.pages(f"/repositories/{name}/refs/{ref}/objects/ls"):
            count += 1
            metadata = item.get("metadata") or {}
            line = [item["path"], item["size_bytes"], item["checksum"], item["mtime"], metadata, item["content_type"]]
            digest.update(json.dumps(line, ensure_ascii=False).encode() + b"\n")
            address = item["physical_address"].replace(str(self.program.installation.blocks), "{blocks}")
            rows.append({
                "path": item["path"], "size_bytes": item["size_bytes"], "checksum": item["checksum"],
                "mtime": item["mtime"], "metadata": metadata or None,
                "content_type": item["content_type"], "physical_address": address,
            })  # fmt: skip
        found: dict[str, Any] = {"count": count, "sha256": digest.hexdigest()}
        if count <= 500:
            found["rows"] = rows
        return found

    def _changes(self, path: str, **params: str) -> Any:
        keys = ("path", "path_type", "size_bytes", "type")
        return [{k: c[k] for k in keys if k in c} for c in self.pages(path, **params)]

    def uncommitted(self, name: str, branch: str) -> Any:
        return self._changes(f"/repositories/{name}/branches/{branch}/diff")

    def diff(self, name: str, ref: str, kind: str) -> Any:
        return self._changes(f"/repositories/{name}/refs/main/diff/{ref}", type=kind)

    def content(self, name: str, ref: str, path: str) -> requests.Response:
        return self.request(
            "GET", f"/repositories/{name}/refs/{ref}/objects", params={"path": path}
        )

    def upload(self, name: str, branch: str, path: str, content: bytes) -> Any:
        answer = self.request(
            "POST", f"/repositories/{name}/branches/{branch}/objects", params={"path": path},
            data=content, headers={"Content-Type": "application/octet-stream"},
        )  # fmt: skip
        assert answer.status_code == 201, answer.text
        return answer.json()

    def commit_branch(self, name: str, branch: str, message: str) -> str:
        body = {"message": message, "metadata": {"by": self.program.name}}
        return self.post(f"/repositories/{name}/branches/{quote(branch)}/commits", body)["id"]

    def snapshot(self, name: str, refs: list[str] | None = None) -> dict[str, Any]:
        """Everything about a repository, except large trees below commits."""
        branches = self.branches(name)
        tags = self.tags(name)
        names = [item["id"] for item in branches] + [item["id"] for item in tags]
        logs = {ref: self.log(name, ref) for ref in names}
        commits = sorted({commit for log in logs.values() for commit in log})
        return {
            "repository": self.repository(name),
            "metadata": self.metadata(name),
            "branches": branches,
            "tags": tags,
            "branch_protection": self.branch_protection(name),
            "gc_rules": self.gc_rules(name),
            "logs": logs,
            "commits": {commit: self.commit(name, commit) for commit in commits},
            "objects": {ref: self.objects(name, ref) for ref in (refs or names)},
            "uncommitted": {b["id"]: self.uncommitted(name, b["id"]) for b in branches},
            "pulls": self.pulls(name),
            "action_runs": self.action_runs(name),
        }
