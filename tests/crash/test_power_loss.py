"""The power fails under mixed load, again and again: what was acknowledged is there afterwards."""

from __future__ import annotations

import os
import random
import re
from pathlib import Path

import pytest

from load import Known, Load, Refused
from power_loss import STRICT, TORN, UnknownChange
from power_server import PowerServer
from verify import prepare, verify
from waiting import wait_until

ROUNDS = int(os.environ.get("TARN_POWER_ROUNDS", "5"))
SEED = int(os.environ.get("TARN_POWER_SEED", "0")) or random.SystemRandom().randrange(1 << 32)
ROUNDS_PER_INSTALLATION = 10
LOAD_SECONDS = 60


def load_until_death(server: PowerServer, known: Known, load: Load, chance: random.Random) -> None:
    enough = known.acknowledged() + chance.choice((1, 20, 100, 250))
    load.start()
    wait_until(
        lambda: load.surprises or known.acknowledged() >= enough,
        what="writes to be acknowledged",
        seconds=LOAD_SECONDS,
    )
    load.dying.set()
    server.die_after(chance.randrange(120))
    load.join()


def die_while_starting(server: PowerServer, how: str, chance: random.Random) -> None:
    server.launch()
    server.die_after(chance.randrange(1, 150))
    server.fail_power(how, chance)


def one_installation(folder: Path, rounds: int, seed: int, lose: str = "") -> int:
    """From an empty directory through `rounds` failures of power. How many were acknowledged."""
    chance = random.Random(seed)
    server = PowerServer.in_directory(folder, lose)
    known = Known()
    load = Load(server, known, seed)
    try:
        for number in range(rounds):
            server.start()
            if number == 0:
                prepare(server)
            verify(server, known, load, chance)
            load_until_death(server, known, load, chance)
            how = STRICT if number % 2 == 0 or lose else TORN
            server.fail_power(how, chance)
            if chance.random() < 0.3:
                die_while_starting(server, how, chance)
            server.fsck()
        server.start()
        verify(server, known, load, chance)
        server.stop()
        server.fsck()
    except BaseException:
        server.leave()  # for whoever looks into it
        raise
    server.forget()
    return known.acknowledged()


@pytest.mark.parametrize("first", range(0, ROUNDS, ROUNDS_PER_INSTALLATION))
def test_nothing_acknowledged_is_lost_when_the_power_fails(tmp_path: Path, first: int) -> None:
    rounds = min(ROUNDS_PER_INSTALLATION, ROUNDS - first)
    try:
        acknowledged = one_installation(tmp_path / "installation", rounds, SEED + first)
    except (AssertionError, Refused) as error:
        raise AssertionError(f"TARN_POWER_SEED={SEED + first}: {error}") from error
    assert acknowledged > rounds
    print(f"{rounds} failures of power, {acknowledged} acknowledged changes, seed {SEED + first}")


@pytest.mark.parametrize(
    ("lose", "loss"),
    [
        ("wal", "not one of|is gone|are gone|not found|repository|upload lost"),
        ("object", "size mismatch|missing|corrupt|upload lost"),
        ("directory", "missing|upload lost"),
    ],
)
def test_a_sync_that_does_nothing_is_noticed(tmp_path: Path, lose: str, loss: str) -> None:
    """Not a test of the server but of this one: it has to see what a lost sync loses."""
    with pytest.raises((AssertionError, Refused)) as caught:
        one_installation(tmp_path / "installation", 6, SEED, lose)
    assert not isinstance(caught.value, UnknownChange)
    assert re.search(loss, str(caught.value)), caught.value
