"""Threads that work beside a test until it has seen enough."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

JOIN_SECONDS = 120


class Crew:
    """Runs each job in a thread of its own from `__enter__` to `__exit__`, which raises what one raised.

    Jobs look at `stopping`: it is set at the end, and as soon as one of them fails.
    """

    def __init__(self, jobs: Sequence[Callable[[], None]]) -> None:
        self.stopping = threading.Event()
        self._failures: list[BaseException] = []
        self._threads = [
            threading.Thread(target=self._guard, args=(job,), daemon=True) for job in jobs
        ]

    def __enter__(self) -> Crew:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        for thread in self._threads:
            thread.join(JOIN_SECONDS)
            assert not thread.is_alive(), "a thread hangs"
        if self._failures:
            raise self._failures[0]

    def _guard(self, job: Callable[[], None]) -> None:
        try:
            job()
        except BaseException as error:  # noqa: BLE001 - raised again by __exit__
            self._failures.append(error)
            self.stopping.set()
