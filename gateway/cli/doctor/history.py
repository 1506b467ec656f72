"""What the last calls have shown, so that nobody need be rung for it: codecs, credentials, taps."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from gateway.adapters.store import Recent, recent
from gateway.cli.doctor import troubles
from gateway.cli.doctor.finding import Finding, good, skipped
from gateway.cli.doctor.testcall import NOT_ACCEPTABLE, WANTS_CREDENTIALS
from gateway.ports import StoreError
from gateway.settings import Config

LAST = 500
#: The share of a trunk's attempts, or of the answered ones, from which on it is no accident.
SHARE = 0.2


def examine_history(config: Config) -> list[Finding]:
    try:
        last = recent(Path(config.database.path), LAST)
    except StoreError as error:
        return [skipped("the last calls", str(error))]
    if not last:
        return [good("no calls were made yet that could show a trouble")]
    found = [*_trunks(last), *_taps(config, last)]
    return found or [good(f"the last {len(last)} attempts show no trouble")]


def _trunks(last: list[Recent]) -> list[Finding]:
    findings = []
    for trunk, all_of_it in sorted(Counter(one.trunk for one in last).items()):
        answers = Counter(one.sip for one in last if one.trunk == trunk)
        for codes, trouble in ((NOT_ACCEPTABLE, troubles.CODECS), (WANTS_CREDENTIALS, troubles.CREDENTIALS)):
            count = sum(answers[code] for code in codes)
            if count > SHARE * all_of_it:
                told = f"SIP {max(codes, key=lambda code: answers[code])} to {count} of the last {all_of_it} attempts"
                findings.append(trouble.found(trunk=trunk, told=told))
    return findings


def _taps(config: Config, last: list[Recent]) -> list[Finding]:
    answered = [one for one in last if one.answered and one.detector is not None]
    without = [one for one in answered if one.detector != "tap"]
    if not config.audiosocket.enabled or len(without) <= SHARE * len(answered):
        return []
    why = Counter(one.fallback or "nobody knows why" for one in without).most_common(1)[0][0]
    return [troubles.TAPS_MISSING.found(count=len(without), answered=len(answered), why=why)]
