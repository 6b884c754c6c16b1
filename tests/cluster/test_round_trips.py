"""What an operation costs in visits to PostgreSQL, counted by the server itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from postgres_process import PostgresProcess, postgres_programs
from servers import Servers

pytestmark = pytest.mark.skipif(
    postgres_programs() is None, reason="PostgreSQL is not installed: tools/install-deps test"
)

TIMES = 100
SLACK = 0.15  # a round trip: probes of readiness and caches that expire meanwhile


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Servers]:
    postgres = PostgresProcess()
    servers = Servers(tmp_path, postgres.start(), servers=1)
    try:
        yield servers.start()
    finally:
        servers.close()
        postgres.remove()


def round_trips(cluster: Servers) -> int:
    text = requests.get(f"{cluster.processes[0].url}/metrics", timeout=10).text
    found = re.search(r"^tarn_kv_postgres_round_trips_total (\d+)$", text, re.MULTILINE)
    assert found, "the server does not count its round trips"
    return int(found[1])


def cost(cluster: Servers, operation: Callable[[int], object]) -> float:
    operation(0)  # warms the caches
    before = round_trips(cluster)
    for number in range(1, TIMES + 1):
        operation(number)
    return (round_trips(cluster) - before) / TIMES


def test_operations_visit_the_database_as_often_as_promised(cluster: Servers) -> None:
    cluster.put(0, "committed", "1")
    address = cluster.stat(0, "main", "committed")["physical_address"]
    for number in range(TIMES + 1):
        cluster.stage(0, f"old/{number}", address)
    cluster.commit(0, "first")
    head = cluster.head(0)
    cluster.put(0, "staged", "2")
    for number in range(TIMES + 1):
        cluster.stage(0, f"new/{number}", address)
    measured = {
        "stat of a staged entry": cost(cluster, lambda _: cluster.stat(0, "main", "staged")),
        "stat of a committed entry on a branch": cost(
            cluster, lambda _: cluster.stat(0, "main", "committed")
        ),
        "stat at a commit": cost(cluster, lambda _: cluster.stat(0, head, "committed")),
        "stage an entry": cost(cluster, lambda n: cluster.stage(0, f"linked/{n}", address)),
        "upload": cost(cluster, lambda n: cluster.put(0, f"sent/{n}", "3")),
        "upload of what is not there": cost(cluster, lambda n: cluster.create(0, f"made/{n}", "4")),
        "change of metadata": cost(cluster, lambda n: cluster.describe(0, "staged", str(n))),
        "deletion of a staged entry": cost(cluster, lambda n: cluster.remove(0, f"new/{n}")),
        "deletion of a committed entry": cost(cluster, lambda n: cluster.remove(0, f"old/{n}")),
        "deletion of nothing": cost(cluster, lambda n: cluster.remove(0, f"nothing/{n}")),
    }
    print(measured)
    most = {
        "stat of a staged entry": 2,
        "stat of a committed entry on a branch": 2,
        "stat at a commit": 0,
        "stage an entry": 1,
        "upload": 2,
        "upload of what is not there": 4,
        "change of metadata": 2,
        "deletion of a staged entry": 1,
        "deletion of a committed entry": 1,
        "deletion of nothing": 2,
    }
    assert {name: measured[name] for name in most if measured[name] > most[name] + SLACK} == {}
