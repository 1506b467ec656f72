"""The gateway as a process of its own, without an Asterisk: HTTPS, SIGHUP, and what a reload cannot do."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme

from gateway.cli.exits import ExitStatus
from lab.instance import free_port
from tests.cli.test_commands import voxgate


def wait_for(what: Callable[[], object], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


@dataclass
class Served:
    folder: Path
    port: int
    process: subprocess.Popen[bytes]
    authority: trustme.CA

    def config(self, text: str) -> None:
        head = 'installation = "abc"\n[ami]\nsecret = "x"\nport = 1\n[agi]\nport = 0\n[audiosocket]\nport = 0\n'
        server = (
            f'[server]\nport = {self.port}\ncertificate = "cert.pem"\nkey = "key.pem"\n[intake]\npreflight = false\n'
        )
        (self.folder / "voxgate.toml").write_text(head + server + text)

    def certificate(self, name: str = "localhost") -> None:
        issued = self.authority.issue_cert(name)
        issued.private_key_pem.write_to_path(self.folder / "key.pem")
        issued.cert_chain_pems[0].write_to_path(self.folder / "cert.pem")

    def hup(self) -> dict[str, object]:
        """Ask for a reload, and wait for its line in the log."""
        before = len(self.logged())
        self.process.send_signal(signal.SIGHUP)
        wait_for(lambda: any("reloaded" in str(one["event"]) for one in self.logged()[before:]))
        return next(one for one in self.logged()[before:] if "reloaded" in str(one["event"]))

    def logged(self) -> list[dict[str, object]]:
        lines = (self.folder / "log").read_text().splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def connect(self, name: str = "localhost") -> http.client.HTTPSConnection:
        context = ssl.create_default_context()
        self.authority.configure_trust(context)
        connection = http.client.HTTPSConnection(name, self.port, timeout=10, context=context)
        connection.connect()
        return connection

    def serial(self) -> str:
        connection = self.connect()
        try:
            found = connection.sock.getpeercert()  # type: ignore[union-attr]
            return str(found["serialNumber"])
        finally:
            connection.close()


def healthy(connection: http.client.HTTPSConnection) -> bool:
    connection.request("GET", "/healthz")
    answer = connection.getresponse()
    answer.read()
    return answer.status == 200


TRUNK = '[[trunk]]\nname = "{0}"\ndial = "PJSIP/{{number}}@{0}"\ncps = {1}\n[[route]]\ntrunk = "{0}"\n'


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    made = Served(tmp_path, free_port(), None, trustme.CA())  # type: ignore[arg-type]
    made.certificate()
    made.config(TRUNK.format("first", 5))
    with (tmp_path / "log").open("wb") as log:
        command = [
            sys.executable,
            "-m",
            "gateway.cli",
            "serve",
            "--log-json",
            "--config",
            str(tmp_path / "voxgate.toml"),
        ]
        made.process = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ})
    try:
        wait_for(
            lambda: made.process.poll() is not None or any(one["event"] == "gateway.started" for one in made.logged())
        )
        assert made.process.poll() is None, (tmp_path / "log").read_text()
        yield made
    finally:
        made.process.send_signal(signal.SIGTERM)
        assert made.process.wait(30) == 0


def test_a_new_certificate_is_served_and_open_connections_go_on(served: Served) -> None:
    old = served.connect()
    first = served.serial()
    assert healthy(old)
    served.certificate()
    assert served.serial() == first
    assert served.hup()["event"] == "gateway.reloaded"
    assert served.serial() != first
    assert healthy(old)  # the connection from before
    old.close()
    (served.folder / "cert.pem").write_text("no certificate")
    refused = served.hup()
    assert refused["event"] == "gateway.not_reloaded" and "cert.pem" in str(refused["error"])
    assert served.serial() != first  # the good one stays


def test_the_port_speaks_https_alone(served: Served) -> None:
    with socket.create_connection(("localhost", served.port), timeout=10) as plain:
        plain.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        try:
            assert b"200 OK" not in plain.recv(1000)
        except ConnectionResetError:
            pass
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    with pytest.warns(DeprecationWarning):
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    with socket.create_connection(("localhost", served.port), timeout=10) as plain, pytest.raises(ssl.SSLError):
        old.wrap_socket(plain, server_hostname="localhost")


def test_what_a_reload_takes_and_what_it_leaves(served: Served) -> None:
    def trunks() -> set[str]:
        done = voxgate("route", "test", "+16175550100", cwd=served.folder)
        assert done.returncode == 0
        status = http_over_socket(served.folder / "voxgate.sock", "/api/v1/status")
        return set(status["trunks"])

    assert trunks() == {"first"}
    add = ("account", "add", "user1", "--time-zone", "UTC", "--country", "US")
    assert voxgate(*add, cwd=served.folder).returncode == 0
    queue = ("call", "6175550100", "--account", "user1", "--start-url", "http://127.0.0.1:2/s", "--at", "tomorrow 9am")
    call = voxgate(*queue, cwd=served.folder).stdout.strip()
    served.config(TRUNK.format("second", 7) + '[dial]\ncps = 9\n[log]\nlevel = "debug"\n')
    text = (served.folder / "voxgate.toml").read_text()
    (served.folder / "voxgate.toml").write_text(text.replace("[agi]\nport = 0", "[agi]\nport = 12345"))
    done = json.loads(voxgate("reload", "--json", cwd=served.folder).stdout)
    assert done["need_restart"] == ["agi.port"]
    assert {"dial.cps", "log.level", "trunk.first.cps", "trunk.second.cps", "route"} <= set(done["taken"])
    assert trunks() == {"second"}
    show = ("calls", "show", call, "--json")
    wait_for(lambda: json.loads(voxgate(*show, cwd=served.folder).stdout)["trunk"] == "second")
    assert served.hup()["taken"] == []  # nothing more has changed
    assert "agi.port" in voxgate("reload", cwd=served.folder).stdout  # it still needs a restart

    (served.folder / "voxgate.toml").write_text(text + "[dail]\n")
    assert "did you mean 'dial'" in str(served.hup()["error"])
    refused = voxgate("reload", cwd=served.folder)
    assert refused.returncode == ExitStatus.CONFIGURATION
    assert served.process.poll() is None


def http_over_socket(path: Path, url: str) -> dict[str, dict[str, object]]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.connect(str(path))
        client.sendall(f"GET {url} HTTP/1.0\r\nHost: x\r\n\r\n".encode())
        content = b"".join(iter(lambda: client.recv(65536), b""))
    found: dict[str, dict[str, object]] = json.loads(content.partition(b"\r\n\r\n")[2])
    return found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[server]\nkey = "key.pem"\n', "without a certificate"),
        ('[server]\ncertificate = "none.pem"\n', "none.pem"),
        ('[ami]\nsecret = "x"\nca = "ca.pem"\n', "tls is off"),
        ('[ami]\nsecret = "x"\ntls = true\nca = "none.pem"\n', "none.pem"),
    ],
)
def test_certificates_that_cannot_be_used_are_named(text: str, said: str, tmp_path: Path) -> None:
    ami = "" if "[ami]" in text else '[ami]\nsecret = "x"\n'
    (tmp_path / "voxgate.toml").write_text(f'installation = "abc"\n{ami}{text}')
    for command in (("config", "check"), ("serve",)):
        done = voxgate(*command, cwd=tmp_path)
        assert (done.returncode, said in done.stderr) == (ExitStatus.CONFIGURATION, True), done.stderr
        assert "Traceback" not in done.stderr
