"""Carries an interpreter's actions out at a terminal, until the application ends."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TypeVar, assert_never

from gateway.cli.vxml.callers import Caller
from gateway.cli.vxml.hearing import Hearing
from gateway.cli.vxml.inputs import (
    Misunderstood,
    collect_help,
    collected,
    cut_short,
    keyed,
    record_help,
    recorded,
    transfer_help,
    transferred,
)
from gateway.cli.vxml.recordings import Recordings
from gateway.cli.vxml.sources import WEB, Sources
from gateway.cli.vxml.tracing import action_line, event_line
from gateway.ports import Cookies, FetchError, FilePart
from gateway.services.dialog.fetching import fetched, request_of
from vxml import (
    Action,
    Collect,
    Digits,
    Disconnect,
    Event,
    Exit,
    Fetch,
    FetchFailed,
    Hangup,
    Log,
    Mark,
    NoInput,
    NoMatch,
    Play,
    Played,
    Prompt,
    Record,
    Session,
    Spoken,
    Transfer,
)

T = TypeVar("T")


@dataclass(slots=True)
class Walk:
    """``runner`` is for what waits on the network: the caller types between, where Ctrl-C just ends the program."""

    session: Session
    caller: Caller
    sources: Sources
    recordings: Recordings
    hearing: Hearing
    cookies: Cookies
    runner: asyncio.Runner
    trace: bool = False
    _ahead: str = field(default="", init=False)  # keys typed ahead, as on a call

    def run(self) -> Exit:
        """How the application ended. Raises ScriptFault."""
        action: Action = self.session.begin()
        while True:
            if self.trace:
                print(f"  -> {action_line(action)}")
            if isinstance(action, Exit):
                return action
            event = self._answer(action)
            if self.trace:
                print(f"  <- {event_line(event)}")
            action = self.session.send(event)

    def _answer(self, action: Fetch | Play | Collect | Record | Transfer | Log | Disconnect) -> Event:
        match action:
            case Fetch():
                return self.runner.run(self._fetch(action))
            case Log(label, text):
                print(f"[log{f' {label}' if label else ''}] {text}")
                return Played()
            case Play(prompts):
                self._hear(prompts)
                return Played()
            case Collect():
                return self._collect(action)
            case Record():
                return self._record(action)
            case Transfer():
                return self._transfer(action)
            case Disconnect(values):
                print("[the application hangs up]" + (f" {json.dumps(dict(values))}" if values else ""))
                return Hangup()
        assert_never(action)

    # --- the network ---

    async def _fetch(self, action: Fetch) -> Event:
        request = await request_of(action, self.cookies, self._part)
        try:
            answer = await self.sources.fetch(request)
        except FetchError as error:
            return FetchFailed(str(error))
        if action.kind == "document" and answer.url.lower().startswith(WEB):
            self.sources.close_files()
        return fetched(answer)

    async def _part(self, reference: str) -> FilePart | None:
        recording = self.recordings.get(reference)
        return None if recording is None else recording.part

    # --- the caller ---

    def _hear(self, prompts: tuple[Prompt, ...]) -> Mark | None:
        """Print what is heard: keys typed ahead pass over all that lets itself be barged in on (§4.1.8)."""
        heard: list[Prompt] = []
        for prompt in prompts:
            if not prompt.bargein:
                self._ahead = ""
            if not self._ahead:
                heard.append(prompt)
        lines, mark = self.runner.run(self.hearing.hear(heard))
        for line in lines:
            print(line)
        if len(heard) < len(prompts):
            print(f"[passed over: {self._ahead} was typed ahead]")
        return None if mark is None else Mark(mark, 0.0)

    def _ask(self, prompt: str, help_text: str, understand: Callable[[str], T]) -> T:
        while True:
            try:
                return understand(self.caller.line(prompt, help_text))
            except Misunderstood as error:
                self.caller.refused(error)

    def _collect(self, action: Collect) -> Event:
        mark = self._hear(action.prompts)
        if typed := self._ahead:
            event, self._ahead = keyed(action, typed)
            print(f"> {typed.removesuffix(self._ahead)}")
        else:
            event, self._ahead = self._ask("> ", collect_help(action), lambda line: collected(action, line))
        return replace(event, mark=mark) if isinstance(event, Digits | Spoken | NoInput | NoMatch) else event

    def _record(self, action: Record) -> Event:
        self._hear(action.prompts)
        if self._ahead:
            key, self._ahead = self._ahead[0], self._ahead[1:]
            return cut_short(action, key)
        if action.beep:
            print("[beep]")
        return self._ask("record> ", record_help(action), lambda line: recorded(action, line, self.recordings))

    def _transfer(self, action: Transfer) -> Event:
        self._hear(action.prompts)
        print(f"[{action.kind} transfer to {action.destination}]")
        self._ahead = ""
        return self._ask("transfer> ", transfer_help(action), lambda line: transferred(action, line))
