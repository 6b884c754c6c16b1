#!/usr/bin/env python3
"""Bans text and names the replacement; finds files nobody builds. Run by ctest as lint.tidy."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
SRC = ROOT / "src"

# (pattern, what to use instead, files in which it is the implementation of that replacement)
BANNED = [
    (r"asio::detached|\bdetached\b\s*\)", "a TaskGroup", ()),
    (r"std::regex|<regex>", "a parser of your own", ()),
    (r"sleep_for|sleep_until|\busleep\(", "io::sleep, or a clock that tests advance", ()),
    (r"system_clock::now", "Clock", ("base/time.cc", "base/log.cc")),
    (r"using namespace (?!std::(chrono|literals|string_literals|string_view_literals|chrono_literals))", "names", ()),
    (r"catch \(\.\.\.\) *\{ *\}", "an Error that somebody handles", ()),
    (r"\bstrtol\b|\batoi\b|\bsprintf\b|\bstrcpy\b", "std::from_chars, format()", ()),
    (r"#include <iostream>", "log.h or base/format.h", ()),
]
RVALUE_PARAMETER = re.compile(r"Task<[^;{]*>\s+\w+\([^;{)]*&&[^;{)]*\)\s*(?:override)?[;{]")


def sources() -> list[pathlib.Path]:
    return sorted(p for p in SRC.rglob("*") if p.suffix in (".cc", ".h"))


def check_text(path: pathlib.Path, text: str) -> list[str]:
    name = path.relative_to(SRC).as_posix()
    problems = []
    for pattern, instead, allowed in BANNED:
        if name in allowed or (name.endswith(("_test.cc", "_fuzz.cc")) and pattern.startswith("using")):
            continue
        for match in re.finditer(pattern, text):
            line = text.count("\n", 0, match.start()) + 1
            problems.append(f"{name}:{line}: {match.group(0).strip()!r}: use {instead}")
    for match in RVALUE_PARAMETER.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        problems.append(f"{name}:{line}: an rvalue reference in a coroutine's parameters: take a value")
    return problems


def check_listed(path: pathlib.Path) -> list[str]:
    for folder in path.parents:
        lists = folder / "CMakeLists.txt"
        if lists.exists():
            text = lists.read_text()
            wanted = path.relative_to(folder).as_posix()
            # A file of a layer may also be listed by the layer around it.
            if re.search(rf"(?<![\w/]){re.escape(wanted)}\b", text):
                return []
        if folder == SRC:
            break
    return [f"{path.relative_to(SRC)}: in no CMakeLists.txt: list it or delete it"]


def check_layers() -> list[str]:
    layers = [p.parent for p in SRC.rglob("CMakeLists.txt") if p.parent != SRC]
    return [f"{p.relative_to(ROOT)}: no README.md" for p in layers if not (p / "README.md").exists()]


def main() -> int:
    problems = check_layers()
    for path in sources():
        problems += check_text(path, path.read_text())
        if path.suffix == ".cc":
            problems += check_listed(path)
    for problem in problems:
        print(problem)
    print(f"tidy: {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
