"""Compares a server that came back with what its clients were told before it died."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor

from botocore.exceptions import ClientError

from ledger import Ledger, Snapshot
from load import REPOSITORY, Known, Load, Rest, md5
from power_server import PowerServer

NEWEST, OLDER = 4, 3  # trees of commits compared per round
KEPT_BRANCHES = 6


def verify(server: PowerServer, known: Known, load: Load, chance: random.Random) -> None:
    """Everything acknowledged is there, as it was told. Then the ledgers begin anew from it."""
    rest = Rest(server)
    check_commits(rest, "main", known.main, known.commits, chance)
    check_commits(rest, "trunk", known.trunk, known.merges, chance)
    main = check_state(rest, "main", known.main)
    trunk = check_state(rest, "trunk", known.trunk)
    check_branches(rest, known)
    check_tags(rest, known)
    check_bytes(rest, known, main, "main")
    known.main.settle(main)
    known.trunk.settle(trunk)
    known.commits.clear()
    known.merges.clear()
    finish_uploads(rest, known, load)


def check_state(rest: Rest, ref: str, ledger: Ledger) -> dict[str, str]:
    now = ledger.now()
    found = rest.listing(ref)
    wrong = ledger.differences(found, now, now)
    assert not wrong, f"{ref}: {wrong[:10]}"
    return found


def check_commits(
    rest: Rest, branch: str, ledger: Ledger, told: list[Snapshot], chance: random.Random
) -> None:
    """Every commit is in the branch's log, and its tree shows what it has to."""
    missing = {snapshot.commit for snapshot in told}
    after = ""
    while missing:
        page = rest.on_repository(
            "GET", f"/refs/{branch}/commits", params={"amount": 100, "after": after}
        ).json()
        missing -= {commit["id"] for commit in page["results"]}
        if not page["pagination"]["has_more"]:
            break
        after = page["pagination"]["next_offset"]
    assert not missing, f"acknowledged commits of {branch} are gone: {missing}"
    older = told[:-NEWEST]
    for snapshot in told[-NEWEST:] + chance.sample(older, min(OLDER, len(older))):
        wrong = ledger.differences(rest.listing(snapshot.commit), snapshot.begin, snapshot.end)
        assert not wrong, f"commit {snapshot.commit} of {branch}: {wrong[:10]}"


def check_branches(rest: Rest, known: Known) -> None:
    names: dict[str, str] = {}
    after = ""
    while True:
        page = rest.on_repository(
            "GET", "/branches", params={"prefix": "x", "amount": 1000, "after": after}
        ).json()
        names |= {item["id"]: "there" for item in page["results"]}
        if not page["pagination"]["has_more"]:
            break
        after = page["pagination"]["next_offset"]
    now = known.branches.now()
    wrong = known.branches.differences(names, now, now)
    assert not wrong, f"branches: {wrong[:10]}"
    for name in names:
        own = known.on_branches.get(name)
        if own is None:  # its creation was not answered
            continue
        now = own.now()
        found = rest.listing(name, f"b{name[1]}/")
        wrong = own.differences(found, now, now)
        assert not wrong, f"branch {name}: {wrong[:10]}"
    known.branches = Ledger()
    known.on_branches = {name: own for name, own in known.on_branches.items() if name in names}
    for i, name in enumerate(sorted(names)):
        if i >= KEPT_BRANCHES or name not in known.on_branches:
            rest.on_repository("DELETE", f"/branches/{name}")
            known.on_branches.pop(name, None)
        else:
            known.branches.end(known.branches.begin(name, "there"))


def check_tags(rest: Rest, known: Known) -> None:
    now = known.tags.now()
    found = {}
    for name in known.tags.keys():
        page = rest.on_repository("GET", "/tags", params={"prefix": name, "amount": 1}).json()
        found |= {tag["id"]: tag["commit_id"] for tag in page["results"] if tag["id"] == name}
    wrong = known.tags.differences(found, now, now)
    assert not wrong, f"tags: {wrong[:10]}"
    known.tags = Ledger()


def check_bytes(rest: Rest, known: Known, found: dict[str, str], ref: str) -> None:
    def differs(item: tuple[str, str]) -> str | None:
        key, value = item
        data = rest.on_repository("GET", f"/refs/{ref}/objects", params={"path": key}).content
        etag = value.split(" ")[0]
        return None if md5(data) == known.contents[etag] else f"{key} ({len(data)} bytes)"

    with ThreadPoolExecutor(4) as pool:
        wrong = [key for key in pool.map(differs, found.items()) if key is not None]
    assert not wrong, f"other bytes: {wrong[:10]}"


def finish_uploads(rest: Rest, known: Known, load: Load) -> None:
    """A multipart upload that was acknowledged, and its parts, can be gone on with."""
    for worker, upload in list(known.uploads.items()):
        if upload.id:
            try:
                load.finish_upload(upload)
            except ClientError as error:
                raise AssertionError(f"upload lost: {upload}: {error}") from error
        del known.uploads[worker]
    check_state(rest, "main", known.main)


def prepare(server: PowerServer) -> None:
    rest = Rest(server)
    names = {"name": REPOSITORY, "storage_namespace": f"local://{REPOSITORY}"}
    rest.call("POST", "", json=names | {"default_branch": "main"})
    rest.on_repository("POST", "/branches", json={"name": "trunk", "source": "main"})
