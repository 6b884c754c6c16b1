"""What clients asked for and what they were told, and which states that leaves a server."""

from __future__ import annotations

import itertools
from collections import defaultdict
from dataclasses import dataclass, field

FOREVER = 1 << 62


@dataclass
class Change:
    """One request that sets a key (None: removes it). `end` is when its success was told."""

    begin: int
    value: str | None
    end: int = FOREVER


@dataclass
class Snapshot:
    """A commit, merge or the like: shows each key as it was at some moment of the request."""

    begin: int
    end: int
    commit: str


class Ledger:
    """Changes of keys. Each key has one writer at a time; counting moments is thread-safe."""

    def __init__(self) -> None:
        self._clock = itertools.count(1)
        self._changes: dict[str, list[Change]] = defaultdict(list)
        self.acknowledged = 0

    def now(self) -> int:
        return next(self._clock)

    def begin(self, key: str, value: str | None) -> Change:
        change = Change(self.now(), value)
        self._changes[key].append(change)
        return change

    def end(self, change: Change) -> None:
        change.end = self.now()
        self.acknowledged += 1

    def known(self, key: str) -> str | None:
        """The last value that was acknowledged."""
        done = [change for change in self._changes.get(key, []) if change.end != FOREVER]
        return done[-1].value if done else None

    def keys(self) -> list[str]:
        return list(self._changes)

    def allowed(self, key: str, begin: int, end: int) -> set[str | None]:
        """What a reader may see whose request took from `begin` to `end`."""
        values: set[str | None] = set()
        before: str | None = None
        for change in self._changes.get(key, []):
            if change.end < begin:
                before = change.value
            elif change.begin < end:
                values.add(change.value)
        return values | {before}

    def differences(self, found: dict[str, str], begin: int, end: int) -> list[str]:
        wrong = []
        for key in self._changes:
            allowed = self.allowed(key, begin, end)
            if found.get(key) not in allowed:
                wrong.append(f"{key}: {found.get(key)}, not one of {allowed}")
        return wrong + [f"{key}: nobody wrote it" for key in found if key not in self._changes]

    def settle(self, found: dict[str, str]) -> None:
        """What unanswered requests left is the truth from now on."""
        for key, changes in self._changes.items():
            changes[:] = [Change(0, found.get(key), 0)]


@dataclass
class Upload:
    """A multipart upload that is open: all parts that were acknowledged."""

    key: str
    number: int
    id: str = ""
    etags: list[str] = field(default_factory=list)
    completing: bool = False
