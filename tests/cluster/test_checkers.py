"""The checkers themselves: silent about a correct cluster, never about a broken one."""

from __future__ import annotations

import pytest

from heads import LoggedCommit, check_heads
from history import NEVER, Kind, Operation, Outcome
from registers import check_registers
from removals import check_creations, check_removals
from simulated import Fault, SimulatedCluster
from trees import check_trees
from workload import Clients, check, describe

SECONDS = 0.7


def run(fault: Fault, seed: int) -> list[object]:
    cluster = SimulatedCluster(seed, fault)
    history = Clients(cluster, seed).run(SECONDS)
    assert len(history.operations("write")) > 20
    return list(check(history, cluster.log()))


@pytest.mark.parametrize("seed", range(3))
def test_a_correct_cluster_raises_no_complaint(seed: int) -> None:
    violations = run(Fault.NONE, seed)
    assert not violations, describe(violations)  # type: ignore[arg-type]


@pytest.mark.parametrize("fault", [fault for fault in Fault if fault is not Fault.NONE])
def test_every_seeded_fault_is_found(fault: Fault) -> None:
    assert any(run(fault, seed) for seed in range(12)), fault


def made(
    kind: Kind, value: str | None, start: float, end: float = NEVER, key: str = "a"
) -> Operation:
    outcome = Outcome.UNKNOWN if end == NEVER else Outcome.OK
    return Operation(kind, key, value, start, end, outcome, 0, 0)


def test_a_write_without_an_answer_may_appear_late_or_never() -> None:
    lost = made("write", "v", 1)
    assert check_registers([lost, made("read", None, 2, 3)]) == []
    assert check_registers([lost, made("read", None, 2, 3), made("read", "v", 4, 5)]) == []


def test_a_write_without_an_answer_cannot_disappear_again() -> None:
    operations = [made("write", "v", 1), made("read", "v", 2, 3), made("read", None, 4, 5)]
    assert [one.rule for one in check_registers(operations)] == [
        "write lost under an older value"
    ]


def test_reads_beside_a_write_may_see_either_value_but_not_go_back() -> None:
    write = made("write", "v", 1, 10)
    assert check_registers([write, made("read", None, 2, 3), made("read", "v", 4, 5)]) == []
    assert check_registers([write, made("read", "v", 2, 3), made("read", None, 4, 5)])


def test_a_write_that_vanishes_under_an_older_value_is_found() -> None:
    operations = [
        made("write", "old", 1, 2),
        made("write", "new", 3, 4),
        made("read", "old", 5, 6),
    ]
    assert [one.rule for one in check_registers(operations)] == [
        "write lost under an older value"
    ]


def test_a_head_that_goes_back_is_found() -> None:
    log = [LoggedCommit("0", None, {}), LoggedCommit("1", "c", {})]
    commit = made("commit", "c", 1, 2)
    assert check_heads([commit, made("head", "0", 1.5, 3)], log) == []
    assert check_heads([commit, made("head", "0", 3, 4)], log)


def test_an_acknowledged_commit_must_be_in_the_log_once() -> None:
    commit = made("commit", "c", 1, 2)
    first = LoggedCommit("0", None, {})
    assert check_heads([commit], [first])
    assert check_heads([commit], [first, LoggedCommit("1", "c", {}), LoggedCommit("2", "c", {})])
    assert check_heads([made("commit", "c", 1)], [first]) == []


def test_a_commit_must_hold_the_cause_of_what_it_holds() -> None:
    cause, effect = made("write", "1", 2, 3, "a"), made("write", "2", 4, 5, "b")
    commit = made("commit", "c", 1, 6)
    whole = [LoggedCommit("1", "c", {"a": "1", "b": "2"})]
    torn = [LoggedCommit("1", "c", {"b": "2"})]
    early = [LoggedCommit("1", "c", {"a": "1"})]
    assert check_trees([cause, effect, commit], whole) == []
    assert check_trees([cause, effect, commit], early) == []
    assert [one.rule for one in check_trees([cause, effect, commit], torn)] == [
        "commit holds a write without one acknowledged before that"
    ]


def test_what_was_deleted_stays_away() -> None:
    write, removal = made("write", "v", 1, 2, "gone/1"), made("remove", None, 3, 4, "gone/1")
    before, after = made("read", None, 0, 0.5, "gone/1"), made("read", None, 5, 6, "gone/1")
    assert check_removals([before, write, removal, after], []) == []
    back = made("read", "v", 7, 8, "gone/1")
    assert check_removals([write, removal, after, back], [])
    assert check_removals([write, removal, back], [])
    lost = made("read", None, 2.2, 2.5, "gone/1")
    assert check_removals([write, lost, removal], [])
    unanswered = made("remove", None, 3, key="gone/1")
    assert check_removals([write, unanswered, back], []) == []
    assert check_removals([write, unanswered, after, back], [])


def test_a_commit_holds_nothing_that_was_deleted_before() -> None:
    write, removal = made("write", "v", 1, 2, "gone/1"), made("remove", None, 3, 4, "gone/1")
    log = [LoggedCommit("1", "c", {"gone/1": "v"})]
    assert check_removals([write, removal, made("commit", "c", 3.5, 6)], log) == []
    assert check_removals([write, removal, made("commit", "c", 5, 6)], log)


def test_only_one_of_many_creations_succeeds() -> None:
    one, other = made("write", "v", 1, 3, "once/1"), made("write", "w", 2, 4, "once/1")
    assert check_creations([one]) == []
    assert check_creations([one, other])
