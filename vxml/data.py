"""Requests that carry variables, and <data>: XML fetched into a read-only document (VoiceXML 2.1 §5)."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from urllib.parse import urlsplit

from lxml import etree

from vxml.actions import Action, Fetch
from vxml.context import Context
from vxml.errors import VoiceXmlEvent, badfetch
from vxml.events import Event
from vxml.types import Json
from vxml.values import with_query
from vxml.wellformed import parsed, parser

MAX_BYTES = 4 * 1024 * 1024
_PARSER = parser(strip_cdata=False)


def request_with(
    context: Context, element: etree._Element, url: str, names: Sequence[str], inside: Sequence[etree._Element],
    kind: str,
) -> Fetch:  # fmt: skip
    """A GET with the variables in its query, or a POST with them as a form (VoiceXML 2.0 §5.3.8)."""
    fields = [field for name in names for field in _fields(context, name)]
    method = (element.get("method") or "get").upper()
    if method not in ("GET", "POST"):
        raise badfetch(f"the methods are get and post, not {method}")
    if method == "GET":
        return context.request(element, with_query(url, fields), kind, inside)
    enctype = element.get("enctype") or "application/x-www-form-urlencoded"
    if enctype not in ("application/x-www-form-urlencoded", "multipart/form-data"):
        raise VoiceXmlEvent("error.unsupported.format", f"forms of type {enctype} are not supported")
    multipart = enctype == "multipart/form-data"
    return context.request(element, url, kind, inside, method="POST", form=tuple(fields), multipart=multipart)


def _fields(context: Context, name: str) -> list[tuple[str, str]]:
    """A variable as form fields; an object's properties each as one. What is undefined is not sent."""
    scopes = context.scopes
    kind = scopes.kind(name)
    if kind == "undefined":
        return []
    value = scopes.value(name) if kind == "object" else None
    if isinstance(value, dict):
        return [field for key in value for field in _fields(context, f"{name}.{key}")]
    return [(name, scopes.text(name))]


def fetch_data(
    context: Context, element: etree._Element, inside: Sequence[etree._Element]
) -> Generator[Action, Event, None]:
    source, expression = element.get("src"), element.get("srcexpr")
    if (source is None) == (expression is None):
        raise badfetch("<data> needs exactly one of src and srcexpr")
    if source is None:
        source = context.scopes.text(str(expression))
    url = context.document.resolve(element, source)
    request = request_with(context, element, url, (element.get("namelist") or "").split(), inside, "data")
    fetched = yield from context.fetch(request)
    if len(fetched.body) > MAX_BYTES:
        raise badfetch(f"the data of {url} is larger than {MAX_BYTES} bytes")
    name = element.get("name")
    if name is None:
        return
    try:
        root = parsed(fetched.body, _PARSER)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise badfetch(f"the data of {url} is not well-formed XML: {str(error)[:200]}") from None
    top = [*reversed(list(root.itersiblings(preceding=True))), root, *root.itersiblings()]
    _allowed(context, top, url)
    context.scopes.put_dom(name, [_plain(node) for node in top])


def _allowed(context: Context, top: Sequence[etree._Element], url: str) -> None:
    """<?access-control allow="..." deny="..."?> against the host of the document that asks (VoiceXML 2.1 §5.1)."""
    host = urlsplit(context.document.url).hostname or ""
    for node in top:
        if isinstance(node, etree._ProcessingInstruction) and node.target == "access-control":
            allow, deny = node.get("allow") or "", node.get("deny") or ""
            fits = [_host_fits(host, one) for one in allow.split()]
            if not any(fits) or any(_host_fits(host, one) for one in deny.split()):
                raise VoiceXmlEvent("error.noauthorization", f"{url} does not let {host} read it")


def _host_fits(host: str, pattern: str) -> bool:
    if pattern == "*":
        return True
    return host.endswith(pattern[1:]) if pattern.startswith("*.") else host == pattern


def _plain(node: etree._Element) -> Json:
    """The tree as JSON for the engine's document."""
    if isinstance(node, etree._ProcessingInstruction):
        return {"target": str(node.target), "data": str(node.text or "")}
    if isinstance(node, etree._Comment):
        return {"comment": str(node.text or "")}
    if not isinstance(node.tag, str):
        return str(node.text or "")
    children: list[Json] = [node.text] if node.text else []
    for child in node:
        children.append(_plain(child))
        if child.tail:
            children.append(child.tail)
    return {
        "name": _prefixed(node, node.tag),
        "space": etree.QName(node).namespace,
        "attributes": [
            [_prefixed(node, str(key)), str(value), etree.QName(key).namespace] for key, value in node.attrib.items()
        ],
        "children": children,
    }


def _prefixed(node: etree._Element, tag: str) -> str:
    name = etree.QName(tag)
    prefix: str | None = None
    if tag == node.tag:
        prefix = node.prefix
    elif name.namespace is not None:
        prefix = next((key for key, space in node.nsmap.items() if key and space == name.namespace), None)
    return f"{prefix}:{name.localname}" if prefix else name.localname
