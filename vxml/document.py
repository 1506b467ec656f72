"""A VoiceXML document: parsed safely, its declarations at hand, its URLs resolved."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urldefrag

from lxml import etree

from vxml.errors import badfetch
from vxml.grammar.srgs import line_of, local
from vxml.validation import Fault, faults
from vxml.values import joined
from vxml.wellformed import parsed, parser

NAMESPACE = "http://www.w3.org/2001/vxml"
MAX_BYTES = 4 * 1024 * 1024
MAX_DEPTH = 120
MAX_ELEMENTS = 200_000
XML_BASE = "{http://www.w3.org/XML/1998/namespace}base"
XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"

#: Every element of VoiceXML 2.1, and of the SRGS and SSML inside it.
ELEMENTS = frozenset(
    "assign audio block catch choice clear data disconnect else elseif enumerate error example exit field filled "
    "foreach form goto grammar help if initial item lexicon link log mark menu meta metadata noinput nomatch object "
    "one-of option param prompt property record reprompt rethrow return rule ruleref script subdialog submit tag "
    "throw token transfer value var vxml "
    "break desc div emphasis emp p paragraph phoneme prosody pros s say-as sayas sentence speak sub voice".split()
)


@dataclass(slots=True)
class Document:
    """``url`` is absolute and without fragment."""

    url: str
    root: etree._Element
    dialogs: dict[str, etree._Element] = field(default_factory=dict)

    @property
    def language(self) -> str:
        return self.root.get(XML_LANG) or "en-US"

    @property
    def application(self) -> str | None:
        """The absolute URL of the application root document, if one is named."""
        name = self.root.get("application")
        return urldefrag(joined(self.base(self.root), name))[0] if name else None

    def base(self, element: etree._Element) -> str:
        return element.base or self.url

    def resolve(self, element: etree._Element, target: str) -> str:
        """What an element of another document, a root's handler, refers to counts from here, as if the element had
        been copied to this document (VoiceXML 2.0 §5.2.4)."""
        own = element.getroottree().getroot() is self.root
        return joined(self.base(element if own else self.root), target)

    def dialog(self, name: str | None) -> etree._Element:
        """The dialog of that name, the first one for None. Raises error.badfetch where there is none (§5.3.7)."""
        found = self.dialogs.get(name) if name is not None else next(iter(self._dialogs()), None)
        if found is None:
            raise badfetch(f"{self.url} has no dialog {name!r}" if name else f"{self.url} has no dialog at all")
        return found

    def _dialogs(self) -> Iterator[etree._Element]:
        return (child for child in self.root if local(child) in ("form", "menu"))


def parse_document(body: bytes, url: str, charset: str | None = None) -> Document:
    """Parse and check. Raises error.badfetch; takes bounded time and memory whatever the bytes are."""
    if len(body) > MAX_BYTES:
        raise badfetch(f"the document is larger than {MAX_BYTES} bytes")
    try:
        root = parse_tree(body, url, charset)
    except (etree.XMLSyntaxError, ValueError, LookupError) as error:
        raise badfetch(f"the document is not well-formed XML: {str(error)[:200]}") from None
    if (fault := next(structure(root), None)) is not None:
        raise badfetch(str(fault))
    document = Document(urldefrag(url)[0], root)
    for child in root:
        if local(child) in ("form", "menu") and (name := child.get("id")):
            if name in document.dialogs:
                raise badfetch(f"two dialogs have the id {name!r}")
            document.dialogs[name] = child
    return document


def parse_tree(body: bytes, url: str, charset: str | None = None) -> etree._Element:
    """The root of a document. Raises XMLSyntaxError, ValueError and LookupError where the bytes are no XML."""
    return parsed(body, parser(encoding=_usable(charset), remove_comments=True, remove_pis=True), url)


def _usable(charset: str | None) -> str | None:
    """A charset of the transport outranks the document's own declaration (RFC 3023)."""
    if charset is None:
        return None
    try:
        "".encode(charset)
    except LookupError:
        return None
    return charset


def structure(root: etree._Element) -> Iterator[Fault]:
    """Why a document may not be loaded, in its order."""
    if local(root) != "vxml":
        yield Fault(line_of(root), "root", f"the document's root is <{local(root)}>, not <vxml>")
        return
    if not (root.get("version") or "").startswith("2."):
        yield Fault(line_of(root), "version", "the document does not say version 2.0 or 2.1", "2.0 §1.5.1")
    docinfo = root.getroottree().docinfo
    if docinfo.internalDTD is not None and list(docinfo.internalDTD.iterentities()):  # type: ignore[attr-defined]
        yield Fault(line_of(root), "entities", "the document declares entities, which are refused")
    count, depth = 0, 0
    for event, element in etree.iterwalk(root, events=("start", "end")):
        if event == "end":
            depth -= 1
            continue
        depth += 1
        count += 1
        if depth > MAX_DEPTH:
            yield Fault(line_of(element), "too-deep", f"the document is nested more than {MAX_DEPTH} deep")
            return
        if count > MAX_ELEMENTS:
            yield Fault(line_of(element), "too-large", f"the document has more than {MAX_ELEMENTS} elements")
            return
        if isinstance(element.tag, str):
            name = etree.QName(element)
            if name.namespace not in (None, NAMESPACE):
                continue
            if name.localname not in ELEMENTS:
                words = f"there is no element <{name.localname}> in VoiceXML 2.1"
                yield Fault(line_of(element), "unknown-element", words)
            yield from faults(element)
