"""The process: first start, drain, TLS, configuration, one owner per directory, drop-in use."""

from __future__ import annotations

import re
import signal
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from clients import create_repository, s3_client
from server_process import ACCESS_KEY, SECRET_KEY, ServerProcess, binary
from waiting import wait_until

pytestmark = pytest.mark.tarn_only
MakeServer = Callable[..., ServerProcess]
KEY_PAIR = (ACCESS_KEY, SECRET_KEY)


class FreshServer(ServerProcess):
    """Without a key pair chosen beforehand: `--user` has to make one."""

    def environment(self) -> dict[str, str]:
        return {
            name: value
            for name, value in super().environment().items()
            if not name.startswith("TARN_INSTALLATION_")
        }


class DropInServer(ServerProcess):
    """Configured as the reference is: by its variables alone."""

    def environment(self) -> dict[str, str]:
        others = {k: v for k, v in super().environment().items() if not k.startswith("TARN_")}
        return others | {
            "LAKEFS_DATABASE_TYPE": "local",
            "LAKEFS_DATABASE_LOCAL_PATH": str(self.data_dir / "metadata"),
            "LAKEFS_BLOCKSTORE_TYPE": "local",
            "LAKEFS_BLOCKSTORE_LOCAL_PATH": str(self.data_dir / "objects"),
            "LAKEFS_COMMITTED_LOCAL_CACHE_DIR": str(self.data_dir / "cache"),
            "LAKEFS_AUTH_ENCRYPT_SECRET_KEY": "some long text",
            "LAKEFS_LISTEN_ADDRESS": self.host,
            "LAKEFS_STATS_ENABLED": "false",
            "LAKEFS_NO_SUCH_SETTING": "1",
            "LAKEFS_INSTALLATION_USER_NAME": "admin",
            "LAKEFS_INSTALLATION_ACCESS_KEY_ID": ACCESS_KEY,
            "LAKEFS_INSTALLATION_SECRET_ACCESS_KEY": SECRET_KEY,
        }

    def command(self, *words: str) -> list[str]:
        return [str(binary()), *words]

    def launch(self) -> None:
        self.data_dir.mkdir(parents=True, exist_ok=True)
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(
                self.command("run"),
                stdout=log,
                stderr=log,
                env=self.environment(),
                cwd=self.data_dir,
            )


def test_the_first_start_prints_a_key_pair_that_works_and_later_ones_do_not(
    tmp_path: Path,
) -> None:
    server = FreshServer(data_dir=tmp_path / "data", arguments=["--user", "admin"]).start()
    try:
        text = server.log_text()
        key = re.search(r"access key id\s+(\S+)", text)
        secret = re.search(r"secret access key\s+(\S+)", text)
        assert key and secret and f"Tarn is ready at {server.url}" in text
        answer = requests.get(f"{server.url}/api/v1/user", auth=(key[1], secret[1]), timeout=10)
        assert answer.json()["user"]["id"] == "admin"
        server.restart()
        assert server.log_text().count(secret[1]) == text.count(secret[1])
        answer = requests.get(f"{server.url}/api/v1/user", auth=(key[1], secret[1]), timeout=10)
        assert answer.status_code == 200
    finally:
        assert server.stop() == 0
    server.assert_clean()


def test_what_was_acknowledged_is_there_after_a_restart(server: ServerProcess) -> None:
    main = create_repository(server, "kept").branch("main")
    main.object("committed").upload(b"c")
    commit = main.commit("one").id
    main.object("staged").upload(b"s")
    server.restart()
    assert main.get_commit().id == commit
    assert main.object("committed").reader("rb").read() == b"c"
    assert [item.path for item in main.uncommitted()] == ["staged"]


def requests_in_flight(server: ServerProcess) -> int:
    """What the server says; the request that asks is one of them."""
    text = requests.get(f"{server.url}/metrics", timeout=10).text
    found = re.search(r"^tarn_http_requests_in_flight (\d+)$", text, re.MULTILINE)
    assert found, text
    return int(found[1])


@dataclass
class SlowUpload:
    """An upload that stands still in the middle until told to go on."""

    server: ServerProcess

    def __post_init__(self) -> None:
        self.half_sent = threading.Event()
        self.go_on = threading.Event()
        self.answer: Any = None
        self.thread = threading.Thread(target=self._run)
        self.thread.start()
        assert self.half_sent.wait(20)
        # Sent is not yet received: a connection nobody accepted is not in flight.
        wait_until(lambda: requests_in_flight(self.server) >= 2, what="the upload to be in flight")

    def _body(self) -> Iterator[bytes]:
        yield b"first half, "
        self.half_sent.set()
        self.go_on.wait(60)
        yield b"second half"

    def _run(self) -> None:
        try:
            self.answer = requests.post(
                f"{self.server.url}/api/v1/repositories/drain/branches/main/objects",
                params={"path": "slow"},
                headers={"Content-Type": "application/octet-stream"},
                data=self._body(),
                auth=KEY_PAIR,
                timeout=60,
            )
        except requests.RequestException as error:
            self.answer = error

    def finish(self) -> Any:
        self.go_on.set()
        self.thread.join(60)
        assert not self.thread.is_alive()
        return self.answer


def refuses_connections(server: ServerProcess) -> bool:
    try:
        socket.create_connection(("127.0.0.1", server.port), timeout=2).close()
    except OSError:
        return True
    return False


def test_sigterm_lets_the_request_in_flight_finish_and_refuses_new_ones(
    server: ServerProcess,
) -> None:
    repository = create_repository(server, "drain")
    upload = SlowUpload(server)
    assert server.process is not None
    server.process.send_signal(signal.SIGTERM)
    wait_until(lambda: refuses_connections(server), what="the listener to close")
    assert server.is_running()
    answer = upload.finish()
    assert answer.status_code == 201, answer
    assert server.process.wait(20) == 0
    server.start()
    got = repository.branch("main").object("slow").reader("rb").read()
    assert got == b"first half, second half"


def test_a_request_that_never_ends_cannot_hold_up_the_stop(make_server: MakeServer) -> None:
    server = make_server(options={"SERVER_SHUTDOWN_GRACE": "1s"}).start()
    create_repository(server, "drain")
    upload = SlowUpload(server)
    assert server.process is not None
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(15) == 0
    upload.finish()


def make_certificate(folder: Path, serial: int) -> None:
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-days", "2", "-subj", "/CN=localhost", "-set_serial", str(serial),
         "-addext", "subjectAltName=IP:127.0.0.1",
         "-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")],
        check=True, capture_output=True,
    )  # fmt: skip


def test_tls_serves_and_takes_a_new_certificate_on_sighup(
    make_server: MakeServer, tmp_path: Path
) -> None:
    make_certificate(tmp_path, 1)
    first = (tmp_path / "cert.pem").read_text()
    server = make_server(
        scheme="https",
        ca_file=str(tmp_path / "cert.pem"),
        options={
            "TLS_ENABLED": "true",
            "TLS_CERT_FILE": str(tmp_path / "cert.pem"),
            "TLS_KEY_FILE": str(tmp_path / "key.pem"),
        },
    ).start()
    create = requests.post(
        f"{server.url}/api/v1/repositories",
        json={"name": "secure", "storage_namespace": "local://secure"},
        auth=KEY_PAIR,
        verify=server.ca_file,
        timeout=10,
    )
    assert create.status_code == 201, create.text
    s3 = s3_client(server)
    s3.put_object(Bucket="secure", Key="main/a", Body=b"over tls", ChecksumAlgorithm="CRC32")
    assert s3.get_object(Bucket="secure", Key="main/a")["Body"].read() == b"over tls"

    def presented() -> str:
        return ssl.get_server_certificate(("127.0.0.1", server.port)).strip()

    assert presented() == first.strip()
    make_certificate(tmp_path, 2)
    second = (tmp_path / "cert.pem").read_text().strip()
    assert server.process is not None
    server.process.send_signal(signal.SIGHUP)
    wait_until(lambda: presented() == second, what="the new certificate")
    (tmp_path / "cert.pem").write_text("not a certificate")
    server.process.send_signal(signal.SIGHUP)
    wait_until(lambda: "reload failed" in server.log_text(), what="the refusal in the log")
    assert presented() == second, "a broken file changes nothing"


def test_config_check_reports_every_problem_at_once(make_server: MakeServer) -> None:
    server = make_server()
    server.data_dir.mkdir()
    file = server.data_dir / "tarn.yaml"
    file.write_text(
        "listen_address: 127.0.0.1:1\n"
        "no_such_key: 1\n"
        "database:\n  type: cassandra\n"
        "logging:\n  level: LOUD\n"
        "tls:\n  enabled: true\n"
    )
    result = server.run_command("config", "check", "--config", str(file))
    assert result.returncode == 2
    for part in ("no_such_key", "cassandra", "LOUD", "tls.enabled"):
        assert part in result.stderr, result.stderr
    run = server.run_command("run", "--config", str(file))
    assert run.returncode == 2, "a server does not start on a bad configuration"
    file.write_text("auth:\n  encrypt:\n    secret_key: abc\n")
    assert server.run_command("config", "check", "--config", str(file)).returncode == 0


def test_a_second_server_on_the_same_data_is_refused(server: ServerProcess) -> None:
    create_repository(server, "owned")
    second = server.run_command("run", "--listen", "127.0.0.1:0", seconds=30)
    assert second.returncode == 1
    assert "error:" in second.stderr and "terminate" not in second.stderr
    fsck = server.run_command("fsck")
    assert fsck.returncode == 2
    assert server.is_healthy()


def test_the_references_variables_configure_it_and_an_unknown_one_is_a_warning(
    tmp_path: Path,
) -> None:
    server = DropInServer(data_dir=tmp_path / "drop-in").start()
    try:
        repository = create_repository(server, "moved")
        repository.branch("main").object("a").upload(b"a")
        assert repository.branch("main").commit("one").id
        text = server.log_text()
        assert re.search(r"warning: LAKEFS_NO_SUCH_SETTING: unknown variable", text)
        assert any((server.data_dir / "metadata").iterdir())
        assert any((server.data_dir / "objects").iterdir())
    finally:
        assert server.stop() == 0
    server.assert_clean()


def test_fsck_finds_an_object_that_is_gone_or_changed(make_server: MakeServer) -> None:
    server = make_server().start()
    main = create_repository(server, "damaged").branch("main")
    main.object("gone").upload(b"these bytes will be removed")
    main.object("changed").upload(b"these bytes will be changed")
    main.commit("both")
    server.stop()
    files = [path for path in (server.data_dir / "objects").rglob("*") if path.is_file()]
    by_content = {path.read_bytes(): path for path in files}
    gone = by_content[b"these bytes will be removed"]
    changed = by_content[b"these bytes will be changed"]
    saved = {path: path.read_bytes() for path in (gone, changed)}
    gone.unlink()
    changed.write_bytes(b"these bytes will be CHANGED")
    result = server.run_command("fsck", "--read-objects")
    assert result.returncode == 1
    assert "gone" in result.stdout and "changed" in result.stdout
    for path, data in saved.items():
        path.write_bytes(data)


def test_the_operators_endpoints_answer(server: ServerProcess) -> None:
    create_repository(server, "seen").branch("main").object("x").upload(b"x")
    assert requests.get(f"{server.url}/_health", timeout=5).status_code == 200
    metrics = requests.get(f"{server.url}/metrics", timeout=5).text
    for name in ("tarn_kv_op_seconds", "tarn_http_"):
        assert name in metrics
    document = requests.get(f"{server.url}/openapi.json", timeout=5).json()
    assert "/repositories/{repository}/branches" in document["paths"]
    unserved = requests.get(f"{server.url}/api/v1/auth/groups", auth=KEY_PAIR, timeout=5)
    assert unserved.status_code == 501 and unserved.json()["message"]


def test_limits_named_in_the_configuration_hold(make_server: MakeServer) -> None:
    server = make_server(
        options={
            "SERVER_HEADER_BYTES_MAX": "8KiB",
            "SERVER_HEADER_TIMEOUT": "1s",
            "SERVER_UPLOAD_BYTES_MAX": "1MiB",
            "SERVER_JSON_BODY_BYTES_MAX": "64KiB",
        }
    ).start()
    create_repository(server, "limits")
    large_head = requests.get(server.url, headers={"X-Large": "x" * 9000}, timeout=10)
    assert large_head.status_code == 431
    objects = f"{server.url}/api/v1/repositories/limits/branches/main/objects"
    large = requests.post(
        objects,
        params={"path": "large"},
        headers={"Content-Type": "application/octet-stream"},
        data=b"x" * ((1 << 20) + 1),
        auth=KEY_PAIR,
        timeout=10,
    )
    assert large.status_code == 413, large.text
    document = requests.post(
        f"{server.url}/api/v1/repositories",
        data=b'{"name": "' + b"x" * 70_000 + b'"}',
        headers={"Content-Type": "application/json"},
        auth=KEY_PAIR,
        timeout=10,
    )
    assert document.status_code == 413, document.text
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as slow:
        slow.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nX-Never-Ends: ")
        answer = slow.recv(4096)
        assert answer == b"" or b" 408 " in answer.split(b"\r\n")[0]
    listed = requests.get(
        f"{server.url}/api/v1/repositories/limits/refs/main/objects/ls", auth=KEY_PAIR, timeout=10
    )
    assert listed.json()["results"] == []
