"""ECMAScript that cannot be compiled, found by the engine itself without running any of it."""

from __future__ import annotations

import json
from collections.abc import Iterator

import quickjs
from lxml import etree

from vxml.checking.finding import Finding, Missing
from vxml.checking.page import Page
from vxml.grammar.srgs import line_of, local
from vxml.scopes import CPU_SECONDS, MAX_STACK, MEMORY

#: Attributes that are expressions wherever they stand.
EXPRESSIONS = (
    "aaiexpr", "array", "cond", "destexpr", "eventexpr", "expr", "expritem", "messageexpr", "nameexpr", "srcexpr",
)  # fmt: skip
# The code is compiled behind a `throw`, so that its first statement never runs.
_HARNESS = """(function () {
  'use strict';
  const compile = eval;
  return function (code) {
    try { compile('throw 0;' + code); } catch (error) {
      if (error === 0) return '';
      const at = /:(\\d+):\\d+/.exec(String(error && error.stack));
      return JSON.stringify({ line: at ? Number(at[1]) : 1, message: String(error && error.message) });
    }
    return '';
  };
})()"""


class Compiler:
    def __init__(self) -> None:
        context = quickjs.Context()
        context.set_memory_limit(MEMORY)
        context.set_max_stack_size(MAX_STACK)
        self._compile = context.eval(_HARNESS)
        context.set_time_limit(CPU_SECONDS)

    def fault(self, code: str) -> tuple[int, str] | None:
        """The line, from 1, and the engine's words for why a script cannot be compiled."""
        try:
            answer = str(self._compile(code))
        except quickjs.JSException as error:
            return 1, str(error).splitlines()[0]
        if not answer:
            return None
        told = json.loads(answer)
        return int(told["line"]), str(told["message"])

    def expression_fault(self, code: str) -> str | None:
        if not code.strip():
            return "it is empty"
        fault = self.fault(f"({code}\n)")
        return None if fault is None else fault[1]


def scripts(page: Page, compiler: Compiler) -> Iterator[Finding]:
    for element in page.elements():
        name = local(element)
        for key in EXPRESSIONS:
            code = element.get(key)
            if code is not None and (why := compiler.expression_fault(code)) is not None:
                yield page.found(element, "script", f'{key}="{_short(code)}" is no expression: {why}')
        if name == "script":
            yield from _script(page, element, compiler)


def _script(page: Page, element: etree._Element, compiler: Compiler) -> Iterator[Finding]:
    code, source = element.text or "", element.get("src")
    if code.strip():
        if (fault := compiler.fault(code)) is not None:
            line, why = fault
            yield page.found(element, "script", f"the script cannot be compiled: {why}", below=line - 1)
        return
    if source is None:
        return
    try:
        url = page.resolve(element, source)
        body = page.read(url)
    except Missing:
        return  # told with the other references
    if body is None:
        return
    charset = element.get("charset") or "utf-8"
    try:
        code = body.decode(charset)
    except (UnicodeDecodeError, LookupError) as error:
        yield page.found(element, "encoding", f"the script {url} is not {charset}: {error}")
        return
    if (fault := compiler.fault(code)) is not None:
        yield Finding(url, fault[0], "script", f"the script cannot be compiled: {fault[1]}")


def tags(page: Page, grammar: etree._Element, compiler: Compiler) -> Iterator[Finding]:
    """The semantic scripts of a grammar in XML (SISR 1.0); literal tags are no scripts."""
    if (grammar.get("tag-format") or "").endswith("literals"):
        return
    for tag in grammar.iter("{*}tag"):
        if (fault := compiler.fault(tag.text or "")) is not None:
            message = f"the tag {_short(tag.text or '')!r} cannot be compiled: {fault[1]}"
            yield Finding(page.url, line_of(tag) + fault[0] - 1, "script", message)


def _short(code: str) -> str:
    words = " ".join(code.split())
    return words if len(words) <= 60 else words[:57] + "..."
