"""Decides, digit by digit, when an input is complete: which timer runs now, and what its end means."""

from __future__ import annotations

from vxml.actions import Collect
from vxml.events import Digits, NoInput, NoMatch
from vxml.grammar.automaton import MatchState


class Collector:
    """One input for a :class:`vxml.Collect` (VoiceXML 2.0 §6.3.3 and Appendix D).

    The host waits at most :attr:`wait` seconds for a digit, then calls :meth:`feed` or :meth:`expired`; the input is
    complete once one of them returns an event.
    """

    def __init__(self, collect: Collect) -> None:
        self._collect = collect
        self._match = collect.matcher.start()
        self.wait = collect.timeout

    def feed(self, digit: str) -> Digits | NoMatch | None:
        collect, match = self._collect, self._match
        if collect.term_char and digit == collect.term_char and not match.could_take(digit):
            return self._done()
        state = match.feed(digit)
        match state:
            case MatchState.NO_MATCH:
                return NoMatch(match.text)
            case MatchState.FINAL:
                # Appendix D: with a termchar and a termtimeout, the terminating character is still awaited.
                if collect.term_timeout <= 0 or not collect.term_char:
                    return Digits(match.text)
                self.wait = collect.term_timeout
            case MatchState.CAN_GROW | MatchState.PARTIAL:
                self.wait = collect.interdigit_timeout
        return None

    def expired(self) -> Digits | NoMatch | NoInput:
        return self._done() if self._match.text else NoInput()

    def _done(self) -> Digits | NoMatch:
        match = self._match
        if match.state in (MatchState.CAN_GROW, MatchState.FINAL):
            return Digits(match.text)
        return NoMatch(match.text)
