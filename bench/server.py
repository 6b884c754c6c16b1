"""One server under test: start, stop, first set-up, CPU time and memory."""

import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time

from prepared import ApiRequests, Keys

SERVER_CORE, CLIENT_CORE = 0, 1


class Server:
    def __init__(self, name: str, binary: pathlib.Path, folder: pathlib.Path, port: int,
                 database_url: str | None = None, objects: "ObjectService | None" = None, core: int = SERVER_CORE):
        self.name, self.binary, self.port, self.core = name, binary, port, core
        self.database_url = database_url  # of a PostgreSQL; None: the embedded store
        self.objects = objects  # None: a local directory
        self.folder = folder / name
        self.process: subprocess.Popen | None = None
        self.keys = Keys("", "")
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)

    def version(self) -> str:
        command = "--version" if self.name == "reference" else "version"
        text = subprocess.run([self.binary, command], capture_output=True, text=True).stdout
        found = re.search(r"\d+\.\d+\.\d+\S*", text)
        return found.group(0) if found else text.strip()

    def environment(self) -> dict[str, str]:
        """The same for both: every durability setting at its default."""
        d = self.folder
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(d),
            **self.database(),
            **self.blockstore(),
            "LAKEFS_COMMITTED_LOCAL_CACHE_DIR": str(d / "cache"),
            "LAKEFS_AUTH_ENCRYPT_SECRET_KEY": "a key for measuring, nothing else",
            "LAKEFS_LISTEN_ADDRESS": f"127.0.0.1:{self.port}",
            "LAKEFS_STATS_ENABLED": "false",
            "LAKEFS_LOGGING_LEVEL": "WARN",
        }

    def database(self) -> dict[str, str]:
        if self.database_url:
            return {"LAKEFS_DATABASE_TYPE": "postgres",
                    "LAKEFS_DATABASE_POSTGRES_CONNECTION_STRING": self.database_url}
        return {"LAKEFS_DATABASE_TYPE": "local", "LAKEFS_DATABASE_LOCAL_PATH": str(self.folder / "kv")}

    def blockstore(self) -> dict[str, str]:
        if self.objects:
            return self.objects.environment()
        return {"LAKEFS_BLOCKSTORE_TYPE": "local", "LAKEFS_BLOCKSTORE_LOCAL_PATH": str(self.folder / "blocks")}

    def namespace(self, repository: str) -> str:
        return f"{self.objects.place}/{self.name}/{repository}" if self.objects else f"local://{repository}"

    def start(self) -> float:
        """Seconds from exec to the first answer."""
        log = open(self.folder / "server.log", "ab")
        began = time.monotonic()
        self.process = subprocess.Popen(
            ["taskset", "-c", str(self.core), self.binary, "run"],
            env=self.environment(), cwd=self.folder, stdout=log, stderr=log,
        )
        while time.monotonic() - began < 60:
            try:
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
                connection.request("GET", "/api/v1/healthcheck")
                connection.getresponse().read()
                return time.monotonic() - began
            except OSError:
                if self.process.poll() is not None:
                    break
                time.sleep(0.002)
        raise SystemExit(f"{self.name} does not start: see {self.folder}/server.log")

    def set_up(self) -> None:
        status, body = self.call("POST", "/setup_lakefs", {"username": "admin"})
        if status != 200:
            raise SystemExit(f"{self.name}: set-up answered {status}: {body}")
        self.keys = Keys(body["access_key_id"], body["secret_access_key"])

    @property
    def api(self) -> ApiRequests:
        return ApiRequests(self.keys)

    def call(self, method: str, path: str, body=None):
        """One unhurried API call."""
        headers = {"Content-Type": "application/json"}
        if self.keys.access_key_id:
            headers["Authorization"] = self.keys.basic()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=600)
        try:
            connection.request(method, "/api/v1" + path, json.dumps(body) if body is not None else None, headers)
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        return answer.status, json.loads(text) if text[:1] in (b"{", b"[") else text

    def must(self, method: str, path: str, body=None):
        status, answer = self.call(method, path, body)
        if status >= 300:
            raise RuntimeError(f"{self.name}: {method} {path} answered {status}: {answer}")
        return answer

    @property
    def pid(self) -> int:
        return self.process.pid

    def memory_mib(self) -> dict[str, float]:
        text = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        read = lambda name: int(re.search(rf"{name}:\s+(\d+)", text).group(1)) / 1024
        return {"rss": round(read("VmRSS"), 1), "peak": round(read("VmHWM"), 1)}

    def freeze(self) -> None:
        """Stops its background work while the other is measured on the same core."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def stop(self) -> None:
        if self.process and self.process.poll() is None:
            self.thaw()
            self.process.terminate()
            try:
                self.process.wait(40)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


class ObjectService:
    """The S3 service for both servers: a Tarn of its own, on the client's core."""

    BUCKET, BRANCH = "objects", "main"

    def __init__(self, binary: pathlib.Path, folder: pathlib.Path, port: int):
        self.server = Server("objects", binary, folder, port, core=CLIENT_CORE)

    @property
    def place(self) -> str:
        return f"s3://{self.BUCKET}/{self.BRANCH}"

    def start(self) -> None:
        self.server.start()
        self.server.set_up()
        self.server.must("POST", "/repositories",
                         {"name": self.BUCKET, "storage_namespace": f"local://{self.BUCKET}",
                          "default_branch": self.BRANCH})

    def stop(self) -> None:
        self.server.stop()

    def environment(self) -> dict[str, str]:
        prefix, keys = "LAKEFS_BLOCKSTORE_S3_", self.server.keys
        return {
            "LAKEFS_BLOCKSTORE_TYPE": "s3",
            prefix + "ENDPOINT": f"http://127.0.0.1:{self.server.port}",
            prefix + "FORCE_PATH_STYLE": "true",
            prefix + "REGION": "us-east-1",
            prefix + "DISCOVER_BUCKET_REGION": "false",
            prefix + "CREDENTIALS_ACCESS_KEY_ID": keys.access_key_id,
            prefix + "CREDENTIALS_SECRET_ACCESS_KEY": keys.secret_access_key,
        }
