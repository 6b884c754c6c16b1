"""Servers for one test, which are stopped and checked when it is over; for every folder of scenarios."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from server_process import ServerProcess

MakeServer = Callable[..., ServerProcess]


def finish(server: ServerProcess) -> None:
    """Stops what still runs, then nothing may be broken in what it left."""
    code = server.stop() if server.process is not None else 0
    assert code in (0, -9), f"exit code {code}:\n{server.log_tail()}"
    server.assert_clean()
    if not server.troubled:
        assert server.errors_logged() == [], "a client's mistake is not an error"


@pytest.fixture
def make_server(tmp_path: Path) -> Iterator[MakeServer]:
    """Makes servers that are not started yet; each is stopped and checked at the end."""
    made: list[ServerProcess] = []

    def make(name: str = "data", **values: object) -> ServerProcess:
        made.append(ServerProcess(data_dir=tmp_path / name, **values))  # type: ignore[arg-type]
        return made[-1]

    yield make
    try:
        for server in made:
            finish(server)
    finally:
        for server in made:
            if server.is_running():
                server.kill()
