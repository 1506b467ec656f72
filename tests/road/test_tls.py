"""TLS to a real Asterisk: calls are dialed as ever, and a stranger's certificate is not trusted."""

from __future__ import annotations

import pytest
import trustme

from lab.application import SampleApplication
from lab.gateway import LOGIN, GatewayProcess
from lab.instance import free_port
from lab.lab import Lab
from tests.road.waiting import wait_for


def test_a_call_over_ami_with_tls(lab: Lab) -> None:
    ami = f'tls = true\nca = "{lab.ami_ca}"'
    gateway = GatewayProcess(lab, name="tls", ami_port=lab.ami_tls_port, ami=ami)
    gateway.add_account()
    gateway.start()
    with SampleApplication() as application:
        number = lab.number("busy")
        ident = gateway.voxgate("call", number, "--account", LOGIN, "--start-url", application.start_url).strip()
        wait_for(lambda: gateway.json("calls", "show", ident)["state"] == "failed")
        assert gateway.json("calls", "show", ident)["callee_type"] == "busy"
    assert gateway.stop() == 0


@pytest.mark.parametrize("ca", ["another", "system"])
def test_a_stranger_is_not_trusted(lab: Lab, ca: str) -> None:
    ami = "tls = true"
    if ca == "another":
        path = lab.folder / "another.pem"
        trustme.CA().cert_pem.write_to_path(path)
        ami += f'\nca = "{path}"'
    gateway = GatewayProcess(lab, name=f"tls-{ca}", ami_port=lab.ami_tls_port, ami=ami, agi_port=free_port())
    with pytest.raises(RuntimeError, match="did not become ready"):
        gateway.start(timeout=5)
    assert "certificate verify failed" in gateway.log.read_text()
