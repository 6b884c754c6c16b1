"""The databases that were fetched, and how each is started. None is needed: what is not there is skipped."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

from dynamo_process import DynamoProcess
from postgres_process import PostgresProcess, postgres_programs
from s3_process import S3Process
from server_process import ROOT, free_port
from waiting import wait_until

FETCHED = ROOT / "build" / "databases"
START_SECONDS = 120
# What asks nothing of a session: see docs/operating/databases.md.
UNPREPARED = "&default_query_exec_mode=exec"


class NotHere(Exception):
    """This database could not be had."""


@dataclass
class Contract:
    """How the C++ suite is told to use a running database."""

    program: str
    environment: dict[str, str]
    filter: str = "*"


@dataclass
class Engine:
    contract: Contract
    options: dict[str, str] = field(default_factory=dict)
    what: str = ""  # as it says itself


def postgres_options(url: str) -> dict[str, str]:
    return {"DATABASE_TYPE": "postgres", "DATABASE_POSTGRES_CONNECTION_STRING": url}


def given_postgres(url: str) -> Contract:
    return Contract("kv/postgres/tarn_kv_postgres_test", {"TARN_TEST_POSTGRES": url}, "PostgresGiven*")


def versions() -> list[str]:
    return (Path(__file__).parent / "versions.txt").read_text().split()


@contextmanager
def unpacked(version: str) -> Iterator[Path]:
    """The programs of one version, where the user that PostgreSQL runs as may read them."""
    found = sorted(FETCHED.glob(f"postgres/*-{version}.jar"))
    if not found:
        raise NotHere(f"PostgreSQL {version} was not fetched")
    folder = Path(tempfile.mkdtemp(prefix="tarn-programs-"))
    try:
        with zipfile.ZipFile(found[0]) as jar:
            (archive,) = [name for name in jar.namelist() if name.endswith(".txz")]
            jar.extract(archive, folder)
        subprocess.run(["tar", "-xJf", folder / archive, "-C", folder], check=True)
        subprocess.run(["chmod", "-R", "a+rX", folder], check=True)
        yield folder / "bin"
    finally:
        shutil.rmtree(folder)


@contextmanager
def postgres(programs: Path | None = None) -> Iterator[PostgresProcess]:
    if programs is None and postgres_programs() is None:
        raise NotHere("PostgreSQL is not installed")
    process = PostgresProcess(programs=programs)
    try:
        yield process.start()
    finally:
        process.remove()


@contextmanager
def postgres_version(version: str) -> Iterator[Engine]:
    with unpacked(version) as programs, postgres(programs) as process:
        yield Engine(
            Contract("kv/postgres/tarn_kv_postgres_test", {"TARN_POSTGRES_BIN": str(programs)}),
            process.options(),
            process.query("SHOW server_version"),
        )


def old_pgbouncer() -> Path:
    """Debian 12's, which loses prepared statements between transactions."""
    program = shutil.which("pgbouncer", path=os.environ["PATH"] + ":/usr/sbin")
    if program is None:
        raise NotHere("PgBouncer is not installed")
    return Path(program)


def new_pgbouncer() -> Path:
    """Debian 13's, which can keep them."""
    program = FETCHED / "pgbouncer" / "pgbouncer"
    if not program.exists():
        raise NotHere("the PgBouncer of Debian 13 was not fetched")
    return program


@contextmanager
def pgbouncer(find: Callable[[], Path], mode: str, parameters: str = "", kept: int | None = None) -> Iterator[Engine]:
    """Before Debian's PostgreSQL, with fewer connections to it than it is asked for; `kept`: statements."""
    program = find()
    with postgres() as process, tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), free_port()
        (folder / "users").write_text('"tarn" ""\n')
        (folder / "ini").write_text(
            f"[databases]\n* = host=127.0.0.1 port={process.port} user=tarn\n[pgbouncer]\n"
            f"listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any\n"
            f"auth_file = {folder}/users\npool_mode = {mode}\nmax_client_conn = 500\n"
            f"default_pool_size = {60 if mode == 'session' else 3}\n"
            + (f"max_prepared_statements = {kept}\n" if kept is not None else "")
        )
        user = "postgres" if os.geteuid() == 0 else None
        if user is not None:
            os.chown(folder, pwd.getpwnam(user).pw_uid, -1)
        with (folder / "log").open("w") as log:
            bouncer = subprocess.Popen([program, folder / "ini"], stdout=log, stderr=log, user=user, cwd=folder)
        try:
            plain = f"postgres://tarn@127.0.0.1:{port}/tarn?sslmode=disable"
            wait_until(lambda: answers(plain), what="PgBouncer", seconds=START_SECONDS)
            url = plain + parameters
            said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
            yield Engine(given_postgres(url), postgres_options(url), said.stdout.splitlines()[0])
        finally:
            bouncer.kill()
            bouncer.wait()


def answers(url: str) -> bool:
    programs = postgres_programs()
    assert programs is not None
    return subprocess.run([programs / "psql", "-qAtc", "SELECT 1", url], capture_output=True).returncode == 0


@contextmanager
def pglite() -> Iterator[Engine]:
    """PostgreSQL compiled to WebAssembly: every client shares its one session."""
    program = FETCHED / "pglite" / "node_modules" / ".bin" / "pglite-server"
    if not program.exists():
        raise NotHere("PGlite was not fetched")
    node = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout
    # Debian 12's does not yet give what PGlite takes for granted.
    environment = {"NODE_OPTIONS": "--experimental-global-customevent"} if node.startswith("v18.") else {}
    port = free_port()
    server = subprocess.Popen(
        [program, f"--port={port}", "--max-connections=60"], env=os.environ | environment,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        url = f"postgres://postgres@127.0.0.1:{port}/postgres?sslmode=disable"
        wait_until(lambda: answers(url), what="PGlite", seconds=START_SECONDS)
        yield Engine(given_postgres(url + UNPREPARED), postgres_options(url + UNPREPARED), "PGlite")
    finally:
        server.kill()
        server.wait()


class DynamoLocal(DynamoProcess):
    """AWS's own emulator, in memory."""

    def start(self) -> S3Process:
        libraries = FETCHED / "dynamodb-local"
        if not libraries.is_dir() or shutil.which("java") is None:
            raise NotHere("DynamoDB Local was not fetched")
        self.process = subprocess.Popen(
            ["java", f"-Djava.library.path={libraries}", "-cp", f"{libraries}/*",
             "com.amazonaws.services.dynamodbv2.local.main.ServerRunner",
             "-inMemory", "-sharedDb", "-disableTelemetry", "-port", str(self.port)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        wait_until(self._listens, what="DynamoDB Local to listen", seconds=START_SECONDS)
        return self


@contextmanager
def dynamodb_local() -> Iterator[Engine]:
    with DynamoLocal() as process:
        assert isinstance(process, DynamoLocal)
        options = process.options() | {"DATABASE_DYNAMODB_TABLE_NAME": f"t{uuid4().hex}"}
        yield Engine(
            Contract("kv/dynamo/tarn_kv_dynamo_test", {"TARN_TEST_DYNAMO": process.url}, "DynamoEmulated*"),
            options,
            "DynamoDB Local",
        )


ENGINES = {
    **{f"postgres-{version.split('.')[0]}": lambda v=version: postgres_version(v) for version in versions()},
    "pgbouncer-old-session": lambda: pgbouncer(old_pgbouncer, "session"),
    "pgbouncer-old-transaction": lambda: pgbouncer(old_pgbouncer, "transaction", UNPREPARED),
    "pgbouncer-new-session": lambda: pgbouncer(new_pgbouncer, "session"),
    "pgbouncer-new-transaction": lambda: pgbouncer(new_pgbouncer, "transaction", kept=100),
    "pgbouncer-new-unprepared": lambda: pgbouncer(new_pgbouncer, "transaction", UNPREPARED, kept=0),
    "pglite": pglite,
    "dynamodb-local": dynamodb_local,
}
