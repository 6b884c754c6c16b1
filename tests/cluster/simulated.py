"""A cluster in memory, with faults to switch on: what the checkers must find, they find here.

It keeps the branch as Tarn does: a head, a staging token, sealed tokens. A write goes to the staging
token it saw, but only while the branch has that token; a commit seals the token, builds the tree and
moves the head.
"""

from __future__ import annotations

import random
import threading
import time
from dataclasses import dataclass, field
from enum import Enum

from heads import LoggedCommit
from history import Refused, Unknown


class Fault(Enum):
    NONE = "none"
    STALE_HEAD = "a server answers the head from a cache"
    STALE_READ = "a server answers a read from a cache"
    UNGUARDED_WRITE = "a write goes to the token it saw, sealed or not"
    REPEATED_WRITE = "one that went to a sealed token is done again, over newer ones"
    LOST_COMMIT = "two commits of one head, and the last one wins"
    HALF_COMMIT = "a commit leaves out some of what was sealed"
    LOST_WRITE = "an acknowledged write is dropped"
    RETRIED_COMMIT = "a commit without an answer is done again"
    LOST_REMOVAL = "an acknowledged deletion is dropped"
    SECOND_CREATION = "a creation does not see what is there"
    PHANTOM_REFUSAL = "a refused write happens all the same"


@dataclass
class Branch:
    head: int = 0
    token: int = 0
    sealed: tuple[int, ...] = ()


@dataclass
class SimulatedCluster:
    seed: int
    fault: Fault = Fault.NONE
    servers: int = 3
    branch: Branch = field(default_factory=Branch)
    staged: dict[int, dict[str, str | None]] = field(default_factory=lambda: {0: {}})
    commits: list[tuple[str | None, int | None, dict[str, str]]] = field(
        default_factory=lambda: [(None, None, {})]
    )

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._chance = random.Random(self.seed)
        self._tokens = 0
        self._cached_head = {}
        self._cached_reads: dict[tuple[int, str], str | None] = {}

    def _step(self) -> None:
        """Gives the other threads a turn, as a round trip would."""
        time.sleep(self._chance.random() * 0.001)

    def _strikes(self, fault: Fault, odds: float) -> bool:
        return self.fault is fault and self._chance.random() < odds

    def put(self, server: int, path: str, value: str) -> None:
        if self._chance.random() < 0.01:
            if not self._strikes(Fault.PHANTOM_REFUSAL, 1):
                raise Refused
            with self._lock:
                self.staged[self.branch.token][path] = value
            raise Refused
        guarded = self.fault not in (Fault.UNGUARDED_WRITE, Fault.REPEATED_WRITE)
        while True:
            with self._lock:
                token = self.branch.token
            self._step()
            with self._lock:
                is_current = token == self.branch.token
                if guarded and not is_current:
                    continue
                if not self._strikes(Fault.LOST_WRITE, 0.02):
                    self.staged.setdefault(token, {})[path] = value
            self._step()
            if is_current or self.fault is not Fault.REPEATED_WRITE:
                break
            for _ in range(8):
                self._step()
        if self._chance.random() < 0.01:
            raise Unknown

    def remove(self, server: int, *paths: str) -> None:
        self._step()
        with self._lock:
            for path in paths:
                if not self._strikes(Fault.LOST_REMOVAL, 0.5):
                    self.staged[self.branch.token][path] = None
        self._step()
        if self._chance.random() < 0.01:
            raise Unknown

    def create(self, server: int, path: str, value: str) -> None:
        self._step()
        with self._lock:
            blind = self._strikes(Fault.SECOND_CREATION, 0.5)
            if self._visible(path) is not None and not blind:
                raise Refused
            self.staged[self.branch.token][path] = value
        self._step()

    def _visible(self, path: str) -> str | None:
        found: str | None = self.commits[self.branch.head][2].get(path)
        for token in (*self.branch.sealed, self.branch.token):
            found = self.staged.get(token, {}).get(path, found)
        return found

    def get(self, server: int, path: str) -> str | None:
        self._step()
        if self._strikes(Fault.STALE_READ, 0.1) and (server, path) in self._cached_reads:
            return self._cached_reads[server, path]
        with self._lock:
            found = self._visible(path)
            self._cached_reads.setdefault((server, path), found)
        self._step()
        return found

    def head(self, server: int) -> str:
        self._step()
        with self._lock:
            head = self.branch.head
            if self._strikes(Fault.STALE_HEAD, 0.1):
                return str(self._cached_head.get(server, head))
            self._cached_head[server] = head
        self._step()
        return str(head)

    def commit(self, server: int, marker: str) -> None:
        for _ in range(2 if self._strikes(Fault.RETRIED_COMMIT, 0.3) else 1):
            self._commit_once(marker)
        if self._chance.random() < 0.02:
            raise Unknown

    def _commit_once(self, marker: str) -> None:
        while True:
            with self._lock:
                self._tokens += 1
                self.branch.sealed += (self.branch.token,)
                self.branch.token = self._tokens
                self.staged[self._tokens] = {}
                parent, sealed = self.branch.head, self.branch.sealed
            self._step()
            with self._lock:
                tree = dict(self.commits[parent][2])
                for token in sealed:
                    for path, value in self.staged[token].items():
                        if self._strikes(Fault.HALF_COMMIT, 0.05):
                            continue
                        if value is None:
                            tree.pop(path, None)
                        else:
                            tree[path] = value
            self._step()
            with self._lock:
                if self.branch.head != parent and self.fault is not Fault.LOST_COMMIT:
                    continue
                self.commits.append((marker, parent, tree))
                self.branch.head = len(self.commits) - 1
                self.branch.sealed = tuple(
                    token for token in self.branch.sealed if token not in sealed
                )
                return

    def log(self) -> list[LoggedCommit]:
        found, at = [], self.branch.head
        while True:
            marker, parent, tree = self.commits[at]
            found.append(LoggedCommit(str(at), marker, tree))
            if parent is None:
                return found[::-1]
            at = parent
