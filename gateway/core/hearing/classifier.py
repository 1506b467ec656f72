"""Who answered: verdicts out of what is heard, provisional at first and revised as more is heard."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from gateway.core.hearing.evidence import TONES, Evidence, Sound, Verdict
from gateway.core.hearing.fax import CNG_LENGTH, CNG_PERIOD
from gateway.core.hearing.greeting import Greeting, Opinion
from gateway.core.hearing.listener import Listener
from gateway.core.hearing.model import Model, Weigher
from gateway.core.hearing.net import Net
from gateway.core.model import CalleeType

#: How sure each sound makes us.
SURE: Final = {
    Sound.SIT: 0.98, Sound.BUSY: 0.95, Sound.REORDER: 0.95, Sound.CED: 0.95, Sound.ANSAM: 0.99, Sound.V21: 0.98,
    Sound.CNG: 0.75, Sound.BEEP: 0.97,
}  # fmt: skip
CNG_REPEATED: Final = 0.97
#: A beep that no greeting came before may be a line's own signal.
BEEP_ALONE: Final = 0.72
#: Before the answer a beep may be part of a ringing melody, but after an announcement it is a voicemail.
BEEP_EARLY: Final = 0.7
#: From here on a verdict by tone is not overthrown by lengths of speech.
FIRM: Final = 0.75
#: Seconds of speech before the answer that are an announcement.
ANNOUNCEMENT: Final = 1.5
#: When time is up, a machine is told from this confidence on, and else a person, this surely.
LIKELY, UNDECIDED = 0.82, 0.5
#: A verdict is given anew when its confidence has grown by this.
STEP: Final = 0.1


@dataclass(frozen=True, slots=True)
class Settings:
    """``bias`` (log-odds) above 0 calls more callees machines, under 0 more of them persons: the operating point.

    Nothing is said of speech under the confidence ``sure_of_person`` or ``sure_of_machine`` until ``patience`` seconds
    of silence, or ``deadline`` seconds since the answer, are over: then it is a person, unsurely, because a wrong call
    to a person is worse than a missed machine; at the deadline a machine where that is likely. Higher values wait
    longer.
    Where a machine is spoken to after its beep the ``…_after_beep`` ones stand in for ``sure_of_person``, ``patience``
    and ``deadline``: a machine that was taken for a person would be spoken to over its greeting.
    After ``silence`` seconds without a sound since the answer the verdict is ``silence_means``. From ``window`` seconds
    after the answer on speech is judged no more, because the callee may by then be talking to the application.
    """

    bias: float = 0.0
    sure_of_person: float = 0.88
    sure_of_machine: float = 0.97
    patience: float = 2.0
    deadline: float = 5.5
    sure_after_beep: float = 0.97
    patience_after_beep: float = 2.5
    deadline_after_beep: float = 8.0
    silence: float = 4.0
    silence_means: CalleeType = CalleeType.VOICE
    silence_confidence: float = 0.5
    window: float = 12.0

    def after_beep(self) -> Settings:
        """Those in force where a machine is spoken to after its beep."""
        return replace(
            self, sure_of_person=self.sure_after_beep, patience=self.patience_after_beep,
            deadline=self.deadline_after_beep,
        )  # fmt: skip


class Classifier:
    """Feed it a call's audio from the first ringing on, and tell it of the answer.

    Before :meth:`answered` only tones tell of the callee. What was recorded from the answer on is answered at once.
    """

    def __init__(
        self, settings: Settings | None = None, model: Weigher | None = None, speech: Net | None = None
    ) -> None:
        self.verdict: Verdict | None = None
        self._settings = settings or Settings()
        self._listener = Listener(speech)
        self._greeting = Greeting(model or Model(), self._settings.bias)
        self._answered_at: float | None = None
        self._sounded_until = 0.0  # the end of the last sound
        self._spoken_early = 0.0  # seconds of speech before the answer
        self._silence_told = False
        self._firm = False  # a tone has decided
        self._robot = False  # lengths of speech said machine, and no tone did
        self._fax: Evidence | None = None  # the last tone of a fax

    def answered(self) -> None:
        """The call was answered at the sample that comes next."""
        self._answered_at = self._sounded_until = self._listener.given
        self._listener.attend()
        if not self._firm:
            self.verdict = None

    def await_beep(self) -> None:
        """A machine is spoken to after its beep: who is taken for a person from here on is so more surely."""
        self._settings = self._settings.after_beep()

    @property
    def silent_for(self) -> float:
        """Seconds of the stream since the last sound, 0 while one sounds."""
        if self._listener.voice.present is not None or self._listener.sounding:
            return 0.0
        return max(0.0, self._listener.at - self._sounded_until)

    @property
    def known(self) -> float:
        """Seconds of the stream that have been heard."""
        return self._listener.known

    def feed(self, pcm: bytes) -> list[Evidence | Verdict]:
        """What these samples show: 16-bit little-endian mono at 8 kHz, cut anywhere.

        The same stream with the answer at the same place gives the same evidence and verdicts however it is cut. What
        the line lost is given as silence of its length, so that times stay true.
        """
        found: list[Evidence | Verdict] = []
        for batch in self._listener.feed(pcm):
            found += self._weigh_all(batch)
            found += self._listen(self._listener.at, self._listener.known)
            machine = self.verdict is not None and self.verdict.callee_type is CalleeType.ANSWERINGMACHINE
            self._listener.expect_beep(expected=machine)
        return found

    def finish(self) -> list[Evidence | Verdict]:
        """The stream is over: what still sounded is told."""
        return self._weigh_all(self._listener.flush())

    def _weigh_all(self, heard: list[Evidence]) -> list[Evidence | Verdict]:
        found: list[Evidence | Verdict] = []
        for evidence in heard:
            self._sounded_until, self._silence_told = max(self._sounded_until, evidence.end), False
            found.append(evidence)
            if (verdict := self._weigh(evidence)) is not None:
                self.verdict = verdict
                self._firm = verdict.confidence >= FIRM
                found.append(verdict)
        return found

    def _weigh(self, one: Evidence) -> Verdict | None:
        """The verdict that a sound brings at once."""
        match one.sound:
            case Sound.SPEECH:
                self._spoke(one.start, one.end)
            case Sound.RINGBACK if self._answered_at is not None:
                self._greeting.restart()
            case Sound.SIT if one.tone is not None:
                return self._tells(TONES[one.tone], one)
            case Sound.BUSY | Sound.REORDER if one.tone is not None and not self._greeting.heard_before(one.start):
                # After somebody spoke it means that they have hung up.
                return self._tells(TONES[one.tone], one)
            case Sound.CED | Sound.ANSAM | Sound.V21 | Sound.CNG:
                return self._fax_tone(one)
            case Sound.BEEP:
                return self._beep(one)
        return None

    def _fax_tone(self, one: Evidence) -> Verdict | None:
        before, self._fax = self._fax, one
        if one.sound is not Sound.CNG:
            return self._tells(CalleeType.FAX, one)
        if before is not None and CNG_PERIOD[0] <= one.start - before.start <= CNG_PERIOD[1]:
            return self._tells(CalleeType.FAX, one, CNG_REPEATED)
        # After speech one burst of 1100 Hz is a beep, until it comes again.
        return None if self._greeting.heard or self._firm else self._tells(CalleeType.FAX, one)

    def _beep(self, one: Evidence) -> Verdict | None:
        fax = self._fax if self._fax is not None and abs(self._fax.start - one.start) < 0.1 else None
        cng = fax is not None and fax.sound is Sound.CNG and CNG_LENGTH[0] <= one.end - one.start <= CNG_LENGTH[1]
        if cng and not self._greeting.heard:
            return None
        if self._firm and fax is None:
            return None
        # A fax tone that ended so early was a beep of its pitch.
        if self._answered_at is None:
            early = self._spoken_early >= ANNOUNCEMENT
            return self._tells(CalleeType.ANSWERINGMACHINE, one, BEEP_EARLY) if early else None
        return self._tells(CalleeType.ANSWERINGMACHINE, one, None if self._greeting.heard else BEEP_ALONE)

    @staticmethod
    def _tells(callee: CalleeType, one: Evidence, confidence: float | None = None) -> Verdict:
        hertz = " and ".join(f"{hz:.0f}" for hz in one.hz)
        sure = SURE[one.sound] if confidence is None else confidence
        return Verdict(callee, sure, one.known, f"{one.tone or one.sound} heard ({hertz} Hz)", one.tone)

    def _spoke(self, start: float, end: float) -> None:
        if self._answered_at is None:
            self._spoken_early += end - start
        elif end > self._answered_at:
            self._greeting.add((max(start, self._answered_at), end))

    def _listen(self, at: float, known: float) -> list[Evidence | Verdict]:
        """What the time that passes says of speech and silence after the answer."""
        answered_at, settings, present = self._answered_at, self._settings, self._listener.voice.present
        if answered_at is None:
            return []
        if present is not None:
            self._sounded_until, self._silence_told = present[1], False
            present = (max(present[0], answered_at), max(present[1], answered_at))
        if self._listener.sounding:
            self._sounded_until = at
            return []
        found: list[Evidence | Verdict] = []
        if at - self._sounded_until >= settings.silence and not self._silence_told:
            self._silence_told = True
            found.append(Evidence(Sound.SILENCE, self._sounded_until, at, known))
            if self.verdict is None and not self._greeting.heard:
                self.verdict = Verdict(settings.silence_means, settings.silence_confidence, known, "nothing heard")
                found.append(self.verdict)
        if self._firm:
            return found
        opinion = self._greeting.screened(at) if self._robot and present is None else None
        news, since = opinion is not None, at - answered_at
        if opinion is None and since <= settings.window:
            pressed = self.verdict is None and since > settings.deadline
            opinion = self._greeting.opinion(at, present, self._listener.prosody, pressed=pressed)
            news = opinion is not None and self._is_news(opinion)
            if opinion is not None and not news and self.verdict is None:
                opinion, news = self._last_resort(opinion, pressed=pressed, waited=at - self._sounded_until)
        if opinion is not None and news:
            self._robot = opinion.callee_type is CalleeType.ANSWERINGMACHINE
            self.verdict = Verdict(opinion.callee_type, round(opinion.confidence, 2), known, opinion.why())
            found.append(self.verdict)
        return found

    def _last_resort(self, opinion: Opinion, *, pressed: bool, waited: float) -> tuple[Opinion, bool]:
        """What is told of an opinion that is not sure, and whether it is."""
        if pressed and opinion.callee_type is CalleeType.ANSWERINGMACHINE and opinion.confidence >= LIKELY:
            return opinion, True
        return Opinion(CalleeType.VOICE, UNDECIDED, opinion.why), pressed or waited > self._settings.patience

    def _is_news(self, opinion: Opinion) -> bool:
        now = self.verdict
        if now is None or now.callee_type is not opinion.callee_type:
            return self._is_sure(opinion)
        return opinion.confidence >= now.confidence + STEP

    def _is_sure(self, opinion: Opinion) -> bool:
        person = opinion.callee_type is CalleeType.VOICE
        return opinion.confidence >= (self._settings.sure_of_person if person else self._settings.sure_of_machine)
