"""What happens to a cluster while clients use it: one kind of trouble at a time, on a seed."""

from __future__ import annotations

import random
import signal
import subprocess
from collections.abc import Callable
from functools import partial

from crew import Crew
from postgres_process import PostgresProcess
from servers import Servers

QUIET_SECONDS = (0.3, 1.5)
PAUSE_SECONDS = (0.2, 4.0)


class Trouble(Crew):
    """Runs beside the clients, in a thread of its own, until stopped; then all is mended."""

    def __init__(self, cluster: Servers, seed: int) -> None:
        super().__init__([self._run])
        self.cluster = cluster
        self.chance = random.Random(f"trouble/{seed}")
        self.done: list[str] = []

    def _kinds(self) -> list[tuple[str, Callable[[], None]]]:
        kinds: list[tuple[str, Callable[[], None]]] = [
            ("kill server", self._kill_server),
            ("pause server", self._pause_server),
            ("restart server", self._restart_server),
        ]
        database = self.cluster.database
        if isinstance(database, PostgresProcess):
            kinds.append(("cut connections", partial(self._cut_connections, database)))
            kinds.append(("restart database", partial(self._restart, database)))
        for store in self.cluster.emulators:
            kinds.append((f"pause {store.name}", partial(self._pause, store.process)))
        return kinds

    def _run(self) -> None:
        kinds = self._kinds()
        while not self.stopping.wait(self.chance.uniform(*QUIET_SECONDS)):
            name, strike = self.chance.choice(kinds)
            self.done.append(name)
            strike()

    def _some_server(self) -> int:
        return self.chance.randrange(self.cluster.servers)

    def _kill_server(self) -> None:
        process = self.cluster.processes[self._some_server()]
        process.kill()
        self.stopping.wait(self.chance.uniform(*PAUSE_SECONDS) / 4)
        process.start()

    def _pause_server(self) -> None:
        """Long enough that others commit meanwhile: it wakes up with an old view of the world."""
        self._pause(self.cluster.processes[self._some_server()].process)

    def _pause(self, process: subprocess.Popen[bytes] | None) -> None:
        """Emulators keep their state in memory: this is the worst that may befall them."""
        assert process is not None
        process.send_signal(signal.SIGSTOP)
        self.stopping.wait(self.chance.uniform(*PAUSE_SECONDS))
        process.send_signal(signal.SIGCONT)

    def _restart_server(self) -> None:
        self.cluster.processes[self._some_server()].restart()

    @staticmethod
    def _cut_connections(database: PostgresProcess) -> None:
        database.cut_connections()

    def _restart(self, database: PostgresProcess) -> None:
        database.restart(self.chance.choice(["fast", "immediate"]))
