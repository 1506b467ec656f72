"""Keeps a stream's time true: a line that sends nothing is silent, and its silence has a length."""

from __future__ import annotations

from typing import Final

BYTES_A_SECOND: Final = 16_000  # 16-bit samples at 8 kHz
#: Seconds that a stream may lag the clock before the line counts as silent: more than a busy Asterisk lags. Silence put
#: into what only comes late would break a tone in two.
SLACK: Final = 1.0
#: Seconds of lag that are left: what is on its way.
ON_ITS_WAY: Final = 0.06


class LineTime:
    """Compares the samples that came with the time that passed, on any clock that counts seconds.

    The stream's beginning is where its fastest piece puts it, so that a clock that runs fast loses nothing.
    """

    def __init__(self, now: float) -> None:
        self._began = now
        self._given = 0
        self._silent = True  # until something comes
        self.gaps = 0  # times that a line which had sent something fell silent

    @property
    def seconds(self) -> float:
        """The stream's length."""
        return self._given / BYTES_A_SECOND

    def came(self, count: int, now: float) -> None:
        """So many bytes came."""
        self._given += count
        self._began = min(self._began, now - self.seconds)
        self._silent = False

    def missing(self, now: float) -> int:
        """Bytes of silence that are to be put in now; they count as given."""
        lag = now - self._began - self.seconds
        if lag <= (ON_ITS_WAY if self._silent else SLACK):
            return 0
        if not self._silent:
            self.gaps += 1
        self._silent = True
        count = 2 * round((lag - ON_ITS_WAY) * BYTES_A_SECOND / 2)
        self._given += count
        return count
