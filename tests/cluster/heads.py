"""Is the branch head linearisable, and is each acknowledged commit in the log, once?

The log at the end gives the order of all versions, so the question is whether real time allows it: an
operation that was answered before another was asked must not stand behind it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from history import Operation, Violation


@dataclass(frozen=True)
class LoggedCommit:
    id: str
    marker: str | None  # None: made by nobody of ours (the first commit)
    tree: dict[str, str]


def check_heads(operations: list[Operation], log: list[LoggedCommit]) -> list[Violation]:
    """`operations`: commits and reads of the head; `log`: oldest first."""
    found: list[Violation] = []
    position = {commit.id: index for index, commit in enumerate(log)}
    by_marker = {commit.marker: index for index, commit in enumerate(log) if commit.marker}
    times = Counter(commit.marker for commit in log if commit.marker)
    commits = {one.value: one for one in operations if one.kind == "commit"}

    placed: list[tuple[int, Operation]] = []
    for marker, one in commits.items():
        if one.ok and marker not in by_marker:
            found.append(Violation("acknowledged commit is not in the log", (one,)))
        if not one.may_have_happened and marker in by_marker:
            found.append(Violation("refused commit is in the log", (one,)))
        if times[marker] > 1:
            found.append(Violation("commit is in the log twice", (one,)))
        if marker in by_marker:
            placed.append((by_marker[marker], one))
    found += [
        Violation("commit in the log that nobody made", detail=str(marker))
        for marker in by_marker
        if marker not in commits
    ]
    for one in operations:
        if one.kind != "head" or not one.ok:
            continue
        if one.value not in position:
            found.append(Violation("head that is not in the log", (one,)))
            continue
        index = position[one.value]
        maker = commits.get(log[index].marker)
        if maker and one.end < maker.start:
            found.append(Violation("head seen before its commit began", (maker, one)))
        placed.append((index, one))
    return found + _against_time(placed)


def _against_time(placed: list[tuple[int, Operation]]) -> list[Violation]:
    """Going through the starts in order of time: the newest version answered so far binds all."""
    found = []
    by_end = sorted(placed, key=lambda item: item[1].end)
    answered = 0
    newest: tuple[int, Operation] | None = None
    for index, one in sorted(placed, key=lambda item: item[1].start):
        while answered < len(by_end) and by_end[answered][1].end < one.start:
            if newest is None or by_end[answered][0] > newest[0]:
                newest = by_end[answered]
            answered += 1
        if newest is None:
            continue
        if index < newest[0] or (one.kind == "commit" and index == newest[0]):
            found.append(
                Violation(
                    "branch head went back",
                    (newest[1], one),
                    f"(version {newest[0]}, later version {index})",
                )
            )
    return found
