"""Does each commit hold what it must, and nothing it cannot? All or nothing, in the order of causes."""

from __future__ import annotations

import bisect
from collections import defaultdict

from heads import LoggedCommit
from history import Operation, Violation


class Writes:
    """The writes of one path, to ask what real time says about them."""

    def __init__(self, writes: list[Operation]) -> None:
        self.by_value = {one.value: one for one in writes}
        self._ok = sorted((one for one in writes if one.ok), key=lambda one: one.end)
        self._ends = [one.end for one in self._ok]
        # Of those that ended by then, the one that started last: the strictest witness.
        self._latest: list[Operation] = []
        for one in self._ok:
            newest = self._latest[-1] if self._latest else one
            self._latest.append(one if one.start >= newest.start else newest)

    def witness(self, moment: float) -> Operation | None:
        """An acknowledged write that ended before `moment` and began as late as any such."""
        index = bisect.bisect_left(self._ends, moment)
        return self._latest[index - 1] if index else None


def check_trees(operations: list[Operation], log: list[LoggedCommit]) -> list[Violation]:
    """`operations`: writes and commits; `log`: oldest first."""
    by_key: dict[str, list[Operation]] = defaultdict(list)
    for one in operations:
        if one.kind == "write":
            by_key[one.key].append(one)
    writes = {key: Writes(of_key) for key, of_key in by_key.items()}
    commits = {one.value: one for one in operations if one.kind == "commit"}
    found: list[Violation] = []
    for commit in log:
        maker = commits.get(commit.marker)
        if maker is not None:
            found += _one_commit(commit, maker, writes)
    return found + _order_of_commits(log, writes)


def _superseded(held: Operation | None, newer: Operation) -> bool:
    """`newer` was surely written after what is held; nothing held is older than everything."""
    return held is None or held.end < newer.start


def _one_commit(
    commit: LoggedCommit, maker: Operation, writes: dict[str, Writes]
) -> list[Violation]:
    found = []
    held: dict[str, Operation] = {}
    for key, value in commit.tree.items():
        one = writes[key].by_value.get(value) if key in writes else None
        if one is None or not one.may_have_happened:
            found.append(Violation("commit holds what nobody wrote", (maker,), f"{key}={value}"))
        elif maker.end < one.start:
            found.append(Violation("commit holds a write made after its end", (maker, one)))
        else:
            held[key] = one
    if found:
        return found
    # The latest start among what it holds: everything acknowledged before that is a cause of it.
    cause = max(held.values(), key=lambda one: one.start, default=None)
    moment = max(maker.start, cause.start if cause else maker.start)
    for key, of_key in writes.items():
        newer = of_key.witness(moment)
        if newer is None or not _superseded(held.get(key), newer):
            continue
        if newer.end < maker.start:
            rule = "commit lacks a write acknowledged before it began"
        else:
            rule = "commit holds a write without one acknowledged before that"
        evidence = [one for one in (maker, newer, held.get(key), cause) if one is not None]
        found.append(Violation(rule, tuple(evidence)))
    return found


def _order_of_commits(log: list[LoggedCommit], writes: dict[str, Writes]) -> list[Violation]:
    found = []
    for older, newer in zip(log, log[1:]):
        for key, value in older.tree.items():
            now = newer.tree.get(key)
            before = writes[key].by_value.get(value) if key in writes else None
            after = writes[key].by_value.get(now) if key in writes and now else None
            if before is None or (now is not None and after is None):
                continue  # reported above
            if after is None or after.before(before):
                evidence = (before,) if after is None else (before, after)
                found.append(Violation("path went back between commits", evidence))
    return found
