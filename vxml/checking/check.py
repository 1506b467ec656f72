"""One document, or one grammar, against all rules."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urldefrag

from vxml.checking.finding import Finding, Read
from vxml.checking.grammars import grammars, standalone
from vxml.checking.page import Page, parsed
from vxml.checking.scripts import Compiler, scripts
from vxml.checking.structure import structure
from vxml.checking.targets import targets
from vxml.checking.values import values
from vxml.document import MAX_BYTES
from vxml.document import structure as required
from vxml.grammar.abnf import is_abnf
from vxml.grammar.srgs import local

#: After these the rest of a document is not looked at.
_FATAL = ("root", "too-deep", "too-large")


def check(url: str, body: bytes, read: Read, charset: str | None = None) -> list[Finding]:
    """What is wrong, by line. ``url`` is absolute; ``read`` gives the files that the document refers to."""
    url = urldefrag(url)[0]
    found = dict.fromkeys(_all(url, body, read, charset))
    return sorted(found, key=lambda one: (one.url != url, one.url, one.line))


def _all(url: str, body: bytes, read: Read, charset: str | None) -> Iterator[Finding]:
    if len(body) > MAX_BYTES:
        yield Finding(url, 1, "too-large", f"the document is larger than {MAX_BYTES} bytes")
        return
    compiler = Compiler()
    if is_abnf(body.decode(charset or "utf-8", "replace")):
        yield from standalone(url, body, read, compiler, charset)
        return
    root = parsed(url, body, charset)
    if isinstance(root, Finding):
        yield root
        return
    if local(root) == "grammar":
        yield from standalone(url, body, read, compiler, charset)
        return
    for fault in required(root):
        yield Finding(url, fault.line, fault.rule, fault.message, fault.section)
        if fault.rule in _FATAL:
            return
    page = Page(url, root, read)
    yield from structure(page)
    yield from values(page)
    yield from scripts(page, compiler)
    yield from targets(page)
    yield from grammars(page, compiler)
