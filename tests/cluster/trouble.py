"""What happens to a cluster while clients use it: one kind of trouble at a time, on a seed."""

from __future__ import annotations

import random
import signal
import threading

from servers import Servers

QUIET_SECONDS = (0.3, 1.5)
PAUSE_SECONDS = (0.2, 4.0)


class Trouble:
    """Runs beside the clients, in a thread of its own, until stopped; then all is mended."""

    def __init__(self, cluster: Servers, seed: int) -> None:
        self.cluster = cluster
        self.chance = random.Random(f"trouble/{seed}")
        self.done: list[str] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._failed: BaseException | None = None

    def __enter__(self) -> Trouble:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        if self._failed:
            raise self._failed

    def _run(self) -> None:
        kinds = [
            self._kill_server,
            self._pause_server,
            self._restart_server,
            self._cut_connections,
            self._restart_postgres,
        ]
        try:
            while not self._stop.wait(self.chance.uniform(*QUIET_SECONDS)):
                kind = self.chance.choice(kinds)
                self.done.append(kind.__name__.strip("_"))
                kind()
        except BaseException as error:  # noqa: BLE001 - raised again by __exit__
            self._failed = error

    def _some_server(self) -> int:
        return self.chance.randrange(self.cluster.servers)

    def _kill_server(self) -> None:
        process = self.cluster.processes[self._some_server()]
        process.kill()
        self._stop.wait(self.chance.uniform(*PAUSE_SECONDS) / 4)
        process.start()

    def _pause_server(self) -> None:
        """Long enough that others commit meanwhile: it wakes up with an old view of the world."""
        process = self.cluster.processes[self._some_server()].process
        assert process is not None
        process.send_signal(signal.SIGSTOP)
        self._stop.wait(self.chance.uniform(*PAUSE_SECONDS))
        process.send_signal(signal.SIGCONT)

    def _restart_server(self) -> None:
        self.cluster.processes[self._some_server()].restart()

    def _cut_connections(self) -> None:
        self.cluster.postgres.cut_connections()

    def _restart_postgres(self) -> None:
        self.cluster.postgres.restart(self.chance.choice(["fast", "immediate"]))
