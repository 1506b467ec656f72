"""Build the corpus and say what is in it: ``python -m bench.corpus``."""

from __future__ import annotations

import sys
from collections import Counter

from bench.corpus import Fold, clips


def main() -> int:
    said = []
    for fold in Fold:
        count: Counter[tuple[str, str]] = Counter()
        seconds, speakers, languages = 0.0, set(), set()
        for clip in clips(fold):
            count[clip.origin, clip.callee] += 1
            seconds += clip.seconds
            speakers.add(clip.speaker)
            languages.add(clip.language)
        each = ", ".join(f"{number} {origin} {callee}" for (origin, callee), number in sorted(count.items()))
        print(f"{fold}: {each}; {len(speakers)} speakers; {' '.join(sorted(languages))}; {seconds / 3600:.1f} h")
        said.append(f"{fold} {count.total()}")
    print("corpus: " + ", ".join(said) + " clips")
    return 0


if __name__ == "__main__":
    sys.exit(main())
