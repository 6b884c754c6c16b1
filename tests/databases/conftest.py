"""Shares the processes and clients of the scenarios. A database that is not here is skipped, loudly."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scenarios"))

from engines import ENGINES, Engine, NotHere  # noqa: E402
from server_fixtures import MakeServer, make_server  # noqa: E402, F401
from server_process import ServerProcess  # noqa: E402


def skip_loudly(reason: object) -> None:
    warnings.warn(f"DATABASE NOT TRIED: {reason}", stacklevel=2)
    pytest.skip(str(reason))


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """Started for one test, empty."""
    context = ENGINES[request.param]()
    try:
        started = context.__enter__()
    except NotHere as reason:
        skip_loudly(reason)
    yield started
    context.__exit__(None, None, None)


# The database must outlive the server, which is checked when the test is over.
@pytest.fixture
def server(engine: Engine, make_server: MakeServer) -> ServerProcess:
    return make_server(options=engine.options).start()
