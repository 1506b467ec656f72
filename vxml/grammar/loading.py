"""Gets a grammar with all the grammars it refers to, and compiles it once for all sessions."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar
from urllib.parse import urldefrag

from lxml import etree

from vxml.actions import Action
from vxml.errors import VoiceXmlEvent, badfetch
from vxml.events import Event, Fetched
from vxml.grammar.abnf import abnf_encoding, is_abnf, parse_abnf
from vxml.grammar.automaton import Automaton, GrammarTooLarge
from vxml.grammar.builtin import Spoken, keys, split, spoken
from vxml.grammar.expression import Call, Chain, Choice, Expression, Repeat, Rules
from vxml.grammar.srgs import local, parse_grammar
from vxml.values import joined
from vxml.wellformed import parsed, parser

#: Grammar documents that one grammar may refer to, directly or through others.
MAX_DOCUMENTS = 100
KEPT = 256
_PARSER = parser(remove_comments=True)
_XML_TYPES = ("application/srgs+xml", "application/grammar+xml", "text/xml", "application/xml")
_ABNF_TYPES = ("application/srgs", "application/grammar")

Get = Callable[[str], Generator[Action, Event, Fetched]]
Loading = Generator[Action, Event, "Grammar"]


@dataclass(frozen=True, slots=True)
class Builtin:
    name: str
    parameters: tuple[tuple[str, str], ...]
    spoken: Spoken | None  # by voice


@dataclass(frozen=True, slots=True)
class Grammar:
    """A grammar ready to match: an automaton, or a builtin by voice. ``builtin`` gives the value its form; ``scripts``
    are the global tags of the documents that it is made of, by their URLs (SISR 1.0 §3.3)."""

    mode: str
    automaton: Automaton | None = None
    builtin: Builtin | None = None
    scripts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Source:
    """One grammar document as it was read. ``digest`` tells it from every other."""

    rules: Rules
    references: tuple[str, ...]
    digest: str


#: Both live on between sessions: what was read and compiled once is not read and compiled again.
_read: OrderedDict[str, _Source] = OrderedDict()
_compiled: OrderedDict[str, Automaton] = OrderedDict()


def builtin_grammars(text: str) -> list[Grammar]:
    """Both modes of ``digits?minlength=3`` (a field's type)."""
    return [_builtin("dtmf", text), _builtin("voice", text)]


def _builtin(mode: str, text: str) -> Grammar:
    name, parameters = split(text)
    given = tuple(parameters.items())
    if mode == "dtmf":
        return Grammar("dtmf", Automaton(keys(name, parameters)), Builtin(name, given, None))
    return Grammar("voice", None, Builtin(name, given, spoken(name, parameters)))


def load_inline(element: etree._Element, url: str, get: Get) -> Loading:
    """A <grammar> with content, XML or ABNF, in the document at ``url``."""
    kind = (element.get("type") or "").partition(";")[0].strip()
    _known(kind)
    if kind in _ABNF_TYPES or (len(element) == 0 and is_abnf((element.text or "").strip())):
        text = "".join(str(one) for one in element.itertext()).strip()
        source = _source(text.encode(), lambda: parse_abnf(text))
    else:
        source = _source(etree.tostring(element), lambda: parse_grammar(element))
    around = element.getparent()
    base = url if around is None else around.base or url
    return (yield from _assembled(source, urldefrag(base)[0] + "#inline", None, get))


def load_external(uri: str, kind: str | None, get: Get) -> Loading:
    """A grammar by its absolute URL; a fragment names a public rule. ``kind`` is the media type that was given."""
    if uri.startswith("builtin:"):
        mode, _, text = uri.removeprefix("builtin:").partition("/")
        if mode not in ("dtmf", "voice", "grammar"):
            raise badfetch(f"{uri!r} is no builtin grammar")
        return _builtin("dtmf" if mode == "dtmf" else "voice", text)
    _known((kind or "").partition(";")[0].strip())
    url, rule = urldefrag(uri)
    fetched = yield from get(url)
    return (yield from _assembled(_fetched(fetched), url, rule or None, get))


def _known(kind: str) -> None:
    if kind and kind not in _XML_TYPES + _ABNF_TYPES:
        raise VoiceXmlEvent("error.unsupported.format", f"grammars of type {kind} are not supported")


def _source(body: bytes, parse: Callable[[], Rules]) -> _Source:
    digest = hashlib.sha256(body).hexdigest()
    source = _read.get(digest)
    if source is None:
        rules = parse()
        references = tuple(uri for expression in rules.rules.values() for uri in _references(expression))
        source = _Source(rules, references, digest)
    return _kept(_read, digest, source)


T = TypeVar("T")


def _kept(cache: OrderedDict[str, T], key: str, value: T) -> T:
    cache[key] = value
    cache.move_to_end(key)
    while len(cache) > KEPT:
        cache.popitem(last=False)
    return value


def _fetched(fetched: Fetched) -> _Source:
    return _source(f"{fetched.charset}\n".encode() + fetched.body, lambda: _parsed(fetched))


def _parsed(fetched: Fetched) -> Rules:
    try:
        text = fetched.body.decode(fetched.charset or abnf_encoding(fetched.body) or "utf-8", "replace")
    except LookupError as error:
        raise badfetch(f"the grammar {fetched.url}: {error}") from None
    if is_abnf(text):
        return parse_abnf(text)
    try:
        root = parsed(fetched.body, _PARSER)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise badfetch(f"the grammar {fetched.url} is not well-formed XML: {str(error)[:200]}") from None
    if local(root) != "grammar":
        raise badfetch(f"{fetched.url} is no grammar")
    return parse_grammar(root)


def _assembled(main: _Source, url: str, rule: str | None, get: Get) -> Loading:
    """Fetch what is referred to, then compile, or take what was compiled before."""
    documents = {url: main}
    todo = [url]
    while todo:
        here = todo.pop()
        for uri in documents[here].references:
            target = _absolute(here, documents[here].rules.base, uri)[0]
            if target in documents or target.startswith("builtin:"):
                continue
            if len(documents) >= MAX_DOCUMENTS:
                raise badfetch(f"a grammar refers to more than {MAX_DOCUMENTS} others")
            documents[target] = _fetched((yield from get(target)))
            todo.append(target)
    rules = main.rules
    root = rule or rules.root
    if root not in rules.rules:
        raise badfetch(f"the grammar {url} has no {f'rule {root!r}' if root else 'root rule'}")
    if rule is not None and rule != rules.root and rule not in rules.public:
        raise badfetch(f"the rule {rule!r} of the grammar {url} is private")  # SRGS 1.0 §3.2
    key = " ".join([root, *(f"{place} {source.digest}" for place, source in documents.items())])
    automaton = _compiled.get(key)
    if automaton is None:
        by_place = {place: source.rules for place, source in documents.items()}
        qualified = {
            f"{place}#{name}": _qualified(expression, place, by_place)
            for place, document in by_place.items()
            for name, expression in document.rules.items()
        }
        name = f"{url}#{root}"
        try:
            automaton = Automaton(qualified[name], qualified, name)
        except GrammarTooLarge as error:
            raise badfetch(str(error)) from None
    scripts = {
        place: "\n".join(tag.text for tag in source.rules.tags if not tag.literal)
        for place, source in documents.items()
    }
    return Grammar(rules.mode, _kept(_compiled, key, automaton), scripts=scripts)


def _absolute(here: str, base: str, uri: str) -> tuple[str, str]:
    """``(document, rule)`` of a reference; the rule is empty where the document's root is meant (SRGS 1.0 §4.9)."""
    if uri.startswith("#"):
        return here, uri[1:]
    if uri.startswith("builtin:"):
        return uri, ""
    url, rule = urldefrag(joined(joined(here.removesuffix("#inline"), base), uri))
    return url, rule


def _references(expression: Expression) -> Iterator[str]:
    match expression:
        case Call(uri):
            yield uri
        case Chain(items) | Choice(items):
            for item in items:
                yield from _references(item)
        case Repeat(item):
            yield from _references(item)


def _qualified(expression: Expression, here: str, documents: dict[str, Rules]) -> Expression:
    """References by absolute names, each checked to exist."""
    match expression:
        case Call(uri):
            url, rule = _absolute(here, documents[here].base, uri)
            if url.startswith("builtin:"):
                return keys(*split(url.partition("/")[2]))
            document = documents[url]
            if document.mode != documents[here].mode:
                raise badfetch(f"a {documents[here].mode} grammar refers to {url}, which is one of {document.mode}")
            name = rule or document.root
            if name not in document.rules:
                raise badfetch(f"the grammar {url} has no {f'rule {name!r}' if name else 'root rule'}")
            if url != here and rule and name not in document.public and name != document.root:
                raise badfetch(f"the rule {name!r} of the grammar {url} is private")
            return Call(f"{url}#{name}")
        case Chain(items):
            return Chain(tuple(_qualified(item, here, documents) for item in items))
        case Choice(items):
            return replace(expression, items=tuple(_qualified(item, here, documents) for item in items))
        case Repeat(item):
            return replace(expression, item=_qualified(item, here, documents))
    return expression
