"""The doctor on a healthy Asterisk, and on one that has each trouble in turn."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
import trustme

from gateway.adapters.ami.link import Link
from gateway.cli.doctor import abilities, manager, selfcall, troubles
from gateway.cli.doctor.abilities import Check
from gateway.cli.doctor.examination import Host, examine
from gateway.cli.doctor.finding import Finding, State
from gateway.cli.doctor.manager import examine_events, examine_manager, logged_in
from gateway.cli.doctor.selfcall import self_call
from gateway.cli.doctor.testcall import call_number
from gateway.settings import Config
from lab.instance import free_port
from lab.lab import Lab
from tests.cli.test_doctor_files import FILES
from tests.fakes.ami import FakeAmi
from tests.fakes.sip import SilentPhone
from tests.road.patient import Patient, bound_by_file_rights, is_root

as_root = pytest.mark.skipif(not is_root(), reason="only root can make Asterisk and the gateway two users here")
#: Troubles that tests/cli/test_doctor_files.py provokes.
ELSEWHERE = set(FILES) | {"no-route", "disk", "time-zones", "certificate", "certificate-unusable", "taps-missing"}
PROVOKED: set[str] = set()


@pytest.fixture(scope="module")
def patient(lab: Lab) -> Iterator[Patient]:
    found = Patient(lab)
    try:
        yield found
    finally:
        found.pbx.remove()


def provokes(*keys: str) -> Callable[[Callable[..., object]], Callable[..., object]]:
    PROVOKED.update(keys)
    return lambda test: test


def keys(findings: Sequence[Finding]) -> set[str]:
    return {one.trouble for one in findings if one.state is State.FAIL}


async def asked(config: Config) -> list[Finding]:
    """What AMI tells before anything is called."""
    findings: list[Finding] = []
    async with logged_in(config, findings) as found:
        if found is not None:
            findings += await examine_manager(config, found)
    return findings


async def called(config: Config, *checks: Check, host: Host | None = None) -> list[Finding]:
    """What the call of Asterisk to itself tells, by these checks."""
    findings: list[Finding] = []
    async with logged_in(config, findings) as found:
        assert found is not None, findings
        done = await self_call(config, found.link, host or Host(), checks)
        findings += done.findings
        if done.done:
            findings.append(examine_events(found))
    return findings


async def test_a_healthy_installation_has_nothing_to_mend(patient: Patient) -> None:
    command = [sys.executable, "-m", "gateway.cli", "doctor", "--config", str(patient.gateway.config), "--json"]
    command += ["--asterisk-etc", str(patient.etc)]
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=False, timeout=90)
    found = json.loads(done.stdout)
    assert [one for one in found if one["state"] != "ok"] == []
    assert done.returncode == 0
    said = " ".join(one["what"] for one in found)
    for part in (
        "AMI login", "Asterisk 22.", "FastAGI", "prompts", "records", "clock", "AMD", "tone detection",
        "media tap brings audio", "nobody else uses", "AMI tells of our calls", "the endpoint carrier is there",
    ):  # fmt: skip
        assert part in said


# --- AMI ---


@provokes("ami-refused")
async def test_nothing_listens(patient: Patient) -> None:
    config = changed(patient.config(), "ami", port=1)
    assert keys(await asked(config)) == {"ami-refused"}


@contextmanager
def full() -> Iterator[int]:
    """A port whose queue is full: what is sent to it is dropped, as a firewall drops it."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        waiting = []
        for _ in range(4):
            one = socket.socket()
            one.setblocking(False)
            one.connect_ex(listener.getsockname())
            waiting.append(one)
        try:
            yield listener.getsockname()[1]
        finally:
            for one in waiting:
                one.close()


@provokes("ami-silent")
@pytest.mark.parametrize("kind", ["dropped", "mute"])
async def test_nothing_answers(patient: Patient, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manager, "TIMEOUT", 0.5)
    with full() if kind == "dropped" else socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening if isinstance(listening, int) else listening.getsockname()[1]
        found = await asked(changed(patient.config(), "ami", port=port))
    assert keys(found) == {"ami-silent"}
    assert "firewall" in found[-1].mend
    assert ("no connection" if kind == "dropped" else "no greeting") in found[-1].what


@provokes("ami-tls")
@pytest.mark.parametrize("fault", ["plain", "stranger", "no file"])
async def test_tls_that_fails(patient: Patient, tmp_path: Path, fault: str) -> None:
    """With the real AMI, which speaks no TLS here; with a server that another authority vouches for; without a file."""
    authority, other = trustme.CA(), trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    other.issue_cert("127.0.0.1").configure_cert(context)
    server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0, ssl=context)
    port = patient.lab.ami_port if fault == "plain" else server.sockets[0].getsockname()[1]
    ca = str(tmp_path / ("none.pem" if fault == "no file" else "ca.pem"))
    found = await asked(changed(patient.config(), "ami", tls=True, ca=ca, port=port))
    server.close()
    assert keys(found) == {"ami-tls"}


async def test_asterisks_certificate_near_its_end(patient: Patient, tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1", not_after=datetime.now(UTC) + timedelta(days=3)).configure_cert(context)

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"Asterisk Call Manager/11.0.0\r\n")
        await reader.read(1)
        writer.close()

    server = await asyncio.start_server(greet, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    found = await asked(changed(patient.config(), "ami", tls=True, ca=str(tmp_path / "ca.pem"), port=port))
    server.close()
    assert "certificate" in keys(found)


@provokes("ami-other")
async def test_it_is_not_ami_that_answers(patient: Patient) -> None:
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH_9.2\r\n")
        writer.close()

    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    found = await asked(changed(patient.config(), "ami", port=port))
    server.close()
    assert keys(found) == {"ami-other"}
    assert "SSH" in found[-1].what


@provokes("ami-login")
async def test_a_wrong_secret(patient: Patient) -> None:
    found = await asked(changed(patient.config(), "ami", secret="wrong"))
    assert keys(found) == {"ami-login"}
    assert "Authentication failed" in found[-1].what


@provokes("manager-rights", "manager-more-rights")
async def test_rights_as_asterisk_gives_them(patient: Patient) -> None:
    line, reload = "write = call,originate,reporting", "manager reload"
    with patient.file("voxgate/manager.conf", line, "write = originate,reporting", reload=reload):
        assert keys(await asked(patient.config())) == {"manager-rights"}
    with patient.file("voxgate/manager.conf", line, "write = call,reporting", reload=reload):
        assert "manager-rights" in keys(await called(patient.config()))
    with patient.file("voxgate/manager.conf", line, f"{line},command", reload=reload):
        assert keys(await asked(patient.config())) == {"manager-more-rights"}


@provokes("ami-events")
async def test_a_user_who_hears_nothing_of_calls(patient: Patient) -> None:
    with patient.file("voxgate/manager.conf", "read = system,call,user,dtmf", "read = system", reload="manager reload"):
        found = await called(patient.config())
    assert keys(found) == {"ami-events"}
    assert "Hangup" in found[-1].what


@asynccontextmanager
async def asterisk(version: str, said: str = "") -> AsyncIterator[int]:
    """A scripted AMI of this version, that refuses an Originate with ``said``."""

    async def react(ami: FakeAmi, action: dict[str, str]) -> None:
        match action["Action"]:
            case "CoreSettings":
                await ami.answer(action, AsteriskVersion=version)
            case "Command" | "Originate":
                ami.send(
                    f"Response: Error\r\nActionID: {action['ActionID']}\r\nMessage: {said or 'no'}\r\n\r\n".encode()
                )
            case _:
                await ami.answer(action, Message="ok")

    async with FakeAmi(react).listening() as port:
        yield port


@provokes("asterisk-too-old", "asterisk-no-tech-cause")
@pytest.mark.parametrize(
    ("version", "found"),
    [
        ("13.38.3", {"asterisk-too-old"}), ("18.26.4", {"asterisk-too-old"}), ("20.16.0", {"asterisk-no-tech-cause"}),
        ("21.9.0", {"asterisk-no-tech-cause"}), ("certified/20.7-cert8", {"asterisk-no-tech-cause"}),
        ("20.17.0", set()), ("22.7.0", set()), ("22.10.1+dfsg", set()), ("23.0.0", {"asterisk-no-tech-cause"}),
        ("24.0.0", set()),
    ],
)  # fmt: skip
async def test_the_age_of_asterisk(patient: Patient, version: str, found: set[str]) -> None:
    async with asterisk(version) as port:
        config = changed(patient.config(), "ami", port=port)
        assert keys(await asked(config)) == found


@provokes("self-call")
async def test_an_asterisk_that_refuses_the_call(patient: Patient) -> None:
    async with asterisk("22.10.0", "Asterisk is shutting down") as port:
        config = changed(patient.config(), "ami", port=port)
        found = await called(config)
    assert keys(found) == {"self-call"}
    assert "shutting down" in found[-1].what


# --- trunks ---


@provokes("trunk-unknown")
async def test_a_trunk_that_asterisk_does_not_know(patient: Patient) -> None:
    trunks = [
        msgspec.structs.replace(one, dial=one.dial.replace("@silent", "@nowhere")) for one in patient.config().trunk
    ]
    found = await asked(msgspec.structs.replace(patient.config(), trunk=trunks))
    assert keys(found) == {"trunk-unknown"}


@provokes("trunk-unregistered")
async def test_a_trunk_whose_registration_is_refused(patient: Patient) -> None:
    """The lab's carrier takes no registrations."""
    server = f"sip:127.0.0.1:{patient.lab.carrier_port}"
    section = f"[carrier]\ntype = registration\nserver_uri = {server}\nclient_uri = sip:us@127.0.0.1\n[carrier](voxgate"
    with patient.file("pjsip.conf", "[carrier](voxgate", section, reload="core reload"):
        await until(lambda: "Rejected" in patient.pbx.cli("pjsip show registrations"))
        found = await asked(patient.config())
    assert keys(found) == {"trunk-unregistered"}
    (one,) = (one for one in found if one.trouble)
    assert server in one.what and "Rejected" in one.what


@provokes("trunk-unreachable")
async def test_a_trunk_that_asterisk_cannot_reach(patient: Patient) -> None:
    """Where Asterisk has the module that tells of devices: one whose AOR has no contact is unavailable."""
    patient.pbx.cli("module load res_manager_devicestate.so")
    contact = f"contact = sip:127.0.0.1:{patient.lab.carrier_port}"
    with patient.file("pjsip.conf", contact, "max_contacts = 1", reload="core reload"):
        await until(lambda: "Unavailable" in patient.pbx.cli("pjsip show endpoint carrier"))
        found = await asked(patient.config())
    assert keys(found) == {"trunk-unreachable"}


# --- beside a running gateway ---


async def test_it_looks_while_the_gateway_runs(patient: Patient) -> None:
    await asyncio.to_thread(patient.gateway.start)
    try:
        found = await called(patient.config(), abilities._sound, abilities._sessions)
        assert keys(found) == set()
        assert "the gateway runs, and lends the doctor its FastAGI" in [one.what for one in found]
        other = Link("127.0.0.1", patient.lab.ami_port, frozenset(), lambda event: None)
        await other.open(patient.lab.ami_user, patient.lab.ami_secret, 5)
        assert keys(await called(patient.config(), abilities._sessions)) == {"manager-sessions"}
        other.close()
    finally:
        assert await asyncio.to_thread(patient.gateway.stop) == 0


# --- the call of Asterisk to itself ---


@provokes("agi-port")
async def test_fastagis_port_is_taken(patient: Patient) -> None:
    with socket.create_server(("127.0.0.1", patient.lab.agi_port)):
        assert keys(await called(patient.config())) == {"agi-port"}


@provokes("agi-unreached")
async def test_asterisk_goes_to_another_address(patient: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selfcall, "REACH", 1.5)
    found = await called(changed(patient.config(), "agi", port=0))
    assert keys(found) == {"agi-unreached"}


@provokes("agi-unreached")
async def test_asterisks_address_is_not_let_in(patient: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selfcall, "REACH", 1.5)
    found = await called(changed(patient.config(), "agi", allow=("10.0.0.0/8",)))
    assert keys(found) == {"agi-unreached"}
    assert "[agi] allow" in found[-1].mend


@provokes("self-call-late")
async def test_a_call_that_takes_too_long(patient: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selfcall, "SELF_CALL", 0.3)
    assert "self-call-late" in keys(await called(patient.config(), abilities._amd))


@provokes("prompt-unseen", "recording-unwritable")
async def test_two_folders_that_are_not_one(patient: Patient) -> None:
    config = replaced_folder(patient.config(), "/nowhere")
    assert keys(await called(config, abilities._sound)) == {"prompt-unseen"}
    assert keys(await called(config, abilities._recording)) == {"recording-unwritable"}


@provokes("recording-unseen")
async def test_recordings_that_go_to_another_folder(patient: Patient, tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    assert keys(await called(replaced_folder(patient.config(), str(tmp_path)), abilities._recording)) == {
        "recording-unseen"
    }


@provokes("prompt-unfetched", "prompt-port")
async def test_prompts_over_http_that_do_not_arrive(patient: Patient) -> None:
    port = free_port()
    media = {"share": "http", "port": port}
    assert keys(await called(changed(patient.config(), "media", **media), abilities._sound)) == set()
    elsewhere = changed(patient.config(), "media", **media, advertise=f"127.0.0.2:{port}")
    assert keys(await called(elsewhere, abilities._sound)) == {"prompt-unfetched"}
    with socket.create_server(("127.0.0.1", port)):
        assert keys(await called(changed(patient.config(), "media", **media), abilities._sound)) == {"prompt-port"}


def changed(config: Config, section: str, **values: object) -> Config:
    return msgspec.structs.replace(config, **{section: msgspec.structs.replace(getattr(config, section), **values)})


def replaced_folder(config: Config, asterisk_dir: str) -> Config:
    return changed(config, "media", asterisk_dir=asterisk_dir)


@as_root
@provokes("prompt-unreadable", "recording-unwritable")
async def test_a_folder_that_asterisk_may_not_use(patient: Patient, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    config = changed(patient.config(), "media", gateway_dir=str(tmp_path), asterisk_dir=str(tmp_path))
    with patient.started_as("exec setpriv --bounding-set=-dac_override,-dac_read_search --inh-caps=-all "):
        assert keys(await called(config, abilities._sound)) == set()
        for path in (*tmp_path.iterdir(), tmp_path):
            os.chown(path, 65534, 65534)
            path.chmod(0o755 if path.is_dir() else 0o600)
        found = await called(config, abilities._sound, abilities._recording)
    assert keys(found) == {"prompt-unreadable", "recording-unwritable"}


@as_root
@provokes("recording-unreadable", "folder")
async def test_a_folder_that_the_gateway_may_not_use(patient: Patient, tmp_path: Path) -> None:
    with patient.started_as("umask 077; exec setpriv --groups=65534 --regid=65534 "):
        config = patient.config()
        Path(config.media.gateway_dir).mkdir(exist_ok=True)
        with other_owner(patient), bound_by_file_rights():
            assert keys(await called(config, abilities._recording)) == {"recording-unreadable"}
    os.chown(tmp_path, 65534, 65534)
    tmp_path.chmod(0o755)
    with bound_by_file_rights():
        found = await examine(changed(config, "database", path=str(tmp_path / "q.db")), Path("/none"))
    assert "folder" in keys(found)


@contextmanager
def other_owner(patient: Patient) -> Iterator[None]:
    """Recordings become another user's as soon as they are there."""
    import threading

    done = threading.Event()
    folder = Path(patient.config().media.gateway_dir)

    def watch() -> None:
        while not done.is_set():
            for path in folder.glob("doctor-*.wav"):
                os.chown(path, 65534, 65534)
                path.chmod(0o600)
            time.sleep(0.005)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()


@provokes("clock")
async def test_clocks_that_differ(patient: Patient) -> None:
    for shift in (90, -90):
        host = Host(now=lambda shift=shift: time.time() + shift)
        assert keys(await called(patient.config(), abilities._clock, host=host)) == {"clock"}


@provokes("manager-sessions")
async def test_another_gateway_at_the_same_user(patient: Patient) -> None:
    other = Link("127.0.0.1", patient.lab.ami_port, frozenset(), lambda event: None)
    await other.open(patient.lab.ami_user, patient.lab.ami_secret, 5)
    try:
        assert keys(await called(patient.config(), abilities._sessions)) == {"manager-sessions"}
    finally:
        other.close()


@provokes("wav-format", "amd", "tone-detect", "audiosocket")
@pytest.mark.parametrize(
    ("module", "check", "key"),
    [
        ("format_wav", abilities._sound, "wav-format"), ("app_amd", abilities._amd, "amd"),
        ("res_tonedetect", abilities._tones, "tone-detect"), ("chan_audiosocket", abilities._tap, "audiosocket"),
    ],
)  # fmt: skip
async def test_a_module_that_is_missing(patient: Patient, module: str, check: Check, key: str) -> None:
    with patient.without(module):
        assert keys(await called(patient.config(), check)) == {key}
    assert keys(await called(patient.config(), check)) == set()


@provokes("tap-deaf")
async def test_a_tap_that_hears_nothing(patient: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where app_chanspy is not loaded, which a running Asterisk does not unload."""
    monkeypatch.setattr(abilities, "TIMEOUT", 2.0)
    with patient.file("voxgate/extensions.conf", "ChanSpy(", "NoSuchApplication(", reload="dialplan reload"):
        assert keys(await called(patient.config(), abilities._tap)) == {"tap-deaf"}


@provokes("audiosocket-unreached")
async def test_audio_that_does_not_arrive(patient: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(abilities, "TIMEOUT", 2.0)
    port = free_port()
    config = changed(patient.config(), "audiosocket", port=port, advertise=f"127.0.0.2:{port}")
    assert keys(await called(config, abilities._tap)) == {"audiosocket-unreached"}


@provokes("speech")
async def test_a_voice_that_does_not_speak(patient: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    assert keys(await called(patient.config(), abilities._sound)) == {"speech"}


# --- a real call ---


async def rung(config: Config, number: str) -> list[Finding]:
    findings: list[Finding] = []
    async with logged_in(config, findings) as found:
        assert found is not None, findings
        return await call_number(config, found, Host(), number, "US")


async def test_a_call_that_both_sides_hear(patient: Patient) -> None:
    found = await rung(patient.config(), patient.lab.number("person"))
    assert keys(found) == set()
    assert "is heard" in found[0].what


@provokes("call-failed", "credentials")
@pytest.mark.parametrize(
    ("callee", "key", "told"),
    [
        ("busy", "call-failed", "SIP 486"),
        ("not-found", "call-failed", "SIP 404"),
        ("unauthorized", "credentials", "401"),
    ],
)
async def test_a_call_that_fails(patient: Patient, callee: str, key: str, told: str) -> None:
    (found,) = await rung(patient.config(), patient.lab.number(callee))
    assert found.trouble == key
    assert told in found.what


async def test_a_number_that_may_not_be_dialed_is_not_rung(patient: Patient) -> None:
    (found,) = await rung(patient.config(), "911")
    assert found.state is State.SKIPPED


@provokes("codecs")
async def test_a_carrier_with_other_codecs(patient: Patient) -> None:
    """The lab's carrier has G.711 alone."""
    changed_endpoint = "[carrier](voxgate-trunk)\ndisallow = all\nallow = g722"
    with patient.file("pjsip.conf", "[carrier](voxgate-trunk)", changed_endpoint, reload="core reload"):
        (found,) = await rung(patient.config(), patient.lab.number("person"))
    assert found.trouble == "codecs"
    assert "SIP 488" in found.what


@provokes("one-way-audio", "private-sdp")
@pytest.mark.parametrize(
    ("sdp", "found"), [("127.0.0.1", {"one-way-audio"}), ("10.99.0.1", {"one-way-audio", "private-sdp"})]
)
async def test_a_callee_who_is_not_heard(patient: Patient, sdp: str, found: set[str]) -> None:
    async with SilentPhone(sdp).answering() as port:
        silent = patient.lab._silent.getsockname()[1]
        contact = f"contact = sip:127.0.0.1:{silent}"
        with patient.file("pjsip.conf", contact, f"contact = sip:127.0.0.1:{port}", reload="core reload"):
            assert keys(await rung(patient.config(), f"{patient.lab.silent_prefix}7255550")) == found


# --- the whole ---


def test_every_trouble_is_provoked_by_a_test() -> None:
    known = [one.key for one in troubles.ALL]
    assert len(known) == len(set(known))
    assert set(known) == ELSEWHERE | PROVOKED


async def until(what: Callable[[], bool], seconds: float = 15.0) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.1)
