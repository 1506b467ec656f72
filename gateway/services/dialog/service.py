"""What happens on an answered channel: postd, the verdict, the session with its variables, the apology."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from xml.sax.saxutils import escape

import structlog

from gateway.core.handling import Handling, handling
from gateway.core.model import CalleeType, Claimed
from gateway.happenings import CalleeJudged, Observe, SessionEnded, Stopwatch, of_call, unobserved
from gateway.ports import AgiChannel, ChannelGone, Cookies, Fetcher, Media, Pbx
from gateway.services.dialog.callee import EVENT, Callee, Judge, Tell
from gateway.services.dialog.conversation import Conversation
from gateway.services.dialog.fetching import OfAccount
from gateway.services.dialog.line import Line
from gateway.services.dialog.path import PathTaken
from gateway.services.dialog.playing import Player
from gateway.services.dialog.prompts import PromptRenderer
from gateway.services.dialog.recorders import FileRecorder, Recorder
from gateway.services.dialog.recording import Recordings
from gateway.services.dialog.transferring import Transfers, Way
from gateway.services.livecalls import LiveCall, LiveCalls, SessionRecord
from vxml import Break, Exit, Fetch, Json, Limits, Prompt, Session, Speech, Thrown

log = structlog.get_logger()

#: What ``postd`` knows as half a second's pause, in SendDTMF's letter.
PAUSES = str.maketrans(",pP", "www")


@dataclass(frozen=True, slots=True)
class DialogSettings:
    """``apology`` is spoken where the application fails; empty says nothing. Times in seconds."""

    apology: str = "We are sorry. This call cannot be continued. Good bye."
    language: str = "en-US"
    fetch_timeout: float = 15.0
    final_processing: float = 30.0
    limits: Limits = field(default_factory=Limits)
    handling: Handling = field(default_factory=Handling)


class DialogService:
    """``judge`` tells who answered: before the session, as Plum DEV's did, unless the call wants it otherwise."""

    def __init__(
        self, live: LiveCalls, pbx: Pbx, judge: Judge, renderer: PromptRenderer, fetcher: Fetcher, media: Media,
        find_way: Callable[[Claimed, str], Way], new_cookies: Callable[[], Cookies], settings: DialogSettings,
        observe: Observe = unobserved, *, recorder: Callable[[LiveCall], Recorder] | None = None,
    ) -> None:  # fmt: skip
        self._live = live
        self._pbx = pbx
        self._judge = judge
        self._renderer = renderer
        self._fetcher = fetcher
        self._media = media
        self._find_way = find_way
        self._new_cookies = new_cookies
        self._settings = settings
        self._observe = observe
        self._recorder = recorder or (lambda live: FileRecorder(media))

    def reconfigure(self, settings: DialogSettings) -> None:
        """Other settings from the next call on."""
        self._settings = settings

    def accept(self, path: str) -> bool:
        """Whether a FastAGI path names an open attempt that no session has held yet. Says yes once."""
        live = self._live.of_path(path)
        if live is None or live.closing or live.session is not None:
            return False
        live.session = SessionRecord()
        return True

    async def handle(self, channel: AgiChannel) -> None:
        """One accepted FastAGI session, from the answer to its end."""
        live = self._live.of_path(channel.path)
        if live is None or live.session is None:
            return
        record, live.handler = live.session, asyncio.current_task()
        try:
            with of_call(live.claimed.call.id, live.id):
                await self._live.answered(live)
                since_answer = Stopwatch()
                path = PathTaken(lambda: since_answer.seconds, partial(self._live.stepped, live))
                record.evidence["path"] = path.steps
                try:
                    await self._converse(channel, live, record, path)
                finally:
                    if path.hung_up_by:
                        record.evidence["hung_up_by"] = path.hung_up_by
        except ChannelGone:
            pass
        finally:
            live.session_ended.set()
            with contextlib.suppress(ChannelGone):
                await channel.hangup()

    async def _converse(self, channel: AgiChannel, live: LiveCall, record: SessionRecord, path: PathTaken) -> None:
        claimed, settings = live.claimed, self._settings
        call_id = claimed.call.id
        if claimed.call.postd:
            await channel.execute("SendDTMF", claimed.call.postd.translate(PAUSES))
            if live.ear is not None:
                live.ear.answered()  # who is judged is whom the digits lead to
        watch = Stopwatch()
        callee = Callee(
            live, record, handling(claimed.call.plan, claimed.account.settings, settings.handling), self._judge,
            self._pbx, lambda found: self._observe(
                CalleeJudged(call_id, live.id, found.callee_type, found.confidence, watch.seconds)
            ),
        )  # fmt: skip
        if not await callee.first(channel):
            return
        record.began = True
        session = Session(_start(claimed, callee.shown, settings), _variables(claimed, callee.shown), settings.limits)
        line = Line(channel, live, self._pbx, callee.admitted, callee.settle)
        fetcher = OfAccount(self._fetcher, claimed.account.id)
        player = Player(line, self._renderer.through(fetcher), call_id)
        transfers = Transfers(self._live, live, line, channel, self._pbx, partial(self._find_way, claimed))
        conversation = Conversation(
            session,
            line,
            channel,
            player,
            fetcher,
            Recordings(self._media, self._recorder(live)),
            transfers,
            self._new_cookies(),
            call_id,
            path,
            self._observe,
        )

        def tell(message: str, found: CalleeType) -> None:
            conversation.tell(Thrown(EVENT, message), {"connection": _variables(claimed, str(found))["connection"]})

        following = asyncio.create_task(self._follow(callee, tell))
        try:
            await self._hold(conversation, live, record, line, player)
            if record.callee_type is None and not line.gone:  # it spoke to somebody to its end: never dialed again
                record.callee_type = CalleeType.VOICE
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)

    @staticmethod
    async def _follow(callee: Callee, tell: Tell) -> None:
        try:
            await callee.follow(tell)
        except Exception:  # a fault of ours costs the revisions, and not the session
            log.exception("callee.not_followed")

    async def _hold(
        self, conversation: Conversation, live: LiveCall, record: SessionRecord, line: Line, player: Player
    ) -> None:
        """The session, and an apology where its application fails."""
        call_id = conversation.call_id
        watch = Stopwatch()
        ended = await self._run(conversation, live)
        self._observe(SessionEnded(call_id, ended.error, watch.seconds))
        if ended.error is not None:
            record.application_error = f"{ended.error}: {ended.message}"[:500]
            log.warning("application.error", call_id=call_id, error=ended.error)
            await self._apologise(line, player)

    async def _run(self, conversation: Conversation, live: LiveCall) -> Exit:
        """The conversation; after a hang-up it has a limited time for its final processing."""
        running = asyncio.ensure_future(conversation.run())
        gone = asyncio.ensure_future(live.gone.wait())
        try:
            await asyncio.wait((running, gone), return_when=asyncio.FIRST_COMPLETED)
            if not running.done():
                await asyncio.wait((running,), timeout=self._settings.final_processing)
            if not running.done():
                return Exit("error.voxgate.overran", "the application went on after the hang-up")
            return running.result()
        except ChannelGone:
            raise
        except Exception as fault:  # the callee hears the apology, and the record says why
            log.exception("session.failed", call_id=conversation.call_id)
            return Exit("error.voxgate.internal", f"{type(fault).__name__}: {fault}")
        finally:
            gone.cancel()
            running.cancel()
            await asyncio.gather(running, gone, return_exceptions=True)

    async def _apologise(self, line: Line, player: Player) -> None:
        if not self._settings.apology or line.gone:
            return
        language = self._settings.language
        ssml = f'<speak version="1.0" xml:lang="{language}">{escape(self._settings.apology)}</speak>'
        await player.play((Prompt((Speech(ssml, language), Break(0.2)), bargein=False),))


def _start(claimed: Claimed, callee: str, settings: DialogSettings) -> Fetch:
    """The POST of the contract to start_url."""
    call = claimed.call
    form = (
        ("phone_number", call.destination),
        ("message_reference", call.plan.message_reference or ""),
        ("call_id", str(call.id)),
        ("call_parameters", call.plan.call_parameters or ""),
        ("campaign_parameters", call.campaign_parameters or ""),
        ("callee_type", callee),
    )
    return Fetch(call.plan.start_url, method="POST", form=form, timeout=settings.fetch_timeout)


def session_variables(caller: str, dialed: str, call_id: str, callee_type: str) -> dict[str, Json]:
    """The session scope (VoiceXML 2.0 §5.1.4) with Plum's names beside it. We call: the callee is the remote end."""
    return {
        "callerid": caller,
        "calledid": dialed,
        "id": call_id,
        "connection": {
            "local": {"uri": f"tel:{caller}"},
            "remote": {"uri": dialed if dialed.startswith("sip:") else f"tel:{dialed}"},
            "protocol": {"name": "sip", "version": "2.0"},
            "originator": "local",
            "callee_type": callee_type,
        },
    }


def _variables(claimed: Claimed, callee: str) -> dict[str, Json]:
    call = claimed.call
    caller = call.ani or claimed.account.settings.caller_id or ""
    return session_variables(caller, call.dialed, str(call.id), callee)
