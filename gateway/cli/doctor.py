"""Checks what installations get wrong, each with its mend."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.config import Config


@dataclass(frozen=True, slots=True)
class Finding:
    ok: bool
    what: str
    mend: str = ""

    def plain(self) -> dict[str, object]:
        return {"ok": self.ok, "what": self.what, "mend": self.mend}


async def examine(config: Config) -> list[Finding]:
    return []
