"""Is what was deleted gone, and what was created once there once?

A path under `gone/` is written once and then deleted once, so that its history is that of a register
too: nothing, the value, nothing again. Which of the two a reader saw who found nothing is told by the
times; where they leave it open the read says nothing. Paths under `once/` are only ever created.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

from heads import LoggedCommit
from history import Operation, Outcome, Violation
from registers import check_registers

GONE = "gone/"
ONCE = "once/"
REMOVED = "(removed)"


def without_gone(
    operations: list[Operation], log: list[LoggedCommit]
) -> tuple[list[Operation], list[LoggedCommit]]:
    """What the other checkers understand."""
    kept = [one for one in operations if not one.key.startswith(GONE)]
    trees = [
        replace(commit, tree={k: v for k, v in commit.tree.items() if not k.startswith(GONE)})
        for commit in log
    ]
    return kept, trees


def check_removals(operations: list[Operation], log: list[LoggedCommit]) -> list[Violation]:
    """`operations`: reads, writes, removals and commits; `log`: oldest first."""
    by_key: dict[str, list[Operation]] = defaultdict(list)
    for one in operations:
        if one.key.startswith(GONE):
            by_key[one.key].append(one)
    found: list[Violation] = []
    for key in sorted(by_key):
        found += check_registers(_as_register(by_key[key]))
    commits = {one.value: one for one in operations if one.kind == "commit"}
    for commit in log:
        maker = commits.get(commit.marker)
        if maker is None:
            continue
        for key in commit.tree.keys() & by_key.keys():
            write = next(one for one in by_key[key] if one.kind == "write")
            removal = next((one for one in by_key[key] if one.kind == "remove"), None)
            # A write without an answer may happen after the removal.
            if write.ok and removal and removal.ok and removal.before(maker):
                found.append(Violation("commit holds what was deleted before", (removal, maker)))
    return found


def _as_register(operations: list[Operation]) -> list[Operation]:
    write = next((one for one in operations if one.kind == "write"), None)
    removal = next((one for one in operations if one.kind == "remove"), None)
    plain = [write] if write else []
    if removal:
        plain.append(replace(removal, kind="write", value=REMOVED))
    for read in operations:
        if read.kind != "read":
            continue
        if read.value is not None or write is None or not read.ok:
            plain.append(read)
        elif write.ok and write.before(read):
            plain.append(replace(read, value=REMOVED))
        elif removal is None or read.before(removal):
            plain.append(read)
    return plain


def check_creations(operations: list[Operation]) -> list[Violation]:
    """`operations`: the writes of all paths."""
    done: dict[str, list[Operation]] = defaultdict(list)
    for one in operations:
        if one.key.startswith(ONCE) and one.outcome is Outcome.OK:
            done[one.key].append(one)
    return [
        Violation("path was created twice", tuple(winners[:2]))
        for winners in done.values()
        if len(winners) > 1
    ]
