"""What README.md and docs/ show: their fenced blocks, in order."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PAGES = (ROOT / "README.md", ROOT / "asterisk-conf/README.md", *sorted((ROOT / "docs").glob("**/*.md")))


@dataclass(frozen=True, slots=True)
class Block:
    language: str
    text: str
    before: str  # the paragraph above it, which may name the file that it is kept as


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def blocks(page: Path, *languages: str) -> list[Block]:
    """The fenced blocks of a page, all or those of some languages."""
    text = page.read_text()
    found = []
    for match in re.finditer(r"^```([^\n]*)\n(.*?)^```$", text, re.M | re.S):
        before = text[: match.start()].rstrip().rpartition("\n\n")[2]
        found.append(Block(match[1].strip(), match[2], before))
    return [one for one in found if not languages or one.language in languages]


def commands(block: Block) -> list[str]:
    """The commands of an ``sh`` block, those over several lines put together."""
    return [line for line in block.text.replace("\\\n", " ").splitlines() if line and not line.startswith("#")]
