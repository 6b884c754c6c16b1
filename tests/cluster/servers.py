"""Several real servers on one database and one object store, as a `workload.Cluster`."""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path
from typing import Any

import requests

from dynamo_process import DynamoProcess
from heads import LoggedCommit
from history import Refused, Unknown
from postgres_process import PostgresProcess
from s3_process import BUCKET, S3Process
from server_process import ACCESS_KEY, SECRET_KEY, ServerProcess, free_port

REPOSITORY = "cluster"
BRANCH = "main"
MARKER = "marker"
CONNECT_SECONDS, ANSWER_SECONDS = 2, 15
PAGE = 1000
GAVE_UP = (408, 423, 429)


class Servers:
    """`servers` processes named by number. Starts them; `close` stops what runs."""

    def __init__(
        self,
        folder: Path,
        database: PostgresProcess | DynamoProcess,
        servers: int = 3,
        *,
        s3: S3Process | None = None,  # None: objects on a file system they share
        first_port: int | None = None,
        options: dict[str, str] | None = None,
    ) -> None:
        self.servers = servers
        self.database = database
        self.emulators = [
            store for store in (database, s3) if isinstance(store, S3Process)
        ]  # what keeps its state in memory
        self.namespace = f"s3://{BUCKET}/{REPOSITORY}" if s3 else f"local://{REPOSITORY}"
        values = self._options(folder) | (s3.options() if s3 else {}) | (options or {})
        self.processes = [
            ServerProcess(
                data_dir=folder / f"server{i}",
                options=values,
                port=first_port + i if first_port else free_port(),
            )
            for i in range(servers)
        ]
        self._local = threading.local()
        self._values: dict[str, str] = {}

    def _options(self, folder: Path) -> dict[str, str]:
        return {
            **self.database.options(),
            "BLOCKSTORE_TYPE": "local",
            "BLOCKSTORE_LOCAL_PATH": str(folder / "objects"),
            "AUTH_ENCRYPT_SECRET_KEY": "one secret for all servers",
        }

    def start(self) -> Servers:
        for process in self.processes:
            process.start()
        answer = self._request(
            "POST",
            0,
            "/repositories",
            json={"name": REPOSITORY, "storage_namespace": self.namespace},
        )
        assert answer.status_code == 201, answer.text
        return self

    def close(self) -> None:
        for process in self.processes:
            if process.is_running():
                process.kill()

    def is_ready(self, server: int) -> bool:
        """What a load balancer asks."""
        try:
            answer = self._session().get(
                f"{self.processes[server].url}/_ready", timeout=CONNECT_SECONDS
            )
        except requests.exceptions.RequestException:
            return False
        return answer.status_code == 200

    # What a client does, through one of the servers.

    def put(self, server: int, path: str, value: str) -> None:
        self._upload(server, path, value, {})

    def get(self, server: int, path: str) -> str | None:
        answer = self._stat(server, BRANCH, path)
        if answer.status_code == 404:
            return None
        return self._values[self._ok(answer)["checksum"]]

    def stat(self, server: int, ref: str, path: str) -> dict[str, Any]:
        return self._ok(self._stat(server, ref, path))

    def stage(self, server: int, path: str, address: str) -> None:
        """Makes a path name bytes that are in the store already."""
        entry = {"physical_address": address, "checksum": "0" * 32, "size_bytes": 1}
        self._call("PUT", server, f"{self._branch}/objects", params={"path": path}, json=entry)

    def create(self, server: int, path: str, value: str) -> None:
        """put(), unless the path is there."""
        self._upload(server, path, value, {"If-None-Match": "*"})

    def remove(self, server: int, *paths: str) -> None:
        self._call("POST", server, f"{self._branch}/objects/delete", json={"paths": list(paths)})

    def describe(self, server: int, path: str, words: str) -> None:
        """Changes the metadata of what is there."""
        self._call(
            "PUT",
            server,
            f"{self._branch}/objects/stat/user_metadata",
            params={"path": path},
            json={"set": {"words": words}},
        )

    def commit(self, server: int, marker: str) -> None:
        self._call(
            "POST",
            server,
            f"{self._branch}/commits",
            json={"message": marker, "metadata": {MARKER: marker}, "allow_empty": True},
        )

    def head(self, server: int) -> str:
        return str(self._call("GET", server, self._branch)["commit_id"])

    # What is there in the end.

    def log(self, server: int = 0) -> list[LoggedCommit]:
        commits = self._pages(server, f"{self._ref(BRANCH)}/commits")
        return [
            LoggedCommit(
                commit["id"], commit["metadata"].get(MARKER), self.tree(server, commit["id"])
            )
            for commit in reversed(commits)
        ]

    def tree(self, server: int, ref: str) -> dict[str, str]:
        objects = self._pages(server, f"{self._ref(ref)}/objects/ls")
        return {item["path"]: self._values[item["checksum"]] for item in objects}

    def _pages(self, server: int, path: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        after = ""
        while True:
            page = self._call("GET", server, path, params={"amount": PAGE, "after": after})
            found += page["results"]
            if not page["pagination"]["has_more"]:
                return found
            after = page["pagination"]["next_offset"]

    def _upload(self, server: int, path: str, value: str, headers: dict[str, str]) -> None:
        body = value.encode()
        self._values[hashlib.md5(body).hexdigest()] = value
        self._call(
            "POST",
            server,
            f"{self._branch}/objects",
            params={"path": path},
            data=body,
            headers={"Content-Type": "application/octet-stream", **headers},
        )

    @property
    def _branch(self) -> str:
        return f"/repositories/{REPOSITORY}/branches/{BRANCH}"

    def _ref(self, ref: str) -> str:
        return f"/repositories/{REPOSITORY}/refs/{ref}"

    def _stat(self, server: int, ref: str, path: str) -> requests.Response:
        return self._request(
            "GET", server, f"{self._ref(ref)}/objects/stat", params={"path": path}
        )

    def _call(self, method: str, server: int, path: str, **values: Any) -> dict[str, Any]:
        return self._ok(self._request(method, server, path, **values))

    @staticmethod
    def _ok(answer: requests.Response) -> dict[str, Any]:
        """A refusal (4xx) did nothing; a server's failure, or giving up on a busy branch, may have."""
        if 400 <= answer.status_code < 500 and answer.status_code not in GAVE_UP:
            raise Refused(answer.text)
        if answer.status_code >= 400:
            raise Unknown(answer.text)
        return dict(answer.json()) if answer.content else {}

    def _request(self, method: str, server: int, path: str, **values: Any) -> requests.Response:
        try:
            return self._session().request(
                method,
                f"{self.processes[server].url}/api/v1{path}",
                timeout=(CONNECT_SECONDS, ANSWER_SECONDS),
                **values,
            )
        except requests.exceptions.ConnectTimeout as error:
            raise Refused("nobody listens") from error
        except requests.exceptions.ConnectionError as error:
            if "Connection refused" in str(error):
                raise Refused("nobody listens") from error
            raise Unknown(str(error)) from error
        except (requests.exceptions.RequestException, ValueError) as error:
            raise Unknown(str(error)) from error

    def _session(self) -> requests.Session:
        """A session of this thread's own: connections are kept alive, as real clients do."""
        if not hasattr(self._local, "session"):
            self._local.session = requests.Session()
            self._local.session.auth = (ACCESS_KEY, SECRET_KEY)
        return self._local.session
