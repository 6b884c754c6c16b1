"""What clients did and were told: the input of every checker."""

from __future__ import annotations

import itertools
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Literal

NEVER = math.inf


class Refused(Exception):
    """The server said no: the operation has not happened and will not."""


class Unknown(Exception):
    """No answer, or one that leaves it open: it may have happened, or may happen yet."""


class Outcome(Enum):
    OK = "ok"
    REFUSED = "refused"
    UNKNOWN = "unknown"


Kind = Literal["write", "remove", "read", "commit", "head"]


@dataclass(frozen=True)
class Operation:
    """`value`: what was written or read; of a commit its marker, of a head the commit's id."""

    kind: Kind
    key: str
    value: str | None
    start: float
    end: float  # NEVER if its outcome is unknown
    outcome: Outcome
    server: int
    number: int

    @property
    def ok(self) -> bool:
        return self.outcome is Outcome.OK

    @property
    def may_have_happened(self) -> bool:
        return self.outcome is not Outcome.REFUSED

    def before(self, other: Operation) -> bool:
        """Real time orders them: this one was answered before the other was asked."""
        return self.end < other.start

    def __str__(self) -> str:
        end = "?" if self.end == NEVER else f"{self.end:.4f}"
        return (
            f"#{self.number} {self.kind} {self.key}={self.value} "
            f"[{self.start:.4f}, {end}] {self.outcome.value} by server {self.server}"
        )


@dataclass(frozen=True)
class Violation:
    """Something that no correct system could have shown, with the operations that prove it."""

    rule: str
    evidence: tuple[Operation, ...] = ()
    detail: str = ""

    def __str__(self) -> str:
        return "\n    ".join([f"{self.rule} {self.detail}".strip(), *map(str, self.evidence)])


class History:
    """Operations of all clients. Safe to add to from many threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._operations: list[Operation] = []

    def run(
        self, kind: Kind, key: str, server: int, value: str | None, call: Callable[[], str | None]
    ) -> Operation:
        """Calls and records. `call` returns what was read (of a write it is ignored)."""
        start = self._clock()
        seen, outcome = value, Outcome.OK
        try:
            answer = call()
            if kind in ("read", "head"):
                seen = answer
        except Refused:
            outcome = Outcome.REFUSED
        except Unknown:
            outcome = Outcome.UNKNOWN
        end = NEVER if outcome is Outcome.UNKNOWN else self._clock()
        with self._lock:
            done = Operation(
                kind, key, seen, start, end, outcome, server, next(self._numbers)
            )
            self._operations.append(done)
        return done

    def operations(self, *kinds: Kind) -> list[Operation]:
        with self._lock:
            return [one for one in self._operations if one.kind in kinds]

    def counts(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for one in self.operations("write", "remove", "read", "commit", "head"):
            name = f"{one.kind} {one.outcome.value}"
            found[name] = found.get(name, 0) + 1
        return dict(sorted(found.items()))
