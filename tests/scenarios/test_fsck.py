"""Damage planted in the files of a real data directory: fsck names it and whom it hits."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from clients import create_repository
from server_process import ServerProcess

pytestmark = pytest.mark.tarn_only
MakeServer = Callable[..., ServerProcess]


@dataclass
class Store:
    """A stopped server's directory: two commits on main, the first also on `old` and tagged."""

    server: ServerProcess
    tables: list[Path]  # metaranges and ranges of both commits
    metaranges: dict[str, Path]  # by commit: "first", "second"
    objects: dict[bytes, Path]  # by content

    def ranges(self) -> list[Path]:
        return [path for path in self.tables if path not in self.metaranges.values()]


@pytest.fixture
def store(make_server: MakeServer) -> Store:
    server = make_server().start()
    repository = create_repository(server, "damaged")
    main = repository.branch("main")
    for name in ("a", "b", "c"):
        main.object(name).upload(name.encode() * 100)
    trees = {"first": main.commit("first").get_commit().meta_range_id}
    repository.branch("old").create("main")
    repository.tag("v1").create("main")
    main.object("bb").upload(b"bb" * 100)
    trees["second"] = main.commit("second").get_commit().meta_range_id
    server.stop()
    files = [path for path in (server.data_dir / "objects").rglob("*") if path.is_file()]
    tables = [path for path in files if path.parent.name == "_lakefs" and len(path.name) == 64]
    return Store(
        server=server,
        tables=tables,
        metaranges={
            commit: next(path for path in tables if path.name == tree)
            for commit, tree in trees.items()
        },
        objects={path.read_bytes(): path for path in files if path not in tables},
    )


def fsck(store: Store, *words: str) -> tuple[int, dict[str, Any]]:
    result = store.server.run_command("fsck", "--read-objects", "--json", *words)
    return result.returncode, json.loads(result.stdout)


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[10] ^= 1
    path.write_bytes(content)


def swap_ranges(store: Store) -> None:
    one, other = store.ranges()[:2]
    one.write_bytes(other.read_bytes())


DAMAGE: dict[str, Callable[[Store], None]] = {
    "object missing": lambda store: store.objects[b"a" * 100].unlink(),
    "object size mismatch": lambda store: store.objects[b"a" * 100].write_bytes(b"a"),
    "object content mismatch": lambda store: flip(store.objects[b"a" * 100]),
    "range missing": lambda store: store.ranges()[0].unlink(),
    "range corrupt": lambda store: flip(store.ranges()[0]),
    "range id mismatch": swap_ranges,
    "metarange missing": lambda store: store.metaranges["first"].unlink(),
    "metarange corrupt": lambda store: flip(store.metaranges["first"]),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_fsck_finds_damaged_files_and_says_whom_they_hit(store: Store, kind: str) -> None:
    saved = {path: path.read_bytes() for path in [*store.tables, *store.objects.values()]}
    assert fsck(store)[0] == 0
    DAMAGE[kind](store)
    code, report = fsck(store, "--repair=refs,staged")
    assert code == 1, "nothing can bring lost bytes back"
    assert report["found"] == {kind: 1} and not report["clean"]
    (problem,) = report["problems"]
    assert problem["repository"] == "damaged" and not problem["repaired"]
    hit = {*problem["present_in"]["some"], *problem["in_history_of"]["some"]}
    assert "branch main" in hit
    if kind.startswith("metarange"):
        assert problem["present_in"]["some"] == ["branch old", "tag v1"]
        assert problem["in_history_of"]["some"] == ["branch main"]
    if kind.startswith("object"):
        assert set(problem["paths"]["some"]) == {"a"}
        assert hit == {"branch main", "branch old", "tag v1"}
    text = store.server.run_command("fsck", "--read-objects")
    assert text.returncode == 1 and f"damage: {kind}: damaged/" in text.stdout
    for path, content in saved.items():
        path.write_bytes(content)


def test_fsck_that_cannot_run_says_so(store: Store) -> None:
    assert store.server.run_command("fsck", "--repository", "nobody").returncode == 2
    store.server.start()
    result = store.server.run_command("fsck")
    assert result.returncode == 2 and "in use" in result.stderr
