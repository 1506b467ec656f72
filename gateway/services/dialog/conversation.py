"""Carries one interpreter's actions out on one line, until the application or the callee ends it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import assert_never

import structlog

from gateway.core.model import CallId
from gateway.happenings import Observe, Stopwatch, TurnTaken, unobserved
from gateway.ports import AgiChannel, ChannelGone, Cookies, Fetcher, FetchError, FetchRequest, FetchResponse
from gateway.services.dialog.fetching import fetched, request_of
from gateway.services.dialog.line import Line
from gateway.services.dialog.path import PathTaken
from gateway.services.dialog.playing import Player
from gateway.services.dialog.recording import Recordings
from gateway.services.dialog.transferring import Transfers
from vxml import (
    Action,
    Collect,
    Collector,
    Disconnect,
    Event,
    Exit,
    Fetch,
    FetchFailed,
    Hangup,
    Json,
    Log,
    Play,
    Played,
    Record,
    Session,
    Thrown,
    Transfer,
    Waiting,
)

log = structlog.get_logger()


@dataclass(slots=True)
class Conversation:
    """:meth:`run` returns how the session ended."""

    session: Session
    line: Line
    channel: AgiChannel
    player: Player
    fetcher: Fetcher
    recordings: Recordings
    transfers: Transfers
    cookies: Cookies
    call_id: CallId
    path: PathTaken
    observe: Observe = unobserved
    _news: Thrown | None = field(default=None, init=False)  # what the application is still to be told
    _told: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _listening: bool = field(default=False, init=False)  # for an input of which nothing was keyed yet

    def tell(self, event: Thrown, variables: Mapping[str, Json]) -> None:
        """Set session variables now, and throw the event into the next input that is waited for, or this one.

        VoiceXML 2.0 §4.1.8: what comes from outside waits for the waiting state. A later event takes the place of one
        that could not be thrown yet. Where no handler names it, nobody notices.
        """
        self.session.inform(variables)
        self._news = event
        self._told.set()

    async def run(self) -> Exit:
        try:
            action: Action = self.session.begin()
            while not isinstance(action, Exit):
                watch = Stopwatch()
                self.path.asked(action)
                answer = await self._answer(action)
                if not isinstance(answer, Action):
                    self.path.answered(action, answer)
                self.observe(TurnTaken(self.call_id, type(action).__name__.lower(), watch.seconds))
                action = answer if isinstance(answer, Action) else self.session.send(answer)
            self.path.asked(action)
            await self.transfers.finish()
            return action
        finally:
            self.transfers.cancel()
            await self.recordings.forget()

    async def _answer(self, action: Fetch | Play | Collect | Record | Transfer | Log | Disconnect) -> Event | Action:
        try:
            match action:
                case Fetch():
                    return await self._fetch(action)
                case Log():
                    return await self._log(action)
                case Play(prompts):
                    await self.player.play(prompts)
                    return Played()
                case Collect():
                    return await self._collect(action)
                case Record(prompts):
                    await self.player.play(prompts)
                    return await self.recordings.take(self.line, action)
                case Transfer(prompts):
                    await self.player.play(prompts)
                    return await self.transfers.connect(action)
                case Disconnect(values):
                    if values:
                        log.info("vxml.disconnect", call_id=self.call_id, names=sorted(values))
                    with contextlib.suppress(ChannelGone):
                        await self.channel.hangup()
                    return Hangup()
                case _:
                    assert_never(action)
        except ChannelGone:
            return Hangup()

    async def _log(self, action: Log) -> Played:
        log.info("vxml.log", call_id=self.call_id, label=action.label, characters=len(action.text))
        return Played()

    async def _fetch(self, action: Fetch) -> Event:
        request = await request_of(action, self.cookies, self.recordings.part)
        try:
            answer = await self._waited(request, action.waiting)
        except FetchError as error:
            log.warning("vxml.fetch_failed", call_id=self.call_id, url=action.url, kind=error.kind, error=str(error))
            return FetchFailed(str(error))
        return fetched(answer)

    async def _waited(self, request: FetchRequest, waiting: Waiting | None) -> FetchResponse:
        """Fetch; what takes long is filled with fetchaudio, once it began for its least time (VoiceXML 2.0 §6.1.1)."""
        fetching = asyncio.create_task(self.fetcher.fetch(request))
        try:
            if waiting is not None and not self.line.gone:
                await asyncio.wait((fetching,), timeout=waiting.delay)
                if not fetching.done():
                    await self._fill(fetching, waiting)
            return await self.line.meanwhile(fetching)
        finally:
            fetching.cancel()
            await asyncio.gather(fetching, return_exceptions=True)

    async def _fill(self, fetching: asyncio.Task[FetchResponse], waiting: Waiting) -> None:
        done = asyncio.Event()

        async def tell() -> None:
            await asyncio.gather(asyncio.wait((fetching,)), asyncio.sleep(waiting.minimum))
            done.set()

        telling = asyncio.create_task(tell())
        try:
            with contextlib.suppress(ChannelGone):  # the fetch goes on: what it sends may be all that is left to do
                await self.player.play_until(waiting.url, done)
        finally:
            telling.cancel()
            await asyncio.gather(telling, return_exceptions=True)

    # --- input, and what interrupts it ---

    async def _collect(self, action: Collect) -> Event | Action:
        """The input; or, where news led elsewhere, the action that came of them."""
        self._listening = True
        taking = asyncio.create_task(self._input(action))
        try:
            while not taking.done():
                self._told.clear()
                if (news := self._due()) is not None:
                    following = await self._throw(action, news)
                    if not (isinstance(following, Collect) and following.again and not following.prompts):
                        self.line.interrupt()
                        await taking  # what was keyed meanwhile stays in the buffer
                        return following
                telling = asyncio.create_task(self._told.wait())
                await asyncio.wait((taking, telling), return_when=asyncio.FIRST_COMPLETED)
                telling.cancel()
            event = taking.result()
            assert event is not None  # nothing else interrupts
            return event
        finally:
            self._listening = False
            self.line.resume()
            taking.cancel()
            await asyncio.gather(taking, return_exceptions=True)

    def _due(self) -> Thrown | None:
        news = self._news
        if news is None or not self._listening or not self.session.catches(news.name):
            return None
        self._news = None
        return news

    async def _throw(self, action: Collect, news: Thrown) -> Action:
        """What the application does about it; its log entries are written at once."""
        self.path.answered(action, news)
        answer: Event = news
        while isinstance(following := self.session.send(answer), Log):
            answer = await self._log(following)
        return following

    async def _input(self, action: Collect) -> Event | None:
        """None where it was interrupted."""
        mark = await self.player.play(action.prompts)
        collector = Collector(action)
        while True:
            digit = await self.line.digit(collector.wait)
            if digit is None and self.line.called:
                return None
            self._listening = False  # an input that has begun is not interrupted
            event = collector.expired() if digit is None else collector.feed(digit)
            if event is not None:
                return event if mark is None else replace(event, mark=mark)
