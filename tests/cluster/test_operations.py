"""What an operator does to a cluster, and what befalls its stores: no surprise for the clients."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
import requests

from crew import Crew
from history import Refused, Unknown
from postgres_process import PostgresProcess, postgres_programs
from servers import Servers
from waiting import wait_until

pytestmark = pytest.mark.skipif(
    postgres_programs() is None, reason="PostgreSQL is not installed: tools/install-deps test"
)

BALANCER_SECONDS = 0.1  # between a balancer's looks at a server
DELAY = "1500ms"  # longer than several of them


@pytest.fixture
def postgres() -> Iterator[PostgresProcess]:
    process = PostgresProcess()
    try:
        yield process.start()
    finally:
        process.remove()


class Balancer(Crew):
    """Sends requests to the servers that said they were ready when last asked, as real ones do."""

    def __init__(self, cluster: Servers) -> None:
        super().__init__([partial(self._watch, i) for i in range(cluster.servers)])
        self.cluster = cluster
        self.ready = [True] * cluster.servers

    def _watch(self, server: int) -> None:
        while not self.stopping.wait(BALANCER_SECONDS):
            self.ready[server] = self.cluster.is_ready(server)

    def pick(self, turn: int) -> int:
        ready = [i for i, is_ready in enumerate(self.ready) if is_ready]
        assert ready, "no server is ready"
        return ready[turn % len(ready)]


class Load(Crew):
    """Clients that count what failed, whatever the reason."""

    def __init__(self, cluster: Servers, balancer: Balancer, clients: int = 4) -> None:
        super().__init__([partial(self._work, i) for i in range(clients)])
        self.cluster, self.balancer = cluster, balancer
        self.done = 0
        self.failed: list[str] = []

    def _work(self, client: int) -> None:
        turn = 0
        while not self.stopping.is_set():
            turn += 1
            try:
                self.cluster.put(self.balancer.pick(turn), f"c{client}/{turn % 10}", f"{client}-{turn}")
                self.cluster.get(self.balancer.pick(turn + 1), f"c{client}/{turn % 10}")
                if turn % 20 == 0:
                    self.cluster.commit(self.balancer.pick(turn + 2), f"{client}-{turn}")
                self.done += 1
            except (Refused, Unknown) as error:
                self.failed.append(repr(error))


def test_a_rolling_restart_fails_no_request(tmp_path: Path, postgres: PostgresProcess) -> None:
    cluster = Servers(tmp_path, postgres, options={"SERVER_SHUTDOWN_DELAY": DELAY}).start()
    try:
        balancer = Balancer(cluster)
        load = Load(cluster, balancer)
        with balancer, load:
            for server, process in enumerate(cluster.processes):
                before = load.done
                assert process.stop() == 0, process.log_tail()
                process.start()
                wait_until(lambda: balancer.ready[server], what=f"server {server} to be back")
                wait_until(lambda: load.done > before + 20, what="requests to go on")
        assert load.failed == []
    finally:
        cluster.close()


def test_a_database_that_is_down_is_named_and_its_return_noticed(
    tmp_path: Path, postgres: PostgresProcess
) -> None:
    # Sooner than the client gives up.
    patience = {"DATABASE_POSTGRES_STATEMENT_TIMEOUT": "4s"}
    cluster = Servers(tmp_path, postgres, servers=1, options=patience).start()
    process = cluster.processes[0]
    try:
        cluster.put(0, "before", "1")
        wait_until(lambda: cluster.is_ready(0), what="the server to have asked its stores")
        postgres.stop()
        wait_until(lambda: not cluster.is_ready(0), what="the server to notice")
        answer = requests.get(f"{process.url}/_ready", timeout=5)
        assert answer.status_code == 503
        assert answer.json() == {
            "status": "unavailable",
            "metadata": "unavailable",
            "objects": "ok",
        }
        with pytest.raises(Unknown, match="message"):  # in the protocol's own form, in bounded time
            cluster.put(0, "while down", "2")
        assert requests.get(f"{process.url}/_health", timeout=5).status_code == 200
        postgres.start()
        wait_until(lambda: cluster.is_ready(0), what="the server to recover by itself")
        cluster.put(0, "after", "3")
        assert cluster.get(0, "before") == "1"
        assert cluster.get(0, "after") == "3"
    finally:
        cluster.close()


def test_a_database_that_is_down_at_start_is_waited_for(
    tmp_path: Path, postgres: PostgresProcess
) -> None:
    cluster = Servers(tmp_path, postgres, servers=1)
    process = cluster.processes[0]
    postgres.stop()
    process.launch()
    try:
        wait_until(process.is_alive, what="the waiting server to be alive", seconds=30)
        assert process.readiness() == {
            "status": "starting",
            "metadata": "unavailable",
            "objects": "starting",
            "code": "503",
        }
        answer = requests.get(f"{process.url}/api/v1/repositories", timeout=5)
        assert answer.status_code == 503
        assert "message" in answer.json()
        answer = requests.get(
            f"{process.url}/bucket", headers={"Authorization": "AWS4-HMAC-SHA256 x"}, timeout=5
        )
        assert answer.status_code == 503
        assert b"<Code>ServiceUnavailable</Code>" in answer.content
        postgres.start()
        wait_until(lambda: cluster.is_ready(0), what="the server to start serving", seconds=30)
        assert process.stop() == 0
    finally:
        cluster.close()


def test_a_server_that_waits_for_its_database_stops_when_told(
    tmp_path: Path, postgres: PostgresProcess
) -> None:
    cluster = Servers(tmp_path, postgres, servers=1)
    postgres.stop()
    process = cluster.processes[0]
    process.launch()
    try:
        wait_until(lambda: "waiting for it" in process.log_text(), what="the server to wait")
        assert process.stop() == 0, process.log_tail()
    finally:
        cluster.close()
