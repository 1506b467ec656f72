"""The ECMAScript side of a session: the chain of scopes session, application, document, dialog and anonymous
(VoiceXML 2.0 §5.1.2), evaluated by QuickJS under limits of memory and time."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TypeAlias

import quickjs

from vxml.errors import semantic
from vxml.hoist import hoisted

Json: TypeAlias = bool | int | float | str | list["Json"] | dict[str, "Json"] | None

MEMORY = 16 * 1024 * 1024  # bytes: the time limit does not interrupt native calls, the memory limit does
CPU_SECONDS = 2.0
MAX_STACK = 256 * 1024

_NAME = re.compile(r"[A-Za-z_$][\w$]*\Z")
_RESERVED = frozenset(
    "break case catch class const continue debugger default delete do else enum export extends false finally for "
    "function if import in instanceof new null return super switch this throw true try typeof var void while with "
    "let static yield".split()
)

# The chain is nested `with`s over objects without a prototype. Outermost stands one that owns every name the language
# itself has not: reading or assigning an undeclared variable ends there, as a ReferenceError.
_PRELUDE = r"""
var __vx = (function () {
  'use strict';
  const own = Object.prototype.hasOwnProperty;
  const missing = new Proxy(Object.create(null), {
    has(target, key) {
      return typeof key === 'string' && !(key in globalThis) && key.slice(0, 5) !== '__vx_';
    },
    get(target, key) {
      if (typeof key !== 'string') return undefined;
      throw new ReferenceError(key + ' is not defined');
    },
    set(target, key) { throw new ReferenceError(key + ' is not defined'); },
  });
  const readonly = (target) => new Proxy(target, {
    get(t, key) { const v = t[key]; return v !== null && typeof v === 'object' ? readonly(v) : v; },
    set(t, key) { throw new TypeError('session.' + String(key) + ' is read-only'); },
    defineProperty(t, key) { throw new TypeError('session is read-only'); },
    deleteProperty() { throw new TypeError('session is read-only'); },
  });
  const names = Object.create(null);
  let scopes = [];
  const runners = {};
  const runner = (depth) => {
    if (!runners[depth]) {
      let open = '', close = '';
      for (let i = 0; i < depth; i++) { open += 'with (__vx_s[' + i + ']) { '; close += ' }'; }
      runners[depth] = (0, eval)('(function (__vx_s, __vx_c) { ' + open + 'return eval(__vx_c);' + close + ' })');
    }
    return runners[depth];
  };
  const run = (code) => {
    const chain = [missing, names, ...scopes.map((one) => one.view)];
    return runner(chain.length)(chain, code);
  };
  const expression = (code) => run('(' + code + '\n)');
  const guard = (work) => {
    try {
      return JSON.stringify({ ok: work() });
    } catch (error) {
      const named = error !== null && typeof error === 'object';
      return JSON.stringify({ error: named ? String(error.name) : 'Error',
                              message: named ? String(error.message) : String(error) });
    }
  };
  const plain = (value) => {
    const text = JSON.stringify(value);
    return text === undefined ? null : JSON.parse(text);
  };
  const find = (name) => scopes.find((one) => one.name === name);
  return {
    push(name, values, frozen) {
      const vars = Object.create(null);
      Object.assign(vars, JSON.parse(values));
      const view = frozen ? readonly(vars) : vars;
      scopes.push({ name, vars, view });
      if (name) names[name] = view;
    },
    alias(name, of) { names[name] = find(of).view; },
    pop() {
      const gone = scopes.pop();
      if (gone.name) {
        delete names[gone.name];
        const outer = scopes.filter((one) => one.name === gone.name).pop();
        if (outer) names[gone.name] = outer.view;
      }
    },
    depth() { return scopes.length; },
    declare(name) {
      const top = scopes[scopes.length - 1].vars;
      if (!own.call(top, name)) top[name] = undefined;
    },
    put(scope, name, json) { find(scope).vars[name] = json === null ? undefined : JSON.parse(json); },
    init(name, code) {
      return guard(() => {
        scopes[scopes.length - 1].vars[name] = code === null ? undefined : expression(code);
        return null;
      });
    },
    value(code) { return guard(() => plain(expression(code))); },
    text(code) {
      return guard(() => {
        const value = expression(code);
        return typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value);
      });
    },
    truth(code) { return guard(() => !!expression(code)); },
    defined(scope, name) { return guard(() => find(scope).vars[name] !== undefined); },
    exec(code) { return guard(() => { run(code); return null; }); },
    has(name) { return scopes.some((one) => own.call(one.vars, name)); },
    tag(code, text) {
      return guard(() => {
        const holder = { out: {} };
        const script = (0, eval)('(function (__h, meta) { with (__h) { ' + code + '\n } return __h.out; })');
        return plain(script(holder, text));
      });
    },
  };
})();
"""


class Scopes:
    """One session's variables. ``push`` and ``pop`` keep the chain; expressions are evaluated in all of it."""

    def __init__(self, session: Mapping[str, Json]) -> None:
        self._context = quickjs.Context()
        self._context.set_memory_limit(MEMORY)
        self._context.set_max_stack_size(MAX_STACK)
        self._context.eval(_PRELUDE)
        self._context.set_time_limit(CPU_SECONDS)
        self._api = self._context.get("__vx")
        self._push("session", session, frozen=True)

    # --- the chain ---

    def _call(self, method: str, *arguments: str | bool | None) -> str:
        words = ", ".join(json.dumps(argument) for argument in arguments)
        try:
            result = self._context.eval(f"__vx.{method}({words})")
        except quickjs.JSException as error:
            raise semantic(f"the script was stopped: {str(error).splitlines()[0]}") from None
        return result if isinstance(result, str) else json.dumps({"ok": result})

    def _result(self, method: str, *arguments: str | bool | None) -> Json:
        answer = json.loads(self._call(method, *arguments))
        if "error" in answer:
            raise semantic(f"{answer['error']}: {answer['message']}")
        value: Json = answer.get("ok")
        return value

    def _push(self, name: str, values: Mapping[str, Json], *, frozen: bool = False) -> None:
        self._call("push", name, json.dumps(values), frozen)

    def push(self, name: str = "", values: Mapping[str, Json] | None = None) -> None:
        """Open a scope: ``application``, ``document``, ``dialog``, or an anonymous one."""
        self._push(name, values or {})

    def pop(self) -> None:
        self._call("pop")

    @property
    def depth(self) -> int:
        depth = json.loads(self._call("depth"))["ok"]
        assert isinstance(depth, int)
        return depth

    def unwind(self, depth: int) -> None:
        while self.depth > depth:
            self.pop()

    def alias(self, name: str, of: str) -> None:
        self._call("alias", name, of)

    # --- variables ---

    def declare(self, name: str, expression: str | None) -> None:
        """<var>: a variable of the innermost scope (VoiceXML 2.0 §5.3.1)."""
        if not _NAME.match(name) or name in _RESERVED:
            raise semantic(f"{name!r} cannot be the name of a variable")
        self._result("init", name, expression)

    def assign(self, name: str, expression: str) -> None:
        """<assign>: an undeclared variable raises error.semantic (VoiceXML 2.0 §5.3.2)."""
        if not re.fullmatch(r"[A-Za-z_$][\w$]*(\.[A-Za-z_$][\w$]*|\[[^\]]*\])*", name):
            raise semantic(f"{name!r} is nothing that can be assigned to")
        self._result("exec", f"{name} = ({expression}\n);")

    def put(self, scope: str, name: str, value: Json) -> None:
        """Set a variable of the named scope from the host; None makes it undefined."""
        self._call("put", scope, name, None if value is None else json.dumps(value))

    def defined(self, scope: str, name: str) -> bool:
        return bool(self._result("defined", scope, name))

    # --- expressions ---

    def value(self, expression: str) -> Json:
        """The value as JSON has it; undefined is None."""
        return self._result("value", expression)

    def text(self, expression: str) -> str:
        return str(self._result("text", expression))

    def truth(self, expression: str) -> bool:
        return bool(self._result("truth", expression))

    def run(self, code: str) -> None:
        """<script>: its top-level variables and functions become those of the innermost scope."""
        variables, functions, rest = hoisted(code)
        names = [*variables, *(name for name, _ in functions)]
        for name in names:
            self._call("declare", name)
        head = "".join(f"{name} = ({source});\n" for name, source in functions)
        self._result("exec", head + rest)

    def tag(self, code: str, utterance: str) -> Json:
        """The value of a grammar's semantic tag (SISR 1.0 script tags)."""
        return self._result("tag", code, utterance)
