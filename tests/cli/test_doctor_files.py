"""What the doctor finds on this host and in Asterisk's files, each provoked."""

from __future__ import annotations

import zoneinfo
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
import trustme

from gateway.cli.doctor.certificates import examine_certificate
from gateway.cli.doctor.files import examine_files
from gateway.cli.doctor.finding import Finding, State
from gateway.cli.doctor.host import Host, examine_host
from gateway.cli.init import Layout, write
from gateway.config import load
from gateway.settings import Config


def troubles(findings: list[Finding]) -> set[str]:
    return {one.trouble for one in findings if one.state is State.FAIL}


@pytest.fixture
def etc(tmp_path: Path) -> Path:
    """Asterisk's folder as an operator makes it, with what `voxgate init` wrote included."""
    list(write(Layout(tmp_path), "127.0.0.1", 5038, "127.0.0.1:4573", [], force=False))
    folder = tmp_path / "etc"
    folder.mkdir()
    (tmp_path / "asterisk").rename(folder / "voxgate")
    (folder / "manager.conf").write_text('[general]\nenabled = yes\n#include "voxgate/manager.conf"\n')
    (folder / "extensions.conf").write_text('#include "voxgate/extensions.conf"\n')
    (folder / "modules.conf").write_text("[modules]\nautoload = yes\n")
    (folder / "pjsip.conf").write_text(
        "[udp]\ntype = transport\nprotocol = udp\nbind = 0.0.0.0\n[mytrunk]\ntype = endpoint\naors = mytrunk\n"
        "[mytrunk]\ntype = aor\ncontact = sip:127.0.0.1\n"
    )
    return folder


def config(etc: Path) -> Config:
    return load(etc.parent / "voxgate.toml", {})


def edit(name: str, old: str, new: str) -> Callable[[Path], None]:
    def change(etc: Path) -> None:
        text = (etc / name).read_text()
        assert old in text, (name, old)
        (etc / name).write_text(text.replace(old, new, 1))

    return change


#: Each trouble of the files, and a change that makes it.
FILES: dict[str, Callable[[Path], None]] = {
    "asterisk-file": edit("manager.conf", "voxgate/manager.conf", "voxgate/none.conf"),
    "manager-disabled": edit("manager.conf", "enabled = yes", "enabled = no"),
    "manager-port": edit("manager.conf", "enabled = yes", "enabled = yes\nport = 5039"),
    "manager-user": edit("voxgate/manager.conf", "[voxgate]", "[somebody]"),
    "manager-secret": edit("voxgate/manager.conf", "secret = ", "secret = x"),
    "manager-rights": edit("voxgate/manager.conf", "write = call,originate,reporting", "write = call,reporting"),
    "manager-reads": edit("voxgate/manager.conf", "read = system,call,user,dtmf", "read = system,call"),
    "manager-more-rights": edit("voxgate/manager.conf", "originate,reporting", "originate,reporting,command"),
    "manager-shared": edit("voxgate/manager.conf", "writetimeout", "eventfilter = Uniqueid: vg-other1-\nwritetimeout"),
    "event-filter": edit("voxgate/manager.conf", "eventfilter = Event: OriginateResponse", "; "),
    "dialplan": edit("extensions.conf", "#include", ";#include"),
    "agi-address": edit("voxgate/extensions.conf", "agi://127.0.0.1:4573/call", "agi://10.0.0.9:4573/call"),
    "modules": edit("modules.conf", "autoload = yes", "autoload = yes\nnoload = app_amd.so"),
    "nat-address": edit("pjsip.conf", "0.0.0.0\n[mytrunk]", "10.1.2.3\n[mytrunk]"),
}


def test_files_that_are_in_order_have_no_trouble(etc: Path) -> None:
    found = examine_files(config(etc), etc)
    assert troubles(found) == set()
    assert {one.state for one in found} == {State.OK}


@pytest.mark.parametrize("key", FILES)
def test_a_trouble_in_the_files_is_found(etc: Path, key: str) -> None:
    if key == "nat-address":  # nothing is sent there
        edit("pjsip.conf", "sip:127.0.0.1", "sip:8.8.8.8:5060")(etc)
    FILES[key](etc)
    found = examine_files(config(etc), etc)
    assert key in troubles(found), found
    (one,) = [one for one in found if one.trouble == key][:1]
    assert one.mend and "{" not in one.what + one.mend


def test_a_module_that_is_not_named_where_they_are_loaded_by_name_is_found(etc: Path) -> None:
    edit("modules.conf", "autoload = yes", 'autoload = no\n#include "voxgate/modules.conf"')(etc)
    assert troubles(examine_files(config(etc), etc)) == set()
    edit("voxgate/modules.conf", "load = app_amd.so", "")(etc)
    (found,) = [one for one in examine_files(config(etc), etc) if one.trouble == "modules"]
    assert "app_amd" in found.what


@pytest.mark.parametrize(
    ("transport", "contact", "troubled"),
    [
        ("bind = 10.1.2.3:5060", "sip:8.8.8.8", True),
        ("bind = 10.1.2.3", "sip:account@8.8.8.8:5060;transport=udp", True),
        ("bind = 10.1.2.3\nexternal_media_address = 9.9.9.9", "sip:8.8.8.8", False),
        ("bind = 9.9.9.9", "sip:8.8.8.8", False),
        ("bind = 10.1.2.3", "sip:10.7.7.7", False),
        ("bind = [fd00::1]:5060", "sip:[2606:4700::1111]:5060", True),
    ],
)
def test_only_a_public_carrier_that_is_told_a_private_address_hears_nothing(
    etc: Path, transport: str, contact: str, troubled: bool
) -> None:
    edit("pjsip.conf", "bind = 0.0.0.0", transport)(etc)
    edit("pjsip.conf", "contact = sip:127.0.0.1", f"contact = {contact}")(etc)
    assert ("nat-address" in troubles(examine_files(config(etc), etc))) is troubled


def test_files_that_may_not_be_read_are_skipped_and_counted(etc: Path, tmp_path: Path) -> None:
    found = examine_files(config(etc), tmp_path / "none")
    assert [one.state for one in found] == [State.SKIPPED]
    assert "--asterisk-etc" in found[0].mend


# --- this host ---


def test_a_configuration_without_a_trunk_dials_nothing(etc: Path) -> None:
    path = etc.parent / "voxgate.toml"
    path.write_text(path.read_text().partition("# A trunk is")[0])
    assert "no-route" in troubles(examine_host(config(etc), Host()))


def test_a_full_disk_is_found(etc: Path) -> None:
    found = examine_host(config(etc), Host(free=lambda folder: 90 * 1024**2))
    assert "disk" in troubles(found)
    assert any("only 90 MB are free" in one.what for one in found)


@pytest.mark.parametrize(
    ("days", "found", "words"),
    [(60, set(), "is good until"), (5, {"certificate"}, "ends on"), (-1, {"certificate"}, "has ended")],
)
def test_a_certificate_near_its_end_is_found(etc: Path, days: int, found: set[str], words: str) -> None:
    when = datetime.now(UTC) + timedelta(days=days)
    made = trustme.CA().issue_cert("gateway.example", not_before=when - timedelta(days=90), not_after=when)
    made.private_key_and_cert_chain_pem.write_to_path(str(etc / "cert.pem"))
    server = msgspec.structs.replace(config(etc).server, certificate=str(etc / "cert.pem"))
    judged = examine_certificate(msgspec.structs.replace(config(etc), server=server), Host())
    assert troubles(judged) == found
    assert words in judged[0].what


def test_a_certificate_that_is_none_is_found(etc: Path) -> None:
    (etc / "cert.pem").write_text("nothing")
    server = msgspec.structs.replace(config(etc).server, certificate=str(etc / "cert.pem"))
    judged = examine_certificate(msgspec.structs.replace(config(etc), server=server), Host())
    assert troubles(judged) == {"certificate-unusable"}


def test_missing_time_zone_data_are_found(etc: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "time-zones" not in troubles(examine_host(config(etc), Host()))
    monkeypatch.setitem(__import__("sys").modules, "tzdata", None)
    zoneinfo.reset_tzpath(to=[])
    try:
        assert "time-zones" in troubles(examine_host(config(etc), Host()))
    finally:
        zoneinfo.reset_tzpath()
