"""The manual's PHP clients, run by real PHP against the gateway: only the host is ours."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

from lab import clients
from lab.application import SampleApplication
from lab.gateway import LOGIN, PIN, GatewayProcess
from lab.lab import Lab

POST = """
$ch = curl_init();
curl_setopt($ch, CURLOPT_POST, 1);
curl_setopt($ch, CURLOPT_POSTFIELDS, $params);
curl_setopt($ch, CURLOPT_URL, "{url}");
curl_setopt($ch, CURLOPT_RETURNTRANSFER, 1);
$result = curl_exec($ch);
echo $result;
"""


@pytest.fixture(scope="module")
def running(lab: Lab) -> Iterator[tuple[GatewayProcess, SampleApplication]]:
    gateway = GatewayProcess(lab, name="php")
    gateway.add_account()
    gateway.start()
    try:
        with SampleApplication() as application:
            yield gateway, application
    finally:
        gateway.stop()


def client(gateway: GatewayProcess, folder: Path, page: str, params: dict[str, str]) -> ElementTree.Element:
    """Run a client that sends ``params``, whose values are PHP expressions."""
    script = folder / "client.php"
    lines = "".join(f"$params['{name}'] = {value};\n" for name, value in params.items())
    script.write_text("<?php\n" + lines + POST.replace("{url}", f"{gateway.base}/webservice/{page}.php") + "?>")
    return ElementTree.fromstring(clients.php(script))


def test_the_manuals_first_example(running: tuple[GatewayProcess, SampleApplication], lab: Lab, tmp_path: Path) -> None:
    gateway, application = running
    params = {
        "login": f'"{LOGIN}"', "pin": f'"{PIN}"', "phone_number": f'"tel:{lab.number("not-found")}"',
        "start_url": f'"{application.start_url}"',
    }  # fmt: skip
    reply = client(gateway, tmp_path, "queuecall", params)
    assert (reply.tag, reply.get("status")) == ("queuecall", "queued")
    assert int(reply.get("call_id", "")) < 2**31


@pytest.mark.parametrize(("value", "status"), [('new CURLFile("{file}")', "queued"), ('"@{file}"', "failed")])
def test_the_manuals_campaign(
    running: tuple[GatewayProcess, SampleApplication], lab: Lab, tmp_path: Path, value: str, status: str
) -> None:
    """PHP 7 and later upload a CURLFile, and send the manual's literal @path as text."""
    gateway, application = running
    listed = tmp_path / "phonenumbers.txt"
    listed.write_text(lab.number("gone").lstrip("+") + "\n")
    params = {
        "login": f'"{LOGIN}"', "pin": f'"{PIN}"', "campaign_name": '"callnumbers"',
        "phone_list": value.replace("{file}", str(listed)), "start_url": f'"{application.start_url}"',
    }  # fmt: skip
    reply = client(gateway, tmp_path, "queuecalls", params)
    assert (reply.tag, reply.get("status")) == ("queuecalls", status)
    if status == "failed":
        assert "CURLFile" in (reply.findtext("error") or "")
