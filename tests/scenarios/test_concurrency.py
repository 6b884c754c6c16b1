"""Many clients of one branch: every outcome is explained, none is lost."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import lakefs

from clients import create_repository, lakefs_client, s3_client
from server_process import ServerProcess

CLIENTS = 6
ROUNDS = 8


def together(work: Callable[[int], None]) -> None:
    """Runs `work` in CLIENTS threads that begin at the same moment; raises what one raises."""
    gate = threading.Barrier(CLIENTS)

    def run(number: int) -> None:
        gate.wait(30)
        work(number)

    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(run, range(CLIENTS)))


def branch_of(server: ServerProcess, repository: str, name: str) -> lakefs.Branch:
    """A client of its own, as another program would have."""
    return lakefs.Repository(repository, client=lakefs_client(server)).branch(name)


def test_committers_of_one_branch_lose_neither_objects_nor_commits(server: ServerProcess) -> None:
    repository = create_repository(server, "crowded")
    commits: list[str] = []
    nothing_left: list[str] = []

    def work(number: int) -> None:
        s3 = s3_client(server)
        main = branch_of(server, "crowded", "main")
        for turn in range(ROUNDS):
            s3.put_object(Bucket="crowded", Key=f"main/c{number}/{turn}", Body=b"%d" % turn)
            try:
                commits.append(main.commit(f"client {number}, turn {turn}").id)
            except lakefs.exceptions.BadRequestException as error:
                # Another client's commit took this object along.
                assert "no changes" in str(error)
                nothing_left.append(f"{number}/{turn}")

    together(work)
    assert len(commits) + len(nothing_left) == CLIENTS * ROUNDS
    main = repository.branch("main")
    assert list(main.uncommitted()) == []
    found = {item.path for item in main.objects()}
    assert found == {f"c{i}/{turn}" for i in range(CLIENTS) for turn in range(ROUNDS)}
    log = [commit.id for commit in main.log()]
    assert sorted(log[:-1]) == sorted(commits), "the history is exactly what was acknowledged"


def test_merges_into_one_branch_at_once_all_arrive(server: ServerProcess) -> None:
    repository = create_repository(server, "merging")
    main = repository.branch("main")
    main.object("base").upload(b"base")
    main.commit("base")
    for number in range(CLIENTS):
        branch = repository.branch(f"work-{number}").create("main")
        branch.object(f"from/{number}").upload(b"%d" % number)
        branch.commit(f"work {number}")
    merged: list[str] = []

    def work(number: int) -> None:
        target = branch_of(server, "merging", "main")
        merged.append(branch_of(server, "merging", f"work-{number}").merge_into(target))

    together(work)
    assert {item.path for item in main.objects()} == {
        "base", *(f"from/{number}" for number in range(CLIENTS))
    }  # fmt: skip
    assert set(merged) <= {commit.id for commit in main.log()}


def test_only_one_of_many_creates_the_same_object(server: ServerProcess) -> None:
    create_repository(server, "exclusive")
    winners: list[int] = []

    def work(number: int) -> None:
        s3 = s3_client(server)
        try:
            s3.put_object(Bucket="exclusive", Key="main/lock", Body=b"%d" % number, IfNoneMatch="*")
            winners.append(number)
        except s3.exceptions.ClientError as error:
            assert error.response["ResponseMetadata"]["HTTPStatusCode"] in (409, 412)

    together(work)
    assert len(winners) == 1
    body = s3_client(server).get_object(Bucket="exclusive", Key="main/lock")["Body"].read()
    assert body == b"%d" % winners[0]
