"""The store's contract and the main job on each database that could be had.

TARN_TESTS_BUILD  where the C++ tests are: build/asan, or build/dev if that is not there
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import skip_loudly
from engines import Contract, Engine, NotHere, new_pgbouncer, old_pgbouncer, pgbouncer
from server_process import ROOT
from test_main_job import (  # noqa: F401
    test_a_conflicting_merge_changes_nothing_until_told_which_side_wins,
    test_the_generated_client_accepts_every_answer,
    test_versioning_real_data_from_upload_to_reset,
    work,
)

CONTRACT_SECONDS = 600
TESTS_MIN = 30  # of the contract


def program(name: str) -> Path:
    given = os.environ.get("TARN_TESTS_BUILD")
    builds = [ROOT / given] if given else [ROOT / "build" / "asan", ROOT / "build" / "dev"]
    for build in builds:
        if (build / "src" / name).exists():
            return build / "src" / name
    raise AssertionError(f"{name} is not built: tools/run-tests databases")


def run(contract: Contract) -> tuple[int, str]:
    done = subprocess.run(
        [program(contract.program), "--gtest_brief=1", f"--gtest_filter={contract.filter}"],
        env=os.environ | contract.environment, cwd=ROOT, capture_output=True, text=True,
        timeout=CONTRACT_SECONDS,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def test_the_contract_of_a_store(engine: Engine) -> None:
    code, text = run(engine.contract)
    failures = [line for line in text.splitlines() if not re.search(r"Z (info|warn|error) ", line)]
    assert code == 0, "\n".join(failures[-60:])
    assert "SKIPPED" not in text, "\n".join(failures[-60:])
    passed = re.search(r"PASSED\s+\] (\d+) tests", text)
    assert passed is not None and int(passed[1]) >= TESTS_MIN, text[-2000:]
    print(f"{engine.what}: {passed[1]} tests")


@pytest.mark.parametrize("find", [old_pgbouncer, new_pgbouncer])
def test_a_pooler_that_loses_prepared_statements_is_named(find: Callable[[], Path]) -> None:
    try:
        with pgbouncer(find, "transaction", kept=0 if find is new_pgbouncer else None) as engine:
            code, text = run(engine.contract)
    except NotHere as reason:
        skip_loudly(reason)
    assert code != 0
    assert "add default_query_exec_mode=exec to the connection string" in text
