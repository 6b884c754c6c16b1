"""Is every path a linearisable register? Each written value is written once.

Unique values make the question easy: the write of a value and its reads are one *cluster*; let `first`
be the earliest end and `last` the latest start among them. If first < last the cluster must hold the
register from first to last (a forward zone), otherwise it needs one moment in [last, first] (a
backward zone). A history is linearisable exactly if no read ends before its write starts, no two
forward zones overlap, and no backward zone lies inside a forward one.
Source: P. Gibbons, E. Korach, "Testing Shared Memories", SIAM J. Comput. 26 (1997), section 4.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from history import NEVER, Operation, Outcome, Violation

BEGIN_OF_TIME = Operation("write", "", None, -2.0, -1.0, Outcome.OK, -1, 0)


@dataclass(frozen=True)
class Zone:
    write: Operation
    members: tuple[Operation, ...]

    @property
    def first(self) -> float:
        return min(one.end for one in self.members)

    @property
    def last(self) -> float:
        return max(one.start for one in self.members)

    @property
    def forward(self) -> bool:
        return self.first < self.last

    def proof(self) -> tuple[Operation, ...]:
        """The operations that set its borders."""
        ends = min(self.members, key=lambda one: one.end)
        starts = max(self.members, key=lambda one: one.start)
        return tuple(dict.fromkeys((self.write, ends, starts)))


def check_registers(operations: list[Operation]) -> list[Violation]:
    """`operations`: the reads and writes of all paths, in any order."""
    by_key: dict[str, list[Operation]] = defaultdict(list)
    for one in operations:
        by_key[one.key].append(one)
    return [found for key in sorted(by_key) for found in _check_one(by_key[key])]


def _check_one(operations: list[Operation]) -> list[Violation]:
    writes = {one.value: one for one in operations if one.kind == "write"}
    reads: dict[str | None, list[Operation]] = defaultdict(list)
    for one in operations:
        if one.kind == "read" and one.ok:
            reads[one.value].append(one)
    writes[None] = BEGIN_OF_TIME

    found: list[Violation] = []
    zones: list[Zone] = []
    for value, seen in reads.items():
        write = writes.get(value)
        if write is None or not write.may_have_happened:
            found.append(Violation("read of a value that nobody wrote", tuple(seen[:2])))
            continue
        early = [read for read in seen if read.end < write.start]
        if early:
            found.append(Violation("read before its write", (write, early[0])))
    for value, write in writes.items():
        # A write of unknown outcome that nobody read may as well not have happened.
        if write.ok or (write.may_have_happened and reads[value]):
            zones.append(Zone(write, (write, *reads[value])))
    return found + _conflicts(zones)


def _conflicts(zones: list[Zone]) -> list[Violation]:
    forward = sorted((zone for zone in zones if zone.forward), key=lambda zone: zone.first)
    found = []
    for one, next_one in zip(forward, forward[1:]):
        if next_one.first < one.last:
            found.append(
                Violation("two values held at once", one.proof() + next_one.proof())
            )
    if found:
        return found  # what lies between overlapping zones would only repeat it
    for zone in zones:
        if zone.forward or zone.first == NEVER:
            continue
        for outer in forward:
            if outer.first < zone.last and zone.first < outer.last:
                found.append(
                    Violation("write lost under an older value", outer.proof() + zone.proof())
                )
    return found
