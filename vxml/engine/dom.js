// A read-only subset of DOM Level 2 Core, as <data> exposes it (VoiceXML 2.1, Appendix D).
var __vx_dom = function (tree) {
  'use strict';
  const ELEMENT = 1, ATTRIBUTE = 2, TEXT = 3, CDATA = 4, PI = 7, COMMENT = 8, DOCUMENT = 9;
  const list = (items) => {
    const found = { item: (index) => (index in items ? items[index] : null) };
    items.forEach((one, index) => { found[index] = one; });
    Object.defineProperty(found, 'length', { value: items.length });
    return Object.freeze(found);
  };
  const refuse = () => { const error = new Error('the document is read-only'); error.name = 'DOMException'; throw error; };
  const base = {
    ELEMENT_NODE: ELEMENT, ATTRIBUTE_NODE: ATTRIBUTE, TEXT_NODE: TEXT, CDATA_SECTION_NODE: CDATA,
    PROCESSING_INSTRUCTION_NODE: PI, COMMENT_NODE: COMMENT, DOCUMENT_NODE: DOCUMENT,
    hasChildNodes() { return this.childNodes.length > 0; },
    hasAttributes() { return this.attributes !== null && this.attributes.length > 0; },
    cloneNode: refuse, appendChild: refuse, removeChild: refuse, replaceChild: refuse, insertBefore: refuse,
    setAttribute: refuse, removeAttribute: refuse, normalize: refuse,
  };
  Object.freeze(base);
  const node = (type, name, value, owner) => {
    const made = Object.create(base);
    const colon = name.indexOf(':');
    Object.assign(made, {
      nodeType: type, nodeName: name, nodeValue: value, ownerDocument: owner, parentNode: null, attributes: null,
      previousSibling: null, nextSibling: null, firstChild: null, lastChild: null, childNodes: list([]),
      namespaceURI: null, prefix: colon > 0 ? name.slice(0, colon) : null, localName: name.slice(colon + 1),
    });
    return made;
  };
  const characters = (made, text) => {
    made.data = text;
    made.length = text.length;
    made.substringData = (from, count) => text.substr(from, count);
    return made;
  };
  const adopt = (parent, children) => {
    children.forEach((child, index) => {
      child.parentNode = parent;
      child.previousSibling = children[index - 1] || null;
      child.nextSibling = children[index + 1] || null;
    });
    parent.childNodes = list(children);
    parent.firstChild = children[0] || null;
    parent.lastChild = children[children.length - 1] || null;
  };
  const text = (one) => {
    if (one.nodeType === TEXT || one.nodeType === CDATA) return one.data;
    let all = '';
    for (let i = 0; i < one.childNodes.length; i++) all += text(one.childNodes[i]);
    return all;
  };
  const below = (one, fits) => {
    const found = [];
    const walk = (inner) => {
      for (let i = 0; i < inner.childNodes.length; i++) {
        const child = inner.childNodes[i];
        if (child.nodeType !== ELEMENT) continue;
        if (fits(child)) found.push(child);
        walk(child);
      }
    };
    walk(one);
    return list(found);
  };
  const searchable = (made) => {
    made.getElementsByTagName = (name) => below(made, (one) => name === '*' || one.tagName === name);
    made.getElementsByTagNameNS = (space, name) => below(
      made, (one) => (space === '*' || one.namespaceURI === space) && (name === '*' || one.localName === name));
  };
  const build = (plain, owner) => {
    if (typeof plain === 'string') return characters(node(TEXT, '#text', plain, owner), plain);
    if (plain.comment !== undefined) return characters(node(COMMENT, '#comment', plain.comment, owner), plain.comment);
    if (plain.target !== undefined) {
      const made = node(PI, plain.target, plain.data, owner);
      made.target = plain.target;
      made.data = plain.data;
      return made;
    }
    const made = node(ELEMENT, plain.name, null, owner);
    made.tagName = plain.name;
    made.namespaceURI = plain.space;
    const attributes = plain.attributes.map(([name, value, space]) => {
      const one = node(ATTRIBUTE, name, value, owner);
      one.name = name;
      one.value = value;
      one.specified = true;
      one.namespaceURI = space;
      one.ownerElement = made;
      return one;
    });
    const named = (name) => attributes.find((one) => one.name === name) || null;
    const spaced = (space, name) =>
      attributes.find((one) => one.namespaceURI === space && one.localName === name) || null;
    const map = { item: (index) => attributes[index] || null, getNamedItem: named, getNamedItemNS: spaced };
    attributes.forEach((one, index) => { map[index] = one; });
    Object.defineProperty(map, 'length', { value: attributes.length });
    made.attributes = map;
    made.getAttribute = (name) => { const one = named(name); return one ? one.value : ''; };
    made.getAttributeNS = (space, name) => { const one = spaced(space, name); return one ? one.value : ''; };
    made.getAttributeNode = named;
    made.getAttributeNodeNS = spaced;
    made.hasAttribute = (name) => named(name) !== null;
    made.hasAttributeNS = (space, name) => spaced(space, name) !== null;
    searchable(made);
    adopt(made, plain.children.map((child) => build(child, owner)));
    Object.defineProperty(made, 'textContent', { get: () => text(made) });
    return made;
  };
  const document = node(DOCUMENT, '#document', null, null);
  searchable(document);
  adopt(document, tree.map((child) => build(child, document)));
  document.documentElement = tree.length ? document.childNodes[tree.findIndex((one) => one.name !== undefined)] : null;
  document.getElementById = (id) => below(document, (one) => one.getAttribute('id') === id).item(0);
  const freeze = (one) => {
    if (one.attributes) {
      for (let i = 0; i < one.attributes.length; i++) Object.freeze(one.attributes[i]);
      Object.freeze(one.attributes);
    }
    for (let i = 0; i < one.childNodes.length; i++) freeze(one.childNodes[i]);
    return Object.freeze(one);
  };
  return freeze(document);
};
