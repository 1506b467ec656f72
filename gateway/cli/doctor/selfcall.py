"""A call of Asterisk to itself that proves, over FastAGI, what a real call will need."""

from __future__ import annotations

import asyncio
import contextlib
import struct
import time
import uuid
from pathlib import Path

from gateway.adapters.agi import AgiError, AgiServer, AgiSettings
from gateway.adapters.ami.link import Link
from gateway.adapters.speech import EspeakSpeech
from gateway.cli.doctor.finding import Finding, fault, good
from gateway.core.model import AttemptId
from gateway.ports import AgiChannel, ChannelGone, MediaError, PlaybackFailed, SpeechError
from gateway.settings import Config
from gateway.wiring import media_of

TIMEOUT = 5.0
REACH = 8.0
SELF_CALL = 30.0
#: Seconds by which the clocks of gateway and Asterisk may differ: start times and pacing count in seconds.
CLOCK_SKEW = 2.0
#: Bytes of an AudioSocket frame's head, and the kind of the first frame: the call's UUID.
FRAME_HEAD, UUID_FRAME, AUDIO_FRAME = 3, 0x01, 0x10


async def self_call(config: Config, link: Link) -> list[Finding]:
    """Bring Asterisk to a FastAGI server of the doctor's own, at the address where the gateway serves."""
    token = AttemptId(f"vg-{config.installation}-doctor")
    results: list[Finding] = []
    reached, ended = asyncio.Event(), asyncio.Event()

    async def handle(channel: AgiChannel) -> None:
        nonlocal results
        reached.set()
        results.append(good("Asterisk reaches FastAGI"))
        try:
            for check in (_sound, _recording, _clock, _amd, _tones, _tap):
                results += [await check(config, channel)]
        except ChannelGone:
            results.append(fault("the self-call ended early", "look into Asterisk's log"))
        ended.set()

    settings = AgiSettings(config.agi.host, config.agi.port, tuple(config.agi.allow))
    server = AgiServer(settings, lambda path: path == f"doctor/{token}", handle)
    try:
        await server.start()
    except OSError as error:
        return [fault(f"FastAGI port {config.agi.port}", f"{error}: stop `voxgate serve` while the doctor looks")]
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
            return [fault("self-call", mend)]
        async with asyncio.timeout(REACH):
            await reached.wait()
        async with asyncio.timeout(SELF_CALL):
            await ended.wait()
    except TimeoutError:
        results.append(_late(config, reached=reached.is_set()))
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    return results


def _late(config: Config, *, reached: bool) -> Finding:
    if reached:
        return fault("the self-call", f"was not done within {SELF_CALL:g} s: look into Asterisk's log")
    mend = (
        "Asterisk did not connect: is voxgate/extensions.conf included, does its agi:// address name this host, "
        f"and does a firewall let Asterisk reach port {config.agi.port}?"
    )
    return fault("Asterisk reaches FastAGI", mend)


async def _sound(config: Config, channel: AgiChannel) -> Finding:
    """A prompt made by the gateway is played by Asterisk: folders agree, and its rights let Asterisk read."""
    speech, (media, prompts) = EspeakSpeech(), media_of(config)
    try:
        ssml = '<speak version="1.0" xml:lang="en-US">test</speak>'
        if prompts is not None:
            with contextlib.suppress(OSError):  # the running gateway listens there, and serves the same folder
                await prompts.start()
        ref = await media.keep(await speech.render(ssml, "en-US"), "audio/wav")
        await channel.stream_file(ref.asterisk_name)
    except (SpeechError, MediaError) as error:
        return fault("speech", str(error))
    except PlaybackFailed:
        if prompts is not None:
            mend = (
                f"Asterisk must reach {ref.asterisk_name}, come from an address in [agi] allow, be able to write to "
                "its astcachedir, and have res_curl.so and res_http_media_cache.so loaded"
            )
            return fault("Asterisk plays the gateway's prompts", mend)
        mend = (
            f"the gateway writes to {config.media.gateway_dir} and Asterisk looks in {config.media.asterisk_dir}: "
            "both must be one folder that Asterisk's user may read"
        )
        return fault("Asterisk plays the gateway's prompts", mend)
    finally:
        await speech.close()
        if prompts is not None:
            await prompts.close()
    return good("Asterisk plays the gateway's prompts")


async def _recording(config: Config, channel: AgiChannel) -> Finding:
    """A file that Asterisk records is read, and removed, by the gateway."""
    what, name = "the gateway reads what Asterisk records", f"doctor-{uuid.uuid4().hex}"
    if config.media.share == "http":
        return good("recordings are made from the media tap")
    path = Path(config.media.gateway_dir) / f"{name}.wav"
    try:
        await channel.record_file(f"{config.media.asterisk_dir}/{name}", "wav", "", 300, beep=False)
        audio = path.read_bytes()
    except PlaybackFailed:
        return fault(what, f"let Asterisk's user write to {config.media.asterisk_dir}: chgrp to its group, chmod g+ws")
    except FileNotFoundError:
        mend = f"Asterisk recorded into {config.media.asterisk_dir}, and nothing came to {config.media.gateway_dir}: "
        return fault(what, mend + "both must be one folder")
    except OSError as error:
        return fault(what, f"{error}: let the gateway's user read what Asterisk's user writes there")
    finally:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)
    return Finding.of(audio.startswith(b"RIFF"), what, "the recording is no WAV file: load format_wav.so")


async def _clock(config: Config, channel: AgiChannel) -> Finding:
    before = time.time()
    told = float(await channel.get_variable("EPOCH") or 0)
    skew = max(told - time.time(), before - told - 1, 0.0)  # Asterisk tells whole seconds
    mend = "set both hosts' clocks by NTP: times of calls and logs cannot be compared"
    return Finding.of(skew <= CLOCK_SKEW, f"Asterisk's clock differs by {skew:.0f} s", mend)


async def _amd(config: Config, channel: AgiChannel) -> Finding:
    try:
        await channel.execute("AMD", "1000,500,300,1500")
    except AgiError as error:
        return fault("AMD", f"{error}: load app_amd.so")
    status = await channel.get_variable("AMDSTATUS")
    return Finding.of(bool(status), f"AMD answers ({status})", "load app_amd.so and include voxgate/amd.conf")


async def _tones(config: Config, channel: AgiChannel) -> Finding:
    """TONE_DETECT reads back a count where res_tonedetect is loaded."""
    await channel.set_variable("TONE_DETECT(2100,100,r)", "")
    found = await channel.get_variable("TONE_DETECT(rx)")
    return Finding.of(bool(found), "tone detection", "load res_tonedetect.so: faxes go unnoticed without it")


async def _tap(config: Config, channel: AgiChannel) -> Finding:
    """Asterisk sends the channel's audio to an AudioSocket of ours. The last check: it ends with the channel."""
    host = (config.agi.advertise or config.agi.host).rpartition(":")[0] or config.agi.host
    ident, heard = uuid.uuid4(), asyncio.Event()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen_ident = False
        try:
            while not heard.is_set():
                kind, length = struct.unpack(">BH", await reader.readexactly(FRAME_HEAD))
                body = await reader.readexactly(length)
                seen_ident = seen_ident or (kind == UUID_FRAME and body == ident.bytes)
                if seen_ident and kind == AUDIO_FRAME:
                    heard.set()
        except (OSError, EOFError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(listen, config.agi.host, 0)
    port = server.sockets[0].getsockname()[1]
    try:
        async with asyncio.timeout(TIMEOUT):
            await channel.execute("AudioSocket", f"{ident},{host}:{port}")
    except AgiError:
        return fault("AudioSocket", "load res_audiosocket.so, app_audiosocket.so and chan_audiosocket.so")
    except (ChannelGone, TimeoutError):
        pass  # as the socket ends, so does the channel
    finally:
        server.close()
    mend = f"no audio came to {host}, port {port}: let Asterisk connect to this host, also to ports above 1023"
    return Finding.of(heard.is_set(), "AudioSocket brings audio", mend)
