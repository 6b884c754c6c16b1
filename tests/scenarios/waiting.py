"""Waiting for something to become true: poll, with a deadline and a reason when it passes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")

POLL_SECONDS = 0.02


def wait_until(probe: Callable[[], Result | None], *, what: str, seconds: float = 20) -> Result:
    """Calls `probe` until it returns something true; AssertionError at the deadline."""
    deadline = time.monotonic() + seconds
    while True:
        result = probe()
        if result:
            return result
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s for: {what}")
        time.sleep(POLL_SECONDS)
