"""Who or what a call reached, from SIP code, Q.850 cause, timing and what was heard: the one mapping table, pure."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.core.hearing.evidence import Verdict
from gateway.core.model import CalleeType, EndKind

#: Q.850: unallocated number, user busy, number changed, invalid format. All others are vague.
DEFINITE_CAUSES = frozenset({1, 17, 22, 28})

_B, _N, _O = CalleeType.BUSY, CalleeType.NOANSWER, CalleeType.OPERATOR
_I, _U = CalleeType.INFORMATIONTONE, CalleeType.UNKNOWN

#: What tones tell of a callee with whom no session is held.
HEARD = frozenset({CalleeType.BUSY, CalleeType.OPERATOR, CalleeType.INFORMATIONTONE, CalleeType.FAX})

#: SIP response code to callee type, with the words that a record shows.
SIP: dict[int, tuple[CalleeType, str]] = {
    486: (_B, "busy"),
    600: (_B, "busy everywhere"),
    480: (_N, "temporarily unavailable"),
    404: (_O, "no such number"),
    485: (_O, "ambiguous number"),
    604: (_O, "the number does not exist anywhere"),
    410: (_O, "the number was changed or taken out of service"),
    484: (_O, "the number is incomplete"),
    503: (_I, "no circuit"),
    513: (_I, "no circuit"),
    403: (_U, "forbidden by the far end"),
    603: (_U, "declined"),
    500: (_U, "error at the far end"),
    501: (_U, "not implemented at the far end"),
    502: (_U, "bad gateway at the far end"),
    504: (_U, "timeout at the far end"),
    483: (_U, "too many hops"),
    487: (_U, "terminated by the far end"),
    491: (_U, "request pending at the far end"),
    607: (_U, "unwanted"),
    699: (_U, "refused"),
    488: (_U, "no common codec"),
    606: (_U, "no common codec"),
    302: (_U, "moved"),
}

#: Q.850 cause to callee type, used where Asterisk tells no SIP code.
Q850: dict[int, tuple[CalleeType, str]] = {
    17: (_B, "busy"),
    18: (_N, "no user responding"),
    19: (_N, "no answer"),
    1: (_O, "unallocated number"),
    22: (_O, "number changed"),
    28: (_O, "invalid number"),
    34: (_I, "no circuit"),
    21: (_U, "rejected"),
}

AUTHENTICATION = frozenset({401, 407})


@dataclass(frozen=True, slots=True)
class Seen:
    """What one attempt showed. ``cause`` is Q.850 and ``tech_cause`` the SIP code, None where no Hangup came."""

    channel: bool = False
    ringing: bool = False  # 180 or 183 was seen
    answered: bool = False
    originate_reason: int | None = None  # OriginateResponse: 3 is our own timeout
    cause: int | None = None
    tech_cause: int | None = None
    heard: Verdict | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    kind: EndKind
    callee_type: CalleeType
    reason: str


def outcome(seen: Seen) -> Outcome:
    """The outcome of an attempt that ended without a session.

    A definite cause outranks what is heard, that outranks a vague cause, and silence outranks nothing. Who is heard
    speaking before the answer is an announcement or a ringing melody, and tells nothing.
    """
    heard = seen.heard if seen.heard is not None and seen.heard.callee_type in HEARD else None
    if seen.answered:
        if heard is not None:
            return Outcome(EndKind.NOT_REACHED, heard.callee_type, f"answered by {heard.callee_type}: {heard.reason}")
        return Outcome(EndKind.NOT_REACHED, CalleeType.UNKNOWN, "answered, and hung up before a session could begin")
    if not seen.channel and seen.cause is None:
        return Outcome(EndKind.TRUNK_FAULT, CalleeType.UNKNOWN, "Asterisk could not place the call: no such endpoint")
    if seen.tech_cause in AUTHENTICATION:
        return Outcome(
            EndKind.TRUNK_FAULT, CalleeType.UNKNOWN, f"the trunk refuses our credentials (SIP {seen.tech_cause})"
        )
    if heard is not None and seen.cause not in DEFINITE_CAUSES:
        return Outcome(EndKind.NOT_REACHED, heard.callee_type, heard.reason)
    if seen.originate_reason == 3 or seen.tech_cause == 408 or (seen.cause == 18 and seen.tech_cause is None):
        return _silent(seen)
    if seen.tech_cause is not None:
        callee, words = SIP.get(seen.tech_cause, (CalleeType.UNKNOWN, "refused"))
        return Outcome(EndKind.NOT_REACHED, callee, f"{words} (SIP {seen.tech_cause})")
    callee, words = Q850.get(seen.cause or 0, (CalleeType.UNKNOWN, "ended before answer"))
    return Outcome(EndKind.NOT_REACHED, callee, f"{words} (cause {seen.cause or 0})")


def _silent(seen: Seen) -> Outcome:
    """Nobody answered in time: a telephone that rang, or a trunk that said nothing at all."""
    if seen.ringing:
        return Outcome(EndKind.NOT_REACHED, CalleeType.NOANSWER, "rang until the ring timeout")
    return Outcome(EndKind.TRUNK_FAULT, CalleeType.UNKNOWN, "the trunk gave no sign of ringing")
