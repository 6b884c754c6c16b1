"""Reads a guided tour: fenced blocks of Markdown, commands and the output that follows them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

FENCE = re.compile(r"^```(\S+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass
class Step:
    """Commands of one ```sh block; `needs` names a program without which it is left out."""

    line: int
    commands: str
    needs: str | None = None
    output: str | None = None

    def accepts(self, printed: str) -> bool:
        """Whether `printed` is the documented output; … stands for any text of a line."""
        if self.output is None:
            return True
        pattern = re.escape(self.output.strip()).replace("…", "[^\n]*")
        return re.fullmatch(pattern, printed.strip()) is not None


def read_steps(document: Path) -> list[Step]:
    text = document.read_text()
    steps: list[Step] = []
    for match in FENCE.finditer(text):
        kind, needs, content = match.groups()
        line = text.count("\n", 0, match.start()) + 1
        if kind == "sh":
            steps.append(Step(line, content, needs))
        elif kind == "output":
            assert steps and steps[-1].output is None, f"line {line}: output of nothing"
            steps[-1].output = content
    return steps
