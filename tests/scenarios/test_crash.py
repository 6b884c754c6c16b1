"""kill -9 in the middle of concurrent writes: nothing acknowledged is lost, nothing half there."""

from __future__ import annotations

import hashlib
import os
import random
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import lakefs
import pytest
import requests
from botocore.exceptions import BotoCoreError, ClientError
from urllib3.exceptions import HTTPError

from clients import create_repository, s3_client
from server_process import ACCESS_KEY, SECRET_KEY, ServerProcess
from waiting import wait_until

ROUNDS = int(os.environ.get("TARN_CRASH_ROUNDS", "3"))
WRITERS = 6
KEYS_PER_WRITER = 40
KEYS_PER_ROUND = 1_000_000
SMALL, LARGE = 700, 300_000
UNFINISHED = 32 << 20
LOST_CONNECTION = (
    BotoCoreError,
    ClientError,
    HTTPError,
    OSError,
    lakefs.exceptions.LakeFSException,
)


def body(writer: int, number: int) -> bytes:
    """Every version of every key has other bytes, so that a stale one is recognised."""
    chance = random.Random(f"{writer}/{number}")
    return chance.randbytes(LARGE if number % 9 == 0 else SMALL)


def object_bytes(server: ServerProcess) -> int:
    """What the object directory holds, temporary files included."""
    files = (server.data_dir / "objects").rglob("*")
    return sum(path.stat().st_size for path in files if path.is_file())


def md5(data: bytes) -> str:
    return hashlib.md5(data).hexdigest()


@dataclass
class Ledger:
    """What a client was told. `allowed`: what its last, unanswered request may have left."""

    known: dict[str, str | None] = field(default_factory=dict)
    allowed: dict[str, set[str | None]] = field(default_factory=dict)
    acknowledged: int = 0

    def begin(self, key: str, outcome: str | None) -> None:
        self.allowed[key] = {self.known.get(key), outcome}

    def end(self, key: str, outcome: str | None) -> None:
        self.known[key] = outcome
        del self.allowed[key]
        self.acknowledged += 1


class Load:
    """Writers over boto3, each with keys of its own, and one committer; until the server dies."""

    def __init__(
        self,
        server: ServerProcess,
        repository: lakefs.Repository,
        first: int,
        ledgers: list[Ledger],
    ) -> None:
        self.server = server
        self.repository = repository
        self.first = first
        self.ledgers = ledgers
        self.commits: list[str] = []
        self.threads: list[threading.Thread] = []
        self.dying = threading.Event()
        self.surprises: list[str] = []

    def start(self) -> None:
        jobs = [(self._write, (i,)) for i in range(WRITERS)] + [(self._commit, ())]
        self.threads = [threading.Thread(target=job, args=args) for job, args in jobs]
        for thread in self.threads:
            thread.start()

    def join(self) -> None:
        for thread in self.threads:
            thread.join(60)
            assert not thread.is_alive(), "a client still waits for a dead server"
        assert not self.surprises, self.surprises

    def acknowledged(self) -> int:
        return sum(ledger.acknowledged for ledger in self.ledgers)

    def _write(self, writer: int) -> None:
        s3 = s3_client(self.server, retries={"max_attempts": 0}, read_timeout=30)
        ledger = self.ledgers[writer]
        try:
            for number in range(self.first, self.first + KEYS_PER_ROUND):
                self._one_change(s3, ledger, writer, number)
        except LOST_CONNECTION as error:
            self._note(f"writer {writer}", error)

    def _one_change(self, s3: object, ledger: Ledger, writer: int, number: int) -> None:
        key = f"w{writer}/k{number % KEYS_PER_WRITER:03}"
        if number % 11 == 10:
            ledger.begin(key, None)
            s3.delete_object(Bucket="crash", Key=f"main/{key}")  # type: ignore[attr-defined]
            ledger.end(key, None)
            return
        data = body(writer, number)
        ledger.begin(key, md5(data))
        s3.put_object(Bucket="crash", Key=f"main/{key}", Body=data)  # type: ignore[attr-defined]
        ledger.end(key, md5(data))

    def _commit(self) -> None:
        main = self.repository.branch("main")
        try:
            while True:
                try:
                    self.commits.append(main.commit("under load").id)
                except lakefs.exceptions.BadRequestException as error:
                    if "no changes" not in str(error):
                        raise
        except LOST_CONNECTION as error:
            self._note("committer", error)

    def _note(self, who: str, error: Exception) -> None:
        if not self.dying.is_set():
            self.surprises.append(f"{who} failed before the kill: {error!r}")


def assert_nothing_is_lost(repository: lakefs.Repository, ledgers: list[Ledger]) -> None:
    found = {item.path: item.checksum for item in repository.branch("main").objects()}
    wrong = []
    for ledger in ledgers:
        for key, told in ledger.known.items():
            allowed = ledger.allowed.get(key, {told})
            if found.get(key) not in allowed:
                wrong.append(f"{key}: {found.get(key)}, expected one of {allowed}")
    assert not wrong, wrong[:10]
    expected = {key for ledger in ledgers for key in ledger.known.keys() | ledger.allowed.keys()}
    assert found.keys() <= expected


def settle(repository: lakefs.Repository, ledgers: list[Ledger]) -> None:
    """What an unanswered request left is from now on the truth."""
    found = {item.path: item.checksum for item in repository.branch("main").objects()}
    for ledger in ledgers:
        for key in ledger.allowed:
            ledger.known[key] = found.get(key)
        ledger.allowed.clear()


def kill_under_load(
    server: ServerProcess,
    repository: lakefs.Repository,
    ledgers: list[Ledger],
    first: int,
    least: int,
) -> Load:
    """Kills the server once `least` more changes and two commits have been acknowledged."""
    load = Load(server, repository, first, ledgers)
    enough = load.acknowledged() + least
    load.start()
    wait_until(
        lambda: load.surprises or (load.acknowledged() >= enough and len(load.commits) >= 2),
        what="writes and commits to be under way",
        seconds=60,
    )
    load.dying.set()
    server.kill()
    load.join()
    return load


def test_no_acknowledged_write_or_commit_is_lost_when_the_server_is_killed(
    server: ServerProcess,
) -> None:
    repository = create_repository(server, "crash")
    main = repository.branch("main")
    ledgers = [Ledger() for _ in range(WRITERS)]
    chance = random.Random(20)
    for number in range(ROUNDS):
        least = 150 + chance.randrange(250)
        load = kill_under_load(server, repository, ledgers, number * KEYS_PER_ROUND, least)
        server.assert_clean()
        server.start()
        assert_nothing_is_lost(repository, ledgers)
        log = {commit.id for commit in main.log()}
        assert set(load.commits) <= log, "an acknowledged commit is gone"
        settle(repository, ledgers)
        main.commit("after the crash", allow_empty=True)
        assert list(main.uncommitted()) == []
        assert_nothing_is_lost(repository, ledgers)


@pytest.mark.tarn_only
def test_bytes_of_an_upload_that_died_are_removed_at_the_next_start(server: ServerProcess) -> None:
    create_repository(server, "half")
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        while True:
            yield bytes(1 << 16)
            sent += 1 << 16

    def upload() -> None:
        with pytest.raises(requests.RequestException):
            requests.post(
                f"{server.url}/api/v1/repositories/half/branches/main/objects",
                params={"path": "endless"},
                headers={"Content-Type": "application/octet-stream"},
                data=endless(),
                auth=(ACCESS_KEY, SECRET_KEY),
                timeout=30,
            )

    thread = threading.Thread(target=upload)
    thread.start()
    wait_until(lambda: sent > UNFINISHED, what="some bytes to be sent")
    server.kill()
    thread.join(60)
    assert not thread.is_alive()
    assert object_bytes(server) > UNFINISHED // 2, "the upload was under way"
    server.start()
    wait_until(lambda: object_bytes(server) < 1 << 20, what="the left-over to be removed")
    assert s3_client(server).list_objects_v2(Bucket="half", Prefix="main/")["KeyCount"] == 0
