"""The scenarios of a DynamoDB table, on AWS's own emulator."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import test_dynamo
from conftest import skip_loudly
from engines import DynamoLocal, NotHere

from test_dynamo import *  # noqa: F403
from test_dynamo import make_dynamo_server  # noqa: F401

assert test_dynamo.__doc__


@pytest.fixture
def dynamo() -> Iterator[DynamoLocal]:
    process = DynamoLocal()
    try:
        process.start()
    except NotHere as reason:
        skip_loudly(reason)
    yield process
    process.stop()
