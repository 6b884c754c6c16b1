"""An S3 service for one of the servers: moto, with buckets of equal names on both sides."""

import http.client
import pathlib
import socket
import subprocess
import sys
import time

START_SECONDS = 60
KEYS = {"ACCESS_KEY_ID": "AKIADIFFERENTIAL0001", "SECRET_ACCESS_KEY": "a-secret-moto-does-not-look-at"}


def program() -> pathlib.Path:
    return pathlib.Path(sys.executable).parent / "moto_server"


class Store:
    """Starts when made. `stop` ends it with all it holds."""

    def __init__(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.process = subprocess.Popen([str(program()), "-H", "127.0.0.1", "-p", str(self.port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + START_SECONDS
        while not self._listens():
            assert self.process.poll() is None and time.monotonic() < deadline, "moto did not start"
            time.sleep(0.1)

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def environment(self) -> dict[str, str]:
        return {"LAKEFS_BLOCKSTORE_S3_ENDPOINT": f"http://127.0.0.1:{self.port}", "LAKEFS_BLOCKSTORE_S3_FORCE_PATH_STYLE": "true", "LAKEFS_BLOCKSTORE_S3_REGION": "us-east-1",
                **{f"LAKEFS_BLOCKSTORE_S3_CREDENTIALS_{name}": value for name, value in KEYS.items()}}

    def make_bucket(self, name: str) -> None:
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        line.request("PUT", f"/{name}")
        status = line.getresponse().status
        line.close()
        assert status == 200, f"bucket {name}: {status}"

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()
