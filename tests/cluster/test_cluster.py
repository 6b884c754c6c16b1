"""Three servers, one PostgreSQL, clients on all of them, and trouble: the history must be possible.

TARN_CLUSTER_ROUNDS   how many histories (1)
TARN_CLUSTER_SECONDS  how long each is (12)
TARN_CLUSTER_SEED     of the first (the time if not given; printed)
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from postgres_process import PostgresProcess, postgres_programs
from servers import Servers
from trouble import Trouble
from workload import Clients, check, describe, settle

ROUNDS = int(os.environ.get("TARN_CLUSTER_ROUNDS", "1"))
SECONDS = float(os.environ.get("TARN_CLUSTER_SECONDS", "12"))
SEED = int(os.environ.get("TARN_CLUSTER_SEED", str(int(time.time()))))

pytestmark = pytest.mark.skipif(
    postgres_programs() is None, reason="PostgreSQL is not installed: tools/install-deps test"
)


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Servers]:
    postgres = PostgresProcess().start()
    servers = Servers(tmp_path, postgres)
    try:
        yield servers.start()
    finally:
        servers.close()
        postgres.remove()


@pytest.mark.parametrize("seed", range(SEED, SEED + ROUNDS))
def test_the_cluster_is_one_system_whatever_happens_to_its_servers(
    cluster: Servers, seed: int
) -> None:
    clients = Clients(cluster, seed)
    with Trouble(cluster, seed) as trouble:
        history = clients.run(SECONDS)
    log = settle(cluster)
    print(f"seed {seed}: {history.counts()}, {len(log)} commits, {trouble.done}")
    assert trouble.done, "nothing happened"
    violations = check(history, log)
    assert not violations, f"seed {seed}: {describe(violations)}"
    assert [one.ok for one in history.operations("write")].count(True) > 20 * SECONDS
    for server in range(cluster.servers):
        assert cluster.log(server) == log, f"server {server} sees another history"
    for process in cluster.processes:
        assert process.stop() == 0, process.log_tail()
    for process in cluster.processes[:1]:
        process.assert_clean()
