"""A VoiceXML document: parsed safely, its declarations at hand, its URLs resolved."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urldefrag

from lxml import etree

from vxml.errors import badfetch
from vxml.grammar.srgs import local
from vxml.validation import faults
from vxml.values import joined

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
        return joined(self.base(element), target)

    def first_dialog(self) -> etree._Element | None:
        return next(iter(child for child in self.root if local(child) in ("form", "menu")), None)


def parse_document(body: bytes, url: str, charset: str | None = None) -> Document:
    """Parse and check. Raises error.badfetch; takes bounded time and memory whatever the bytes are."""
    if len(body) > MAX_BYTES:
        raise badfetch(f"the document is larger than {MAX_BYTES} bytes")
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False,
        remove_comments=True, remove_pis=True, encoding=_usable(charset),
    )  # fmt: skip
    try:
        root = etree.fromstring(body, parser, base_url=url)
    except (etree.XMLSyntaxError, ValueError, LookupError) as error:
        raise badfetch(f"the document is not well-formed XML: {str(error)[:200]}") from None
    docinfo = root.getroottree().docinfo
    if docinfo.internalDTD is not None and list(docinfo.internalDTD.iterentities()):  # type: ignore[union-attr]
        raise badfetch("the document declares entities, which are refused")
    _check(root)
    document = Document(urldefrag(url)[0], root)
    for child in root:
        if local(child) in ("form", "menu") and (name := child.get("id")):
            if name in document.dialogs:
                raise badfetch(f"two dialogs have the id {name!r}")
            document.dialogs[name] = child
    return document


def _usable(charset: str | None) -> str | None:
    """A charset of the transport outranks the document's own declaration (RFC 3023)."""
    if charset is None:
        return None
    try:
        "".encode(charset)
    except LookupError:
        return None
    return charset


def _check(root: etree._Element) -> None:
    if local(root) != "vxml":
        raise badfetch(f"the document's root is <{local(root)}>, not <vxml>")
    if not (root.get("version") or "").startswith("2."):
        raise badfetch("the document does not say version 2.0 or 2.1")  # VoiceXML 2.0 §1.5.1
    count, depth = 0, 0
    for event, element in etree.iterwalk(root, events=("start", "end")):
        if event == "end":
            depth -= 1
            continue
        depth += 1
        count += 1
        if depth > MAX_DEPTH:
            raise badfetch(f"the document is nested more than {MAX_DEPTH} deep")
        if count > MAX_ELEMENTS:
            raise badfetch(f"the document has more than {MAX_ELEMENTS} elements")
        if isinstance(element.tag, str):
            name = etree.QName(element)
            if name.namespace not in (None, NAMESPACE):
                continue
            if name.localname not in ELEMENTS:
                raise badfetch(f"line {element.sourceline}: there is no element <{name.localname}> in VoiceXML 2.1")
            if (fault := next(faults(element), None)) is not None:
                raise badfetch(str(fault))
