"""The limits of the contract's numbers."""

from __future__ import annotations

MAX_RETRIES = 10
RETRY_INTERVAL = (60, 172_800)
DEFAULT_RETRY_INTERVAL = 600
#: The latest Unix time that is taken for one: the year 2100.
MAX_TIMESTAMP = 4_102_444_800
