"""What the shim and the rules of power_loss.py make of known changes, and that it sees them all."""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from load import Known, Load
from power_loss import STRICT, TORN, Journal, UnknownChange
from power_server import PowerServer, built_shim
from verify import prepare
from waiting import wait_until

HELPERS = """
import mmap, os, sys
os.chdir(sys.argv[1])
def write(name, data, flags=os.O_WRONLY | os.O_CREAT, at=None, sync=True):
    fd = os.open(name, flags)
    if at is None: os.write(fd, data)
    else: os.pwrite(fd, data, at)
    if sync: os.fsync(fd)
    os.close(fd)
def sync(name):
    fd = os.open(name, os.O_RDONLY)
    os.fsync(fd)
    os.close(fd)
"""

# (name, what a process does, what is left if only synced things are); "old" is there before.
CASES = [
    ("nothing_is_lost_if_nothing_happens", "", {"old": "text"}),
    ("an_unsynced_file", "write('a', b'x', sync=False)", {"old": "text"}),
    ("a_file_without_a_synced_name", "write('a', b'x')", {"old": "text"}),
    (
        "a_name_without_synced_bytes",
        "write('a', b'x', sync=False); sync('.')",
        {"old": "text", "a": ""},
    ),
    ("a_whole_file", "write('a', b'x'); sync('.')", {"old": "text", "a": "x"}),
    (
        "what_was_appended_later",
        "write('a', b'x'); sync('.'); write('a', b'y', os.O_WRONLY | os.O_APPEND, sync=False)",
        {"old": "text", "a": "x"},
    ),
    ("what_was_appended_to_an_old_file", "write('old', b'+', at=4, sync=False)", {"old": "text"}),
    ("bytes_in_place", "write('old', b'T', at=0, sync=False)", {"old": "text"}),
    ("synced_bytes_in_place", "write('old', b'T', at=0)", {"old": "Text"}),
    (
        "bytes_in_place_after_others_were_synced",
        "write('old', b'T', at=0); write('old', b'E', at=1, sync=False)",
        {"old": "Text"},
    ),
    (
        "a_truncation",
        "write('old', b'', os.O_WRONLY | os.O_TRUNC, sync=False)",
        {"old": "text"},
    ),
    ("an_unsynced_removal", "os.unlink('old')", {"old": "text"}),
    ("a_synced_removal", "os.unlink('old'); sync('.')", {}),
    ("an_unsynced_rename", "os.rename('old', 'new')", {"old": "text"}),
    ("a_synced_rename", "os.rename('old', 'new'); sync('.')", {"new": "text"}),
    (
        "an_unsynced_replacement",
        "write('a', b'x'); sync('.'); os.rename('a', 'old')",
        {"old": "text", "a": "x"},
    ),
    ("a_synced_replacement", "write('a', b'x'); os.rename('a', 'old'); sync('.')", {"old": "x"}),
    ("an_unsynced_directory", "os.mkdir('d'); write('d/a', b'x'); sync('d')", {"old": "text"}),
    (
        "a_synced_directory",
        "os.mkdir('d'); sync('.'); write('d/a', b'x'); sync('d')",
        {"old": "text", "d/a": "x"},
    ),
    (
        "a_rename_synced_where_it_went",
        "os.mkdir('d'); sync('.'); os.rename('old', 'd/new'); sync('d')",
        {"d/new": "text"},
    ),
    (
        "a_directory_whose_number_is_used_again",
        "os.mkdir('d'); os.rmdir('d'); write('a', b'x'); os.mkdir('e'); sync('.')",
        {"old": "text", "a": "x"},
    ),
]


class Traced:
    """A directory with one file in it, and processes whose changes are written down."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "volume"
        self.log, self.grave = folder / "journal", folder / "grave"
        self.root.mkdir(parents=True)
        (self.root / "old").write_text("text")
        self.journal = Journal(self.root, self.log, self.grave)

    def run(self, script: str) -> None:
        environment = {
            **os.environ,
            "LD_PRELOAD": str(built_shim()),
            "POWER_ROOT": str(self.root),
            "POWER_LOG": str(self.log),
            "POWER_GRAVE": str(self.grave),
        }
        words = [sys.executable, "-c", HELPERS + script, str(self.root)]
        subprocess.run(words, env=environment, check=True)
        self.journal.replay()
        self.journal.compare_with_disk()

    def files(self) -> dict[str, str]:
        return {
            str(path.relative_to(self.root)): path.read_text()
            for path in self.root.rglob("*")
            if path.is_file()
        }


@pytest.mark.parametrize(("script", "left"), [case[1:] for case in CASES], ids=[c[0] for c in CASES])
def test_only_what_was_synced_is_left(tmp_path: Path, script: str, left: dict[str, str]) -> None:
    traced = Traced(tmp_path)
    traced.run(script)
    traced.journal.fail_power(STRICT, random.Random(0))
    assert traced.files() == left


def test_what_was_not_synced_may_be_left_in_part(tmp_path: Path) -> None:
    seen = set()
    for seed in range(12):
        traced = Traced(tmp_path / str(seed))
        traced.run("write('a', b'x'); sync('.'); write('a', b'y' * 5, at=1, sync=False); "
                   "os.rename('old', 'new')")
        traced.journal.fail_power(TORN, random.Random(seed))
        files = traced.files()
        assert set(files) in ({"a", "old"}, {"a", "new"})
        assert re.fullmatch("x[y\0]{0,5}", files["a"])
        seen.add((files["a"], "new" in files))
    assert len(seen) > 4


@pytest.mark.parametrize(
    "script",
    [
        "fd = os.open('old', os.O_RDWR); mmap.mmap(fd, 4)[0:1] = b'T'",
        "os.sendfile(os.open('old', os.O_RDWR), os.open('old', os.O_RDONLY), 0, 1)",
        "os.symlink('old', 'link')",
    ],
    ids=["mmap", "sendfile", "symlink"],
)
def test_changes_it_does_not_know_are_refused(tmp_path: Path, script: str) -> None:
    with pytest.raises(UnknownChange):
        Traced(tmp_path).run(script)


def test_sending_a_file_to_a_socket_changes_nothing(tmp_path: Path) -> None:
    traced = Traced(tmp_path)
    # The socket gets the number of a directory whose closing the shim could not see.
    traced.run(
        "import ctypes, socket; c = ctypes.CDLL(None); c.fdopendir.restype = ctypes.c_void_p; "
        "c.closedir.argtypes = [ctypes.c_void_p]; old = os.open('old', os.O_RDONLY); "
        "fd = os.open('.', os.O_RDONLY); c.closedir(c.fdopendir(fd)); "
        "near, far = socket.socketpair(); assert near.fileno() == fd; "
        "os.sendfile(fd, old, 0, 1)"
    )
    assert traced.files() == {"old": "text"}


# --- beside strace ---

WRITES = {"write", "pwrite64", "writev", "pwritev", "pwritev2", "copy_file_range"}
SEEN_AS = {  # system call -> event of the journal
    **dict.fromkeys(WRITES, "W"),
    "ftruncate": "T",
    "fallocate": "A",
    "fsync": "sync",
    "fdatasync": "sync",
    "rename": "R",
    "renameat": "R",
    "renameat2": "R",
    "unlink": "U",
    "unlinkat": "U",
    "rmdir": "U",
    "mkdir": "M",
    "mkdirat": "M",
}
HARMLESS = {"sync_file_range", "linkat", "fadvise64", "flock", "fcntl"}
REFUSED = {"truncate", "sendfile", "splice", "symlink", "symlinkat", "mknod", "mknodat", "link",
           "msync", "ioctl", "setxattr", "fsetxattr", "sync", "syncfs", "io_uring_setup",
           "io_uring_enter", "io_submit", "vmsplice"}
CALL = re.compile(r"^\d+\s+(\w+)\((.*?)(?:\)\s+= (-?\d+).*| <unfinished \.\.\.>)$")
RESUMED = re.compile(r"^(\d+)\s+<\.\.\. (\w+) resumed>(.*)\)\s+= (-?\d+)")


def joined_calls(text: str) -> list[tuple[str, str, int]]:
    """(name, arguments, result) of each call, those that were interrupted by others joined."""
    begun: dict[tuple[str, str], str] = {}
    calls = []
    for line in text.splitlines():
        thread = line.split(" ", 1)[0]
        if found := RESUMED.match(line):
            begin = begun.pop((thread, found[2]), "")
            calls.append((found[2], begin + found[3], int(found[4])))
        elif found := CALL.match(line):
            if found[3] is None:
                begun[thread, found[1]] = found[2]
            else:
                calls.append((found[1], found[2], int(found[3])))
    return calls


def strace_works(folder: Path) -> bool:
    if shutil.which("strace") is None:
        return False
    words = ["strace", "-o", str(folder / "probe"), "true"]
    return subprocess.run(words, capture_output=True, check=False).returncode == 0


def test_the_shim_sees_what_strace_sees(tmp_path: Path) -> None:
    if not strace_works(tmp_path):
        pytest.skip("strace may not be used here")
    server = PowerServer.in_directory(tmp_path)
    output = tmp_path / "strace"
    calls = ",".join(sorted((SEEN_AS.keys() | HARMLESS | REFUSED) - {"fcntl", "flock", "fadvise64"}))
    settings = server.tracing() | {"POWER_REAL": "1"}
    words = ["strace", "-f", "-y", "-s", "0", "-o", str(output), "-e", f"trace={calls}"]
    words += [word for name, value in settings.items() for word in ("-E", f"{name}={value}")]
    words += [*server.command("run"), "--listen", server.host]
    with server.log_file.open("ab") as log:
        tracer = subprocess.Popen(words, stdout=log, stderr=log, env=server.environment(),
                                  cwd=tmp_path)
    try:
        wait_until(server.is_healthy, what="the server under strace", seconds=60)
        prepare(server)
        some_load(server)
    finally:
        child = Path(f"/proc/{tracer.pid}/task/{tracer.pid}/children").read_text().split()
        for number in child:
            os.kill(int(number), signal.SIGTERM)
        tracer.wait(60)
    assert server.journal is not None
    server.journal.replay()
    server.journal.compare_with_disk()
    inside = re.compile(re.escape(str(server.volume)) + '[/>"]')
    seen, refused = Counter(), []
    for name, arguments, result in joined_calls(output.read_text()):
        # Of -y: a path of the volume, by descriptor or by name; but not the shim's own calls.
        touched = arguments.split(",")[0] if name == "sendfile" else arguments  # not what it reads
        if not inside.search(touched) or ".grave" in arguments or result < 0:
            continue
        if name in SEEN_AS and not (name in WRITES and result == 0):
            seen[SEEN_AS[name]] += 1
        elif name in REFUSED:
            refused.append(f"{name}({arguments})")
    counts = server.journal.counts
    counts["sync"] = counts["s"] + counts["d"]
    assert not refused, refused[:5]
    events = {kind: counts[kind] for kind in set(SEEN_AS.values())}
    assert seen["W"] > 50 and seen["R"] > 20 and seen["sync"] > 20
    assert {**dict.fromkeys(events, 0), **seen} == events
    server.forget()


def some_load(server: PowerServer) -> None:
    """Each kind of request a few times."""
    known = Known()
    load = Load(server, known, 1)
    load.start()
    try:
        wait_until(
            lambda: load.surprises
            or (known.acknowledged() > 60 and known.merges and known.commits),
            what="some requests",
            seconds=90,
        )
    finally:
        load.stop()
    assert not load.surprises, load.surprises

