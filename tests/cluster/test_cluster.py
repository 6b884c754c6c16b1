"""Three servers, one database, clients on all of them, and trouble: the history must be possible.

TARN_CLUSTER_ROUNDS   how many histories on each combination of stores (1)
TARN_CLUSTER_SECONDS  how long each is (12 on PostgreSQL and a shared directory, 6 on the others)
TARN_CLUSTER_STORES   which combinations, by name (postgres-files dynamo-s3)
TARN_CLUSTER_SEED     of the first (the time if not given; printed)
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from dynamo_process import DynamoProcess
from postgres_process import PostgresProcess, postgres_programs
from s3_process import S3Process
from servers import Servers
from trouble import Trouble
from workload import Clients, check, describe, settle

ROUNDS = int(os.environ.get("TARN_CLUSTER_ROUNDS", "1"))
SECONDS = os.environ.get("TARN_CLUSTER_SECONDS")
SEED = int(os.environ.get("TARN_CLUSTER_SEED", str(int(time.time()))))


@dataclass(frozen=True)
class Stores:
    """What the servers share, and how long and how fast a history on it is."""

    name: str
    seconds: float
    writes_per_second: float  # at least, on a machine that does other things as well
    dynamo: bool = False
    s3: bool = False


STORES = [
    Stores("postgres-files", 12, 12),
    Stores("postgres-s3", 6, 1, s3=True),
    Stores("dynamo-files", 6, 1, dynamo=True),
    Stores("dynamo-s3", 6, 1, dynamo=True, s3=True),
]
WANTED = os.environ.get("TARN_CLUSTER_STORES", "postgres-files dynamo-s3").split()


@pytest.fixture(params=[one for one in STORES if one.name in WANTED], ids=lambda one: one.name)
def stores(request: pytest.FixtureRequest) -> Stores:
    found: Stores = request.param
    if not found.dynamo and postgres_programs() is None:
        pytest.skip("PostgreSQL is not installed: tools/install-deps test")
    return found


@pytest.fixture
def cluster(stores: Stores, tmp_path: Path) -> Iterator[Servers]:
    with ExitStack() as stack:
        s3 = stack.enter_context(S3Process()) if stores.s3 else None
        database: PostgresProcess | DynamoProcess
        if stores.dynamo:
            database = stack.enter_context(DynamoProcess())
        else:
            database = PostgresProcess()
            stack.callback(database.remove)
            database.start()
        servers = Servers(tmp_path, database, s3=s3)
        stack.callback(servers.close)
        yield servers.start()


@pytest.mark.parametrize("seed", range(SEED, SEED + ROUNDS))
def test_the_cluster_is_one_system_whatever_happens_to_its_servers(
    cluster: Servers, stores: Stores, seed: int
) -> None:
    seconds = float(SECONDS or stores.seconds)
    # DynamoDB ties no write to the branch: one that meets a commit may come and go before its answer.
    clients = Clients(cluster, seed, passers_by=0 if stores.dynamo else 2)
    with Trouble(cluster, seed) as trouble:
        history = clients.run(seconds)
    log = settle(cluster)
    print(f"seed {seed}: {history.counts()}, {len(log)} commits, {trouble.done}")
    assert trouble.done, "nothing happened"
    violations = check(history, log)
    assert not violations, f"seed {seed}: {describe(violations)}"
    answered = [one.ok for one in history.operations("write")].count(True)
    assert answered > stores.writes_per_second * seconds
    for server in range(cluster.servers):
        assert cluster.log(server) == log, f"server {server} sees another history"
    for process in cluster.processes:
        assert process.stop() == 0, process.log_tail()
    for process in cluster.processes[:1]:
        process.assert_clean()
