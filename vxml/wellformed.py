"""Reads XML of strangers: no DTDs from elsewhere, no entities, and nothing whose reading takes more than its length."""

from __future__ import annotations

from lxml import etree

#: Of one element: lxml looks attributes up one after the other.
MAX_ATTRIBUTES = 256
#: Declarations of one document: each element is asked for those of all around it.
MAX_NAMESPACES = 500


def parser(
    *, encoding: str | None = None, remove_comments: bool = False, remove_pis: bool = False, strip_cdata: bool = True
) -> etree.XMLParser:
    return etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False,
        encoding=encoding, remove_comments=remove_comments, remove_pis=remove_pis, strip_cdata=strip_cdata,
    )  # fmt: skip


def parsed(body: bytes, using: etree.XMLParser, url: str = "") -> etree._Element:
    """The root. Raises XMLSyntaxError, ValueError and LookupError where it is no XML, or made to take long."""
    if body.replace(b"\0", b"").count(b"xmlns") > MAX_NAMESPACES:  # without NULs: it may be UTF-16
        raise ValueError(f"it declares more than {MAX_NAMESPACES} namespaces")
    root = etree.fromstring(body, using, base_url=url or "about:blank")
    for element in root.iter("*"):
        if len(element.attrib) > MAX_ATTRIBUTES:
            raise ValueError(f"an element has more than {MAX_ATTRIBUTES} attributes")
    return root
