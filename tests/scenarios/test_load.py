"""Sixty-four clients at work, a thousand idle ones, and some that misbehave: nothing unexplained
happens, and when they are gone nothing of them is left.

TARN_LOAD_SECONDS   how long; 12 unless told, 600 in the nightly run
TARN_BINARY         another build, e.g. the one under ThreadSanitizer
"""

from __future__ import annotations

import asyncio
import os
import resource
import statistics
import time

import pytest
import requests

from clients import create_repository, s3_client
from load_clients import BLOCK, EXPLAINED, REPO, SHARED, Tally, WorkingClient
from load_rude import LARGE, Limits, Rude
from load_watch import MIB, Watch, descriptors, gauge, temporary_files
from load_wire import Connection
from server_fixtures import MakeServer
from server_process import ServerProcess, binary
from waiting import wait_until

pytestmark = pytest.mark.tarn_only

SECONDS = float(os.environ.get("TARN_LOAD_SECONDS", "12"))
WORKERS = 64
IDLE = 1_000
IDLE_UNTOUCHED = 100
SLOW_READERS = 6
SLOW_WRITERS = 6
STUCK = 3  # of each kind
VANISHERS = 6
DESCRIPTORS = 4 * (WORKERS + IDLE)
KEPT_DIRECTORIES = 64  # that objects were published in lately
# Warm caches and buffers of the connections are in the first part; what grows in the second leaks.
WARM_PART = 0.5
GROWTH_MAX = 48 * MIB
RESIDENT_MAX = 384 * MIB
# ThreadSanitizer shadows every byte, and remembers accesses.
SANITIZED_FACTOR = 8

LIMITS = Limits(
    idle=4 if SECONDS < 60 else 20,
    head=3 if SECONDS < 60 else 10,
    stall=3 if SECONDS < 60 else 15,
    late=6 if SECONDS < 60 else 15,
)


def is_sanitized() -> bool:
    return b"__tsan_init" in binary().read_bytes() or b"__asan_init" in binary().read_bytes()


@pytest.fixture
def many_descriptors() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < DESCRIPTORS:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(DESCRIPTORS, hard), hard))


@pytest.fixture
def loaded(make_server: MakeServer, many_descriptors: None) -> ServerProcess:
    server = make_server(
        fsck_seconds=120 + 2 * SECONDS,
        options={
            # Small caches are full early: what grows after that is no cache.
            "DATABASE_LOCAL_CACHE_SIZE_BYTES": "16MiB",
            "COMMITTED_SSTABLE_MEMORY_CACHE_SIZE_BYTES": "16MiB",
            "GRAVELER_COMMIT_CACHE_SIZE": "1000",
            "SERVER_IDLE_TIMEOUT": f"{LIMITS.idle:.0f}s",
            "SERVER_HEADER_TIMEOUT": f"{LIMITS.head:.0f}s",
            "SERVER_STALL_TIMEOUT": f"{LIMITS.stall:.0f}s",
        }
    ).start()
    repository = create_repository(server, REPO)
    main = repository.branch("main")
    main.object(LARGE).upload(BLOCK)
    main.commit("something large")
    repository.branch(SHARED).create("main")
    return server


async def apply_load(server: ServerProcess, tally: Tally) -> tuple[Rude, Watch]:
    workers = [
        WorkingClient(number, server.port, tally, big=SECONDS >= 60) for number in range(WORKERS)
    ]
    for worker in workers:
        await worker.start()
    until = time.monotonic() + SECONDS
    rude = Rude(server.port, tally, LIMITS, until)
    watch = Watch(server)
    idle = [Connection(server.port) for _ in range(IDLE)]
    tasks = [worker.run(until) for worker in workers]
    tasks += [rude.idle(one, number >= IDLE_UNTOUCHED) for number, one in enumerate(idle)]
    for work, count in (
        (rude.slow_reader, SLOW_READERS),
        (rude.slow_writer, SLOW_WRITERS),
        (rude.stuck_writer, STUCK),
        (rude.stuck_head, STUCK),
        (rude.vanisher, VANISHERS),
    ):
        tasks += [rude.forever(work) for _ in range(count)]
    *_, held = await asyncio.gather(watch.run(until), *tasks, count_connections(server, until))
    assert held > IDLE - IDLE_UNTOUCHED, "the idle ones are held until the end"
    for connection in idle:
        await connection.close()
    return rude, watch


async def count_connections(server: ServerProcess, until: float) -> int:
    await asyncio.sleep(until - time.monotonic() - 1)
    return await asyncio.to_thread(gauge, server, "tarn_http_connections")


def report(tally: Tally, rude: Rude, watch: Watch) -> None:
    total = sum(tally.done.values())
    print(f"\n{total} requests in {SECONDS:.0f} s, {total / SECONDS:.0f}/s; slowest:")
    slowest = sorted(tally.slowest.items(), key=lambda item: -item[1])[:6]
    print("  " + ", ".join(f"{name} {took:.2f} s" for name, took in slowest))
    print("explained:")
    for key, count in sorted(tally.explained.items()):
        print(f"  {count} x {key[1]} {key[0]}: {EXPLAINED[key]}")
    print("others: " + ", ".join(f"{count} {what}" for what, count in sorted(rude.counts.items())))
    tenths = [watch.median_between(n / 10, (n + 1) / 10) / MIB for n in range(10)]
    print("resident, by tenths of the time: " + " ".join(f"{size:.0f}" for size in tenths) + " MiB")
    print(
        f"resident: {watch.median_between(WARM_PART, WARM_PART + 0.2) / MIB:.0f} MiB warm, "
        f"{watch.median_between(0.8, 1) / MIB:.0f} MiB at the end, "
        f"{watch.peak() / MIB:.0f} MiB most"
    )
    late = sorted(watch.lateness)
    print(f"this process was late by {statistics.median(late):.3f} s, at most {late[-1]:.3f} s")


def abort_uploads(server: ServerProcess) -> int:
    """Those that a client began and did not live to end."""
    s3, aborted = s3_client(server), 0
    while uploads := s3.list_multipart_uploads(Bucket=REPO).get("Uploads"):
        for upload in uploads:
            s3.abort_multipart_upload(Bucket=REPO, Key=upload["Key"], UploadId=upload["UploadId"])
            aborted += 1
    return aborted


def check_leftovers(server: ServerProcess, before: dict[str, int]) -> None:
    # The one that asks is the last.
    wait_until(
        lambda: gauge(server, "tarn_http_connections") == 1,
        what="all connections to be gone",
        seconds=LIMITS.stall + LIMITS.late + 10,
    )
    assert gauge(server, "tarn_http_requests_in_flight") == 1
    assert abort_uploads(server) == 0, "working clients end what they begin"
    wait_until(lambda: temporary_files(server) == [], what="temporary files to be gone")
    wait_until(
        lambda: descriptors(server)["sockets"] <= before["sockets"], what="sockets to be closed"
    )
    after = descriptors(server)
    print(f"descriptors: {dict(before)} before, {dict(after)} after")
    assert after["objects"] == before["objects"], "an object's file is still open"
    assert after["objects/"] - before["objects/"] <= KEPT_DIRECTORIES
    assert after["others"] == before["others"]


def check_memory(watch: Watch) -> None:
    factor = SANITIZED_FACTOR if is_sanitized() else 1
    growth = watch.median_between(0.8, 1) - watch.median_between(WARM_PART, WARM_PART + 0.2)
    assert growth <= GROWTH_MAX * factor, f"memory grew by {growth / MIB:.0f} MiB"
    assert watch.peak() <= RESIDENT_MAX * factor, f"{watch.peak() / MIB:.0f} MiB resident"


def test_a_crowd_leaves_nothing_behind(loaded: ServerProcess) -> None:
    requests.get(f"{loaded.url}/_health", timeout=10)
    before = descriptors(loaded)
    tally = Tally()
    rude, watch = asyncio.run(apply_load(loaded, tally))
    report(tally, rude, watch)
    assert tally.wrong == [], "\n".join(tally.wrong)
    assert "WARNING: ThreadSanitizer" not in loaded.log_text(), loaded.log_tail()
    check_leftovers(loaded, before)
    check_memory(watch)
    for kind in ("slow readers", "slow writers", "stuck heads cut", "stuck writers cut"):
        assert rude.counts[kind] > 0, kind
    # Each of them once, where the machine is quick enough; that it is on time is checked there.
    assert rude.counts["idle closed by the server"] > 0
