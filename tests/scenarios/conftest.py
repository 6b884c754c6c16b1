"""Fixtures: a server per scenario, checked by fsck when the scenario is over."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from server_process import ServerProcess, binary, reference_is_wanted

MakeServer = Callable[..., ServerProcess]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "tarn_only: about what the reference does not have or does")
    if not binary().exists():
        raise pytest.UsageError(f"{binary()} does not exist: run 'make build' first")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if not reference_is_wanted():
        return
    for item in items:
        if item.get_closest_marker("tarn_only"):
            item.add_marker(pytest.mark.skip(reason="about Tarn only"))


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


@pytest.fixture
def server(make_server: MakeServer) -> ServerProcess:
    """A fresh server for one scenario."""
    return make_server().start()


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """One server for all cases of a table; a case leaves it as it found it."""
    server = ServerProcess(data_dir=tmp_path_factory.mktemp("shared") / "data")
    server.start()
    yield server
    try:
        finish(server)
    finally:
        if server.is_running():
            server.kill()
