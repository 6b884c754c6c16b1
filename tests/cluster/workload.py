"""Clients that use a cluster for a while and write down what they see."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from crew import Crew
from heads import LoggedCommit, check_heads
from history import History, Refused, Unknown, Violation
from registers import check_registers
from removals import GONE, ONCE, check_creations, check_removals, without_gone
from trees import check_trees

SHARED_PATHS = 6
OWN_PATHS = 3


class Cluster(Protocol):
    """What a client can do, through the server of its choice. Raises Refused or Unknown."""

    servers: int

    def put(self, server: int, path: str, value: str) -> None: ...

    def create(self, server: int, path: str, value: str) -> None: ...

    def remove(self, server: int, *paths: str) -> None: ...

    def get(self, server: int, path: str) -> str | None: ...

    def commit(self, server: int, marker: str) -> None: ...

    def head(self, server: int) -> str: ...

    def log(self) -> list[LoggedCommit]: ...


@dataclass
class Clients:
    """`writers` write paths of their own and shared ones, `readers` read them; see `run`.

    `passers_by` write paths once and delete them, and race to create others.
    """

    cluster: Cluster
    seed: int
    writers: int = 6
    readers: int = 3
    committers: int = 2
    passers_by: int = 2

    def __post_init__(self) -> None:
        self.history = History()
        self._brief_paths = [f"{ONCE}0"]  # paths of which a moment matters, the newest last
        jobs = (
            [partial(self._write, i) for i in range(self.writers)]
            + [partial(self._read, i) for i in range(self.readers)]
            + [partial(self._commit, i) for i in range(self.committers)]
            + [partial(self._pass_by, i) for i in range(self.passers_by)]
        )
        self._crew = Crew(jobs)
        self._stop = self._crew.stopping

    def run(self, seconds: float) -> History:
        """Works for `seconds`, once; raises what a client did not expect."""
        with self._crew:
            self._stop.wait(seconds)
        return self.history

    def _chance(self, role: str, number: int) -> random.Random:
        return random.Random(f"{self.seed}/{role}/{number}")

    def _server(self, chance: random.Random) -> int:
        return chance.randrange(self.cluster.servers)

    def _write(self, number: int) -> None:
        chance = self._chance("writer", number)
        turn = 0
        while not self._stop.is_set():
            turn += 1
            shared = chance.random() < 0.5
            path = (
                f"shared/{chance.randrange(SHARED_PATHS)}"
                if shared
                else f"own/{number}/{turn % OWN_PATHS}"
            )
            server, value = self._server(chance), f"w{number}-{turn}"
            self.history.run(
                "write", path, server, value, lambda: self.cluster.put(server, path, value)
            )

    def _pass_by(self, number: int) -> None:
        chance = self._chance("passer-by", number)
        turn = 0
        while not self._stop.is_set():
            turn += 1
            value = f"p{number}-{turn}"
            if chance.random() < 0.4:
                # Some paths further each time, so that most are tried by several.
                path = f"{ONCE}{len(self._brief_paths) // self.passers_by}"
                self._put_once(path, value, self.cluster.create, self._server(chance))
            else:
                path = f"{GONE}{number}/{turn}"
                self._put_once(path, value, self.cluster.put, self._server(chance))
                self._stop.wait(chance.random() * 0.02)  # for a commit
                self._remove(path, self._server(chance))
            for _ in range(2):
                self._look(chance.choice(self._brief_paths[-4:]), self._server(chance))

    def _put_once(
        self, path: str, value: str, call: Callable[[int, str, str], None], server: int
    ) -> None:
        self._brief_paths.append(path)
        self.history.run("write", path, server, value, lambda: call(server, path, value))

    def _remove(self, path: str, server: int) -> None:
        self.history.run("remove", path, server, None, lambda: self.cluster.remove(server, path))

    def _look(self, path: str, server: int) -> None:
        self.history.run("read", path, server, None, lambda: self.cluster.get(server, path))

    def _read(self, number: int) -> None:
        chance = self._chance("reader", number)
        while not self._stop.is_set():
            server = self._server(chance)
            if chance.random() < 0.3:
                self.history.run("head", "main", server, None, lambda: self.cluster.head(server))
                continue
            path = f"shared/{chance.randrange(SHARED_PATHS)}"
            if chance.random() < 0.3:
                path = f"own/{chance.randrange(self.writers)}/{chance.randrange(OWN_PATHS)}"
            self._look(path, server)

    def _commit(self, number: int) -> None:
        chance = self._chance("committer", number)
        turn = 0
        while not self._stop.is_set():
            turn += 1
            server, marker = self._server(chance), f"c{number}-{turn}"
            self.history.run(
                "commit", "main", server, marker, lambda: self.cluster.commit(server, marker)
            )
            self._stop.wait(chance.random() * 0.1)


def check(history: History, log: list[LoggedCommit]) -> list[Violation]:
    """Everything that no correct cluster could have shown. Empty is good."""
    registers, trees = without_gone(history.operations("write", "read", "commit"), log)
    return (
        check_registers([one for one in registers if one.kind != "commit"])
        + check_heads(history.operations("commit", "head"), log)
        + check_trees([one for one in registers if one.kind != "read"], trees)
        + check_removals(history.operations("write", "remove", "read", "commit"), log)
        + check_creations(history.operations("write"))
    )


def describe(violations: list[Violation], most: int = 5) -> str:
    shown = "\n".join(f"- {one}" for one in violations[:most])
    return f"{len(violations)} violations:\n{shown}"


def settle(cluster: Cluster, seconds: float = 60) -> list[LoggedCommit]:
    """The log, once the cluster answers again."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return cluster.log()
        except (Refused, Unknown):
            if time.monotonic() > deadline:
                raise
