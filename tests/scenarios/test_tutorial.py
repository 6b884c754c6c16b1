"""docs/tutorial.md, command by command, in one shell."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import duckdb
import pytest

from clients import httpfs_extension
from server_process import ACCESS_KEY, ROOT, SECRET_KEY, ServerProcess
from test_lakectl import PROGRAM as LAKECTL
from tutorial_blocks import Step, read_steps

TUTORIAL = ROOT / "docs" / "tutorial.md"
MARK = re.compile(r"^::step (\d+)$", re.MULTILINE)


def shell_script(steps: list[Step]) -> str:
    parts = ["set -euo pipefail"]
    for number, step in enumerate(steps):
        parts.append(f"printf '\\n::step {number}\\n'\n{step.commands}")
    return "\n".join(parts)


def environment(server: ServerProcess) -> dict[str, str]:
    values = os.environ | {
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_ENDPOINT_URL": server.url,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
    }
    values.pop("MAKEFLAGS", None)
    if LAKECTL is not None:
        values["PATH"] = f"{LAKECTL.parent}:{values['PATH']}"
    return values


@pytest.mark.tarn_only
def test_every_command_of_the_tutorial_does_what_it_says(server: ServerProcess) -> None:
    steps = read_steps(TUTORIAL)
    assert len(steps) > 8
    if LAKECTL is None:
        print("no lakectl: its part of the tutorial is left out")
    steps = [step for step in steps if step.needs is None or LAKECTL is not None]
    done = subprocess.run(
        ["bash", "-c", shell_script(steps)],
        cwd=ROOT,
        env=environment(server),
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    pieces = MARK.split(done.stdout)[1:]
    printed = {int(number): text for number, text in zip(pieces[::2], pieces[1::2], strict=True)}
    reached = steps[len(printed) - 1]
    assert done.returncode == 0, (
        f"line {reached.line}:\n{done.stdout[-2000:]}\n{done.stderr[-3000:]}"
    )
    for number, step in enumerate(steps):
        assert step.accepts(printed[number]), (
            f"{TUTORIAL.name}:{step.line} prints\n{printed[number]}\ninstead of\n{step.output}"
        )


class ServedByScript(ServerProcess):
    """Started by tools/serve, which is what `make serve` runs after the build."""

    def environment(self) -> dict[str, str]:
        values = {k: v for k, v in super().environment().items() if not k.startswith("TARN_")}
        return values | {"TARN_LISTEN": self.host, "TARN_DATA": str(self.data_dir)}

    def launch(self) -> None:
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(
                [str(ROOT / "tools" / "serve")], stdout=log, stderr=log, env=self.environment()
            )


@pytest.mark.tarn_only
def test_the_lines_that_the_first_start_prints_can_be_pasted(tmp_path: Path) -> None:
    server = ServedByScript(data_dir=tmp_path / "data").start()
    try:
        pasted = [
            line.strip()
            for line in server.log_text().splitlines()
            if re.match(r"^  (export|curl|aws|LAKECTL_\S+=|duckdb) ?", line)
        ]
        assert len(pasted) == 5, server.log_text()
        runnable = [line for line in pasted if not line.startswith("duckdb")]
        if LAKECTL is None:
            runnable = [line for line in runnable if not line.startswith("LAKECTL_")]
        programs = f"{ROOT / 'build/venv/bin'}:{ROOT / 'build/venv-aws/bin'}"
        values = environment(server)
        values["PATH"] = f"{programs}:{values['PATH']}"
        done = subprocess.run(
            ["bash", "-c", "\n".join(["set -e", *runnable])],
            cwd=ROOT,
            env=values,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        statements = pasted[-1].removeprefix('duckdb -c "').removesuffix('"')
        with duckdb.connect() as connection:
            connection.execute(f"LOAD '{httpfs_extension()}'")
            rows = connection.execute(statements).fetchall()
        assert rows == [((ROOT / "README.md").stat().st_size,)]
    finally:
        assert server.stop() == 0
    server.assert_clean()
