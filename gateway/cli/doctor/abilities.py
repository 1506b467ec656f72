"""What Asterisk must be able to do in a call, each tried on a channel that the doctor holds."""

from __future__ import annotations

import asyncio
import contextlib
import struct
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import urlsplit

from gateway.adapters.agi import AgiError
from gateway.adapters.speech import EspeakSpeech
from gateway.cli.doctor import troubles
from gateway.cli.doctor.finding import Finding, good, skipped
from gateway.cli.doctor.host import Host
from gateway.parts import media_of
from gateway.ports import AgiChannel, ChannelGone, MediaError, PlaybackFailed, SpeechError
from gateway.settings import Config

Check = Callable[[Config, AgiChannel, Host], Awaitable[Finding]]

TIMEOUT = 5.0
#: Seconds by which the clocks of gateway and Asterisk may differ: start times and pacing count in seconds.
CLOCK_SKEW = 2.0
#: Bytes of an AudioSocket frame's head, and the kind of the first frame: the call's UUID.
FRAME_HEAD, UUID_FRAME, AUDIO_FRAME = 3, 0x01, 0x10


async def _sound(config: Config, channel: AgiChannel, host: Host) -> Finding:
    """A prompt made by the gateway is played by Asterisk: folders agree, and its rights let Asterisk read."""
    speech, (media, prompts) = EspeakSpeech(), media_of(config)
    try:
        ssml = '<speak version="1.0" xml:lang="en-US">test</speak>'
        if prompts is not None and not host.gateway:  # a running gateway serves the same folder there
            await prompts.start()
        ref = await media.keep(await speech.render(ssml, "en-US"), "audio/wav")
        await channel.stream_file(ref.asterisk_name)
    except (SpeechError, MediaError) as error:
        return troubles.SPEECH.found(error=error)
    except OSError as error:
        return troubles.PROMPT_PORT.found(port=config.media.port, error=error.strerror)
    except PlaybackFailed:
        if prompts is not None:
            return troubles.PROMPT_UNFETCHED.found(address=urlsplit(ref.asterisk_name).netloc)
        return await _why_not_played(config, channel, f"{ref.asterisk_name}.wav")
    finally:
        await speech.close()
        if prompts is not None and not host.gateway:
            await prompts.close()
    return good("Asterisk plays the gateway's prompts")


async def _why_not_played(config: Config, channel: AgiChannel, file: str) -> Finding:
    asterisk_dir, gateway_dir = config.media.asterisk_dir, config.media.gateway_dir
    # STAT() needs no right to read the file itself; FILE() does.
    if await channel.get_variable(f"STAT(e,{file})") == "0":
        return troubles.PROMPT_UNSEEN.found(asterisk_dir=asterisk_dir, gateway_dir=gateway_dir)
    if await channel.get_variable(f"FILE({file},0,4)") == "RIFF":
        return troubles.WAV_FORMAT.found()
    return troubles.PROMPT_UNREADABLE.found(asterisk_dir=asterisk_dir)


async def _recording(config: Config, channel: AgiChannel, host: Host) -> Finding:
    """A file that Asterisk records is read, and removed, by the gateway."""
    if config.media.share == "http":
        return good("recordings are made from the media tap")
    name = f"doctor-{uuid.uuid4().hex}"
    path = Path(config.media.gateway_dir) / f"{name}.wav"
    try:
        await channel.record_file(f"{config.media.asterisk_dir}/{name}", "wav", "", 300, beep=False)
        audio = path.read_bytes()
    except PlaybackFailed:
        return troubles.RECORDING_UNWRITABLE.found(asterisk_dir=config.media.asterisk_dir)
    except FileNotFoundError:
        return troubles.RECORDING_UNSEEN.found(
            asterisk_dir=config.media.asterisk_dir, gateway_dir=config.media.gateway_dir
        )
    except OSError as error:
        return troubles.RECORDING_UNREADABLE.found(error=error.strerror)
    finally:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)
    return troubles.WAV_FORMAT.unless(audio.startswith(b"RIFF"), "the gateway reads what Asterisk records")


async def _clock(config: Config, channel: AgiChannel, host: Host) -> Finding:
    before = host.now()
    told = float(await channel.get_variable("EPOCH") or 0)
    skew = max(told - host.now(), before - told - 1, 0.0)  # Asterisk tells whole seconds
    return troubles.CLOCK.unless(skew <= CLOCK_SKEW, f"Asterisk's clock differs by {skew:.0f} s", skew=skew)


async def _sessions(config: Config, channel: AgiChannel, host: Host) -> Finding:
    """The doctor is one of the manager user's sessions, and so is a gateway of ours that runs beside it."""
    told = await channel.get_variable(f"AMI_CLIENT({config.ami.user},sessions)")
    if told is None or not told.isdigit():
        return skipped("others at the manager user", "this Asterisk does not tell how many are logged in")
    others = int(told) - 1 - host.gateway_links
    return troubles.MANAGER_SESSIONS.unless(
        others <= 0, "nobody else uses the manager user", sessions=others, user=config.ami.user
    )


async def _amd(config: Config, channel: AgiChannel, host: Host) -> Finding:
    try:
        await channel.execute("AMD", "1000,500,300,1500")
    except AgiError as error:
        return troubles.AMD.found(error=error)
    status = await channel.get_variable("AMDSTATUS")
    return troubles.AMD.unless(bool(status), f"AMD answers ({status})", error="it tells nothing")


async def _tones(config: Config, channel: AgiChannel, host: Host) -> Finding:
    """TONE_DETECT reads back a count where res_tonedetect is loaded."""
    await channel.set_variable("TONE_DETECT(2100,100,r)", "")
    found = await channel.get_variable("TONE_DETECT(rx)")
    return troubles.TONE_DETECT.unless(bool(found), "tone detection")


async def _tap(config: Config, channel: AgiChannel, host: Host) -> Finding:
    """The media tap as a call has it: which detector judges calls. The last check: it may end the channel."""
    socket = config.audiosocket
    if not socket.enabled:
        return good("calls are judged by AMD", "[audiosocket] enabled = false: the media tap would err less")
    listener = _Listener()
    # A running gateway has the port of [audiosocket].
    server = await asyncio.start_server(listener.serve, socket.host, 0 if host.gateway else socket.port)
    port = server.sockets[0].getsockname()[1]
    address = f"{socket.advertise.rpartition(':')[0] or socket.host}:{port}"
    if socket.advertise and not host.gateway:
        address = socket.advertise
    try:
        await _open_tap(listener, address, host)
        if listener.heard.is_set():
            return good("the media tap brings audio: calls are judged by it")
        if listener.connected.is_set():
            return troubles.TAP_DEAF.found()
        with contextlib.suppress(ChannelGone, TimeoutError):  # as the socket ends, so does the channel
            async with asyncio.timeout(TIMEOUT):
                await channel.execute("AudioSocket", f"{listener.ident},{address}")
    except AgiError:
        return troubles.AUDIOSOCKET.found()
    finally:
        server.close()
    if listener.connected.is_set():
        return troubles.AUDIOSOCKET.found()  # its application is there: its channel is not
    return troubles.AUDIOSOCKET_UNREACHED.found(address=address)


async def _open_tap(listener: _Listener, address: str, host: Host) -> None:
    assert host.ask is not None
    await host.ask(
        {
            "Action": "Originate", "Channel": f"AudioSocket/{address}/{listener.ident}", "Context": "voxgate-tap",
            "Exten": host.channel, "Priority": "1", "Timeout": "5000", "Async": "true",
        }
    )  # fmt: skip
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(TIMEOUT):
            await listener.heard.wait()


class _Listener:
    """An AudioSocket server that waits for one tap's audio."""

    def __init__(self) -> None:
        self.ident = uuid.uuid4()
        self.connected, self.heard = asyncio.Event(), asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while not self.heard.is_set():
                kind, length = struct.unpack(">BH", await reader.readexactly(FRAME_HEAD))
                body = await reader.readexactly(length)
                if kind == UUID_FRAME and body == self.ident.bytes:
                    self.connected.set()
                elif self.connected.is_set() and kind == AUDIO_FRAME:
                    self.heard.set()
        except (OSError, EOFError):
            pass
        finally:
            writer.close()


#: In order; the last one ends the channel.
CHECKS: tuple[Check, ...] = (_sound, _recording, _clock, _sessions, _amd, _tones, _tap)
