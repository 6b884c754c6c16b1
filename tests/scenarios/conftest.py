"""Fixtures: a server per scenario, checked by fsck when the scenario is over."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from server_fixtures import MakeServer, finish, make_server  # noqa: F401
from server_process import ServerProcess, binary, reference_is_wanted


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
