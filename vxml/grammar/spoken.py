"""Numbers in English words, for the builtin grammars."""

from __future__ import annotations

from collections.abc import Sequence

_UNITS = {
    word: number
    for number, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
        "seventeen eighteen nineteen".split()
    )
}
_TENS = {
    word: 10 * number for number, word in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), 2)
}
_SCALES = {"thousand": 1000, "million": 1_000_000}


def digits_of(words: Sequence[str]) -> str | None:
    """Digits said one by one, ``double`` and ``triple`` understood; None where another word is among them."""
    found, times = "", 1
    for word in words:
        if word in ("double", "triple"):
            times = 2 if word == "double" else 3
            continue
        if word.isdigit():
            digit = word
        elif word in ("oh", "o"):
            digit = "0"
        elif _UNITS.get(word, 10) < 10:
            digit = str(_UNITS[word])
        else:
            return None
        found += digit * times
        times = 1
    return found or None


def integer_of(words: Sequence[str]) -> int | None:
    """``two hundred and five`` as 205; None where the words are no number."""
    total, group, seen = 0, 0, False
    for word in words:
        word = word.replace("-", " ")
        for part in word.split():
            if part == "and" and seen:
                continue
            if part.isdigit():
                group += int(part)
            elif part in _UNITS:
                if (group % 10 and group % 100 > 9) or (seen and group % 100 and group % 100 < 20):
                    return None
                group += _UNITS[part]
            elif part in _TENS:
                if group % 100:
                    return None
                group += _TENS[part]
            elif part == "hundred":
                group = (group or 1) * 100
            elif part in _SCALES:
                total += (group or 1) * _SCALES[part]
                group = 0
            else:
                return None
            seen = True
    return total + group if seen else None


def number_of(words: Sequence[str]) -> str | None:
    """A number with sign and decimals, as a string of digits (VoiceXML 2.0 Appendix P)."""
    said = list(words)
    sign = ""
    if said and said[0] in ("minus", "negative", "plus"):
        sign = "+" if said[0] == "plus" else "-"
        said = said[1:]
    if "point" in said:
        at = said.index("point")
        whole = integer_of(said[:at]) if at else 0
        fraction = digits_of(said[at + 1 :])
        return None if whole is None or fraction is None else f"{sign}{whole}.{fraction}"
    value = integer_of(said)
    return None if value is None else f"{sign}{value}"
