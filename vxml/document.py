"""A VoiceXML document: parsed safely, its declarations at hand, its URLs resolved."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urldefrag, urljoin

from lxml import etree

from vxml.errors import badfetch
from vxml.grammar.srgs import local

NAMESPACE = "http://www.w3.org/2001/vxml"
MAX_BYTES = 4 * 1024 * 1024
MAX_DEPTH = 120
MAX_ELEMENTS = 200_000
XML_BASE = "{http://www.w3.org/XML/1998/namespace}base"
XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"

#: Everything VoiceXML 2.1 knows, and where the host cannot do it yet, what is thrown when it is executed.
UNSUPPORTED = frozenset({"record", "transfer", "subdialog", "object", "data", "foreach", "return", "initial", "link"})
ELEMENTS = UNSUPPORTED | frozenset(
    "assign audio block catch choice clear disconnect else elseif enumerate error example exit field filled form goto "
    "grammar help if item lexicon log mark menu meta metadata noinput nomatch one-of option param prompt property "
    "reprompt rethrow rule ruleref script submit tag throw token value var vxml "
    "break desc emphasis p paragraph phoneme prosody s say-as sentence speak sub voice".split()
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
        return urldefrag(urljoin(self.base(self.root), name))[0] if name else None

    def base(self, element: etree._Element) -> str:
        return element.base or self.url

    def resolve(self, element: etree._Element, target: str) -> str:
        return urljoin(self.base(element), target)

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
            if name.namespace in (None, NAMESPACE) and name.localname not in ELEMENTS:
                raise badfetch(f"line {element.sourceline}: there is no element <{name.localname}> in VoiceXML 2.1")
