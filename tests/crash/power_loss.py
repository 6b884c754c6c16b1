"""What a directory may look like after the power failed, from the journal that shim.cc wrote.

The rules, as POSIX promises them and as journalling file systems refine them:
* fsync and fdatasync of a file make the bytes durable that it had when the call began;
* fsync of a directory makes its entries durable as they were when the call began;
* nothing else does: a synced file without a synced name is gone with its name;
* what was not synced may be there or not: names of one directory in the order of their changes,
  the tail of a file cut anywhere or torn; a rename happens at both its ends or at neither.
"""

from __future__ import annotations

import os
import random
import shutil
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

PAGE = 4096
REUSED = 1 << 64
STRICT = "strict"  # nothing that was not synced
TORN = "torn"  # every directory and file somewhere between its last sync and the end


@dataclass
class Directory:
    """`first` is what was there at the start; then one change after the other."""

    first: dict[str, int] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)
    synced: int = 0  # so many changes are durable


@dataclass
class Change:
    """One name: gets the inode, or loses it (None). `pair`: the other half of a rename."""

    name: str
    inode: int | None
    pair: Change | None = None
    kept: bool = False


@dataclass
class File:
    size: int = 0
    durable: int = 0
    sync: int = 0  # number of the sync that made it so
    preserved: list[int] = field(default_factory=list)  # syncs whose bytes lie in the grave
    seen_writes: bool = True  # False: written through stdio, sizes unknown


class UnknownChange(AssertionError):
    """The server changed files in a way the shim did not see, or does not know."""


class Journal:
    """The directory below `root` as it was at the start, and what happened since."""

    def __init__(self, root: Path, log: Path, grave: Path) -> None:
        self.root, self.log, self.grave = root, log, grave
        # By inode; the number of a removed directory may be used again: see _new().
        self.directories: dict[int, Directory] = {}
        self.files: dict[int, File] = {}
        self.newest: dict[int, int] = {}
        self.counts: dict[str, int] = defaultdict(int)
        self.lost_syncs = 0
        self.root_inode = self._read_directory(root)
        log.unlink(missing_ok=True)
        shutil.rmtree(grave, ignore_errors=True)
        grave.mkdir()

    def _read_directory(self, path: Path) -> int:
        number = path.stat().st_ino
        directory = self.directories[number] = Directory()
        with os.scandir(path) as entries:
            for entry in entries:
                status = entry.stat(follow_symlinks=False)
                directory.first[entry.name] = status.st_ino
                if entry.is_dir(follow_symlinks=False):
                    self._read_directory(Path(entry.path))
                else:
                    self.files[status.st_ino] = File(status.st_size, status.st_size)
        return number

    # --- replaying ---

    def replay(self) -> None:
        """Reads what the shim wrote. The process is dead."""
        pending: dict[str, tuple[str, int, int]] = {}
        for line in self.log.read_text().splitlines() if self.log.exists() else []:
            kind, *words = line.split("\t")
            self.counts[kind] += 1
            if kind in ("s", "d"):
                inode = self._inode(words[1])
                at = int(words[2]) if kind == "s" else len(self.directories[inode].changes)
                pending[words[0]] = (kind, inode, at)
            elif kind == "e":
                self._synced(int(words[0]), *pending.pop(words[0]))
            else:
                self._changed(kind, words)

    def _synced(self, number: int, kind: str, inode: int, at: int) -> None:
        if kind == "d":
            directory = self.directories[inode]
            directory.synced = max(directory.synced, at)
        elif self.files[inode].sync < number:
            self.files[inode].durable, self.files[inode].sync = at, number

    def _changed(self, kind: str, words: list[str]) -> None:
        if kind == "C":
            inode = self._new(words[2])
            self.files[inode] = File()
            self._name(words[0], words[1], inode)
        elif kind == "M":
            inode = self._new(words[2])
            self.directories[inode] = Directory()
            self._name(words[0], words[1], inode)
        elif kind == "H":
            self._name(words[0], words[1], self._inode(words[2]))
        elif kind == "U":
            self._name(words[0], words[1], None)
        elif kind == "R":
            gone = self._name(words[0], words[1], None)
            there = self._name(words[2], words[3], self._inode(words[4]))
            gone.pair, there.pair = there, gone
        elif kind in ("W", "A"):
            file = self.files[self._inode(words[0])]
            file.size = max(file.size, int(words[1]))
        elif kind == "T":
            self.files[self._inode(words[0])].size = int(words[1])
        elif kind == "O" and self._inode(words[0]) in self.files:
            self.files[self._inode(words[0])].seen_writes = False
        elif kind == "P":
            self.files[self._inode(words[0])].preserved.append(int(words[1]))
        elif kind == "L":
            self.lost_syncs += 1
        elif kind == "X":
            raise UnknownChange(words[0])

    def _name(self, directory: str, name: str, inode: int | None) -> Change:
        change = Change(name, inode)
        if directory != "0":  # 0: a file made without a name
            self.directories[self._inode(directory)].changes.append(change)
        return change

    def _inode(self, word: str) -> int:
        return self.newest.get(int(word), int(word))

    def _new(self, word: str) -> int:
        """A number of our own if the file system has given this one to another before."""
        inode = self._inode(word)
        while inode in self.directories or inode in self.files:
            inode += REUSED
        self.newest[int(word)] = inode
        return inode

    # --- checking the shim ---

    def compare_with_disk(self) -> None:
        """Everything that happened is in the journal: replayed, it gives what is there."""
        self._compare(self.root, self.root_inode)

    def _compare(self, path: Path, inode: int) -> None:
        expected = self._entries(inode, len(self.directories[inode].changes))
        numbers = {name: number % REUSED for name, number in expected.items()}
        with os.scandir(path) as entries:
            found = {entry.name: entry.inode() for entry in entries}
        if found != numbers:
            raise UnknownChange(f"{path}: {found.items() ^ numbers.items()}")
        for name, number in expected.items():
            if number in self.directories:
                self._compare(path / name, number)
            elif self.files[number].seen_writes:
                size = (path / name).stat().st_size
                if size != self.files[number].size:
                    raise UnknownChange(f"{path / name}: {size}, not {self.files[number].size}")

    def _entries(self, inode: int, changes: int) -> dict[str, int]:
        directory = self.directories[inode]
        entries = dict(directory.first)
        for change in directory.changes[:changes]:
            if change.inode is None:
                entries.pop(change.name, None)
            else:
                entries[change.name] = change.inode
        return entries

    # --- the power fails ---

    def fail_power(self, how: str, chance: random.Random) -> None:
        """Puts the directory into a state that may be left."""
        sources = self._where_the_files_are()
        self._choose_changes(how, chance)
        after = self.root.with_name(self.root.name + ".after")
        self._build(after, self.root_inode, sources, how, chance)
        shutil.rmtree(self.root)
        after.rename(self.root)

    def _where_the_files_are(self) -> dict[int, Path]:
        found = {}
        for top in (self.grave, self.root):
            for folder, _, names in os.walk(top):
                for name in names:
                    path = Path(folder) / name
                    found[path.stat().st_ino] = path
        return found

    def _choose_changes(self, how: str, chance: random.Random) -> None:
        for directory in self.directories.values():
            last = len(directory.changes)
            kept = directory.synced
            if how == TORN:
                kept = chance.choice((directory.synced, last, chance.randint(directory.synced, last)))
            for change in directory.changes[:kept]:
                change.kept = True
        # A rename whose new name is there has taken the old one away; if not, it is still there.
        for directory in self.directories.values():
            for change in directory.changes:
                if change.pair is not None and change.inode is None:
                    change.kept = change.pair.kept

    def _kept_entries(self, inode: int) -> dict[str, int]:
        directory = self.directories[inode]
        entries = dict(directory.first)
        for change in directory.changes:
            if not change.kept:
                continue
            if change.inode is None:
                entries.pop(change.name, None)
            else:
                entries[change.name] = change.inode
        return entries

    def _build(
        self, path: Path, inode: int, sources: dict[int, Path], how: str, chance: random.Random
    ) -> None:
        path.mkdir(mode=0o700)
        for name, number in self._kept_entries(inode).items():
            if number in self.directories:
                self._build(path / name, number, sources, how, chance)
            else:
                self._place_file(path / name, number, sources[number % REUSED], how, chance)

    def _place_file(
        self, path: Path, inode: int, source: Path, how: str, chance: random.Random
    ) -> None:
        os.link(source, path)
        file = self.files[inode]
        later = [sync for sync in file.preserved if sync >= file.sync]
        if later and (how == STRICT or chance.random() < 0.5):
            preserved = (self.grave / f"{inode % REUSED}.{min(later)}").read_bytes()
            path.write_bytes(preserved[: file.durable])
            return
        size = path.stat().st_size
        if size <= file.durable:
            return
        keep = file.durable
        if how == TORN:
            keep = chance.choice((keep, size, chance.randint(keep, size)))
        os.truncate(path, keep)
        if how == TORN and keep > file.durable and chance.random() < 0.5:
            lose_a_page(path, chance.randrange(file.durable, keep), file.durable)


def lose_a_page(path: Path, at: int, durable: int) -> None:
    """The length was written, this page of the file was not. Durable bytes of it stay."""
    begin = max(at // PAGE * PAGE, durable)
    end = min(at // PAGE * PAGE + PAGE, path.stat().st_size)
    with path.open("r+b") as file:
        file.seek(begin)
        file.write(bytes(end - begin))

