"""<say-as> in words."""

from __future__ import annotations

import pytest

from gateway.adapters.sayas import worded, words
from gateway.adapters.speech import EspeakSpeech


@pytest.mark.parametrize(
    ("kind", "form", "text", "said"),
    [
        ("digits", "", "1234", "1 2 3 4"),
        ("characters", "", "AB 1", "A B 1"),
        ("telephone", "", "6175550123", "6 1 7, 5 5 5, 0 1 2 3"),
        ("telephone", "", "617-555-0123x42", "6 1 7, 5 5 5, 0 1 2 3, extension 4 2"),
        ("cardinal", "", "1,042", "one thousand and forty-two"),
        ("number", "", "-3.5", "minus three point five"),
        ("ordinal", "", "21", "twenty-first"),
        ("currency", "", "USD12.50", "twelve dollars, fifty cents"),
        ("currency", "", "$1.00", "one dollar, zero cents"),
        ("date", "", "20261124", "November 24, 2026"),
        ("date", "", "????1224", "December 24"),
        ("date", "dmy", "24/11/2026", "November 24, 2026"),
        ("date", "my", "11-2026", "November, 2026"),
        ("date", "", "2026-11-24", "November 24, 2026"),
        ("time", "", "0230p", "2:30 PM"),
        ("time", "", "14:30", "2:30 PM"),
        ("time", "", "1200a", "12:00 AM"),
        # What is not of its kind is left alone.
        ("ordinal", "", "many", "many"),
        ("date", "", "20261399", "20261399"),
        ("date", "dmy", "24/11", "24/11"),
        ("time", "", "9999", "9999"),
        ("currency", "", "ZZZ5", "ZZZ5"),
        ("unheard-of", "", "x", "x"),
    ],
)
def test_words(kind: str, form: str, text: str, said: str) -> None:
    assert words(text, kind, form, "en-US") == said


def test_other_languages() -> None:
    assert words("21", "cardinal", "", "de-DE") == "einundzwanzig"
    assert words("20261124", "date", "", "fr-FR") == "24 novembre 2026"
    assert words("5", "cardinal", "", "tlh") == "5"


SSML = (
    '<speak version="1.0" xmlns="http://www.w3.org/2001/10/synthesis" xml:lang="en-US">Code '
    '<say-as interpret-as="vxml:digits">42</say-as> &amp; more<desc>a picture</desc>.</speak>'
)


def test_a_document_keeps_what_stands_around() -> None:
    found = worded(SSML, "en-US")
    assert "Code  4 2  &amp; more." in found
    assert "picture" not in found


async def test_digits_are_spoken_one_by_one() -> None:
    speech = EspeakSpeech()
    try:
        plain, apart, digits = [
            await speech.render(f'<speak version="1.0" xml:lang="en-US">{text}</speak>', "en-US")
            for text in ("1111", "1 1 1 1", '<say-as interpret-as="digits">1111</say-as>')
        ]
    finally:
        await speech.close()
    assert abs(len(digits) - len(apart)) < 0.01 * len(apart)
    assert digits != plain
