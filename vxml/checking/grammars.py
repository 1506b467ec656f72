"""Grammars that cannot be loaded: inline, in local files, builtin, and the keys of choices and options."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from functools import partial
from urllib.parse import urldefrag

from lxml import etree

from vxml.actions import Action
from vxml.checking.finding import Finding, Missing, Read
from vxml.checking.page import Page, form_of, parsed
from vxml.checking.scripts import Compiler, tags
from vxml.checking.structure import attributes
from vxml.errors import VoiceXmlEvent, badfetch
from vxml.events import Event, Fetched
from vxml.grammar.abnf import is_abnf, parse_abnf
from vxml.grammar.loading import Get, Loading, builtin_grammars, load_external, load_inline
from vxml.grammar.srgs import local, parse_grammar, tokens
from vxml.inputs import menu_keys


class _Elsewhere(Exception):
    """It refers to what is not looked at."""


def grammars(page: Page, compiler: Compiler) -> Iterator[Finding]:
    for element in page.elements():
        match local(element):
            case "grammar":
                yield from grammar(page, element, compiler)
            case "field":
                yield from _field(page, element)
            case "menu":
                yield from _tried(page, element, partial(menu_keys, element))
        if local(element) in ("choice", "option", "link") and (keys := element.get("dtmf")):
            yield from _tried(page, element, partial(tokens, keys, "dtmf"))


def grammar(page: Page, element: etree._Element, compiler: Compiler) -> Iterator[Finding]:
    source = element.get("src")
    if element.get("srcexpr") is not None or (source is None and not (len(element) or (element.text or "").strip())):
        return  # known on the call only; or nothing at all, which validation tells

    get = _getter(page.read)
    if source is None:
        own = list(_inline(page, element, compiler))
        loading = load_inline(element, page.url, get)
    else:
        try:
            target = source if source.startswith("builtin:") else page.resolve(element, source)
        except Missing as missing:
            yield page.found(element, "missing-file", str(missing))
            return
        own = list(_file(page, urldefrag(target)[0], compiler))
        loading = load_external(target, element.get("type"), get)
    # What a grammar itself is at fault with is told by its own line, what it refers to by the reference's.
    yield from own or _tried(page, element, partial(_loaded, loading))


def standalone(url: str, body: bytes, read: Read, compiler: Compiler, charset: str | None) -> Iterator[Finding]:
    """A grammar file by itself, with what it refers to."""
    own = list(_within(url, body, read, compiler, charset))
    yield from own
    if not own:
        try:
            _loaded(load_external(url, None, _getter(read)))
        except VoiceXmlEvent as event:
            yield Finding(url, event.line or 1, "grammar", event.message)


def _within(
    url: str, body: bytes, read: Read, compiler: Compiler, charset: str | None = None
) -> Iterator[Finding]:  # fmt: skip
    """What is wrong within a grammar file, ABNF or XML."""
    text = body.decode(charset or "utf-8", "replace")
    if is_abnf(text):
        try:
            parse_abnf(text)
        except VoiceXmlEvent as event:
            yield Finding(url, 1, "grammar", event.message)
        return
    root = parsed(url, body, charset)
    if isinstance(root, Finding):
        yield root
        return
    page = Page(url, root, read)
    for element in page.elements():
        yield from attributes(page, element)
    yield from _inline(page, root, compiler)


def _inline(page: Page, element: etree._Element, compiler: Compiler) -> Iterator[Finding]:
    if len(element) == 0 and is_abnf((element.text or "").strip()):
        return
    yield from tags(page, element, compiler)
    yield from _tried(page, element, partial(parse_grammar, element))


def _file(page: Page, url: str, compiler: Compiler) -> Iterator[Finding]:
    try:
        body = None if url.startswith("builtin:") else page.read(url)
    except Missing:
        return  # the loader tells
    if body is not None:
        yield from _within(url, body, page.read, compiler)


def _getter(read: Read) -> Get:
    def get(url: str) -> Generator[Action, Event, Fetched]:
        yield from ()
        try:
            body = read(url)
        except Missing as missing:
            raise badfetch(str(missing)) from None
        if body is None:
            raise _Elsewhere
        return Fetched(url, 200, body)

    return get


def _loaded(loading: Loading) -> None:
    try:
        for _ in loading:
            raise AssertionError("nothing is asked of a host")
    except _Elsewhere:
        pass


def _tried(page: Page, element: etree._Element, work: Callable[[], object]) -> Iterator[Finding]:
    try:
        work()
    except VoiceXmlEvent as event:
        found = page.found(element, "grammar", event.message)
        yield replace(found, line=event.line) if event.line else found


def _field(page: Page, field: etree._Element) -> Iterator[Finding]:
    if (kind := field.get("type")) is not None:
        yield from _tried(page, field, partial(builtin_grammars, kind))
        return
    form = form_of(field)
    inputs = [child for holder in (field, form) if holder is not None for child in holder]
    if field.get("expr") is None and not any(local(child) in ("grammar", "option") for child in inputs):
        words = "no input can fill this field: it has no type, <option> or <grammar>, and its form no <grammar>"
        yield page.found(field, "no-grammar", words, "2.0 §2.3.1")
