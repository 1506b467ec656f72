"""Who answered, told by Asterisk's own detectors through AGI: works wherever no media tap can be had."""

from __future__ import annotations

import structlog

from gateway.adapters.agi.session import AgiError
from gateway.core.model import CalleeType
from gateway.ports import AgiChannel, Detection

log = structlog.get_logger()

#: initial silence, greeting, after-greeting silence, total, min word, between words, words, silence threshold, max word
#: (milliseconds; the threshold is the mean of absolute samples): 93.6 % on 141 calls, 70.9 % with app_amd's defaults.
AMD_PARAMETERS = "4500,1200,1000,7000,120,200,3,1024,5000"
#: A framehook beside AMD: the last segment of a special information tone of any category, 1776.7 Hz (Telcordia GR-674),
#: received only. Asterisk has one such detector a channel, its own SIT matching finds nothing in this place, and
#: ToneScan would take AMD's first seconds. So the 1800 Hz of an ITU-T E.180 tone after answer is not told here.
SIT = "TONE_DETECT(1777,150,r)"
#: The answer tone of a fax (CED, ITU-T T.30). It lasts 2.6 to 4 s and AMD takes it for a greeting of over 1.2 s, so it
#: still sounds in the time (seconds) of a second listening; a SIT is over by then.
CED = "TONE_DETECT(2100,100,r)"
SECOND_LISTENING = "0.4"
STOP = "TONE_DETECT(0,,x)"


class AgiDetector:
    """AMD tells who speaks while TONE_DETECT listens for a SIT; what AMD takes for a machine is listened to for CED."""

    async def detect(self, channel: AgiChannel) -> Detection:
        """A callee whom Asterisk cannot judge, as without app_amd, is taken for a person."""
        evidence: dict[str, str] = {"detector": "agi"}
        try:
            return await self._judged(channel, evidence)
        except AgiError as error:
            log.error("agi.cannot_judge", error=str(error), mend="`voxgate doctor` tells which module is missing")
            return Detection(CalleeType.VOICE, 0.5, evidence | {"fault": str(error)})

    async def _judged(self, channel: AgiChannel, evidence: dict[str, str]) -> Detection:
        await channel.set_variable(SIT, "")
        await channel.execute("AMD", AMD_PARAMETERS)
        status = await channel.get_variable("AMDSTATUS") or ""
        cause = await channel.get_variable("AMDCAUSE") or ""
        evidence |= {"AMDSTATUS": status, "AMDCAUSE": cause}
        sit = await self._hits(channel)
        # Silence is no machine: a person who waits to be spoken to must not be taken for one.
        if status != "MACHINE" or cause.startswith("INITIALSILENCE"):
            return Detection(CalleeType.VOICE, 0.9 if status == "HUMAN" else 0.5, evidence)
        if sit > 0:
            # AGI does not tell the SIT's category; operator would claim more than is known.
            return Detection(CalleeType.INFORMATIONTONE, 0.9, evidence | {"SIT": str(sit)})
        await channel.set_variable(CED, "")
        await channel.execute("Wait", SECOND_LISTENING)
        if (ced := await self._hits(channel)) > 0:
            return Detection(CalleeType.FAX, 0.95, evidence | {"CED": str(ced)})
        return Detection(CalleeType.ANSWERINGMACHINE, 0.85, evidence)

    @staticmethod
    async def _hits(channel: AgiChannel) -> int:
        """How often the tone was received; the detector is taken off."""
        text = await channel.get_variable("TONE_DETECT(rx)") or "0"
        await channel.set_variable(STOP, "")
        return int(text) if text.isdigit() else 0
