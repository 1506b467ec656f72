"""The PBX port over AMI: keeps one link up, turns its events into ours, and never sends an Originate twice."""

from __future__ import annotations

import asyncio
import random
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass

import structlog
from panoramisk.message import Message

from gateway.adapters.ami.link import AmiError, AmiGone, AmiLoginRefused, AmiTimeout, Link, UnsafeHeader
from gateway.adapters.ami.recording import Recorder
from gateway.core.model import AttemptId
from gateway.happenings import AmiLinkChanged, AmiPinged, Observe, Stopwatch, unobserved
from gateway.ports import (
    Answered,
    ChannelSeen,
    DtmfReceived,
    HungUp,
    LegAnswered,
    LegDialed,
    LinkDown,
    LinkUp,
    Originate,
    OriginateEnded,
    PbxError,
    PbxEvent,
    Placed,
    Placement,
    Ringing,
)

log = structlog.get_logger()

WANTED = frozenset(
    {
        "Newchannel",
        "Newstate",
        "DialState",
        "DialBegin",
        "DialEnd",
        "DTMFEnd",
        "Hangup",
        "OriginateResponse",
        "FullyBooted",
        # of lists
        "CoreShowChannel",
        "CoreShowChannelsComplete",
    }
)


#: Seconds for which an answer proves that Asterisk answers.
FRESH = 0.1


@dataclass(frozen=True, slots=True)
class AmiSettings:
    """Times in seconds. Channel ids that begin with ``vg-<installation>-`` are ours."""

    host: str
    port: int
    user: str
    secret: str
    installation: str
    connect_timeout: float = 5.0
    answer_timeout: float = 5.0
    ping_every: float = 5.0
    backoff: float = 0.25
    backoff_limit: float = 15.0
    tls: ssl.SSLContext | None = None


class AmiPbx:
    """One Asterisk over AMI. :meth:`run` keeps the link; :meth:`events` is read by one reader."""

    def __init__(self, settings: AmiSettings, observe: Observe = unobserved, recorder: Recorder | None = None) -> None:
        self._settings = settings
        self._recorder = recorder
        self._observe = observe
        self._prefix = f"vg-{settings.installation}-"
        self._events: asyncio.Queue[PbxEvent] = asyncio.Queue()
        self._link: Link | None = None
        self._up = False
        self._booted = asyncio.Event()
        self._ever_up = False

    @property
    def connected(self) -> bool:
        return self._up and self._link is not None and not self._link.lost.is_set()

    @property
    def events_waiting(self) -> int:
        """Events that Asterisk told and nobody has taken in yet."""
        return self._events.qsize()

    async def events(self) -> AsyncIterator[PbxEvent]:
        while True:
            yield await self._events.get()

    # --- the link ---

    async def run(self) -> None:
        """Keep a link up for ever. Raises :class:`AmiLoginRefused` where the very first login is refused."""
        settings, failures = self._settings, 0
        while True:
            link = Link(settings.host, settings.port, WANTED, self._hear, settings.tls, self._recorder)
            self._booted.clear()
            try:
                await link.open(settings.user, settings.secret, settings.connect_timeout)
                async with asyncio.timeout(60):
                    await self._wait_booted(link)
                failures = 0
                await self._serve(link)
                reason = "the connection was lost"
            except AmiLoginRefused as error:
                if not self._ever_up:
                    raise
                reason = str(error)
            except (AmiError, TimeoutError) as error:
                reason = str(error) or "Asterisk did not finish booting"
            finally:
                was_up, self._up, self._link = self._up, False, None
                link.close()
            if was_up:
                self._observe(AmiLinkChanged(up=False))
                self._events.put_nowait(LinkDown(reason))
            failures += 1
            delay = min(settings.backoff * 2 ** min(failures - 1, 10), settings.backoff_limit)
            delay *= random.uniform(0.5, 1.5)  # noqa: S311 - jitter
            log.warning("ami.reconnecting", reason=reason, seconds=round(delay, 2))
            await asyncio.sleep(delay)

    async def _wait_booted(self, link: Link) -> None:
        lost = asyncio.ensure_future(link.lost.wait())
        booted = asyncio.ensure_future(self._booted.wait())
        try:
            await asyncio.wait((lost, booted), return_when=asyncio.FIRST_COMPLETED)
            if not booted.done():
                raise AmiGone("the connection was lost before Asterisk was booted", sent=False)
        finally:
            lost.cancel()
            booted.cancel()

    async def _serve(self, link: Link) -> None:
        """Tell that the link is up, then ping until it is lost or silent."""
        settings = self._settings
        status = await link.ask({"Action": "CoreStatus"}, settings.answer_timeout)
        boot = f"{status.corestartupdate} {status.corestartuptime}"
        self._link, self._up, self._ever_up = link, True, True
        self._observe(AmiLinkChanged(up=True))
        self._events.put_nowait(LinkUp(boot))
        while not link.lost.is_set():
            try:
                async with asyncio.timeout(settings.ping_every):
                    await link.lost.wait()
            except TimeoutError:
                # "Error: Asterisk is shutting down" is an answer too: the link lives until Asterisk closes it.
                watch = Stopwatch()
                await link.ask({"Action": "Ping"}, settings.answer_timeout)
                self._observe(AmiPinged(watch.seconds))

    # --- events ---

    def _hear(self, message: Message) -> None:
        if (event := self._translate(message)) is not None:
            self._events.put_nowait(event)

    def _translate(self, message: Message) -> PbxEvent | None:
        name = message.event
        if name == "FullyBooted":
            self._booted.set()
            return None
        if name == "OriginateResponse":
            # Matched by ActionID: a refused second id carries the live call's Uniqueid.
            if (attempt := self._ours(message.actionid)) is None:
                return None
            return OriginateEnded(attempt, message.response == "Success", _number(message.reason) or 0)
        attempt = self._ours(message.destuniqueid if name == "DialState" else message.uniqueid)
        if attempt is None:
            return None
        match name:
            case "Newchannel":
                return ChannelSeen(attempt)
            case "Newstate" if message.channelstatedesc == "Up":
                return Answered(attempt)
            case "Newstate" if message.channelstatedesc == "Ringing":
                return Ringing(attempt)
            case "DialState" if message.dialstatus in ("RINGING", "PROGRESS", "PROCEEDING"):
                # 100 Trying is only the next hop's word: PROCEEDING proves nothing of the callee.
                return Ringing(attempt) if message.dialstatus != "PROCEEDING" else None
            case "DTMFEnd" if message.direction == "Received" and message.digit != "D":
                return DtmfReceived(attempt, message.digit)
            case "DialBegin":
                return LegDialed(attempt, message.destchannel)
            case "DialEnd" if message.dialstatus == "ANSWER":
                return LegAnswered(attempt)
            case "Hangup":
                return HungUp(attempt, _number(message.cause) or 0, _number(message.techcause))
        return None

    def _ours(self, uniqueid: str) -> AttemptId | None:
        return AttemptId(uniqueid) if uniqueid.startswith(self._prefix) else None

    # --- actions ---

    async def answers(self, within: float) -> bool:
        link = self._link
        if link is None or not self._up:
            return False
        if asyncio.get_running_loop().time() - link.answered_at < FRESH:
            return True
        try:
            await link.ask({"Action": "Ping"}, within)
        except AmiError:
            return False
        return True

    async def originate(self, request: Originate) -> Placement:
        link = self._link
        if link is None or not self._up:
            return Placement(Placed.NOT_SENT, "no AMI link to Asterisk")
        fields = {
            "Action": "Originate",
            "ActionID": request.attempt_id,
            "ChannelId": request.attempt_id,
            "Channel": request.dial_string,
            "Context": "voxgate-answered",
            "Exten": str(request.max_call_seconds),
            "Priority": "1",
            "Timeout": str(round(request.ring_timeout * 1000)),
            "Account": request.account,
            "Async": "true",
        }
        if request.caller_id is not None:
            fields["CallerID"] = request.caller_id
        try:
            answer = await link.ask(fields, self._settings.answer_timeout)
        except UnsafeHeader as error:
            return Placement(Placed.NOT_SENT, str(error))
        except AmiGone as error:
            return Placement(Placed.UNSURE if error.sent else Placed.NOT_SENT, str(error))
        except AmiTimeout as error:
            return Placement(Placed.UNSURE, str(error))
        if answer.success:
            return Placement(Placed.QUEUED)
        return Placement(Placed.REFUSED, f"Asterisk refuses the call: {answer.message}")

    async def live_channels(self) -> dict[AttemptId, bool]:
        try:
            rows = await self._ready().ask_list({"Action": "CoreShowChannels"}, self._settings.answer_timeout)
        except AmiError as error:
            raise PbxError(str(error)) from error
        found: dict[AttemptId, bool] = {}
        for row in rows:
            if row.event == "CoreShowChannel" and (attempt := self._ours(row.uniqueid)) is not None:
                found[attempt] = row.channelstatedesc == "Up"
        return found

    async def hangup(self, attempt: AttemptId) -> None:
        await self._tell({"Action": "Hangup", "Channel": attempt})

    async def hangup_leg(self, channel: str) -> None:
        await self._tell({"Action": "Hangup", "Channel": channel})

    async def stop_playback(self, attempt: AttemptId) -> None:
        await self._tell({"Action": "PlayDTMF", "Channel": attempt, "Digit": "D", "Receive": "true", "Duration": "80"})

    async def send_dtmf(self, attempt: AttemptId, digit: str) -> None:
        await self._tell({"Action": "PlayDTMF", "Channel": attempt, "Digit": digit})

    async def open_tap(self, attempt: AttemptId, way: str) -> str | None:
        # AudioSocket's channel is a TCP connection to ourselves: it can ring nobody. Its events are not asked for.
        fields = {
            "Action": "Originate",
            "Channel": f"AudioSocket/{way}",
            "Context": "voxgate-tap",
            "Exten": attempt,
            "Priority": "1",
            "Timeout": "5000",
            "Async": "true",
        }
        try:
            answer = await self._ready().ask(fields, self._settings.answer_timeout)
        except (AmiError, PbxError, UnsafeHeader) as error:
            return str(error)
        return None if answer.success else f"Asterisk refuses the tap: {answer.message}"

    async def _tell(self, fields: dict[str, str]) -> None:
        """An action whose failure means only that its channel is gone, or will be looked after on the next link."""
        link = self._link
        if link is None:
            return
        try:
            await link.ask(fields, self._settings.answer_timeout)
        except AmiError as error:
            log.info("ami.action_failed", action=fields["Action"], error=str(error))

    def _ready(self) -> Link:
        if self._link is None or not self._up:
            raise PbxError("no AMI link to Asterisk")
        return self._link


def _number(text: str) -> int | None:
    return int(text) if text.isdigit() else None
