"""A PostgreSQL of Debian's packages on a temporary directory, for one test or one module.

TARN_POSTGRES_BIN  where initdb and postgres are, if not below /usr/lib/postgresql
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from waiting import wait_until

USER = "tarn"
DATABASE = "tarn"
START_SECONDS = 60


def postgres_programs() -> Path | None:
    """The folder with initdb and postgres of the newest version installed, if there is one."""
    given = os.environ.get("TARN_POSTGRES_BIN")
    places = [Path(given)] if given else sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    found = [place for place in places if (place / "initdb").exists()]
    return found[-1] if found else None


def _owner() -> str | None:
    """PostgreSQL refuses to run as root: then as the user that its package made."""
    return "postgres" if os.geteuid() == 0 else None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclass
class PostgresProcess:
    """`start`, `stop` and `restart` may alternate; `remove` ends it and its directory.

    `durable` False: no fsync, for tests that do not crash the machine (a killed PostgreSQL loses
    nothing either way).
    """

    durable: bool = False
    settings: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=_free_port)
    programs: Path | None = None  # postgres_programs()

    def __post_init__(self) -> None:
        programs = self.programs or postgres_programs()
        assert programs is not None, "PostgreSQL is not installed"
        self.programs = programs
        self.directory = Path(tempfile.mkdtemp(prefix="tarn-postgres-"))
        if owner := _owner():
            account = pwd.getpwnam(owner)
            os.chown(self.directory, account.pw_uid, account.pw_gid)
        self._run("initdb", "-A", "trust", "-U", USER, "-E", "UTF8", "--locale=C", "-N", "-D", self.data)

    @property
    def data(self) -> Path:
        return self.directory / "data"

    @property
    def url(self) -> str:
        return self.database_url(DATABASE)

    def options(self) -> dict[str, str]:
        """Configuration of a server that keeps its metadata here."""
        return {"DATABASE_TYPE": "postgres", "DATABASE_POSTGRES_CONNECTION_STRING": self.url}

    def database_url(self, name: str) -> str:
        return f"postgres://{USER}@127.0.0.1:{self.port}/{name}?sslmode=disable"

    def create_database(self, name: str) -> str:
        """Its URL."""
        self.query(f"CREATE DATABASE {name}", "template1")
        return self.database_url(name)

    def start(self) -> PostgresProcess:
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": str(self.directory),
            **({} if self.durable else {"fsync": "off"}),
            **self.settings,
        }
        options = " ".join(f"-c {name}='{value}'" for name, value in settings.items())
        log = self.directory / "log"
        self._run("pg_ctl", "start", "-w", "-t", str(START_SECONDS), "-D", self.data, "-l", log, "-o", options)
        if not self.query(f"SELECT 1 FROM pg_database WHERE datname = '{DATABASE}'", "template1"):
            self.query(f"CREATE DATABASE {DATABASE}", "template1")
        return self

    def stop(self, mode: str = "fast") -> None:
        """`mode` immediate: as if it were killed."""
        if (self.data / "postmaster.pid").exists():
            self._run("pg_ctl", "stop", "-w", "-m", mode, "-D", self.data)

    def restart(self, mode: str = "fast") -> None:
        self.stop(mode)
        self.start()

    def remove(self) -> None:
        self.stop("immediate")
        shutil.rmtree(self.directory, ignore_errors=True)

    def query(self, statement: str, database: str = DATABASE) -> str:
        """The answer of psql: a line a row, columns split by |."""
        return self._run(
            "psql", "-h", "127.0.0.1", "-p", str(self.port), "-U", USER, "-d", database,
            "-v", "ON_ERROR_STOP=1", "-qAtc", statement,
        ).strip()  # fmt: skip

    def cut_connections(self) -> int:
        """Ends every client's session on the server's side; how many there were."""
        ended = self.query(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
            f"WHERE datname = '{DATABASE}' AND pid <> pg_backend_pid()"
        )
        return int(ended)

    @contextmanager
    def hanging(self) -> Iterator[None]:
        """Its processes stop where they are: connections stay, and nobody answers."""
        pids = self._pids()
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)

    def _pids(self) -> list[int]:
        """The postmaster and what it has started."""
        first = int((self.data / "postmaster.pid").read_text().splitlines()[0])
        children = Path(f"/proc/{first}/task/{first}/children").read_text().split()
        return [first, *map(int, children)]

    def pin(self, core: int) -> None:
        """To one core, with the processes it will make for its clients."""
        pid = int((self.data / "postmaster.pid").read_text().splitlines()[0])
        os.sched_setaffinity(pid, {core})

    def is_ready(self) -> bool:
        code = subprocess.run(
            [self._path("pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)],
            check=False,
        )
        return code.returncode == 0

    def wait_ready(self) -> None:
        wait_until(self.is_ready, what="PostgreSQL to answer", seconds=START_SECONDS)

    def _path(self, program: str) -> Path:
        """A version may have been fetched without clients: any version's do."""
        assert self.programs is not None
        path = self.programs / program
        installed = postgres_programs()
        return path if path.exists() or installed is None else installed / program

    def _run(self, program: str, *words: object) -> str:
        path = self._path(program)
        with tempfile.TemporaryFile("w+") as output:  # a pipe would stay open in the daemon
            done = subprocess.run(
                [str(path), *map(str, words)], stdout=output, stderr=output,
                user=_owner(), group=_owner(), extra_groups=[] if _owner() else None,
                cwd=self.directory, check=False,
            )  # fmt: skip
            output.seek(0)
            text = output.read()
        assert done.returncode == 0, f"{program} {words}: {text}"
        return text
