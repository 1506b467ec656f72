"""Checks what installations get wrong, each finding with its mend."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from gateway.adapters.agi import AgiServer, AgiSettings
from gateway.adapters.ami.link import AmiError, AmiLoginRefused, Link
from gateway.adapters.media import FileMedia
from gateway.adapters.speech import EspeakSpeech
from gateway.config import Config
from gateway.core.model import AttemptId
from gateway.ports import AgiChannel, ChannelGone, MediaError, PlaybackFailed, SpeechError

LOW_DISK = 1024**3
TIMEOUT = 5.0
SELF_CALL = 12.0


@dataclass(frozen=True, slots=True)
class Finding:
    ok: bool
    what: str
    mend: str = ""

    def plain(self) -> dict[str, object]:
        return {"ok": self.ok, "what": self.what, "mend": self.mend}


async def examine(config: Config) -> list[Finding]:
    """Every finding, in the order in which things depend on each other."""
    findings = [*_configuration(config), *_folders(config)]
    link = Link(
        config.ami.host, config.ami.port, frozenset({"FullyBooted", "CoreShowChannelsComplete"}), lambda event: None
    )
    try:
        await link.open(config.ami.user, config.ami.secret, TIMEOUT)
    except AmiLoginRefused as error:
        return [*findings, Finding(False, "AMI login", str(error))]
    except AmiError as error:
        mend = f"{error}. Is Asterisk running, has manager.conf enabled = yes, and does [ami] name its host and port?"
        return [*findings, Finding(False, "AMI connection", mend)]
    findings.append(Finding(True, f"AMI login at {config.ami.host}:{config.ami.port}"))
    try:
        findings += await _rights(link)
        findings += await _self_call(config, link)
    finally:
        link.close()
    return findings


def _configuration(config: Config) -> list[Finding]:
    findings = [Finding(True, "configuration is read and consistent")]
    if not config.trunk or not config.route:
        findings.append(
            Finding(False, "no trunk or no route", "add a [[trunk]] and a [[route]]: nothing can be dialed")
        )
    for trunk in config.trunk:
        if trunk.dial.startswith("Local/"):
            lost = "its SIP causes are lost behind Local/: busy, out of service and declined may all look alike"
            findings.append(
                Finding(True, f"trunk {trunk.name} dials {trunk.dial}", f"{lost}; dial PJSIP/… where you can")
            )
    return findings


def _folders(config: Config) -> list[Finding]:
    findings = []
    for name, text in (("database", str(Path(config.database.path).parent)), ("media", config.media.gateway_dir)):
        folder = Path(text)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=folder):
                pass
        except OSError as error:
            findings.append(Finding(False, f"{name} folder {folder}", f"{error}: let the gateway's user write there"))
            continue
        free = shutil.disk_usage(folder).free
        if free < LOW_DISK:
            findings.append(
                Finding(False, f"{name} folder {folder}", f"only {free // 1024**2} MB are free on its disk")
            )
        else:
            findings.append(Finding(True, f"{name} folder {folder} is writable, {free // 1024**3} GB free"))
    return findings


async def _rights(link: Link) -> list[Finding]:
    """Whether the AMI user may do what the gateway does, and not more."""
    findings = []
    for action, right in (("CoreStatus", "reporting"), ("CoreShowChannels", "reporting"), ("Hangup", "call")):
        answer = await link.ask({"Action": action, "Channel": "vg-doctor-none"}, TIMEOUT)
        denied = "permission denied" in answer.message.lower()
        mend = f"give the AMI user write = call,originate,reporting: {right} is missing" if denied else ""
        findings.append(Finding(not denied, f"AMI right {right} ({action})", mend))
    answer = await link.ask({"Action": "Command", "Command": "core show version"}, TIMEOUT)
    allowed = answer.success
    mend = "the AMI user may run console commands: take command and system out of its write line" if allowed else ""
    findings.append(Finding(not allowed, "the AMI user has no more rights than it needs", mend))
    return findings


async def _self_call(config: Config, link: Link) -> list[Finding]:
    """A call of Asterisk to itself, which brings it to a FastAGI server of the doctor's own."""
    token = AttemptId(f"vg-{config.installation}-doctor")
    results: list[Finding] = []
    reached = asyncio.Event()

    async def handle(channel: AgiChannel) -> None:
        results.append(Finding(True, "Asterisk reaches FastAGI"))
        try:
            results.extend(await _over_agi(config, channel))
        except ChannelGone:
            results.append(Finding(False, "the self-call ended early", "look into Asterisk's log"))
        reached.set()

    settings = AgiSettings(config.agi.host, config.agi.port, tuple(config.agi.allow))
    server = AgiServer(settings, lambda path: path == f"doctor/{token}", handle)
    try:
        await server.start()
    except OSError as error:
        return [
            Finding(False, f"FastAGI port {config.agi.port}", f"{error}: stop `voxgate serve` while the doctor looks")
        ]
    running = asyncio.create_task(server.run())
    try:
        answer = await link.ask(
            {
                "Action": "Originate", "ActionID": token, "ChannelId": token, "Channel": "Local/answer@voxgate-doctor",
                "Context": "voxgate-doctor", "Exten": token, "Priority": "1", "Timeout": "5000", "Async": "true",
            },
            TIMEOUT,
        )  # fmt: skip
        if not answer.success:
            mend = f"{answer.message}: include voxgate/extensions.conf, and give the AMI user the right originate"
            return [Finding(False, "self-call", mend)]
        async with asyncio.timeout(SELF_CALL):
            await reached.wait()
    except TimeoutError:
        mend = (
            "Asterisk did not connect: is voxgate/extensions.conf included, does its agi:// address name this host, "
            f"and does a firewall let Asterisk reach port {config.agi.port}?"
        )
        results.append(Finding(False, "Asterisk reaches FastAGI", mend))
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    return results


async def _over_agi(config: Config, channel: AgiChannel) -> list[Finding]:
    return [*await _sound(config, channel), *await _amd(channel), *await _tones(channel), *await _tap(channel)]


async def _tones(channel: AgiChannel) -> list[Finding]:
    """TONE_DETECT reads back a count where res_tonedetect is loaded."""
    await channel.set_variable("TONE_DETECT(2100,100,r)", "")
    found = await channel.get_variable("TONE_DETECT(rx)")
    return [
        Finding(bool(found), "tone detection", "" if found else "load res_tonedetect.so: faxes go unnoticed without it")
    ]


async def _tap(channel: AgiChannel) -> list[Finding]:
    """EXEC fails with -2 for an application that is not loaded; AudioSocket refuses empty arguments at once."""
    try:
        await channel.execute("AudioSocket", "")
    except ChannelGone:
        pass
    except Exception:
        return [Finding(False, "AudioSocket", "load res_audiosocket.so, app_audiosocket.so and chan_audiosocket.so")]
    return [Finding(True, "AudioSocket")]


async def _amd(channel: AgiChannel) -> list[Finding]:
    try:
        await channel.execute("AMD", "1000,500,300,1500")
        status = await channel.get_variable("AMDSTATUS")
    except ChannelGone:
        raise
    except Exception as error:
        return [Finding(False, "AMD", f"{error}: load app_amd.so and include voxgate/amd.conf")]
    return [Finding(bool(status), f"AMD answers ({status})", "" if status else "load app_amd.so")]


async def _sound(config: Config, channel: AgiChannel) -> list[Finding]:
    """A prompt made by the gateway is played by Asterisk: folders agree, and its rights let Asterisk read."""
    speech = EspeakSpeech()
    try:
        ssml = '<speak version="1.0" xml:lang="en-US">test</speak>'
        media = FileMedia(Path(config.media.gateway_dir), config.media.asterisk_dir)
        ref = await media.keep(await speech.render(ssml, "en-US"), "audio/wav")
        await channel.stream_file(ref.asterisk_name)
    except (SpeechError, MediaError) as error:
        return [Finding(False, "speech", str(error))]
    except PlaybackFailed:
        mend = (
            f"the gateway writes to {config.media.gateway_dir} and Asterisk looks in {config.media.asterisk_dir}: "
            "both must be one folder that Asterisk's user may read"
        )
        return [Finding(False, "Asterisk plays the gateway's prompts", mend)]
    finally:
        await speech.close()
    return [Finding(True, "Asterisk plays the gateway's prompts")]
