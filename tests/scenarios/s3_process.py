"""An S3 server that is not ours (moto), in memory, for one test or one module."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import boto3

from waiting import wait_until

BUCKET = "tarn-bucket"
ACCESS_KEY, SECRET_KEY, REGION = "AKIAS3PROCESS0000001", "an-s3-secret-for-tests", "us-east-1"
START_SECONDS = 60


def s3_program() -> Path:
    """moto's server, beside the Python that runs this."""
    return Path(sys.executable).parent / "moto_server"


class S3Process:
    """Starts with the block, ends with it. Holds one bucket, BUCKET."""

    name = "object store"

    def __init__(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def options(self) -> dict[str, str]:
        """Configuration of a server that keeps its objects here."""
        return {
            "BLOCKSTORE_TYPE": "s3",
            "BLOCKSTORE_S3_ENDPOINT": self.url,
            "BLOCKSTORE_S3_FORCE_PATH_STYLE": "true",
            "BLOCKSTORE_S3_REGION": REGION,
            "BLOCKSTORE_S3_CREDENTIALS_ACCESS_KEY_ID": ACCESS_KEY,
            "BLOCKSTORE_S3_CREDENTIALS_SECRET_ACCESS_KEY": SECRET_KEY,
        }

    def client(self) -> Any:
        return boto3.client(
            "s3",
            endpoint_url=self.url,
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=SECRET_KEY,
            region_name=REGION,
        )

    def start(self) -> S3Process:
        self.process = subprocess.Popen(
            [str(s3_program()), "-H", "127.0.0.1", "-p", str(self.port)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_until(self._listens, what="the S3 server to listen", seconds=START_SECONDS)
        self.client().create_bucket(Bucket=BUCKET)
        return self

    def _listens(self) -> bool:
        assert self.process is not None and self.process.poll() is None, "the S3 server ended"
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def __enter__(self) -> S3Process:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
