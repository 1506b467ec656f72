"""Carries one interpreter's actions out on one line, until the application or the callee ends it."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import assert_never

import structlog

from gateway.ports import AgiChannel, ChannelGone, Fetcher, FetchError, FetchRequest, PlaybackFailed
from gateway.services.dialog.line import Line
from gateway.services.dialog.prompts import PromptRenderer
from vxml import (
    Collect,
    Collector,
    Disconnect,
    Event,
    Exit,
    Fetch,
    Fetched,
    FetchFailed,
    Hangup,
    Log,
    Play,
    Played,
    Prompt,
    Session,
)

log = structlog.get_logger()


@dataclass(slots=True)
class Conversation:
    """:meth:`run` returns how the session ended."""

    session: Session
    line: Line
    channel: AgiChannel
    renderer: PromptRenderer
    fetcher: Fetcher
    call_id: int

    async def run(self) -> Exit:
        action = self.session.begin()
        while not isinstance(action, Exit):
            action = self.session.send(await self._answer(action))
        return action

    async def _answer(self, action: Fetch | Play | Collect | Log | Disconnect) -> Event:
        try:
            match action:
                case Fetch():
                    return await self._fetch(action)
                case Log(label, text):
                    log.info("vxml.log", call_id=self.call_id, label=label, characters=len(text))
                    return Played()
                case Play(prompts):
                    await self._play(prompts)
                    return Played()
                case Collect():
                    return await self._collect(action)
                case Disconnect():
                    with contextlib.suppress(ChannelGone):
                        await self.channel.hangup()
                    return Hangup()
                case _:
                    assert_never(action)
        except ChannelGone:
            return Hangup()

    async def _fetch(self, action: Fetch) -> Event:
        request = FetchRequest(
            action.url,
            method=action.method,
            form=action.form if action.method == "POST" else None,
            multipart=action.multipart,
            timeout=action.timeout or 15.0,
            max_age=action.max_age,
            max_stale=action.max_stale,
        )
        try:
            answer = await self.line.meanwhile(self.fetcher.fetch(request))
        except FetchError as error:
            log.warning("vxml.fetch_failed", call_id=self.call_id, url=action.url, kind=error.kind, error=str(error))
            return FetchFailed(str(error))
        return Fetched(answer.url, answer.status, answer.body, answer.content_type, answer.charset)

    async def _play(self, prompts: tuple[Prompt, ...]) -> None:
        """Prompts in order; a digit in the buffer passes over all that let themselves be barged in on."""
        for prompt in prompts:
            if not prompt.bargein:
                self.line.digits.flush()  # VoiceXML 2.0 §4.1.8
            elif self.line.digits:
                continue
            async with contextlib.aclosing(self.renderer.pieces(prompt.segments)) as pieces:
                async for piece in pieces:
                    if isinstance(piece, float | int):
                        heard = await self.line.pause(piece, bargein=prompt.bargein)
                    else:
                        try:
                            heard = await self.line.play(piece, bargein=prompt.bargein)
                        except PlaybackFailed as error:
                            log.error("prompt.not_played", call_id=self.call_id, error=str(error))
                            continue
                    if not heard:
                        break
            if not prompt.bargein:
                self.line.digits.flush()

    async def _collect(self, action: Collect) -> Event:
        await self._play(action.prompts)
        collector = Collector(action)
        while True:
            digit = await self.line.digit(collector.wait)
            event = collector.expired() if digit is None else collector.feed(digit)
            if event is not None:
                return event
